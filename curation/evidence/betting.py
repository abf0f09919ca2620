"""Pure: evidence by betting, for differences that are more than won or lost, and for arms of unequal size.

A gambler stakes a fixed share of the wealth, from 1 on, against the hypothesis. When it is true the wealth is expected not
to grow, so the chance that it ever reaches 1/alpha is at most alpha, however often one looks; the mean over several stakes
keeps this. After Waudby-Smith and Ramdas, arxiv.org/abs/2010.09686. Wealth is kept as logarithms.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from curation.evidence.pairs import border, log_threshold

STAKES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)  # shares of the most that may be staked; below 1, so no bet ruins
FIRST_BASELINE = 0.5  # the mean of the votes before there is one


@dataclass(frozen=True, slots=True)
class Vote:
    """A thumb on one reply: which arm had given it, and whether it was up."""

    by_candidate: bool
    good: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The votes of both arms, counted."""

    candidate_good: int
    candidate_votes: int
    incumbent_good: int
    incumbent_votes: int


def tally(votes: Iterable[Vote]) -> Tally:
    """Count the votes by arm."""
    counts = Counter((vote.by_candidate, vote.good) for vote in votes)
    return Tally(
        counts[True, True],
        counts[True, True] + counts[True, False],
        counts[False, True],
        counts[False, True] + counts[False, False],
    )


def log_not_inferior(differences: Iterable[float], margin: float) -> float:
    """ln W that candidates lose less than `margin` on average. Differences (candidate minus incumbent) lie in [-1, 1].

    Ties count: fifty of them already show that little is lost. Order does not matter. 0 for no difference.
    `margin` may lie anywhere strictly between -1 and 1; 0 asks for a gain, which
    is the way to test superiority where a person voted often: with one mean difference per person.
    """
    return _log_wealth(Counter(differences), margin)


def not_inferior_path(differences: Iterable[float], margin: float) -> Iterator[float]:
    """ln W after each difference, in their order: for looking after every one."""
    wealth = _Wealth()
    scale = _scale(margin)
    for difference in differences:
        wealth.bet((_within(difference) + margin) * scale)
        yield wealth.log


def log_inferior(differences: Iterable[float], margin: float) -> float:
    """ln W that candidates lose more than `margin` on average: the bet of `log_not_inferior` from the other side."""
    return log_not_inferior([-difference for difference in differences], -margin)


def least_difference(differences: Iterable[float], alpha: float) -> float:
    """The candidate's mean difference is at least this, at all moments together, except with chance `alpha`.

    All margins that `log_not_inferior` would accept, and the least of them. -1 where nothing is known yet.
    """
    counted = Counter(differences)
    limit = log_threshold(alpha)

    def accepted(margin: float) -> bool:
        return _log_wealth(counted, margin) >= limit

    return -border(accepted, 1.0, -1.0)


def canary_harm_path(votes: Iterable[Vote], candidate_share: float) -> Iterator[float]:
    """ln W after each vote that the candidate gets fewer thumbs up than the incumbent, for arms of unequal size.

    `candidate_share` is the chance with which a conversation was given to the candidate, fixed beforehand. Each vote is
    weighed by the inverse of its arm's chance, after the mean of all *earlier* votes was taken off; without that the same
    harm takes three times as many votes. The order is the order in which the votes came.
    """
    if not 0 < candidate_share < 1:
        raise ValueError(f"A canary's share must lie between 0 and 1 to compare two arms, not {candidate_share}.")
    wealth = _Wealth()
    good = 0
    for seen, vote in enumerate(votes):
        baseline = good / seen if seen else FIRST_BASELINE
        weight = 1 / candidate_share if vote.by_candidate else -1 / (1 - candidate_share)
        most = max((1 - baseline) / candidate_share, baseline / (1 - candidate_share))
        wealth.bet(-(vote.good - baseline) * weight / most)
        good += vote.good
        yield wealth.log


def log_canary_harm(votes: Iterable[Vote], candidate_share: float) -> float:
    """The last of `canary_harm_path`; 0 without votes."""
    return [0.0, *canary_harm_path(votes, candidate_share)][-1]


def _log_wealth(counted: Mapping[float, int], margin: float) -> float:
    wealth = _Wealth()
    scale = _scale(margin)
    for difference, times in counted.items():
        wealth.bet((_within(difference) + margin) * scale, times)
    return wealth.log


class _Wealth:
    """The wealth at each stake, as logarithms; `log` is the logarithm of their mean."""

    def __init__(self) -> None:
        self._logs = [0.0] * len(STAKES)

    def bet(self, gain: float, times: int = 1) -> None:
        """Stake on a gain that is at least -1 and, under the hypothesis, at most 0 on average."""
        for at, stake in enumerate(STAKES):
            self._logs[at] += times * math.log1p(stake * gain)

    @property
    def log(self) -> float:
        most = max(self._logs)
        return most + math.log(sum(math.exp(each - most) for each in self._logs) / len(STAKES))


def _scale(margin: float) -> float:
    if not -1 < margin < 1:
        raise ValueError(f"A margin of {margin} cannot be tested; it must lie between -1 and 1.")
    return 1 / (1 - margin)


def _within(difference: float) -> float:
    if not -1 <= difference <= 1:
        raise ValueError(f"A difference of {difference} is outside [-1, 1]; scores lie in [0, 1].")
    return difference
