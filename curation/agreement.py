"""Pure: how far people who judged the same replies agree, by reason and by person.

Krippendorff's alpha for nominal data: 1 is agreement, 0 is what chance would give, below 0 people contradict each other.
It only counts units that two or more people rated, and takes any number of people and missing ratings.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

RESAMPLES = 2_000
CONFIDENCE = 0.95
# Krippendorff (2019), Content Analysis, 4th ed., section 12.4: rely on nothing below .667, on .800 and above without reserve.
TENTATIVE, RELIABLE = 0.667, 0.800


class RatedTwice(ValueError):
    """One person rated one unit twice, with no way to tell which counts; the message names both."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What one person said of one unit (a reply, a correction): a value of any scale without order, such as a reason."""

    unit: str
    rater: str
    value: str


@dataclass(frozen=True, slots=True)
class Alpha:
    """Agreement on `units` units with `ratings` ratings, both counted where two or more people rated.

    `value` is None where it is undefined: nobody rated together, or all ratings are the same, so that chance could not have
    disagreed either. `low` and `high` bound it with 95 % confidence (percentiles of a bootstrap over units), and are None where
    it is undefined or rests on fewer than two units. `undefined_resamples` counts the resamples that had no alpha.
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    ratings: int
    undefined_resamples: int

    def __str__(self) -> str:
        """`0.74 (0.42 to 1.00), 11 units rated together`; or why there is no number."""
        together = f"{self.units} {'unit' if self.units == 1 else 'units'} rated together"
        if self.value is None:
            return f"undefined: {'everybody said the same' if self.units else 'nobody'}, {together}"
        interval = "" if self.low is None or self.high is None else f" ({self.low:.2f} to {self.high:.2f})"
        return f"{self.value:.2f}{interval}, {together}"


@dataclass(frozen=True, slots=True)
class RaterCounts:
    """One person's ratings, and how often another's rating of the same unit was the same."""

    rater: str
    ratings: int
    rated_together: int  # units that somebody else rated, too
    agreements: int  # pairs (this person, another) on one unit that said the same
    disagreements: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement on all values at once, on each value against all others, and what each person did, most ratings first."""

    overall: Alpha
    by_value: Mapping[str, Alpha]  # in order of the value
    raters: tuple[RaterCounts, ...]

    def least_agreed(self) -> str | None:
        """The value with the lowest alpha: the one whose guideline wants a page. None where no value has one."""
        known = [(alpha.value, value) for value, alpha in self.by_value.items() if alpha.value is not None]
        return min(known)[1] if known else None


def agreement(ratings: Sequence[Rating], *, key: str) -> Agreement:
    """Alpha over all values, and for each value as "this or another". `key` decides the resamples: same key, same interval.

    Raises RatedTwice.
    """
    units = _by_unit(ratings)
    values = sorted({rating.value for rating in ratings})
    by_value = {
        value: alpha([[str(said == value) for said in unit.values()] for unit in units.values()], key=f"{key}:{value}")
        for value in values
    }
    overall = alpha([list(unit.values()) for unit in units.values()], key=key)
    return Agreement(overall, by_value, _raters(units))


def alpha(units: Sequence[Sequence[str]], *, key: str, resamples: int = RESAMPLES) -> Alpha:
    """Krippendorff's nominal alpha of units, each the values given to it, with its bootstrap interval.

    Formulas: K. Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011, https://repository.upenn.edu/asc_papers/43
    (read 2026-11-21); alpha = 1 - D_o / D_e.
    """
    together = [Counter(values) for values in units if len(values) >= 2]
    value = _alpha(together)
    ratings = sum(unit.total() for unit in together)
    if value is None or len(together) < 2:
        return Alpha(None if value is None else float(value), None, None, len(together), ratings, 0)
    found = _resampled(together, key, resamples)
    low, high = _percentiles(found) if found else (None, None)
    return Alpha(float(value), low, high, len(together), ratings, resamples - len(found))


def _by_unit(ratings: Sequence[Rating]) -> dict[str, dict[str, str]]:
    units: dict[str, dict[str, str]] = defaultdict(dict)
    for rating in ratings:
        if rating.rater in units[rating.unit]:
            raise RatedTwice(f"{rating.rater} rated {rating.unit} twice; keep the rating that counts.")
        units[rating.unit][rating.rater] = rating.value
    return units


def _alpha(units: Sequence[Counter[str]]) -> Fraction | None:
    """Exactly; None where the expected disagreement is 0.

    With n_c ratings of class c in all, n_uc in unit u of m_u ratings, and n the ratings of all units:
    D_o = 1/n · Σ_u Σ_{c≠k} n_uc n_uk / (m_u - 1) and D_e = Σ_{c≠k} n_c n_k / (n (n - 1)).
    """
    totals: Counter[str] = Counter()
    observed = Fraction(0)
    for unit in units:
        totals.update(unit)
        observed += Fraction(_unlike_pairs(unit.values()), unit.total() - 1)
    expected = _unlike_pairs(totals.values())
    return None if expected == 0 else 1 - observed * (totals.total() - 1) / expected


def _unlike_pairs(counts: Collection[int]) -> int:
    """Ordered pairs of different classes: Σ_{c≠k} n_c n_k."""
    return sum(counts) ** 2 - sum(count * count for count in counts)


def _resampled(units: Sequence[Counter[str]], key: str, resamples: int) -> list[float]:
    """Alphas of as many units drawn with replacement, in order; those without one are not among them.

    The sums of _alpha in floating point, a pattern of ratings at a time: there are far fewer than units.
    """
    draw = random.Random(key)
    classes = sorted({value for unit in units for value in unit})
    patterns = sorted({tuple(unit[value] for value in classes) for unit in units})
    number = {pattern: index for index, pattern in enumerate(patterns)}
    of_unit = [number[tuple(unit[value] for value in classes)] for unit in units]
    observed = [_unlike_pairs(pattern) / (sum(pattern) - 1) for pattern in patterns]
    found: list[float] = []
    for _ in range(resamples):
        drawn = Counter(draw.choices(of_unit, k=len(of_unit)))  # units alike are drawn one by one and summed at once
        totals = [sum(patterns[index][c] * times for index, times in drawn.items()) for c in range(len(classes))]
        n = sum(totals)
        expected = _unlike_pairs(totals)
        if expected:
            disagreement = sum(observed[index] * times for index, times in drawn.items())
            found.append(1 - disagreement * (n - 1) / expected)
    return sorted(found)


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The bounds that leave out equal tails; `values` are in order."""
    tail = (1 - CONFIDENCE) / 2
    last = len(values) - 1
    return values[round(tail * last)], values[round((1 - tail) * last)]


def _raters(units: Mapping[str, Mapping[str, str]]) -> tuple[RaterCounts, ...]:
    ratings: Counter[str] = Counter()
    together: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    differed: Counter[str] = Counter()
    for said in units.values():
        ratings.update(said.keys())
        if len(said) >= 2:
            together.update(said.keys())
        for (one, first), (other, second) in combinations(said.items(), 2):
            (agreed if first == second else differed).update((one, other))
    counted = (RaterCounts(name, ratings[name], together[name], agreed[name], differed[name]) for name in ratings)
    return tuple(sorted(counted, key=lambda counts: (-counts.ratings, counts.rater)))
