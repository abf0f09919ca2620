"""Participants' names, as the platform's cache gives them, however they are written; and mentions in the platforms' own syntax.

A name is looked for in full and by its parts. A part that is also a word ("Will", "Rose", "Stein") counts only where a person is
addressed by it. Who is not a participant is not found here.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from curation.scrub.kinds import Kind, Person, Rules, Span
from curation.scrub.name_words import NAMES_THAT_ARE_WORDS, PARTICLES

_MENTION = re.compile(r"<@!?(?P<id>[A-Z0-9]{8,22})(?:\|[^>\s]{0,80})?>")
_HANDLE_SHORTEST = 5  # characters; a shorter handle counts only after its @
_PART_SHORTEST = 3
# Over plain text, so without marks.
_ADDRESSED = re.compile(
    r"(?:\b(?:hi|hey|hello|dear|thanks|thank you|thx|cheers|mr|mrs|ms|miss|dr|prof|hallo|liebe[rs]?|danke|herrn?|frau|moin|"
    r"servus|bonjour|salut|merci|cher|chere|madame|monsieur|mme|hola|gracias|senora?|querid[oa]|sra?|ciao|grazie|caro|cara|"
    r"signora?|ola|obrigad[oa]|hoi|dag|bedankt|dank je|beste|hej|tack|czesc|dzieki|pani?|merhaba|sayin|привет|спасибо)"
    r"[ .,!]{1,2}|@)$"
)
_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, Chinese characters, hangul
_SPELLINGS = {"ß": "s{1,2}", "ä": "ae?", "ö": "oe?", "ü": "ue?", "ø": "oe?", "å": "aa?"}
_SPELLED_OUT = re.compile(r"ae|oe|ue|ss")


def find_mentions(text: str, rules: Rules) -> Iterator[Span]:
    """`<@U07QK2M4XR>` of Slack and `<@318274650193847261>` of Discord; a participant's is the participant's name."""
    if "<@" in text:
        owners = {platform_id: _key(person) for person in rules.people for platform_id in person.ids}
        for match in _MENTION.finditer(text):
            yield Span(Kind.NAME, match.start(), match.end(), owners.get(match["id"], "id:" + match["id"]))


def find_names(text: str, rules: Rules) -> Iterator[Span]:
    """Names and handles of the rules' people: in full first, so that a part never splits a whole."""
    if not rules.people:
        return
    plain = "".join(map(_PLAIN.__getitem__, text))
    patterns = [(_key(person), *_patterns(person)) for person in rules.people]
    for key, whole, _ in patterns:
        if whole:
            yield from (Span(Kind.NAME, match.start(), match.end(), key) for match in whole.finditer(plain))
    for key, _, parts in patterns:
        if parts:
            for match in parts.finditer(plain):
                if match.lastgroup != "word" or _is_addressed(text, plain, match.start()):
                    yield Span(Kind.NAME, match.start(), match.end(), key)


def _is_addressed(text: str, plain: str, start: int) -> bool:
    return text[start].isupper() and _ADDRESSED.search(plain[max(0, start - 16) : start]) is not None


def _key(person: Person) -> str:
    return "person:" + "\0".join((*person.names, *person.handles, *person.ids))


@lru_cache(maxsize=1024)
def _patterns(person: Person) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """One pattern for a person's names and handles in full, one for the parts of names; over plain text."""
    whole = [_spelled(name) for name in person.names if " " in name.strip() or _WITHOUT_SPACES.search(name)]
    single = [name.strip() for name in person.names if " " not in name.strip()]
    sure = {
        part for name in person.names for part in (*name.split(), *re.split(r"[\s-]", name)) if _may_stand_alone(part)
    }
    sure |= {name for name in single if _may_stand_alone(name)}
    for handle in person.handles:
        name = re.escape(_plain(handle))
        whole.append(f"@{name}")
        if len(handle) >= _HANDLE_SHORTEST and _plain(handle) not in _PLAIN_WORDS:
            whole.append(name)
    words = {part for part in sure if _plain(part) in _PLAIN_WORDS}
    names = [*(_spelled(part) for part in sure - words)]
    alternatives = [
        rf"(?P<{group}>{'|'.join(sorted(of, key=len, reverse=True))})"
        for group, of in (("sure", names), ("word", [_spelled(part) for part in words]))
        if of
    ]
    return _pattern(whole), _pattern(alternatives)


def _may_stand_alone(part: str) -> bool:
    if _WITHOUT_SPACES.search(part):
        return len(part) >= 2
    return len(part) >= _PART_SHORTEST and part.casefold() not in PARTICLES and any(c.isalpha() for c in part)


def _pattern(alternatives: list[str]) -> re.Pattern[str] | None:
    if not alternatives:
        return None
    joined = "|".join(sorted(alternatives, key=len, reverse=True))
    # A genitive's s belongs to the name; letters of scripts that use no spaces may follow.
    after = rf"(?:s)?(?![^\W_](?<!{_WITHOUT_SPACES.pattern}))"
    return re.compile(rf"(?<![^\W_])(?:{joined}){after}|{_unspaced(alternatives)}")


def _unspaced(alternatives: list[str]) -> str:
    """What is written without spaces around it needs no edges."""
    unspaced = [
        alternative for alternative in alternatives if _WITHOUT_SPACES.search(alternative) and "?P<" not in alternative
    ]
    return "|".join(unspaced) or r"(?!)"


def _spelled(name: str) -> str:
    """A pattern for a name over plain text: any space, ä as a or ae, and ae as ä where the name is long enough to bear it."""
    pattern = ""
    position, name = 0, unicodedata.normalize("NFC", name.strip())
    while position < len(name):
        character = name[position]
        pair = _plain(name[position : position + 2])
        if character.isspace():
            pattern += r"[ \t]{1,3}"
        elif character.casefold() in _SPELLINGS or character == "ß":
            pattern += _SPELLINGS[character.casefold() if character != "ß" else character]
        elif len(name) > 4 and _SPELLED_OUT.fullmatch(pair):
            pattern += f"{pair[0]}{pair[1]}?"
            position += 1
        else:
            pattern += re.escape(_plain(character))
        position += 1
    return pattern


class _Plain(dict[str, str]):
    """A character in lower case without its marks: always exactly one character, so that positions stay."""

    def __missing__(self, character: str) -> str:
        plain = character.casefold()[:1]
        if not _WITHOUT_SPACES.match(plain):  # there a mark is a letter's own
            plain = unicodedata.normalize("NFKD", plain)[:1]
        self[character] = plain = {"ł": "l", "đ": "d", "ø": "o", "ı": "i", "ð": "d", "’": "'"}.get(plain, plain)
        return plain


_PLAIN = _Plain()


def _plain(text: str) -> str:
    return "".join(map(_PLAIN.__getitem__, text))


_PLAIN_WORDS = frozenset(_plain(word) for word in NAMES_THAT_ARE_WORDS)
