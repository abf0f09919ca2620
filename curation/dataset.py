"""Pure: examples → a grouped train / held-out split, JSONL bytes, a card, and a version id that is the hash of those bytes."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.examples import Example, LeftOut, Selection
from curation.prompting import SHAPE, CountTokens, build_messages
from storage.records import Message, Side

TRAIN_FILE = "train.jsonl"
HELD_OUT_FILE = "held_out.jsonl"


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


@dataclass(frozen=True, slots=True)
class Dataset:
    """A version before it is stored: its id, its files, where each line came from, and its card."""

    id: str
    files: Mapping[str, bytes]
    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    sides: Mapping[str, Side]  # group key → side, for every group in the dataset
    train_tokens: int
    card: Mapping[str, Any]


def assign_sides(examples: Sequence[Example], known: Mapping[str, Side], rules: Rules) -> dict[str, Side]:
    """Give each group its side. A group in `known` keeps its side for ever.

    New groups are taken in the order of the hash of their key. The held-out side is filled up to `held_out_share` (and to
    `minimum_held_out`) with the first of them, never so far that the train side falls below `minimum_train`.
    """
    sizes = Counter(example.group_key for example in examples)
    sides = {key: known[key] for key in sizes if key in known}
    held_out = sum(size for key, size in sizes.items() if sides.get(key) is Side.HELD_OUT)
    wanted = max(rules.minimum_held_out, round(len(examples) * rules.held_out_share))
    may_hold_out = len(examples) - rules.minimum_train
    for key in sorted(sizes.keys() - known.keys(), key=_hash):
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
) -> Dataset:
    """Build a version from selected examples.

    Each line is `{"messages": [{"role", "content"}, …]}` in the shape the bot serves, the answer last. The same input always
    gives the same bytes and so the same id. Raises TooFewExamples when either side falls short.
    """
    fitting: list[tuple[Example, tuple[Message, ...], int]] = []
    left_out = list(selection.left_out)
    for example in selection.examples:
        messages = example_messages(example, system_prompt, rules.context_tokens, count_tokens)
        tokens = count_tokens([message.content for message in messages])
        if tokens > rules.context_tokens:
            left_out.append((example.correction_id, LeftOut.TOO_LONG))
        else:
            fitting.append((example, messages, tokens))
    sides = assign_sides([example for example, _, _ in fitting], known_sides, rules)
    train = [item for item in fitting if sides[item[0].group_key] is Side.TRAIN]
    held_out = [item for item in fitting if sides[item[0].group_key] is Side.HELD_OUT]
    require_enough(len(train), len(held_out), rules)
    files = {TRAIN_FILE: _jsonl(messages for _, messages, _ in train), HELD_OUT_FILE: _jsonl(m for _, m, _ in held_out)}
    train_tokens = sum(tokens for _, _, tokens in train)
    card = {
        "shape": SHAPE,
        "train": len(train),
        "held_out": len(held_out),
        "train_tokens": train_tokens,
        "tokens_counted_by": counter_name,
        "left_out": dict(sorted(Counter(str(reason) for _, reason in left_out).items())),
        "left_out_corrections": {correction_id: str(reason) for correction_id, reason in sorted(left_out)},
    }
    return Dataset(
        version_id(files),
        files,
        tuple(example for example, _, _ in train),
        tuple(example for example, _, _ in held_out),
        sides,
        train_tokens,
        card,
    )


def example_messages(
    example: Example, system_prompt: str, budget_tokens: int, count_tokens: CountTokens
) -> tuple[Message, ...]:
    """The messages of one training line: the prompt as served, then the answer."""
    answer_tokens = count_tokens([example.answer])
    prompt = build_messages(
        system_prompt,
        example.history,
        example.question,
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


def _jsonl(lines: Any) -> bytes:
    return b"".join(
        json.dumps(
            {"messages": [{"role": m.role, "content": m.content} for m in messages]}, ensure_ascii=False, sort_keys=True
        ).encode()
        + b"\n"
        for messages in lines
    )


def _hash(group_key: str) -> str:
    return hashlib.sha256(f"split:{group_key}".encode()).hexdigest()
