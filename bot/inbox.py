"""What a platform delivers, from the row that is kept before it is acknowledged to the work that it asks for. Knows no platform.

A delivery is worked on by the process that kept it. When that one dies, another takes it up after the lease; what a handler
does is therefore done so that doing it again changes nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.errors import DatabaseUnavailable
from storage.records import InboundEvent
from storage.store import Store

log = logging.getLogger(__name__)

LEASE_S = 60.0  # extended while work goes on; a crash is noticed after at most this long
EXTEND_S = 20.0
LOOK_S = 2.0  # between two looks for what a dead process left
AT_ONCE = 64  # deliveries worked on at once; the rest wait in memory, already kept
ATTEMPTS = 3  # of one delivery; then the person who waits is told that it did not work
KEPT_FOR = timedelta(days=2)  # how long a finished delivery is remembered, to know it when it comes again
FORGET_EVERY = timedelta(hours=1)
FINISH_AFTER_S = 0.02  # deliveries that end within this long are written to be over together
DRAIN_S = 25.0  # what is not over by then at shutdown is left to whoever comes next; supervisors kill after 30 s

Handle = Callable[[InboundEvent], Awaitable[str]]
"""Does what a delivery asks for. Returns "" or, where it asked for nothing, why in a few words."""

GiveUp = Callable[[InboundEvent], Awaitable[None]]
"""Tells whoever waits that a delivery could not be worked on."""


@dataclass(frozen=True, slots=True)
class Work:
    """What an adapter brings: how to handle a delivery, and what to say when that keeps failing."""

    handle: Handle
    give_up: GiveUp


class Inbox:
    """One platform's deliveries in one process. Use `serve` beside what receives."""

    def __init__(self, store: Store, platform: str, owner: str, work: Work, now: Callable[[], datetime]) -> None:
        self._store = store
        self._platform = platform
        self._owner = owner
        self._work = work
        self._now = now
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by the delivery's id
        self._keeping: asyncio.Task[None] | None = None
        self._ended: list[tuple[str, str]] = []  # ids and outcomes of deliveries that are over, to be written together
        self._finishing: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(AT_ONCE)
        self._starting = asyncio.Lock()
        self._is_started = False
        self._is_closing = False
        self._forgot_at: datetime | None = None

    async def receive(self, key: str, kind: str, payload: Mapping[str, Any]) -> bool:
        """Keep a delivery and begin with it; False when it was kept before. Raises DatabaseUnavailable: do not acknowledge.

        One that comes during shutdown is kept for whoever comes next.
        """
        await self._start()
        lease_s = 0.0 if self._is_closing else LEASE_S
        event = await self._store.inbox.receive(
            self._platform, key, kind, payload, owner=self._owner, now=self._now(), lease_s=lease_s
        )
        if event is None:
            return False
        if not self._is_closing:
            self._begin(event)
        return True

    async def serve(self, stop: asyncio.Event) -> None:
        """Take up what was left behind, until `stop` is set; then let the work that has begun end."""
        try:
            while not stop.is_set():
                try:
                    await self._start()
                    await self._take_left()
                except DatabaseUnavailable as error:
                    log.warning("deliveries of %s wait: %s", self._platform, error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_S)
        finally:
            self._is_closing = True
            await self._drain()

    async def _start(self) -> None:
        """Free what was claimed under this name in an earlier life; before anything is claimed in this one."""
        if self._is_started:
            return
        async with self._starting:
            if not self._is_started:
                await self._store.inbox.release(self._owner)
                self._is_started = True

    async def _drain(self) -> None:
        """Wait for what has begun; what takes too long is cut off, and taken up again by whoever comes next."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks.values()), timeout=DRAIN_S)
            for task in late:
                task.cancel()
            if late:
                log.warning("%s deliveries of %s are left to the next process", len(late), self._platform)
                await asyncio.wait(late)
                with contextlib.suppress(DatabaseUnavailable):
                    await self._store.inbox.release(self._owner)
        if self._keeping is not None:
            self._keeping.cancel()
        owned = {task for task in (self._keeping, self._finishing) if task is not None}
        if owned:
            await asyncio.wait(owned)

    async def _take_left(self) -> None:
        now = self._now()
        for event in await self._store.inbox.take_left(self._platform, owner=self._owner, now=now, lease_s=LEASE_S):
            if event.id not in self._tasks:  # else only the lease ran out, while the database was away
                self._begin(event)
        if self._forgot_at is None or self._forgot_at <= now - FORGET_EVERY:
            self._forgot_at = now
            await self._store.inbox.forget_before(now - KEPT_FOR)

    def _begin(self, event: InboundEvent) -> None:
        task = asyncio.create_task(self._worked_on(event), name=f"{self._platform} {event.kind} {event.id}")
        self._tasks[event.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(event.id, None))
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep(), name=f"claims of {self._platform}")

    async def _worked_on(self, event: InboundEvent) -> None:
        """The outermost handler: whatever goes wrong is logged with the delivery's id, never with anybody's words."""
        try:
            async with self._room:
                if event.attempts > ATTEMPTS:
                    await self._work.give_up(event)
                    outcome = "gave up"
                else:
                    outcome = await self._work.handle(event)
            await self._finished(event, outcome)
        except DatabaseUnavailable as error:
            log.warning("%s %s waits for the database: %s", event.kind, event.id, error)
        except Exception:
            log.exception("%s %s failed at attempt %s", event.kind, event.id, event.attempts)

    async def _finished(self, event: InboundEvent, outcome: str) -> None:
        """Write that a delivery is over, together with those that end within a moment: nobody waits for it.

        A process that dies in that moment leaves them to be done again, which changes nothing.
        """
        self._ended.append((event.id, outcome))
        if self._finishing is None:
            self._finishing = asyncio.create_task(self._finish_ended(), name=f"ends of {self._platform}")
        await asyncio.shield(self._finishing)

    async def _finish_ended(self) -> None:
        await asyncio.sleep(FINISH_AFTER_S)
        ended, self._ended, self._finishing = self._ended, [], None
        await self._store.inbox.finish_all(ended, at=self._now())

    async def _keep(self) -> None:
        """Hold the claims while work goes on."""
        while self._tasks:
            await asyncio.sleep(EXTEND_S)
            if not self._tasks:
                return
            with contextlib.suppress(DatabaseUnavailable):  # the leases then run out, and somebody takes them up
                await self._store.inbox.extend_all(
                    list(self._tasks), owner=self._owner, now=self._now(), lease_s=LEASE_S
                )
