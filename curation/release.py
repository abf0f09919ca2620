"""Pure: may the candidate serve? The verdict on an evaluation's samples, and the sentence that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from storage.records import SampleScore


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate may serve, and the sentence that says why, with the numbers."""

    passed: bool
    reason: str


def verdict(samples: Sequence[SampleScore], margin: float) -> Verdict:
    """Decide whether the candidate may serve.

    `margin` is the mean gain required, in points of [0, 1]. A candidate that says nothing to any question never passes,
    whatever its mean. With no samples nothing is proven, so the answer is no.
    """
    if not samples:
        return Verdict(False, "There is no held-out sample to judge by, so nothing is proven.")
    candidate = fmean(sample.candidate_score for sample in samples)
    incumbent = fmean(sample.incumbent_score for sample in samples)
    better = sum(sample.candidate_score > sample.incumbent_score for sample in samples)
    worse = sum(sample.candidate_score < sample.incumbent_score for sample in samples)
    numbers = (
        f"{candidate:.3f} against {incumbent:.3f} for the model that served, on {len(samples)} held-out questions "
        f"(better on {better}, worse on {worse}; a gain of {margin:.3f} is required)"
    )
    silent = [sample for sample in samples if not sample.candidate_text.strip()]
    if silent:
        return Verdict(False, f"The new model said nothing to {len(silent)} of {len(samples)} questions: {numbers}.")
    if candidate - incumbent >= margin:
        return Verdict(True, f"Closer to the approved answers: {numbers}.")
    return Verdict(False, f"Not closer to the approved answers: {numbers}.")
