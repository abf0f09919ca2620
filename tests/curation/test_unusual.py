"""Whether a day has unusually much: many times the usual, and more than a person would look at anyway."""

from datetime import UTC, date, datetime, timedelta

import pytest

from curation.unusual import LOOK_BACK_DAYS, is_unusual, per_day

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("before", "today", "expected"),
    [
        pytest.param([], 500, False, id="nothing is usual yet"),
        pytest.param([4] * 4, 500, False, id="four days tell too little"),
        pytest.param([4] * 5, 29, False, id="a person can look at each"),
        pytest.param([4] * 5, 30, True, id="many times the usual"),
        pytest.param([20] * 10, 99, False, id="a busy team has a busy day"),
        pytest.param([20] * 10, 100, True, id="five times the usual"),
        pytest.param([0, 0, 20] * 9, 99, False, id="days without any do not count"),
    ],
)
def test_a_flood_is_told_from_a_busy_day(before: list[int], today: int, expected: bool):
    assert is_unusual(before, today) is expected


def test_days_are_counted_back_from_today():
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    moments = [noon, noon - timedelta(days=1), noon - timedelta(days=1), noon - timedelta(days=LOOK_BACK_DAYS + 1)]
    before, today = per_day(moments, TODAY)
    assert today == 1
    assert before == [0] * (LOOK_BACK_DAYS - 1) + [2]
