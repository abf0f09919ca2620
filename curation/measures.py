"""Pure: what an evaluation counts of answers beside their scores, by the way they came about, as it is stored and read again.

Counted once, when the answers are there: a later change of a voice's checks, or an erasure of words, changes no old count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from curation.checks import Check, failures
from curation.scores import distinct_n, is_refusal

INCUMBENT, CANDIDATE = "incumbent", "candidate"
ARMS: Mapping[str, str] = {
    "base": "the base model with the full prompt",
    "few_shot": "the base model with examples shown",
    INCUMBENT: "the model that serves",
    CANDIDATE: "the new model",
}
"""Way → what people call it, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, and what the vendor counted for it."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """What was counted of one arm's answers to the held-out questions; a mean is None without an answer."""

    answers: int
    kept: Mapping[str, int]  # check → answers that keep to it
    distinct_1: float | None  # scores.distinct_n
    distinct_2: float | None
    refused: int
    words: float | None  # mean
    prompt_tokens: float | None  # mean
    completion_tokens: float | None


def counted(answers: Sequence[Answer], checks: Sequence[Check]) -> ArmCounts:
    """Count one arm's answers."""
    texts = [answer.text for answer in answers]
    kept = {check.name: 0 for check in checks}
    for text in texts:
        broken = {failure.check for failure in failures(text, checks)}
        for name in kept.keys() - broken:
            kept[name] += 1
    return ArmCounts(
        len(answers),
        kept,
        distinct_n(texts, 1),
        distinct_n(texts, 2),
        sum(map(is_refusal, texts)),
        _mean(len(text.split()) for text in texts),
        _mean(answer.prompt_tokens for answer in answers),
        _mean(answer.completion_tokens for answer in answers),
    )


def stored(arms: Mapping[str, ArmCounts], checks: Mapping[str, Any]) -> dict[str, Any]:
    """The counts of all arms as `Evaluation.measures` keeps them, with the checks they were counted by."""
    return {"checks": dict(checks), "arms": {way: asdict(counts) for way, counts in arms.items()}}


def arms_of(measures: Mapping[str, Any]) -> dict[str, ArmCounts]:
    """The counts of an evaluation by arm, in the order of ARMS; {} for one from before anything was counted."""
    said: Mapping[str, Any] = measures.get("arms", {})
    return {way: ArmCounts(**said[way]) for way in ARMS if way in said}


def _mean(numbers: Iterable[float]) -> float | None:
    found = list(numbers)
    return fmean(found) if found else None
