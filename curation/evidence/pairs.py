"""Pure: the evidence in pairs of answers, one of the candidate and one of the incumbent, of which people prefer one.

The evidence E is an e-process: before the first pair it is 1, and when the candidate is no better its expectation stays at
most 1 however often, and whenever, one looks. So the chance that E ever reaches 1/alpha is at most alpha (Ville 1939), and
looking after every pair costs nothing. E weighs every winning share above `q0` alike (a uniform prior cut off at `q0`):

    E = ∫_q0^1 (q/q0)^S ((1-q)/(1-q0))^(n-S) dq / (1-q0),   S wins among n decisive pairs

Background: Johari, Pekelis and Walsh, arxiv.org/abs/1512.04922; Howard et al., arxiv.org/abs/1810.08240.
Everything is computed from the counts and as logarithms, with the standard library (docs/decisions/0007-evidence.md).
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

EVEN = 0.5  # the winning share of two equal models
BISECTIONS = 100  # each halves the interval; 100 of them leave less than a float can hold
NEGLIGIBLE = 1e-17  # a term this much smaller than its sum no longer changes it


@dataclass(frozen=True, slots=True)
class Pairs:
    """How often the candidate's answer was preferred, the incumbent's, and neither. Ties prove nothing; they are told."""

    wins: int
    losses: int
    ties: int = 0

    def __post_init__(self) -> None:
        if min(self.wins, self.losses, self.ties) < 0:
            raise ValueError(f"{self.wins} wins, {self.losses} losses, {self.ties} ties: a count is never negative.")

    @property
    def decisive(self) -> int:
        """The pairs that were no tie."""
        return self.wins + self.losses

    @property
    def total(self) -> int:
        """All pairs."""
        return self.decisive + self.ties

    @property
    def swapped(self) -> "Pairs":
        """The same pairs from the incumbent's side: what speaks for it speaks against the candidate."""
        return Pairs(self.losses, self.wins, self.ties)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float


def pairs_by_arrival(candidate: Iterable[bool], incumbent: Iterable[bool]) -> Pairs:
    """Thumbs of the two arms, each in the order they came (True is up): the k-th of one is paired with the k-th of the other.

    Valid when each conversation was given its arm by a fair coin. A vote whose partner has not come yet waits.
    """
    both = list(zip(candidate, incumbent, strict=False))
    wins = sum(ours and not theirs for ours, theirs in both)
    losses = sum(theirs and not ours for ours, theirs in both)
    return Pairs(wins, losses, len(both) - wins - losses)


def log_evidence(wins: int, decisive: int, q0: float = EVEN) -> float:
    """ln E that the true share of wins is above `q0`, from `wins` among `decisive` pairs. 0 before the first pair.

    Losses for wins give the evidence of harm. Exact at any size: 100,000 pairs neither overflow nor vanish.
    """
    if not 0 <= wins <= decisive:
        raise ValueError(f"{wins} wins of {decisive} pairs cannot be.")
    if not 0 < q0 < 1:
        raise ValueError(f"A share of wins of {q0} cannot be tested; it must lie between 0 and 1.")
    likelihood = wins * math.log(q0) + (decisive - wins) * math.log1p(-q0)
    losses = decisive - wins
    return log_beta(wins + 1, losses + 1) + _log_share_above(wins, decisive, q0) - math.log1p(-q0) - likelihood


def log_threshold(alpha: float) -> float:
    """What ln E has to reach so that a false decision has at most the chance `alpha`: ln(1/alpha)."""
    if not 0 < alpha < 1:
        raise ValueError(f"The chance of a false decision must lie between 0 and 1, not {alpha}.")
    return -math.log(alpha)


def always_valid_p(log_path: Iterable[float]) -> float:
    """The p-value that may be read at any moment: 1 over the largest E so far, at most 1."""
    return math.exp(-max(0.0, max(log_path, default=0.0)))


def confidence_sequence(wins: int, decisive: int, alpha: float) -> Interval:
    """An interval that holds the true share of wins at all moments together, except with chance `alpha`. For people's eyes.

    It inverts the uniform mixture that is not cut off: all q with B(S+1, n-S+1) / (q^S (1-q)^(n-S)) < 1/alpha.
    """
    if not 0 <= wins <= decisive:
        raise ValueError(f"{wins} wins of {decisive} pairs cannot be.")
    losses, limit = decisive - wins, log_threshold(alpha)
    mixture = log_beta(wins + 1, losses + 1)
    if decisive == 0:
        return Interval(0.0, 1.0)
    best = wins / decisive

    def excluded(q: float) -> bool:
        return mixture - wins * math.log(q) - losses * math.log1p(-q) >= limit

    low = 0.0 if wins == 0 else border(excluded, 0.0, best)
    high = 1.0 if losses == 0 else border(excluded, 1.0, best)
    return Interval(low, high)


def border(holds: Callable[[float], bool], at: float, beyond: float) -> float:
    """The border between `at`, where `holds` is true, and `beyond`, where it is not; neither end is itself tried."""
    for _ in range(BISECTIONS):
        middle = (at + beyond) / 2
        if middle in (at, beyond):
            break
        if holds(middle):
            at = middle
        else:
            beyond = middle
    return at


def wins_needed(alpha: float, q0: float = EVEN, *, start: int = 0) -> Iterator[int]:
    """For n = `start`, start + 1, … decisive pairs, the least number of wins at which E reaches 1/alpha; n + 1 where none does.

    E grows with each win and falls with each loss: so these numbers are the whole rule, and each is the one before or one more.
    """
    limit = log_threshold(alpha)
    wins = bisect_left(range(start + 1), limit, key=lambda wins: log_evidence(wins, start, q0))
    for decisive in count(start):
        while wins <= decisive and log_evidence(wins, decisive, q0) < limit:
            wins += 1
        yield wins


def log_beta(a: float, b: float) -> float:
    """ln B(a, b), the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_share_above(wins: int, decisive: int, q0: float) -> float:
    """ln of the share of Beta(wins + 1, losses + 1) that lies above `q0`: ln P(Binomial(decisive + 1, q0) ≤ wins).

    Summed outwards from the largest term, on the side of the mode where the terms fall: so nothing underflows, where
    scipy 1.17's betaincc, beta.logsf and binom.logcdf give 0 or -inf (100,000 pairs of which 40,000 were won).
    """
    size = decisive + 1
    if wins <= size * q0:
        return _log_binomial(wins, size, q0) + math.log(_sum_down(wins, size, q0))
    above = _log_binomial(wins + 1, size, q0) + math.log(_sum_down(size - wins - 1, size, 1 - q0))
    return math.log1p(-math.exp(above))


def _sum_down(k: int, size: int, q: float) -> float:
    """P(Binomial(size, q) ≤ k) / P(Binomial(size, q) = k), for k not above the mode."""
    term = total = 1.0
    for j in range(k, 0, -1):
        term *= j * (1 - q) / ((size + 1 - j) * q)
        total += term
        if term < NEGLIGIBLE * total:
            break
    return total


def _log_binomial(k: int, size: int, q: float) -> float:
    """ln P(Binomial(size, q) = k)."""
    chosen = -log_beta(k + 1, size - k + 1) - math.log(size + 1)
    return chosen + k * math.log(q) + (size - k) * math.log1p(-q)
