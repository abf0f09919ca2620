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
