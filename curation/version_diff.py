"""Pure: what changed between two versions of a dataset, line by line, as a record and as Markdown.

A line is known again by its words, else by the correction it was made from, else by what was asked (the messages before the
answer, without the system prompt). So an answer that a newer correction replaced is a change, not one line gone and one come.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from curation import jsonl
from curation.card import LINEAGE_FILE
from curation.dataset import FILE_OF_SIDE
from storage.records import Message, Side

T = TypeVar("T")
SHOWN = 50  # lines of one kind in the Markdown; the record has all


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A line of a version: line `number` (from 1) of its side's file."""

    side: Side
    number: int
    source_id: str  # "" where the version has no lineage file
    asked: tuple[Message, ...]  # what comes before the answer, without the system prompt
    answer: str

    @property
    def place(self) -> str:
        """`train.jsonl:12`."""
        return f"{FILE_OF_SIDE[self.side]}:{self.number}"


@dataclass(frozen=True, slots=True)
class LinePair:
    """The same line in both versions."""

    before: VersionLine
    after: VersionLine


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What changed. A line that changed and moved is in both; `moved` should be empty for ever: sides are kept."""

    before_id: str
    after_id: str
    added: tuple[VersionLine, ...]
    removed: tuple[VersionLine, ...]
    changed: tuple[LinePair, ...]  # other words, in what is asked or in the answer
    moved: tuple[LinePair, ...]  # from one side to the other
    unchanged: int  # neither changed nor moved
    prompts: tuple[tuple[str, ...], tuple[str, ...]]  # the system prompts of each version, in order of appearance

    @property
    def is_prompt_changed(self) -> bool:
        """Whether the versions were built with other system prompts."""
        return self.prompts[0] != self.prompts[1]

    def summary(self) -> str:
        """One sentence of numbers."""
        counts = {
            "added": len(self.added),
            "removed": len(self.removed),
            "changed": len(self.changed),
            "moved to the other side": len(self.moved),
            "unchanged": self.unchanged,
        }
        return ", ".join(f"{count:,} {what}" for what, count in counts.items()) + "."


def compare_versions(
    before_id: str, before: Mapping[str, bytes], after_id: str, after: Mapping[str, bytes]
) -> VersionDiff:
    """Compare two versions by their files (name → bytes)."""
    old, old_prompts = _lines(before)
    new, new_prompts = _lines(after)
    pairs: list[LinePair] = []
    for key in _KEYS:
        found, old, new = _matched(old, new, key)
        pairs += found
    pairs.sort(key=lambda pair: (pair.after.side, pair.after.number))
    changed = tuple(p for p in pairs if (p.before.asked, p.before.answer) != (p.after.asked, p.after.answer))
    moved = tuple(pair for pair in pairs if pair.before.side is not pair.after.side)
    touched = {id(pair) for pair in (*changed, *moved)}
    return VersionDiff(
        before_id,
        after_id,
        tuple(new),
        tuple(old),
        changed,
        moved,
        len(pairs) - len(touched),
        (old_prompts, new_prompts),
    )


def diff_markdown(diff: VersionDiff) -> str:
    """The comparison as a page; texts stand in fences, so that nothing in them is mark-up."""
    parts = [f"# {diff.before_id} → {diff.after_id}", diff.summary()]
    if diff.is_prompt_changed:
        old, new = ("\n".join(prompts) for prompts in diff.prompts)
        parts += ["## System prompt", _minus_plus(old, new)]
    parts += _section("Moved to the other side", diff.moved, _moved)
    parts += _section("Changed", diff.changed, _changed)
    parts += _section("Added", diff.added, lambda line: _whole(line, "+"))
    parts += _section("Removed", diff.removed, lambda line: _whole(line, "-"))
    return "\n\n".join(parts) + "\n"


def _lines(files: Mapping[str, bytes]) -> tuple[list[VersionLine], tuple[str, ...]]:
    origins = {(row["side"], row["position"]): row["source_id"] for row in jsonl.read(files.get(LINEAGE_FILE, b""))}
    found: list[VersionLine] = []
    prompts: dict[str, None] = {}
    for side, name in FILE_OF_SIDE.items():
        for position, row in enumerate(jsonl.read(files.get(name, b""))):
            messages = [Message(m["role"], m["content"]) for m in row["messages"]]
            if messages[0].role == "system":
                prompts[messages.pop(0).content] = None
            source_id = origins.get((side, position), "")
            found.append(VersionLine(side, position + 1, source_id, tuple(messages[:-1]), messages[-1].content))
    return found, tuple(prompts)


def _matched(
    old: Sequence[VersionLine], new: Sequence[VersionLine], key: Callable[[VersionLine], object]
) -> tuple[list[LinePair], list[VersionLine], list[VersionLine]]:
    """Pairs with the same key (an empty one matches nothing) in the order of the files, and what is left of both."""
    waiting: dict[object, deque[VersionLine]] = defaultdict(deque)
    for line in old:
        if found := key(line):
            waiting[found].append(line)
    pairs: list[LinePair] = []
    left: list[VersionLine] = []
    for line in new:
        candidates = waiting.get(key(line))
        if candidates:
            pairs.append(LinePair(candidates.popleft(), line))
        else:
            left.append(line)
    taken = {pair.before.place for pair in pairs}
    return pairs, [line for line in old if line.place not in taken], left


def _folded_question(line: VersionLine) -> object:
    return tuple(" ".join(message.content.casefold().split()) for message in line.asked)


# The strictest first: a line that is there word for word is never taken for another's change.
_KEYS: tuple[Callable[[VersionLine], object], ...] = (
    lambda line: (line.source_id, line.asked, line.answer),
    lambda line: (line.asked, line.answer),
    lambda line: line.source_id,
    lambda line: line.asked,
    _folded_question,
)


def _section(title: str, items: Sequence[T], shown: Callable[[T], str]) -> list[str]:
    if not items:
        return []
    more = len(items) - SHOWN
    rest = [f"{more:,} further {'line is' if more == 1 else 'lines are'} not shown."] if more > 0 else []
    return [f"## {title} ({len(items):,})", *map(shown, items[:SHOWN]), *rest]


def _whole(line: VersionLine, sign: str) -> str:
    return f"{_head(line)}\n\n{_fenced(_signed(sign, [*_asked(line), line.answer]))}"


def _changed(pair: LinePair) -> str:
    head = f"{_head(pair.after)} (was {_head(pair.before)})"
    before, after = pair.before, pair.after
    if before.asked == after.asked:
        context = _signed(" ", _asked(after))
        return f"{head}\n\n{_fenced([*context, *_signed('-', [before.answer]), *_signed('+', [after.answer])])}"
    lines = [*_signed("-", [*_asked(before), before.answer]), *_signed("+", [*_asked(after), after.answer])]
    return f"{head}\n\n{_fenced(lines)}"


def _moved(pair: LinePair) -> str:
    return f"- {_head(pair.before)} → {_head(pair.after)}"


def _head(line: VersionLine) -> str:
    return f"`{line.place}`" + (f" `{line.source_id}`" if line.source_id else "")


def _asked(line: VersionLine) -> list[str]:
    return [f"{message.role}: {message.content}" for message in line.asked]


def _minus_plus(old: str, new: str) -> str:
    return _fenced([*_signed("-", [old] if old else []), *_signed("+", [new] if new else [])])


def _signed(sign: str, texts: Iterable[str]) -> list[str]:
    return [f"{sign} {line}" for text in texts for line in text.splitlines() or [""]]


def _fenced(lines: Sequence[str]) -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    text = "\n".join(lines)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n{text}\n{fence}"
