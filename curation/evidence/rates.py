"""Pure: rates with their intervals: Wilson's for a plain share, and a win rate that few people and a judge of many give together.

Both are for a number of cases fixed beforehand. Looking again and again, as at the evidence in pairs, voids them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, covariance, fmean, variance

from curation.evidence.pairs import Interval

CONFIDENCE = 0.95
EVEN = 0.5


class TooFewVerdicts(ValueError):
    """Fewer pairs were judged by people than a variance needs; the message says how many are needed."""


def wilson(successes: int, tries: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval for a share (1927, doi.org/10.2307/2276774). [0, 1] where nothing was tried."""
    if not 0 <= successes <= tries:
        raise ValueError(f"{successes} of {tries} cannot be.")
    if tries == 0:
        return Interval(0.0, 1.0)
    z = _two_sided(confidence)
    share, spread = successes / tries, z * z / tries
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / tries + spread / tries / 4) / (1 + spread)
    # At the ends the bound is the end itself, which rounding would miss by a hair.
    return Interval(0.0 if successes == 0 else centre - half, 1.0 if successes == tries else centre + half)


@dataclass(frozen=True, slots=True)
class WinRate:
    """A win rate from people's verdicts, sharpened by a judge's."""

    rate: float
    interval: Interval  # symmetric, so its ends may lie outside [0, 1] when there are few verdicts
    standard_error: float
    judge_weight: float  # how much of the judge is used: 0 not at all, 1 as if a person
    people: int  # pairs judged by both
    judge_only: int

    @property
    def wins(self) -> bool:
        """Whether all of the interval speaks for the candidate."""
        return self.interval.low > EVEN


def win_rate(
    people: Sequence[float], judge: Sequence[float], judge_only: Sequence[float], confidence: float = CONFIDENCE
) -> WinRate:
    """Prediction-powered win rate: unbiased even where the judge is biased (Angelopoulos et al., arxiv.org/abs/2311.01453).

    Verdicts are 1 (candidate), 0 (incumbent) or 0.5 (neither). `people` and `judge` are of the same blind pairs in the same
    order; `judge_only` are the judge's of further pairs. For one use, on a sealed set: it is not valid under looking again.
    Variances divide by n - 1. Raises TooFewVerdicts under two pairs.
    """
    if len(people) != len(judge):
        raise ValueError(f"{len(people)} verdicts of people and {len(judge)} of the judge are not on the same pairs.")
    if any(not 0 <= verdict <= 1 for verdicts in (people, judge, judge_only) for verdict in verdicts):
        raise ValueError("A verdict lies between 0 (incumbent) and 1 (candidate).")
    n, more = len(people), len(judge_only)
    if n < 2:
        raise TooFewVerdicts(
            f"Pairs judged by people: {n}; at least 2 are needed. Ask moderators for more blind pairs."
        )
    weight = _judge_weight(people, judge, judge_only) if more >= 2 else 0.0
    corrections = [person - weight * said for person, said in zip(people, judge, strict=True)]
    rate, error = fmean(corrections), variance(corrections) / n
    if weight:
        rate += weight * fmean(judge_only)
        error += weight**2 * variance(judge_only) / more
    half = _two_sided(confidence) * sqrt(error)
    return WinRate(rate, Interval(rate - half, rate + half), sqrt(error), weight, n, more)


def _judge_weight(people: Sequence[float], judge: Sequence[float], judge_only: Sequence[float]) -> float:
    """The weight with the least variance, clipped to [0, 1]; 0 for a judge who always says the same."""
    spread = variance([*judge, *judge_only])
    if spread == 0:
        return 0.0
    return min(1.0, max(0.0, covariance(people, judge) / ((1 + len(people) / len(judge_only)) * spread)))


def _two_sided(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence} cannot be; it must lie between 0 and 1.")
    return NormalDist().inv_cdf((1 + confidence) / 2)
