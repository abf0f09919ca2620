"""Findings in a text: every rule's, the surer rule first, none overlapping. The same on approval and over the final bytes."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, cast

from curation.scrub.banking import find_cards, find_ibans
from curation.scrub.emails import find_emails
from curation.scrub.folding import fold
from curation.scrub.hints import find_hints
from curation.scrub.ips import find_ips
from curation.scrub.keys import find_keys
from curation.scrub.kinds import FOR_A_PERSON, USUAL, Finder, Finding, Kind, Rules, Span
from curation.scrub.names import find_mentions, find_names
from curation.scrub.passwords import find_logins, find_passwords
from curation.scrub.phones import find_phones

REMEMBERED = 256  # strings of a file that are known to be clean
PLACEHOLDER = re.compile(
    rf"\[(?P<kind>{'|'.join(kind for kind in Kind if kind not in FOR_A_PERSON)}) (?P<number>[1-9]\d{{0,5}})\]"
)

_ANYWHERE: tuple[Finder, ...] = (find_mentions, find_names)
_WITH_SIGNS: tuple[Finder, ...] = (find_logins, find_keys, find_emails, find_passwords)
_WITH_DIGITS: tuple[Finder, ...] = (find_ibans, find_cards, find_ips, find_phones)
_DIGITS = re.compile(r"\d\D{0,3}\d\D{0,3}\d")
_DIGIT_OR_AT = re.compile(r"[0-9@]")
_SIGNS = re.compile(r"[\d@]|://|-----|[\[({] ?(?:at|ät|arr?ob)| (?:dot|punkt|punto|point|ponto) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Located:
    """A finding in a file of lines: `line` from 1, and where in its JSON the text stands ("messages.0.content")."""

    line: int
    place: str
    finding: Finding


def findings(text: str, rules: Rules = USUAL) -> tuple[Finding, ...]:
    """What must not be in a dataset, in the order of the text. What only a person can judge is left out: see `hints`."""
    folded = fold(text)
    return tuple(Finding(span.kind, *folded.original(span.start, span.end)) for span in spans(folded.text, rules))


def hints(text: str, rules: Rules = USUAL) -> tuple[Finding, ...]:
    """What a person should look at before approving: possible addresses and names. Never part of what was found for sure."""
    folded = fold(text)
    taken = _Taken(folded.text)
    for span in spans(folded.text, rules):
        taken.take(span.start, span.end)
    found = [span for span in find_hints(folded.text, rules) if taken.take(span.start, span.end)]
    return tuple(
        Finding(span.kind, *folded.original(span.start, span.end))
        for span in sorted(found, key=lambda span: span.start)
    )


def spans(folded: str, rules: Rules) -> Sequence[Span]:
    """The spans of a folded text, by position, none overlapping another or a placeholder, none that the rules keep."""
    found: list[Span] = []
    taken = _Taken(folded)
    has_signs = _SIGNS.search(folded) is not None
    has_digits = has_signs and _DIGITS.search(folded) is not None
    for finders, applies in ((_WITH_SIGNS, has_signs), (_WITH_DIGITS, has_digits), (_ANYWHERE, True)):
        if applies:
            for finder in finders:
                found.extend(span for span in finder(folded, rules) if taken.take(span.start, span.end))
    if rules.keep and found:
        found = [span for span in found if not is_kept(span, rules)]
    return sorted(found, key=lambda span: span.start)


class _Taken:
    """Which characters belong to something already. Placeholders do from the start: scrubbed text is not scrubbed again."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks: bytearray | None = None
        if "[" in text:
            for match in PLACEHOLDER.finditer(text):
                self.take(match.start(), match.end())

    def take(self, start: int, end: int) -> bool:
        """Take `[start, end)`; False when any of it is taken, or there is nothing of it."""
        if self._marks is None:
            self._marks = bytearray(len(self._text))
        if start >= end or self._marks.find(1, start, end) >= 0:
            return False
        self._marks[start:end] = b"\1" * (end - start)
        return True


def is_kept(span: Span, rules: Rules) -> bool:
    """Whether the brand publishes this itself."""
    keys = _kept_keys(rules.keep, rules.regions)
    return span.key in keys or (span.kind is Kind.EMAIL and span.key[span.key.find("@") :] in keys)


@lru_cache(maxsize=64)
def _kept_keys(keep: frozenset[str], regions: tuple[str, ...]) -> frozenset[str]:
    """What is kept, as the finders would key it; a domain (`@puffin.example`) as it is."""
    rules = Rules(regions=regions)
    keys = {value.casefold() for value in keep}
    for value in keep:
        # A hotline is written without a word before it here, so it is announced.
        keys.update(span.key for written in (value, f"tel: {value}") for span in spans(fold(written).text, rules))
    return frozenset(keys)


def findings_in_lines(content: bytes, rules: Rules = USUAL) -> Iterator[Located]:
    """Re-scan the final bytes of a JSON Lines file: every string in it, keys too; a line that is no JSON, as text."""
    clean: set[str] = set()  # what every line repeats: keys, roles, a system prompt
    for number, line in enumerate(BytesIO(content), 1):
        text = line.removesuffix(b"\n").decode("utf-8", "replace")
        if _is_plain(text, rules):
            continue
        try:
            parsed: Any = json.loads(text) if text.strip() else ""
        except ValueError:
            parsed = text
        suspect = set[str]()
        for value in _texts(parsed):
            if value not in clean:
                if findings(value, rules):
                    suspect.add(value)
                elif len(clean) < REMEMBERED:
                    clean.add(value)
        if suspect:
            for place, value in _strings(parsed, ""):
                if value in suspect:
                    yield from (Located(number, place, finding) for finding in findings(value, rules))


def _is_plain(line: str, rules: Rules) -> bool:
    """Whether nothing can be found in any string of a line: no sign and no digit in all of it, and nobody's name to look for.

    Without a backslash, every string of a JSON line is a part of the line.
    """
    if rules.people or "\\" in line or _DIGIT_OR_AT.search(line):  # most lines have a digit, near their beginning
        return False
    return _SIGNS.search(fold(line).text) is None


def _texts(value: Any) -> list[str]:
    """Every string of a line, keys too."""
    found: list[str] = []
    due: list[Any] = [value]
    while due:
        each = due.pop()
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, dict):
            mapping = cast(dict[str, Any], each)
            found += mapping
            due += mapping.values()
        elif isinstance(each, list):
            due += cast(list[Any], each)
    return found


def _strings(value: Any, place: str) -> Iterable[tuple[str, str]]:
    below = f"{place}." if place else ""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            yield place, key
            yield from _strings(inner, below + key)
    elif isinstance(value, list):
        for position, inner in enumerate(cast(list[Any], value)):
            yield from _strings(inner, below + str(position))
