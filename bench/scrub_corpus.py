"""The corpus of support messages in tests/curation/corpus, read and scored; README.md there says how it was written."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.scrub import FOR_A_PERSON, Finding, Kind, Person, Rules, findings, hints

CORPUS = Path(__file__).parent.parent / "tests" / "curation" / "corpus"
OPEN, HELD_BACK = "open", "held_back"
COVERED = 0.9  # an item counts as found when this share of its characters is, as in other measurements of such tools
# As a workspace with customers in all of these countries would set it.
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "PL", "BR", "TR", "JP", "KR", "RU")
_MARK = re.compile(r"⟦(?P<kind>[a-z ]+)\|(?P<value>[^⟧]*)⟧")
_BREAK = "¦"  # stands inside invented keys, so that no scanner of repositories takes them for real ones


@dataclass(frozen=True, slots=True)
class Line:
    """One message, what is in it, and who takes part."""

    id: str
    language: str
    text: str
    items: tuple[Finding, ...]
    people: tuple[Person, ...]

    @property
    def rules(self) -> Rules:
        """What a scan of this line goes by."""
        return Rules(regions=REGIONS, people=self.people)


@dataclass(frozen=True, slots=True)
class Score:
    """Of one kind: items in the corpus, items found, and findings that touch no item of any kind."""

    items: int
    found: int
    false_alarms: int


def read(half: str) -> list[Line]:
    """The lines of a half, in file order."""
    return [_line(json.loads(row)) for row in (CORPUS / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()]


def unmarked(marked: str) -> tuple[str, tuple[Finding, ...]]:
    """A text without its marks, and what they mark."""
    text, items, done = "", list[Finding](), 0
    marked = marked.replace(_BREAK, "")
    for mark in _MARK.finditer(marked):
        text += marked[done : mark.start()]
        items.append(Finding(Kind(mark["kind"]), len(text), len(text) + len(mark["value"])))
        text += mark["value"]
        done = mark.end()
    return text + marked[done:], tuple(items)


def _line(row: dict[str, Any]) -> Line:
    text, items = unmarked(row["text"])
    people = tuple(
        Person(tuple(n for n in names if not n.islower()), tuple(n for n in names if n.islower()))
        for names in row.get("people", [])
    )
    return Line(row["id"], row["lang"], text, items, people)


def found_in(line: Line) -> tuple[Finding, ...]:
    """Everything that is found in a line or shown to a person."""
    return (*findings(line.text, line.rules), *hints(line.text, line.rules))


def misses(line: Line) -> list[Finding]:
    """Items of a line of which less than COVERED is found, under whatever kind; what is only shown need only be touched."""
    covered = {position for finding in found_in(line) for position in range(finding.start, finding.end)}
    return [
        item
        for item in line.items
        if sum(position in covered for position in range(item.start, item.end))
        < (1 if item.kind in FOR_A_PERSON else COVERED * (item.end - item.start))
    ]


def false_alarms(line: Line) -> list[Finding]:
    """Findings of a line that touch no item."""
    return [f for f in found_in(line) if all(f.end <= item.start or item.end <= f.start for item in line.items)]


def score(lines: Sequence[Line]) -> dict[Kind, Score]:
    """Per kind, over all lines."""
    items = Counter(item.kind for line in lines for item in line.items)
    missed = Counter(item.kind for line in lines for item in misses(line))
    alarms = Counter(finding.kind for line in lines for finding in false_alarms(line))
    return {kind: Score(items[kind], items[kind] - missed[kind], alarms[kind]) for kind in Kind}


# Texts of about n characters in which a careless rule goes back and forth: what begins a match and never ends it.
HOSTILE: dict[str, Callable[[int], str]] = {
    "one letter": lambda n: "a" * n,
    "at signs": lambda n: "@" * n,
    "local parts": lambda n: "a.@" * (n // 3),
    "domains": lambda n: "a@" + "b." * (n // 2),
    "addresses": lambda n: "anna@example.com " * (n // 17),
    "spelled out": lambda n: "a at b dot " * (n // 11),
    "digits": lambda n: "1" * n,
    "digits apart": lambda n: "1 " * (n // 2),
    "digits in brackets": lambda n: "(1" * (n // 2),
    "phones": lambda n: "+44 7700 900123 " * (n // 16),
    "phones beside each other": lambda n: "tel " + "020 7946 0018 " * (n // 14),
    "phones without spaces": lambda n: "tel " + "+442079460018" * (n // 13),
    "cards that do not check": lambda n: "4242 " * (n // 5),
    "IBANs without an end": lambda n: "DE89 " * (n // 5),
    "dots": lambda n: "1." * (n // 2),
    "colons": lambda n: "1:" * (n // 2),
    "URLs": lambda n: "https://a:b" * (n // 11),
    "parameters": lambda n: "https://a?token=" * (n // 16),
    "passwords": lambda n: "password: " * (n // 10),
    "private keys": lambda n: "-----BEGIN PRIVATE KEY-----" * (n // 27),
    "tokens": lambda n: "aB3" * (n // 3),
    "JWTs": lambda n: "eyJaaaaaaaaaaaa." * (n // 16),
    "brackets": lambda n: "[" * n,
    "placeholders": lambda n: "[email 1" * (n // 8),
    "mentions": lambda n: "<@" * (n // 2),
    "spaces": lambda n: " " * n,
    "line ends": lambda n: "\n" * n,
    "invisible": lambda n: "\u200b1" * (n // 2),
    "capitals": lambda n: "Ab " * (n // 3),
    "streets": lambda n: "1 Ab " * (n // 5),
    "names": lambda n: "Anna" * (n // 4),
}
