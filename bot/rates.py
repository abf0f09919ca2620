"""How many questions one person, and one channel, may ask in a minute. In memory: a restart forgives."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
REMEMBERED = 10_000  # people and channels at once; the one silent longest is forgotten first


class Rates:
    """Counts what happened in the last minute, by key. 0 as a limit allows everything."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._seen: dict[str, deque[datetime]] = {}

    def is_allowed(self, key: str, per_minute: int) -> bool:
        """Whether one more is within the limit; if so it is counted."""
        if per_minute <= 0:
            return True
        now = self._now()
        seen = self._seen.pop(key, deque())
        while seen and seen[0] <= now - WINDOW:
            seen.popleft()
        is_within = len(seen) < per_minute
        if is_within:
            seen.append(now)
        self._seen[key] = seen  # last in the order, which is the order of silence
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return is_within


class Latest:
    """When something last happened, by key. In memory as well."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._at: dict[str, datetime] = {}

    def ago_s(self, key: str) -> float | None:
        """Seconds since it happened; None where it did not, or was long ago."""
        at = self._at.get(key)
        return None if at is None else (self._now() - at).total_seconds()

    def happened(self, key: str) -> None:
        """It happens now."""
        self._at.pop(key, None)
        self._at[key] = self._now()
        if len(self._at) > REMEMBERED:
            del self._at[next(iter(self._at))]
