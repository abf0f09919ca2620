"""Pure: a win rate with the length of the answers taken out, because judges (and people) like the longer one.

logit P(win) = b0 + b1 · tanh(d / s), d the candidate's length less the incumbent's, s the standard deviation of d in the set;
the win rate at equal length is 1 / (1 + e^-b0). After length-controlled AlpacaEval, arxiv.org/abs/2404.04475.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log1p, tanh
from statistics import fmean, stdev

EQUAL_WITHIN = 0.10  # of the incumbent's length: so near, two answers count as equally long
CLOSE_ENOUGH = 1e-12  # a step of the fit below this is its end
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class LengthPair:
    """A decisive pair: whether the candidate won, and how long both answers are, in tokens."""

    won: bool
    candidate_tokens: int
    incumbent_tokens: int

    @property
    def longer_by(self) -> int:
        """Tokens that the candidate's answer has more."""
        return self.candidate_tokens - self.incumbent_tokens

    @property
    def equally_long(self) -> bool:
        """Whether the lengths differ by a tenth of the incumbent's at most."""
        return abs(self.longer_by) <= EQUAL_WITHIN * self.incumbent_tokens


@dataclass(frozen=True, slots=True)
class LengthControlled:
    """Win rates with and without the length. `rate` is None where length and winning cannot be told apart."""

    rate: float | None
    raw: float | None  # wins over pairs; None without a pair
    length_effect: float | None  # b1: above 0, longer answers win
    equal_wins: int  # among the pairs of equal length
    equal_pairs: int
    pairs: int

    @property
    def holds(self) -> bool:
        """Whether the candidate wins at equal length by the fit, and by the pairs of equal length themselves."""
        return self.rate is not None and self.rate > 0.5 and 2 * self.equal_wins > self.equal_pairs

    @property
    def sentence(self) -> str:
        """What a moderator reads."""
        if self.raw is None:
            return "No pair was decisive."
        equal = f"of the {self.equal_pairs} pairs of equal length it won {self.equal_wins}"
        if self.rate is None:
            told = f"In these {self.pairs} pairs length and winning cannot be told apart"
            return f"{told} (it won {self.raw:.0%}); {equal}."
        return f"The new model won {self.raw:.0%} of {self.pairs} pairs, and {self.rate:.0%} with length taken out; {equal}."


def length_controlled(pairs: Sequence[LengthPair]) -> LengthControlled:
    """Fit the win rate at equal length. Leave ties out."""
    raw = fmean(pair.won for pair in pairs) if pairs else None
    equal = [pair.won for pair in pairs if pair.equally_long]
    fitted = _fitted(pairs)
    rate = None if fitted is None else 1 / (1 + exp(-fitted[0]))
    return LengthControlled(rate, raw, None if fitted is None else fitted[1], sum(equal), len(equal), len(pairs))


def _fitted(pairs: Sequence[LengthPair]) -> tuple[float, float] | None:
    """(b0, b1) of greatest likelihood; None where there is none, because one length parts wins from losses."""
    spread = stdev(pair.longer_by for pair in pairs) if len(pairs) > 1 else 0.0
    if spread == 0:
        return None
    points = [(tanh(pair.longer_by / spread), pair.won) for pair in pairs]
    won, lost = [x for x, win in points if win], [x for x, win in points if not win]
    if not won or not lost or max(won) <= min(lost) or max(lost) <= min(won):
        return None
    b0 = b1 = 0.0
    likelihood = _log_likelihood(points, b0, b1)
    for _ in range(MOST_STEPS):
        step0, step1 = _newton_step(points, b0, b1)
        # Newton may overshoot; half the step until it climbs. The likelihood has one top, so this ends there.
        while (climbed := _log_likelihood(points, b0 + step0, b1 + step1)) < likelihood and abs(step0) + abs(
            step1
        ) > CLOSE_ENOUGH:
            step0, step1 = step0 / 2, step1 / 2
        b0, b1, likelihood = b0 + step0, b1 + step1, climbed
        if abs(step0) + abs(step1) < CLOSE_ENOUGH:
            break
    return b0, b1


def _newton_step(points: Sequence[tuple[float, bool]], b0: float, b1: float) -> tuple[float, float]:
    slope0 = slope1 = bend00 = bend01 = bend11 = 0.0
    for x, win in points:
        chance = 1 / (1 + exp(-(b0 + b1 * x)))
        off, bend = win - chance, chance * (1 - chance)
        slope0 += off
        slope1 += off * x
        bend00 += bend
        bend01 += bend * x
        bend11 += bend * x * x
    whole = bend00 * bend11 - bend01 * bend01
    return (bend11 * slope0 - bend01 * slope1) / whole, (bend00 * slope1 - bend01 * slope0) / whole


def _log_likelihood(points: Sequence[tuple[float, bool]], b0: float, b1: float) -> float:
    total = 0.0
    for x, win in points:
        logit = b0 + b1 * x if win else -(b0 + b1 * x)
        total -= log1p(exp(-logit)) if logit > 0 else log1p(exp(logit)) - logit
    return total
