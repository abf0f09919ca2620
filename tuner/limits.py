"""How often one caller may ask: so many requests a minute, spent one by one and given back evenly. Pure but for the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

CALLERS = 10_000  # remembered at once; beyond that the one longest silent is forgotten, which only ever favours it


@dataclass(frozen=True)
class Allowance:
    """What a caller has left after asking. `wait_s` is 0 where the request is allowed, else when the next one will be."""

    limit: int
    remaining: int
    wait_s: float

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Under the official names (https://platform.openai.com/docs/guides/rate-limits, read 2026-11-21)."""
        found = [
            (b"x-ratelimit-limit-requests", str(self.limit).encode()),
            (b"x-ratelimit-remaining-requests", str(self.remaining).encode()),
        ]
        return [*found, (b"retry-after", str(math.ceil(self.wait_s)).encode())] if self.wait_s else found


class Limiter:
    """A bucket of `per_minute` requests for each caller, refilled evenly; 0 allows everything."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: dict[
            str, tuple[float, float]
        ] = {}  # caller → (requests left, when that was), silent longest first

    def spend(self, caller: str) -> Allowance | None:
        """Take one request from the caller's bucket; None where nothing is limited."""
        if self._per_minute <= 0:
            return None
        now = self._clock()
        left, then = self._buckets.pop(caller, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - then) * self._per_minute / 60)
        is_allowed = left >= 1
        self._buckets[caller] = (left - 1 if is_allowed else left, now)
        if len(self._buckets) > CALLERS:
            del self._buckets[next(iter(self._buckets))]
        wait_s = 0.0 if is_allowed else (1 - left) * 60 / self._per_minute
        return Allowance(self._per_minute, max(0, int(left - is_allowed)), wait_s)
