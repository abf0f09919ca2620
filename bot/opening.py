"""Pure: opening hours in words, `Mon-Fri 09:00-17:30, Sat 10:00-14:00`, and whether a moment lies in them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.text import listed

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([a-z]{3})(?:\s*[-–]\s*([a-z]{3}))?\s+(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


class HoursRefused(ValueError):
    """The hours, or the time zone, cannot be understood; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Span:
    """The same hours on some days of the week, 0 for Monday. `until` is the first moment after; at or below `since` it lies
    on the next day.
    """

    days: frozenset[int]
    since: time
    until: time


def spans_of(hours: str) -> tuple[Span, ...]:
    """The hours, understood; () for "", which is always. Raises HoursRefused."""
    return tuple(_span(one) for one in listed(hours))


def zone_of(name: str) -> ZoneInfo:
    """The time zone with this name of the IANA list. Raises HoursRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise HoursRefused(f"{name!r} is no time zone. Write one such as Europe/Berlin or UTC.") from None


def is_open(hours: str, zone: str, at: datetime) -> bool:
    """Whether `at` lies within the hours of that time zone; always where none are given. Raises HoursRefused."""
    spans = spans_of(hours)
    return not spans or any(_covers(span, local(at, zone)) for span in spans)


def local(at: datetime, zone: str) -> datetime:
    """The moment as it is called in that time zone. UTC needs no list of zones, which some systems lack. Raises HoursRefused."""
    return at.astimezone(UTC if zone == "UTC" else zone_of(zone))


def _covers(span: Span, at: datetime) -> bool:
    now, today = at.time(), at.weekday()
    if span.since < span.until:
        return today in span.days and span.since <= now < span.until
    is_evening = today in span.days and now >= span.since
    return is_evening or ((today - 1) % 7 in span.days and now < span.until)


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text.lower())
    refused = HoursRefused(f"{text!r} are no hours. Write them such as Mon-Fri 09:00-17:30, Sat 10:00-14:00.")
    if match is None or match[1] not in DAYS or (match[2] or match[1]) not in DAYS:
        raise refused
    first, last = DAYS.index(match[1]), DAYS.index(match[2] or match[1])
    days = frozenset((first + more) % 7 for more in range((last - first) % 7 + 1))
    try:
        ends_at = 0 if (match[5], match[6]) == ("24", "00") else int(match[5])
        return Span(days, time(int(match[3]), int(match[4])), time(ends_at, int(match[6])))
    except ValueError:
        raise refused from None
