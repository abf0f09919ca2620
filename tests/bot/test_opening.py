"""Opening hours are read as people write them, in the channel's own time zone."""

from datetime import UTC, datetime

import pytest

from bot.opening import HoursRefused, is_open, spans_of, zone_of

WEEK = "Mon-Fri 09:00-17:30, Sat 10:00-14:00"


@pytest.mark.parametrize(
    ("hours", "zone", "at", "expected"),
    [
        ("", "UTC", datetime(2026, 11, 22, 3, tzinfo=UTC), True),
        (WEEK, "UTC", datetime(2026, 11, 20, 9, tzinfo=UTC), True),
        (WEEK, "UTC", datetime(2026, 11, 20, 8, 59, tzinfo=UTC), False),
        (WEEK, "UTC", datetime(2026, 11, 20, 17, 30, tzinfo=UTC), False),
        (WEEK, "UTC", datetime(2026, 11, 21, 13, 59, tzinfo=UTC), True),
        (WEEK, "UTC", datetime(2026, 11, 22, 12, tzinfo=UTC), False),
        (WEEK, "Europe/Berlin", datetime(2026, 11, 20, 8, tzinfo=UTC), True),
        (WEEK, "Europe/Berlin", datetime(2026, 7, 17, 7, tzinfo=UTC), True),
        (WEEK, "Asia/Tokyo", datetime(2026, 11, 20, 9, tzinfo=UTC), False),
        ("Fri 22:00-02:00", "UTC", datetime(2026, 11, 20, 23, tzinfo=UTC), True),
        ("Fri 22:00-02:00", "UTC", datetime(2026, 11, 21, 1, tzinfo=UTC), True),
        ("Fri 22:00-02:00", "UTC", datetime(2026, 11, 21, 23, tzinfo=UTC), False),
        ("Sat-Mon 00:00-24:00", "UTC", datetime(2026, 11, 22, 23, 59, tzinfo=UTC), True),
        ("Sat-Mon 00:00-24:00", "UTC", datetime(2026, 11, 24, 12, tzinfo=UTC), False),
        ("sun 9:00 – 12:00", "UTC", datetime(2026, 11, 22, 10, tzinfo=UTC), True),
    ],
)
def test_a_moment_lies_in_the_hours_or_not(hours: str, zone: str, at: datetime, expected: bool):
    assert is_open(hours, zone, at) is expected


@pytest.mark.parametrize(
    "hours", ["whenever", "Mon", "Mon 9-17", "Mon 25:00-26:00", "Foo 09:00-17:00", "Mon-Foo 09:00-17:00"]
)
def test_what_cannot_be_understood_says_what_to_write(hours: str):
    with pytest.raises(HoursRefused, match=r"are no hours\. Write them such as Mon-Fri"):
        spans_of(hours)


def test_utc_needs_no_list_of_time_zones(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.opening.zone_of", None)
    assert is_open("Fri 09:00-10:00", "UTC", datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
    assert is_open("", "Europe/Berlin", datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Berlin", "", "../etc/passwd", "Europe/Nowhere"])
def test_an_unknown_time_zone_says_what_to_write(zone: str):
    with pytest.raises(HoursRefused, match="is no time zone"):
        zone_of(zone)
