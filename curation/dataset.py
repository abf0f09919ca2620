"""Pure: examples → a grouped train / held-out split, JSONL bytes, a card, and a version id that is the hash of those bytes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from curation import jsonl
from curation.as_served import Served
from curation.caps import Caps, over_caps
from curation.examples import Example, Kind, LeftOut, Selection
from curation.fixes import Shown
from curation.marks import Flagged, MarkPolicy
from curation.prompting import SHAPE, CountTokens, build_messages
from storage.records import Message, Side

TRAIN_FILE = "train.jsonl"
HELD_OUT_FILE = "held_out.jsonl"
FLAGGED_FILE = (
    "flagged.jsonl"  # replies that moderators marked as not right: the same shape, the answer is not to be given
)
FILE_OF_SIDE = {Side.TRAIN: TRAIN_FILE, Side.HELD_OUT: HELD_OUT_FILE}
SERVED_FILES = {Side.TRAIN: "train.served.jsonl", Side.HELD_OUT: "held_out.served.jsonl"}
"""Line N says what the bot had said instead of the answer in line N of the side: `{"served": "…"}`, or null."""


COUNTED_AT_ONCE = 256  # texts whose tokens are remembered: a line's own, again and again


class TooFewExamples(Exception):
    """There is not enough to train on and to judge by; the message says how many are missing and where they may wait."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a dataset must satisfy. `held_out_share` is in (0, 1): the share of examples kept back to judge by."""

    minimum_train: int
    minimum_held_out: int
    held_out_share: float
    context_tokens: int  # an example longer than this is left out
    keep: frozenset[str] = frozenset()  # the brand's own addresses and numbers, which are no personal data
    caps: Caps = field(default_factory=Caps)
    marks: MarkPolicy = field(default_factory=MarkPolicy)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A version before it is stored: its id, its files, where each line came from, and its card."""

    id: str
    files: Mapping[str, bytes]
    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    flagged: tuple[Flagged, ...]
    sides: Mapping[str, Side]  # group key → side: of every group in the dataset, and of what was joined into it
    train_tokens: int
    card: Mapping[str, Any]

    @property
    def taught(self) -> tuple[Example, ...]:
        """What is trained on and came from the team: all but off-topic questions."""
        return tuple(example for example in self.train if example.provenance.kind is not Kind.OFF_TOPIC)


def assign_sides(examples: Sequence[Example], known: Mapping[str, Side], rules: Rules) -> dict[str, Side]:
    """Give each group its side. What has a side in `known` keeps it for ever.

    A group that was joined of several takes the side one of them had; where they had both, it is kept back (`build_dataset`
    then leaves out what was trained on before). New groups are taken in the order of the hash of their key. The held-out
    side is filled up to `held_out_share` (and to `minimum_held_out`) with the first of them, never so far that the train side
    falls below `minimum_train`.
    """
    sizes = Counter(example.group_key for example in examples)
    sides: dict[str, Side] = {}
    for example in examples:
        for key in (example.group_key, *example.own_keys):
            if (side := known.get(key)) is not None and sides.get(example.group_key) is not Side.HELD_OUT:
                sides[example.group_key] = side
    held_out = sum(size for key, size in sizes.items() if sides.get(key) is Side.HELD_OUT)
    wanted = max(rules.minimum_held_out, round(len(examples) * rules.held_out_share))
    may_hold_out = len(examples) - rules.minimum_train
    for key in sorted(sizes.keys() - sides.keys(), key=_hash):
        fits = held_out + sizes[key] <= may_hold_out
        sides[key] = Side.HELD_OUT if held_out < wanted and fits else Side.TRAIN
        held_out += sizes[key] if sides[key] is Side.HELD_OUT else 0
    return sides


def build_dataset(
    selection: Selection,
    known_sides: Mapping[str, Side],
    *,
    system_prompt: str,
    rules: Rules,
    count_tokens: CountTokens,
    counter_name: str,
    flagged: Sequence[Flagged] = (),
    served: Served | None = None,
    shape: str = SHAPE,
) -> Dataset:
    """Build a version from selected examples and flagged replies; with `served`, as they would be served.

    Each line is `{"messages": [{"role", "content"}, …]}` in the shape the bot serves, the answer last. The same input always
    gives the same bytes and so the same id. Raises TooFewExamples when either side falls short.
    """
    over = over_caps(selection.examples, rules.caps)
    left_out = [*selection.left_out, *over.items()]
    write = _Writer(system_prompt, rules.context_tokens, counting_once(count_tokens))
    fitting = write.lines([example for example in selection.examples if example.source_id not in over], left_out)
    sides = assign_sides([line.example for line in fitting], known_sides, rules)
    train: list[_Line] = []
    held_out: list[_Line] = []
    for line in fitting:
        side = sides[line.example.group_key]
        if side is Side.HELD_OUT and any(known_sides.get(key) is Side.TRAIN for key in line.example.own_keys):
            left_out.append((line.example.source_id, LeftOut.BESIDE_HELD_OUT))
        else:
            (train if side is Side.TRAIN else held_out).append(line)
    require_enough(len(train), len(held_out), rules)
    beside = [] if served is None else write.lines(served.beside([line.example for line in train]), left_out)
    kept_back = _kept_back(fitting, sides, known_sides)
    for line in write.lines(selection.marked, left_out):
        if line.example.group_key in kept_back:
            left_out.append((line.example.source_id, LeftOut.BESIDE_HELD_OUT))
        else:
            train.append(line)
    if served is not None:
        train, held_out = write.as_served(train, held_out, served)
    train += beside
    marked_bad = write.flagged([one for one in flagged if one.group_key not in kept_back])
    files = _files(train, held_out, marked_bad)
    train_tokens = sum(line.tokens for line in train)
    card = {
        "shape": shape,
        "with_fixes": sum(bool(line.example.fix_ids) for line in train),
        "off_topic": len(beside),
        "train": len(train),
        "held_out": len(held_out),
        "flagged": len(marked_bad),
        "train_tokens": train_tokens,
        "sides_id": version_id({name: files[name] for name in FILE_OF_SIDE.values()}),
        "tokens_counted_by": counter_name,
        "left_out": dict(sorted(Counter(str(reason) for _, reason in left_out).items())),
        "left_out_corrections": {source_id: str(reason) for source_id, reason in sorted(left_out)},
    }
    return Dataset(
        version_id(files),
        files,
        tuple(line.example for line in train),
        tuple(line.example for line in held_out),
        tuple(one for one, _ in marked_bad),
        _kept_sides(fitting, sides, known_sides),
        train_tokens,
        card,
    )


def counting_once(count_tokens: CountTokens) -> CountTokens:
    """The same counts; a text that comes again soon, as a system prompt does in every line, is not tokenised again."""

    @lru_cache(maxsize=COUNTED_AT_ONCE)
    def count_one(content: str) -> int:
        return count_tokens([content])

    return lambda contents: sum(map(count_one, contents))


@dataclass(frozen=True, slots=True)
class _Line:
    """An example as a line of a version."""

    example: Example
    messages: tuple[Message, ...]
    tokens: int


@dataclass(frozen=True, slots=True)
class _Writer:
    """Examples → lines in the shape the bot serves, within what a model can be trained on."""

    system_prompt: str
    context_tokens: int
    count_tokens: CountTokens

    def lines(self, examples: Sequence[Example], left_out: list[tuple[str, LeftOut]]) -> list[_Line]:
        """Those that fit; the others are added to `left_out`."""
        fitting: list[_Line] = []
        for example in examples:
            messages = example_messages(example, self.system_prompt, self.context_tokens, self.count_tokens)
            tokens = self.count_tokens([message.content for message in messages])
            if tokens > self.context_tokens:
                left_out.append((example.source_id, LeftOut.TOO_LONG))
            else:
                fitting.append(_Line(example, messages, tokens))
        return fitting

    def as_served(
        self, train: Sequence[_Line], held_out: Sequence[_Line], served: Served
    ) -> tuple[list[_Line], list[_Line]]:
        """The lines with their fixes. What is trained on is never shown anything of the held-out side, nor of its own group."""
        groups: dict[str, set[str]] = {}
        for line in (*train, *held_out):
            groups.setdefault(line.example.group_key, set()).update((line.example.source_id, *line.example.merged))
        kept_back = {id for line in held_out for id in groups[line.example.group_key]}
        return (
            [
                self._with_fixes(line, served.teach(line.example, groups[line.example.group_key] | kept_back))
                for line in train
            ],
            [self._with_fixes(line, served.show(line.example, groups[line.example.group_key])) for line in held_out],
        )

    def _with_fixes(self, line: _Line, shown: Shown) -> _Line:
        """The line as it is where it would be longer with its fixes than a model can be trained on."""
        if not shown.fix_ids:
            return line
        example = replace(line.example, fixes=shown.messages, fix_ids=shown.fix_ids)
        fitting = self.lines([example], [])
        return fitting[0] if fitting else line

    def flagged(self, flagged: Sequence[Flagged]) -> list[tuple[Flagged, tuple[Message, ...]]]:
        """Those that fit."""
        found: list[tuple[Flagged, tuple[Message, ...]]] = []
        for one in flagged:
            as_example = Example(one.reply_id, one.group_key, one.history, one.question, one.answer)
            messages = example_messages(as_example, self.system_prompt, self.context_tokens, self.count_tokens)
            if self.count_tokens([message.content for message in messages]) <= self.context_tokens:
                found.append((one, messages))
        return found


def _files(
    train: Sequence[_Line], held_out: Sequence[_Line], flagged: Sequence[tuple[Flagged, tuple[Message, ...]]]
) -> dict[str, bytes]:
    """The two sides; beside each what the bot had said instead, line by line; and the flagged replies, where there are any."""
    files: dict[str, bytes] = {}
    for side, lines in ((Side.TRAIN, train), (Side.HELD_OUT, held_out)):
        files[FILE_OF_SIDE[side]] = _rows(line.messages for line in lines)
        if any(line.example.served for line in lines):
            files[SERVED_FILES[side]] = jsonl.written({"served": line.example.served} for line in lines)
    if flagged:
        files[FLAGGED_FILE] = _rows(messages for _, messages in flagged)
    return files


def _kept_back(lines: Sequence[_Line], sides: Mapping[str, Side], known: Mapping[str, Side]) -> set[str]:
    """The keys beside which nothing may be learned from marks: of every conversation in a group that is judged by, and of
    those that ever were, also when what was judged by is gone.
    """
    held = {key for key, side in known.items() if side is Side.HELD_OUT}
    for line in lines:
        if sides[line.example.group_key] is Side.HELD_OUT:
            held.update((line.example.group_key, *line.example.own_keys))
    return held


def _kept_sides(lines: Sequence[_Line], sides: Mapping[str, Side], known: Mapping[str, Side]) -> dict[str, Side]:
    """What to remember for ever: the side of each group, and of what was joined into it; what had one keeps it."""
    kept: dict[str, Side] = {}
    for line in lines:
        side = sides[line.example.group_key]
        for key in (line.example.group_key, *line.example.own_keys):
            kept[key] = known.get(key, side)
    return kept


def example_messages(
    example: Example, system_prompt: str, budget_tokens: int, count_tokens: CountTokens
) -> tuple[Message, ...]:
    """The messages of one training line: the prompt as served, then the answer."""
    answer_tokens = count_tokens([example.answer])
    prompt = build_messages(
        system_prompt,
        example.history,
        example.question,
        fixes=example.fixes,
        budget_tokens=budget_tokens - answer_tokens,
        count_tokens=count_tokens,
    )
    return (*prompt.messages, Message("assistant", example.answer))


def require_enough(train: int, held_out: int, rules: Rules) -> None:
    """Raise TooFewExamples, in words a moderator can act on, unless both sides suffice."""
    have, need = train + held_out, rules.minimum_train + rules.minimum_held_out
    if have < need:
        raise TooFewExamples(
            f"{have} approved {_plural('example', have)}, at least {need} needed "
            f"({rules.minimum_train} to train on, {rules.minimum_held_out} kept back to judge by): "
            f"{need - have} more to approve."
        )
    if train < rules.minimum_train or held_out < rules.minimum_held_out:
        raise TooFewExamples(
            f"{have} approved examples, but they come from too few conversations: {train} can be trained on "
            f"({rules.minimum_train} needed) and {held_out} kept back ({rules.minimum_held_out} needed). "
            "Approve corrections from other conversations."
        )


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"


def version_id(files: Mapping[str, bytes]) -> str:
    """`ds_` and 32 hex digits of SHA-256 over each file's name, length and bytes, in name order."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return "ds_" + digest.hexdigest()[:32]


def _rows(lines: Iterable[Sequence[Message]]) -> bytes:
    """A line for each list of messages."""
    return jsonl.written({"messages": [{"role": m.role, "content": m.content} for m in messages]} for messages in lines)


def _hash(group_key: str) -> str:
    return hashlib.sha256(f"split:{group_key}".encode()).hexdigest()
