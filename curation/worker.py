"""Runs the open runs, one process at a time each: claims a run under a lease, advances it step by step, waits between polls.

A worker that dies leaves its lease behind; when that expires any other worker (or the same one, restarted) goes on from
the saved state.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from curation.advancing import advance
from curation.idling import Idle
from curation.retrain import is_final
from curation.shutdowns import Shutdowns
from curation.standing_still import TAKEOVERS_ALLOWED, look_for_still_ones, park
from curation.step import end
from curation.succession import Succession
from curation.triggers import Watch, When
from curation.workshop import Workshop
from providers.base import ProviderError
from storage.errors import DatabaseUnavailable, RunMoved
from storage.records import Run, RunEvent, RunState

log = logging.getLogger(__name__)

LEASE_S = 60.0  # renewed every third of it; the longest single vendor call takes 60 s and is covered by the renewal
AT_ONCE = 4  # runs that one worker has under way
STILL_LOOK_S = 60.0  # between two looks for runs that stand still
PEOPLE_LOOK_S = 10.0  # between two looks at a canary's votes, which count by the hour, or at choices on blind pairs
WAITS_FOR_PEOPLE = frozenset({RunState.EVALUATED, RunState.CANARY})
SEAL_S = 10.0  # how long an entry of the audit stands unsealed at most
BUGS_ALLOWED = 5  # unexpected errors in one run before it is ended as failed, so that a bug never spins for ever


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the worker looks, in seconds."""

    poll_s: float  # between two looks at a training job
    idle_s: float  # between two looks for new runs
    retry_s: float  # after a vendor call failed, unless the vendor names a time
    lease_s: float = LEASE_S


