"""Pure: how an answer is written, apart from its words: emoji, exclamation marks, address, lists, markup.

Address is told for German and French only, by pronouns that have no other reading; elsewhere nothing is known, and it passes.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from curation.languages import language_of


class Style(StrEnum):
    """A manner that every answer can keep to."""

    NO_EMOJI = "no_emoji"
    EMOJI = "emoji"
    NO_EXCLAMATION = "no_exclamation"
    FORMAL = "formal"
    INFORMAL = "informal"
    NO_LISTS = "no_lists"
    NO_MARKUP = "no_markup"


STYLES: Mapping[Style, str] = {
    Style.NO_EMOJI: "Use no emoji.",
    Style.EMOJI: "Use an emoji.",
    Style.NO_EXCLAMATION: "Use no exclamation marks.",
    Style.FORMAL: "Address customers formally (Sie, vous).",
    Style.INFORMAL: "Address customers informally (du, tu).",
    Style.NO_LISTS: "Write sentences, not lists.",
    Style.NO_MARKUP: "Use no bold text and no headings.",
}
"""Each as a line of a prompt."""

# Pictographs, dingbats and flags; not the digits, # and * that Unicode counts as emoji too.
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\U0001f1e6-\U0001f1ff]")
_LIST = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+\S", re.MULTILINE)
_MARKUP = re.compile(r"\*\*\S|__\S|^#{1,6}\s", re.MULTILINE)
_INFORMAL = {
    "de": re.compile(r"\b(?:du|dir|dich|dein(?:e[mnrs]?)?)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:tu|toi|ton|tes)\b", re.IGNORECASE),
}
# "Sie" at a sentence's start may be "they"; a capital within one is the polite form only.
_FORMAL = {
    "de": re.compile(r"(?<=[\w,] )(?:Sie|Ihnen|Ihr(?:e[mnrs]?)?)\b"),
    "fr": re.compile(r"\b(?:vous|votre|vos)\b", re.IGNORECASE),
}


def keeps_to(style: Style, text: str) -> bool:
    """Whether the text is written so."""
    return _KEEPS[style](text)


def _addresses(text: str, by_language: Mapping[str, re.Pattern[str]]) -> bool:
    pattern = by_language.get(language_of(text) or "")
    return pattern is not None and pattern.search(text) is not None


_KEEPS: Mapping[Style, Callable[[str], bool]] = {
    Style.NO_EMOJI: lambda text: not _EMOJI.search(text),
    Style.EMOJI: lambda text: bool(_EMOJI.search(text)),
    Style.NO_EXCLAMATION: lambda text: "!" not in text,
    Style.FORMAL: lambda text: not _addresses(text, _INFORMAL),
    Style.INFORMAL: lambda text: not _addresses(text, _FORMAL),
    Style.NO_LISTS: lambda text: not _LIST.search(text),
    Style.NO_MARKUP: lambda text: not _MARKUP.search(text),
}
