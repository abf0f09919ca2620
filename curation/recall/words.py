"""Pure: what a question says, read by its words: terms, numbers, names, negation, and what it leans on in the conversation.

No model is asked here, and nothing is dropped because it is in another language: scripts without spaces are read by pairs of
characters.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from curation.recall.common_words import COURTESY, ENGLISH, NUMBER_WORDS, OTHERS, listed
from storage.records import Message

MAX_CHARACTERS = 2000  # of a question; what is beyond is not read, so that a pasted log costs no more than a page
MAX_TERMS = 64

_FUNCTION = ENGLISH | COURTESY | OTHERS
_ONLY_ENGLISH = ENGLISH - OTHERS

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+")
_UNSPACED = re.compile(
    r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+"
)  # Thai, kana, Han
_NEGATION = re.compile(
    r"\b(not|never|no|cannot|without|nothing|kein\w*|nicht|sin|sans|nunca)\b|n['’]t\b|\b(can|do|does|is|wo|did)nt\b"
)
_MODEL_ONE = re.compile(r"\b[A-Z][a-z]+ One\b")  # "Brewlet One" is a number, "can I have one" is not
_ASKING = listed("who whose what when where why which how wer was wann wo warum wie quién qué cuándo dónde cómo")
_SWITCH = listed("turn turned turning switch switched switching")
_LONG_NUMBER = 5  # digits; as long as that it is an order, an invoice, a telephone: what it is about is elsewhere
_LEANS = re.compile(r"^(and|or|but|also|what about|how about|same|und|y|et)\b")
_POINTS_BACK = listed("it that this they them these those one there")


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, read. `terms` are stems in order, without repetition."""

    text: str  # folded: NFKC, lower case, single spaces, only letters and digits; the bare signs where nothing else is
    words: tuple[str, ...]
    terms: tuple[str, ...]
    stems: frozenset[str]  # of all words; "turn … on" and "turn … off" also as the verbs they stand for
    grams: frozenset[str]  # three characters each, over the folded text
    numbers: frozenset[str]
    asks: frozenset[str]  # who, what, when …
    names: frozenset[str]  # folded; only of English texts, where a capital inside a sentence says something
    is_negated: bool
    is_english: bool  # by its function words; what a model of English meaning may be asked about


def folded(text: str) -> str:
    """NFKC, lower case, apostrophes gone, everything but letters and digits a space; at most MAX_CHARACTERS are read."""
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).casefold()
    return " ".join(_WORD.findall(plain.replace("'", "").replace("’", "")))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A word without its commonest English endings: "enabling", "enabled" and "enable" are one. Not a dictionary's stem."""
    if not word.isascii() or word.isdigit():
        return word
    for ending in ("ings", "ing", "edly", "ed", "ies", "es", "s", "ly", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word.rstrip("e") if len(word) > 3 else word


def read(text: str) -> Reading:
    """Read a text once; everything that decides asks the reading."""
    flat = folded(text)
    words = tuple(map(sys.intern, flat.split()))
    english = sum(word in _ONLY_ENGLISH for word in words)
    foreign = sum(word in OTHERS and word not in ENGLISH for word in words)
    is_english = (english > 0 and english >= foreign) or (not foreign and flat.isascii() and len(words) <= 6)
    return Reading(
        text=flat or text.strip()[:MAX_CHARACTERS],
        words=words,
        terms=_terms(words),
        stems=_stems(words),
        grams=frozenset(sys.intern(f" {flat} "[i : i + 3]) for i in range(len(flat))),
        numbers=_numbers(words, text[:MAX_CHARACTERS]),
        asks=_ASKING.intersection(words),
        names=_names(text[:MAX_CHARACTERS]) if is_english else frozenset(),
        is_negated=_NEGATION.search(text[:MAX_CHARACTERS].casefold()) is not None,
        is_english=is_english,
    )


def read_answer(text: str) -> Reading:
    """What is kept of an answer: its words, terms and stems, which is a quarter of the memory."""
    return replace(read(text), text="", grams=frozenset(), names=frozenset())


def _stems(words: Sequence[str]) -> frozenset[str]:
    said = {stem(word) for word in words}
    for at, word in enumerate(words):
        if word in _SWITCH:
            particle = next((after for after in words[at + 1 : at + 6] if after in ("on", "off")), None)
            said |= {stem({"on": "enable", "off": "disable"}[particle])} if particle else set()
    return frozenset(said)


def _terms(words: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for word in words:
        if _UNSPACED.search(word):
            found.update(dict.fromkeys(sys.intern(word[i : i + 2]) for i in range(max(1, len(word) - 1))))
        elif word not in _FUNCTION:
            found[stem(NUMBER_WORDS.get(word, word))] = None
        if len(found) >= MAX_TERMS:
            break
    return tuple(found)[:MAX_TERMS]


def _numbers(words: Sequence[str], text: str) -> frozenset[str]:
    found = {"1"} if _MODEL_ONE.search(text) else set[str]()
    found |= {NUMBER_WORDS[word] for word in words if word in NUMBER_WORDS}
    found |= {
        digits.lstrip("0") or "0" for word in words for digits in _NUMBER.findall(word) if len(digits) < _LONG_NUMBER
    }
    return frozenset(found)


def _names(text: str) -> frozenset[str]:
    """Words with a capital inside a sentence, in capitals, or of letters and digits together ("Okta", "SSO", "X200")."""
    letters = [character for character in text if character.isalpha()]
    if not letters or sum(character.isupper() for character in letters) > len(letters) * 0.6:
        return frozenset()  # shouted: capitals say nothing
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word, before = match[0], text[: match.start()].rstrip(" \"'“‘(")
        starts = not before or before[-1] in ".!?:…\n"
        is_mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
        is_capital = word[0].isupper() and (not starts or (len(word) > 1 and word[1:].upper() == word[1:]))
        if (is_mixed or is_capital) and word.casefold() not in _FUNCTION:
            found.add(stem(word.casefold()))
    return frozenset(found)


def leans_on_history(question: Reading) -> bool:
    """Whether a question can be understood only with the one before: "and abroad?", "how long is it kept?"."""
    if _LEANS.match(question.text) or len(question.terms) <= 2:
        return True
    return len(question.terms) <= 4 and not _POINTS_BACK.isdisjoint(question.words)


def in_context(question: str, history: Sequence[Message]) -> str:
    """The question, with the last one of the history before it where it leans on that."""
    before = next((message.content for message in reversed(history) if message.role == "user"), "")
    return f"{before}\n{question}" if before and leans_on_history(read(question)) else question


def stands_alone(question: Reading) -> bool:
    """Whether the same words ask the same thing in every conversation: "where is my refund?", and not "how much is it?"."""
    return not _LEANS.match(question.text) and _POINTS_BACK.isdisjoint(question.words) and len(question.words) > 2


def is_asking(question: Reading) -> bool:
    """Whether anything is asked that a fix could fit: a thank you, a greeting and an emoji have no terms."""
    return bool(question.terms)