async def work(workshop: Workshop, owner: str, pace: Pace, stop: asyncio.Event, when: When | None = None) -> None:
    """Advance open runs until `stop` is set, start those that are due, and say which stand still. `owner` names this process;
    a restarted one may reuse its name.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_advance_runs(workshop, owner, pace, stop))
        group.create_task(_keep_house(workshop, pace, stop, Watch(workshop, when or When())))
        group.create_task(_watch_vendor(workshop, pace, stop))


async def _advance_runs(workshop: Workshop, owner: str, pace: Pace, stop: asyncio.Event) -> None:
    """Work on several runs at a time, each in a task of its own: one that takes long keeps no other waiting."""
    bugs: dict[str, int] = {}
    not_before: dict[str, datetime] = {}
    under_way: dict[str, asyncio.Task[float]] = {}
    async with asyncio.TaskGroup() as group:
        while not stop.is_set():
            for run_id in [run_id for run_id, task in under_way.items() if task.done()]:
                not_before[run_id] = workshop.now() + timedelta(seconds=under_way.pop(run_id).result())
            not_before = {run_id: at for run_id, at in not_before.items() if at > workshop.now()}
            for run in await _open_runs(workshop):
                if run.is_paused or run.id in under_way or run.id in not_before:
                    continue
                if len(under_way) == AT_ONCE or stop.is_set():
                    break
                if (claimed := await _claim(workshop, run, owner, pace)) is not None:
                    under_way[run.id] = group.create_task(_step(workshop, claimed, pace, bugs))
            await _pause(stop, min(pace.poll_s, pace.idle_s))


async def _keep_house(workshop: Workshop, pace: Pace, stop: asyncio.Event, watch: Watch) -> None:
    """What must go on while a step takes its time: seal the audit, look for reasons to train, and for runs that stand still."""
    seal_at = still_at = workshop.now()
    while not stop.is_set():
        if workshop.now() >= seal_at:
            await _seal(workshop)
            seal_at = workshop.now() + timedelta(seconds=SEAL_S)
        await _looked(watch.look)
        if workshop.now() >= still_at:
            await _look_for_still_ones(workshop)
            still_at = workshop.now() + timedelta(seconds=STILL_LOOK_S)
        await _pause(stop, pace.idle_s)


async def _watch_vendor(workshop: Workshop, pace: Pace, stop: asyncio.Event) -> None:
    """Bases that come to their end, what follows them, and models that idle; apart, since a vendor may take minutes to answer."""
    shutdowns, succession, idle = Shutdowns(workshop), Succession(workshop), Idle(workshop)
    while not stop.is_set():
        await _looked(shutdowns.look)
        await _looked(succession.look)
        await _looked(idle.look)
        await _pause(stop, pace.idle_s)


async def _looked(look: Callable[[], Awaitable[None]]) -> None:
    try:
        await look()
    except DatabaseUnavailable as error:
        log.warning("worker: %s", error)


async def _look_for_still_ones(workshop: Workshop) -> None:
    try:
        await look_for_still_ones(workshop)
    except DatabaseUnavailable as error:
        log.warning("worker: %s", error)


async def _seal(workshop: Workshop) -> None:
    """Seal what was written into the audit since; a database that does not answer is asked again the next time."""
    try:
        while await workshop.store.seals.seal():
            pass
    except DatabaseUnavailable as error:
        log.warning("worker: the audit is not sealed: %s", error)


async def _open_runs(workshop: Workshop) -> list[Run]:
    """The open runs; none while the database does not answer, which is logged and looked at again."""
    try:
        return await workshop.store.runs.open_runs()
    except DatabaseUnavailable as error:
        log.warning("worker: %s", error)
        return []


async def _claim(workshop: Workshop, run: Run, owner: str, pace: Pace) -> Run | None:
    """Take the run; None when somebody else has it, or when it has outlived too many holders and waits for a person now."""
    try:
        claimed = await workshop.store.runs.claim(run.id, owner, now=workshop.now(), lease_s=pace.lease_s)
        if claimed is None or claimed.takeovers < TAKEOVERS_ALLOWED:
            return claimed
        await park(workshop, claimed)
        await workshop.store.runs.release(claimed.id, claimed.epoch)
    except DatabaseUnavailable as error:
        log.warning("worker: %s", error)
    return None


async def _step(workshop: Workshop, run: Run, pace: Pace, bugs: dict[str, int]) -> float:
    """Advance a claimed run as far as it goes without waiting; return the seconds to wait before the next look."""
    try:
        async with _renewed(workshop, run, pace.lease_s):
            while run.is_open:
                before = run.state
                run = await advance(workshop, run)
                if run.is_open and (run.state is before or run.is_paused):
                    await workshop.store.runs.release(run.id, run.epoch)
                    return max(pace.poll_s, PEOPLE_LOOK_S) if run.state in WAITS_FOR_PEOPLE else pace.poll_s
        return 0.0
    except RunMoved:  # another worker has it now, or it was paused or cancelled at the last moment
        await _let_go(workshop, run)
        return pace.poll_s
    except DatabaseUnavailable as error:
        log.warning("run %s waits: %s", run.id, error)
        return pace.retry_s
    except ProviderError as error:
        return await _provider_failed(workshop, run, pace, error)
    except Exception as error:  # the worker's loop is one of the two places that may catch everything
        log.exception("run %s: unexpected error", run.id)
        bugs[run.id] = bugs.get(run.id, 0) + 1
        if bugs[run.id] >= BUGS_ALLOWED:
            reason = f"Something of ours broke ({type(error).__name__}); the log of this moment names it."
            await _end_failed(workshop, run.id, reason)
        await _let_go(workshop, run)
        return pace.retry_s


async def _let_go(workshop: Workshop, run: Run) -> None:
    """Release the run, unless somebody else holds it; a database that does not answer lets the lease run out instead."""
    with contextlib.suppress(DatabaseUnavailable):
        await workshop.store.runs.release(run.id, run.epoch)


async def _provider_failed(workshop: Workshop, run: Run, pace: Pace, error: ProviderError) -> float:
    """End the run when trying again cannot help; otherwise write down why it waits and when it goes on."""
    if is_final(error):
        await _end_failed(workshop, run.id, str(error))
        return 0.0
    wait_s = error.retry_after_s or pace.retry_s
    now = workshop.now()
    event = RunEvent(run.id, f"waits-{now.isoformat()}", now, "warn", f"{error} Trying again in {wait_s:.0f} s.")
    await workshop.store.runs.add_events(run.id, [event])
    with contextlib.suppress(RunMoved):
        await workshop.store.runs.release(run.id, (await workshop.store.runs.get(run.id)).epoch)
    return wait_s


async def _end_failed(workshop: Workshop, run_id: str, reason: str) -> None:
    with contextlib.suppress(RunMoved):
        await end(workshop, await workshop.store.runs.get(run_id), RunState.FAILED, reason)


@contextlib.asynccontextmanager
async def _renewed(workshop: Workshop, run: Run, lease_s: float) -> AsyncGenerator[None]:
    """Keep the lease alive while the body runs."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(lease_s / 3)
            await workshop.store.runs.renew(run.id, run.epoch, now=workshop.now(), lease_s=lease_s)

    task = asyncio.create_task(renew())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, RunMoved, DatabaseUnavailable):
            await task


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond `stop`."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
