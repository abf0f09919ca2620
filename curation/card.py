"""Pure: a dataset version's card: what is in it, from whom, what was left out, and what training on it would cost.

Every number is worked out from lines that stand in the version's own files, so that `recompute` gives the same numbers from
those bytes alone. What cannot be read there (caps, prices, the voice's full prompt) is the card's basis and kept with it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from curation import jsonl
from curation.agreement import Agreement, Rating, agreement
from curation.cost import Estimate, Traffic, estimate
from curation.dataset import FILE_OF_SIDE, counting_once
from curation.examples import Kind
from curation.prices import Prices
from curation.prompting import CountTokens
from curation.scripts import script_of
from storage.records import Message, Side

LINEAGE_FILE = "lineage.jsonl"  # one line per line of the two sides
LEFT_OUT_FILE = "left_out.jsonl"
RATINGS_FILE = "ratings.jsonl"  # of the double-reviewed sample

COUNTED = ("kind", "channel", "reason", "language", "script", "moderator", "topic", "day")
UNKNOWN = "unknown"  # what a line says nothing of
SHARE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Origin:
    """Where line `position` (from 0) of a side came from. "" is unknown."""

    side: Side
    position: int
    source_id: str  # the correction's id, that of a reply marked as good, or "off_topic:" and a shipped question's
    group_key: str
    kind: Kind
    channel: str = ""  # the platform and its id of the place
    reason: str = ""
    language: str = ""  # as whoever built the version knows it; the script is read from the text
    moderator: str = ""  # actor id of who wrote the answer
    topic: str = ""
    day: str = ""  # of the approval: "2026-11-21"
    merged: tuple[str, ...] = ()  # ids of corrections that say the same
    fixes: tuple[str, ...] = ()  # ids of corrections that are shown before the conversation
    manner_of: tuple[str, ...] = ()  # off topic: ids of the corrections whose opening and sign-off the answer has


_ORIGIN = [one.name for one in fields(Origin)]


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line of a version: its messages, the answer last, and where it came from."""

    origin: Origin
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a card is worked out with, beside the version's files."""

    counted_by: str  # the tokenizer's name
    epochs: int
    full_prompt: str  # the voice's own; the version may be built with a shorter one
    prices: Prices
    caps: Mapping[str, float] = field(
        default_factory=dict[str, float]
    )  # of COUNTED → the share one value may have at most
    targets: tuple[tuple[str, str], ...] = ()  # (vendor, model) to estimate the cost at
    traffic: Traffic | None = None  # what a model would have to serve; without it, serving is not estimated


@dataclass(frozen=True, slots=True)
class SideNumbers:
    """One side of the split."""

    examples: int
    groups: int
    tokens: int
    longest: int  # tokens of its longest example


@dataclass(frozen=True, slots=True)
class Largest:
    """The value that most examples have, and its share of all examples of the version."""

    value: str
    share: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything that is counted."""

    sides: Mapping[str, SideNumbers]  # "train", "held_out"
    held_out_share: float
    counts: Mapping[str, Mapping[str, int]]  # of COUNTED → value → examples, the most frequent first
    largest: Mapping[str, Largest]  # of COUNTED: how far one value outweighs the others
    over_cap: Mapping[str, Largest]  # of the basis' caps: who or what has more than it allows
    merged: int  # corrections that another one's line speaks for
    left_out: Mapping[str, int]  # reason → corrections and marked replies
    repeated_lines: int  # lines that stand in the files already, word for word
    repeated_questions: int  # lines whose question does
    torn_groups: int  # groups with lines on both sides: always 0, or the split leaks
    prompt_tokens: int  # of the system prompt the version is built with
    saved_tokens_per_reply: int  # what that spends less than the full one


@dataclass(frozen=True, slots=True)
class Card:
    """A version's card."""

    version_id: str
    basis: Basis
    numbers: Numbers
    estimates: tuple[Estimate, ...]  # in the order of the basis' targets
    agreement: Agreement


def make_card(
    version_id: str,
    lines: Iterable[CardLine],
    left_out: Sequence[tuple[str, str]],
    ratings: Sequence[Rating],
    basis: Basis,
    count_tokens: CountTokens,
) -> Card:
    """The card of a version with these lines; `left_out` are (source id, reason)."""
    tally = _Tally(count_tokens)
    for line in lines:
        tally.add(line)
    numbers = tally.numbers(left_out, basis)
    tokens = numbers.sides[Side.TRAIN].tokens
    return Card(
        version_id,
        basis,
        numbers,
        tuple(
            estimate(basis.prices, vendor, model, tokens=tokens, epochs=basis.epochs, traffic=basis.traffic)
            for vendor, model in basis.targets
        ),
        agreement(ratings, key="card"),
    )


def recompute(version_id: str, files: Mapping[str, bytes], basis: Basis, count_tokens: CountTokens) -> Card:
    """The same card from a version's bytes alone. Without a lineage file, every line is of unknown origin and its own group."""
    left_out = [(row["source_id"], row["reason"]) for row in jsonl.read(files.get(LEFT_OUT_FILE, b""))]
    ratings = [Rating(row["unit"], row["rater"], row["value"]) for row in jsonl.read(files.get(RATINGS_FILE, b""))]
    return make_card(version_id, _lines(files), left_out, ratings, basis, count_tokens)


