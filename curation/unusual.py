"""Pure: whether a day has unusually much of something. A flood is looked at by a person before anything is made of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median

LOOK_BACK_DAYS = 28
ACTIVE_DAYS = 5  # of those, with anything at all, before there is a usual
FACTOR = 5  # times the usual day
AT_LEAST = 30  # below that, a person can look at each


def per_day(moments: Iterable[datetime], today: date) -> tuple[list[int], int]:
    """How many on each of the last days, oldest first, and how many today; days are those of UTC."""
    counts = Counter(at.date() for at in moments)
    return [counts[today - timedelta(days=ago)] for ago in range(LOOK_BACK_DAYS, 0, -1)], counts[today]


def usual(before: Sequence[int]) -> float | None:
    """What a day has on which there is anything: the median; None while too few days tell."""
    active = [count for count in before if count]
    return median(active) if len(active) >= ACTIVE_DAYS else None


def is_unusual(before: Sequence[int], today: int) -> bool:
    """Whether today has many times the usual."""
    expected = usual(before)
    return expected is not None and today >= max(AT_LEAST, FACTOR * expected)
