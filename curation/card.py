"""Pure: a dataset version's card: what is in it, from whom, what was left out, and what training on it would cost.

Every number is worked out from lines that stand in the version's own files, so that `recompute` gives the same numbers from
those bytes alone. What cannot be read there (caps, prices, the voice's full prompt) is the card's basis and kept with it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from curation import jsonl
from curation.agreement import Agreement, Rating, agreement
from curation.cost import Estimate, Traffic, estimate
from curation.dataset import FILE_OF_SIDE
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
    source_id: str  # the correction's id, or that of a reply marked as good
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
    lines: Sequence[CardLine],
    left_out: Sequence[tuple[str, str]],
    ratings: Sequence[Rating],
    basis: Basis,
    count_tokens: CountTokens,
) -> Card:
    """The card of a version with these lines; `left_out` are (source id, reason)."""
    numbers = _numbers(lines, left_out, basis, count_tokens)
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
    origins = {(row["side"], row["position"]): row for row in jsonl.read(files.get(LINEAGE_FILE, b""))}
    lines: list[CardLine] = []
    for side, name in FILE_OF_SIDE.items():
        for position, row in enumerate(jsonl.read(files.get(name, b""))):
            messages = tuple(Message(m["role"], m["content"]) for m in row["messages"])
            known = origins.get((side, position))
            origin = Origin(side, position, "", f"{side}:{position}", Kind.UNKNOWN) if known is None else _origin(known)
            lines.append(CardLine(origin, messages))
    left_out = [(row["source_id"], row["reason"]) for row in jsonl.read(files.get(LEFT_OUT_FILE, b""))]
    ratings = [Rating(row["unit"], row["rater"], row["value"]) for row in jsonl.read(files.get(RATINGS_FILE, b""))]
    return make_card(version_id, lines, left_out, ratings, basis, count_tokens)


def lineage_files(
    origins: Sequence[Origin], left_out: Sequence[tuple[str, str]], ratings: Sequence[Rating]
) -> dict[str, bytes]:
    """The files a version keeps beside its two sides, so that its card can be worked out again."""
    in_order = sorted(origins, key=lambda origin: (origin.side, origin.position))
    by_unit = sorted(ratings, key=lambda rating: (rating.unit, rating.rater))
    reasons = [{"source_id": source_id, "reason": str(reason)} for source_id, reason in sorted(left_out)]
    return {
        LINEAGE_FILE: jsonl.written([asdict(origin) for origin in in_order]),
        LEFT_OUT_FILE: jsonl.written(reasons),
        RATINGS_FILE: jsonl.written([asdict(rating) for rating in by_unit]),
    }


def _numbers(
    lines: Sequence[CardLine], left_out: Sequence[tuple[str, str]], basis: Basis, count_tokens: CountTokens
) -> Numbers:
    counts = {name: _ranked(Counter(_value(line, name) for line in lines)) for name in COUNTED}
    largest = {name: _largest(found, len(lines)) for name, found in counts.items() if found}
    prompts = Counter(line.messages[0].content for line in lines if line.messages[0].role == "system")
    prompt = min(prompts, key=lambda text: (-prompts[text], text), default="")
    prompt_tokens, full_tokens = (count_tokens([text]) if text else 0 for text in (prompt, basis.full_prompt))
    sides = {str(side): _side([line for line in lines if line.origin.side is side], count_tokens) for side in Side}
    groups = Counter(key for key, _ in {(line.origin.group_key, line.origin.side) for line in lines})
    return Numbers(
        sides=sides,
        held_out_share=_share(sides[Side.HELD_OUT].examples, len(lines)),
        counts=counts,
        largest=largest,
        over_cap=_over_caps(counts, basis.caps, len(lines)),
        merged=sum(len(line.origin.merged) for line in lines),
        left_out=_ranked(Counter(str(reason) for _, reason in left_out)),
        repeated_lines=len(lines) - len({line.messages for line in lines}),
        repeated_questions=len(lines) - len({_question(line) for line in lines}),
        torn_groups=sum(sides_of > 1 for sides_of in groups.values()),
        prompt_tokens=prompt_tokens,
        saved_tokens_per_reply=full_tokens - prompt_tokens,
    )


def _side(lines: Sequence[CardLine], count_tokens: CountTokens) -> SideNumbers:
    tokens = [count_tokens([message.content for message in line.messages]) for line in lines]
    return SideNumbers(len(lines), len({line.origin.group_key for line in lines}), sum(tokens), max(tokens, default=0))


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
    merged, fixes = tuple(known.pop("merged", ())), tuple(known.pop("fixes", ()))
    return Origin(side=side, kind=kind, merged=merged, fixes=fixes, **known)
