"""Runs that nobody asked for: by a schedule, and once enough corrections were newly approved. They join an open run.

A schedule that nobody was there to see is not made up for: training at noon what was meant for the night helps nobody.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from curation.holding import look
from curation.requesting import REFUSALS, request
from curation.workshop import PROGRAM, Workshop
from storage.records import Held, Trigger, Voice

log = logging.getLogger(__name__)

LOOK_S = 10.0  # between two looks


class ScheduleUnreadable(ValueError):
    """A schedule that is no cron expression; the message says which, and shows one that is."""

    def __init__(self, schedule: str, why: str) -> None:
        super().__init__(
            f"{schedule!r} is no schedule ({why}). It takes five parts, minute hour day month weekday: "
            "“0 3 * * *” is every night at three."
        )


@dataclass(frozen=True, slots=True)
class When:
    """When runs start by themselves. `schedule` is a cron expression in `time_zone`, "" for none; `after_approved` 0 for never.

    Raises ScheduleUnreadable.
    """

    schedule: str = ""
    after_approved: int = 0
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def __post_init__(self) -> None:
        if self.schedule:
            self.next_tick(datetime.now(self.time_zone))

    def next_tick(self, after: datetime) -> datetime | None:
        """The first moment after `after` that the schedule names; None without a schedule."""
        if not self.schedule:
            return None
        try:
            return next(CronSim(self.schedule, after.astimezone(self.time_zone)))
        except (CronSimError, StopIteration) as error:
            raise ScheduleUnreadable(self.schedule, str(error) or "it names no day there is") from error


class Watch:
    """Looks for reasons to start a run, and remembers what led to nothing, so that it is not tried again and again."""

    def __init__(self, workshop: Workshop, when: When) -> None:
        self._workshop = workshop
        self._when = when
        self._next_tick = when.next_tick(workshop.now())
        self._look_at = workshop.now()
        self._refused: dict[str, int] = {}  # voice id → how many were newly approved when they were too few for a run

    async def look(self) -> None:
        """Start what is due; no more often than every LOOK_S. Raises DatabaseUnavailable."""
        now = self._workshop.now()
        if now < self._look_at or not (self._when.schedule or self._when.after_approved):
            return
        self._look_at = now.fromtimestamp(now.timestamp() + LOOK_S, now.tzinfo)
        is_time = self._next_tick is not None and now >= self._next_tick
        if is_time:
            self._next_tick = self._when.next_tick(now)
        for voice in await self._workshop.store.voices.all():
            if await is_held(self._workshop, voice):
                continue
            if is_time:
                await start(self._workshop, voice, Trigger.SCHEDULE)
            elif self._when.after_approved:
                await self._count(voice)

    async def _count(self, voice: Voice) -> None:
        store = self._workshop.store
        recent = await store.runs.recent(voice.id, limit=1)
        since = recent[0].requested_at if recent else voice.created_at
        n_new = await store.corrections.approved_since(voice.id, since)
        if n_new < self._when.after_approved or self._refused.get(voice.id) == n_new:
            return
        if not await start(self._workshop, voice, Trigger.COUNT):
            self._refused[voice.id] = n_new


async def is_held(workshop: Workshop, voice: Voice) -> bool:
    """Whether a flood of corrections is held back, so that no run starts by itself."""
    held = await look(workshop.store, voice.id, now=workshop.now())
    if (hold := held.get(Held.CORRECTIONS)) is not None:
        log.warning("no run of %s starts by itself: %s An admin has to release the hold.", voice.name, hold.why)
    return hold is not None


async def start(workshop: Workshop, voice: Voice, trigger: Trigger) -> bool:
    """Start a run or join the open one; whether there is one now."""
    try:
        run, is_new = await request(workshop, voice, by=PROGRAM, trigger=trigger)
    except REFUSALS as refused:
        log.info("no run by %s for %s: %s", trigger.value, voice.name, refused)
        return False
    if is_new:
        log.info("run %s of %s started by %s", run.id, voice.name, trigger.value)
    return True