def _lines(files: Mapping[str, bytes]) -> Iterator[CardLine]:
    origins = {(row["side"], row["position"]): _origin(row) for row in jsonl.read(files.get(LINEAGE_FILE, b""))}
    for side, name in FILE_OF_SIDE.items():
        for position, row in enumerate(jsonl.read(files.get(name, b""))):
            messages = tuple(Message(m["role"], m["content"]) for m in row["messages"])
            unknown = Origin(side, position, "", f"{side}:{position}", Kind.UNKNOWN)
            yield CardLine(origins.pop((side, position), unknown), messages)


def lineage_files(
    origins: Sequence[Origin], left_out: Sequence[tuple[str, str]], ratings: Sequence[Rating]
) -> dict[str, bytes]:
    """The files a version keeps beside its two sides, so that its card can be worked out again."""
    in_order = sorted(origins, key=lambda origin: (origin.side, origin.position))
    by_unit = sorted(ratings, key=lambda rating: (rating.unit, rating.rater))
    reasons = [{"source_id": source_id, "reason": str(reason)} for source_id, reason in sorted(left_out)]
    return {
        LINEAGE_FILE: jsonl.written(_row(origin) for origin in in_order),
        LEFT_OUT_FILE: jsonl.written(reasons),
        RATINGS_FILE: jsonl.written([asdict(rating) for rating in by_unit]),
    }


def _row(origin: Origin) -> dict[str, Any]:
    """An origin as it is kept; whose manner it has stands there off topic only."""
    return {name: getattr(origin, name) for name in _ORIGIN if name != "manner_of" or origin.manner_of}


class _Tally:
    """What is counted of lines that are gone through once and not kept."""

    def __init__(self, count_tokens: CountTokens) -> None:
        self._count_tokens = counting_once(count_tokens)
        self._counts = {name: Counter[str]() for name in COUNTED}
        self._prompts = Counter[str]()
        self._tokens = dict.fromkeys(Side, 0)
        self._longest = dict.fromkeys(Side, 0)
        self._examples = Counter[Side]()
        self._groups = {side: set[str]() for side in Side}
        self._lines, self._questions = set[bytes](), set[bytes]()
        self._merged = 0

    def add(self, line: CardLine) -> None:
        side = line.origin.side
        for name, counts in self._counts.items():
            counts[_value(line, name)] += 1
        if line.messages[0].role == "system":
            self._prompts[line.messages[0].content] += 1
        tokens = self._count_tokens([message.content for message in line.messages])
        self._tokens[side] += tokens
        self._longest[side] = max(self._longest[side], tokens)
        self._examples[side] += 1
        self._groups[side].add(line.origin.group_key)
        self._lines.add(_digest(text for message in line.messages for text in (message.role, message.content)))
        self._questions.add(_digest([_question(line)]))
        self._merged += len(line.origin.merged)

    def numbers(self, left_out: Sequence[tuple[str, str]], basis: Basis) -> Numbers:
        """The numbers of what was added."""
        total = self._examples.total()
        counts = {name: _ranked(found) for name, found in self._counts.items()}
        prompt = min(self._prompts, key=lambda text: (-self._prompts[text], text), default="")
        prompt_tokens, full_tokens = (self._count_tokens([text]) if text else 0 for text in (prompt, basis.full_prompt))
        return Numbers(
            sides={
                str(side): SideNumbers(
                    self._examples[side], len(self._groups[side]), self._tokens[side], self._longest[side]
                )
                for side in Side
            },
            held_out_share=_share(self._examples[Side.HELD_OUT], total),
            counts=counts,
            largest={name: _largest(found, total) for name, found in counts.items() if found},
            over_cap=_over_caps(counts, basis.caps, total),
            merged=self._merged,
            left_out=_ranked(Counter(str(reason) for _, reason in left_out)),
            repeated_lines=total - len(self._lines),
            repeated_questions=total - len(self._questions),
            torn_groups=len(self._groups[Side.TRAIN] & self._groups[Side.HELD_OUT]),
            prompt_tokens=prompt_tokens,
            saved_tokens_per_reply=full_tokens - prompt_tokens,
        )


def _digest(texts: Iterable[str]) -> bytes:
    """16 bytes that stand for texts, so that those of 100,000 lines need not be kept."""
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        digest.update(f"{len(text)} {text}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def _value(line: CardLine, name: str) -> str:
    if name == "script":
        return script_of(line.messages[-1].content)
    return str(getattr(line.origin, name)) or UNKNOWN


def _question(line: CardLine) -> str:
    return next((m.content for m in reversed(line.messages) if m.role == "user"), "")


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _largest(ranked: Mapping[str, int], of: int) -> Largest:
    value, count = next(iter(ranked.items()))
    return Largest(value, _share(count, of))


def _over_caps(counts: Mapping[str, Mapping[str, int]], caps: Mapping[str, float], of: int) -> dict[str, Largest]:
    """What has more than its cap allows; examples nobody can be named for count as nobody's."""
    known = {name: {value: n for value, n in counts[name].items() if value != UNKNOWN} for name in caps}
    found = {name: _largest(values, of) for name, values in known.items() if values}
    return {name: largest for name, largest in found.items() if largest.share > caps[name]}


def _share(part: int, whole: int) -> float:
    return round(part / whole, SHARE_DIGITS) if whole else 0.0


def _origin(row: Mapping[str, Any]) -> Origin:
    known = dict(row)
    side, kind = Side(known.pop("side")), Kind(known.pop("kind"))
    ids = {name: tuple(known.pop(name, ())) for name in ("merged", "fixes", "manner_of")}
    return Origin(side=side, kind=kind, **ids, **known)
