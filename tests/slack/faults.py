"""What goes wrong on demand: the next calls of a method are refused, limited, cut or held.

Several faults of one method follow each other.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.slack.own_stub import Answer, refusal

PATIENCE_S = 10.0
FOREVER = 1_000_000


class Hold:
    """Calls that wait: `reached()` waits for the first of them, `release()` lets all go on."""

    def __init__(self) -> None:
        self._reached, self._released = asyncio.Event(), asyncio.Event()

    async def reached(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._reached.wait()

    def release(self) -> None:
        self._released.set()

    async def wait_here(self) -> None:
        self._reached.set()
        await self._released.wait()


@dataclass
class Fault:
    """What happens to the next `times` calls of a method, instead of an answer."""

    times: int
    status: int = 200
    answer: Answer | None = None  # None cuts the connection
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False  # the call takes effect, only its answer is lost
    hold: Hold | None = None  # wait, then go on as if nothing had been


class Faults:
    """The faults that are planned, by method."""

    def __init__(self) -> None:
        self._planned: dict[str, list[Fault]] = {}

    def refuse(self, method: str, error: str, times: int = 1, **more: Any) -> None:
        """Answer 200 with `{"ok": false, "error": ...}`, as Slack refuses."""
        self._plan(method, Fault(times, answer=refusal(error, **more)))

    def limit_rate(self, method: str, times: int = 1, retry_after_s: int = 0) -> None:
        """Answer 429. slack_sdk 3.47 reads only the first digit of Retry-After in its async handler."""
        headers = {"Retry-After": str(retry_after_s)}
        self._plan(method, Fault(times, 429, refusal("ratelimited"), headers))

    def break_down(self, method: str, times: int = 1, status: int = 503) -> None:
        """Answer with a server's error, 500 or 503."""
        self._plan(method, Fault(times, status, refusal("service_unavailable")))

    def cut(self, method: str, times: int = 1, *, after: bool = False) -> None:
        """Cut the connection: before the call takes effect, or `after` it did."""
        self._plan(method, Fault(times, after=after))

    def hold(self, method: str, times: int = FOREVER) -> Hold:
        """Let calls wait until the hold is released."""
        hold = Hold()
        self._plan(method, Fault(times, hold=hold))
        return hold

    def heal(self) -> None:
        """Nothing goes wrong any more, and what waits goes on."""
        for fault in (fault for faults in self._planned.values() for fault in faults):
            if fault.hold:
                fault.hold.release()
        self._planned.clear()

    def next(self, method: str) -> Fault | None:
        """The fault that meets this call; it is used up by that."""
        for fault in self._planned.get(method, []):
            if fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _plan(self, method: str, fault: Fault) -> None:
        self._planned.setdefault(method, []).append(fault)
