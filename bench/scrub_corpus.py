"""The corpus of support messages in tests/curation/corpus, read and scored; README.md there says how it was written."""

import json
import re
from collections import Counter
from collections.abc import Sequence
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


def _line(row: dict[str, Any]) -> Line:
    text, items, done = "", list[Finding](), 0
    marked = row["text"].replace(_BREAK, "")
    for mark in _MARK.finditer(marked):
        text += marked[done : mark.start()]
        items.append(Finding(Kind(mark["kind"]), len(text), len(text) + len(mark["value"])))
        text += mark["value"]
        done = mark.end()
    people = tuple(
        Person(
            tuple(name for name in names if " " in name or not name.islower()), tuple(n for n in names if n.islower())
        )
        for names in row.get("people", [])
    )
    return Line(row["id"], row["lang"], text + marked[done:], tuple(items), people)


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
