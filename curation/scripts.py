"""Pure: which script a text is written in. Not which language: that is left to whoever knows it (a channel's setting)."""

import unicodedata
from collections import Counter
from functools import lru_cache

NO_SCRIPT = "none"  # no letters: numbers, signs, emoji
_NAMES = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "FULLWIDTH": "Latin", "MODIFIER": NO_SCRIPT}


def script_of(text: str) -> str:
    """The script most letters of a text belong to ("Latin", "Cyrillic", "Han" …); of equals, the first by name.

    Japanese mixes Han with Kana, so any Kana at all makes "Kana" of both. A letter's script is the first word of its
    Unicode name.
    """
    if text.isascii():
        return "Latin" if any(letter.isalpha() for letter in text) else NO_SCRIPT
    counts: Counter[str] = Counter()
    for letter, times in Counter(text).items():
        if letter.isalpha():
            counts[_script(letter)] += times
    del counts[NO_SCRIPT]
    if "Kana" in counts:
        counts["Kana"] += counts.pop("Han", 0)
    return min(counts, key=lambda name: (-counts[name], name), default=NO_SCRIPT)


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    first = unicodedata.name(letter, "UNKNOWN").partition(" ")[0].partition("-")[0]
    return _NAMES.get(first, first.capitalize())
