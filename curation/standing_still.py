"""Runs that need a person: those in which nothing happens, and those whose holders die one after another."""

import logging
from datetime import datetime

from curation.step import tell
from curation.workshop import PROGRAM, Workshop
from storage.records import Run

log = logging.getLogger(__name__)

STILL_S = 600.0  # without a look, a step or an event: engine.md, section 3, rule 15
TAKEOVERS_ALLOWED = 5  # holders in a row that died over the same step: engine.md, section 4


async def look_for_still_ones(workshop: Workshop) -> None:
    """Say of each open run in which nothing has happened for STILL_S that it stands still, once for each holder."""
    for run in await workshop.store.runs.open_runs():
        if run.is_paused or not await _is_still(workshop, run):
            continue
        holder = f"{run.lease_owner} holds it" if run.lease_owner else "no worker holds it"
        text = f"Nothing has happened for {STILL_S / 60:.0f} minutes; {holder}. If that stays so, look at the worker's log."
        if await tell(workshop, run, f"still-{run.epoch}", text, "warn"):
            log.warning("run %s: %s", run.id, text)


async def _is_still(workshop: Workshop, run: Run) -> bool:
    now = workshop.now()
    if _seconds(run.updated_at, now) < STILL_S:
        return False
    events = await workshop.store.runs.events(run.id)
    return all(_seconds(event.at, now) >= STILL_S for _, event in events)


def _seconds(then: datetime, now: datetime) -> float:
    return (now - then).total_seconds()


async def park(workshop: Workshop, run: Run) -> Run:
    """Let a run stand still that its holders did not survive: it may be what kills them."""
    why = (
        f"{run.takeovers} workers in a row ended while they worked on this run ({run.state.value}). "
        "Look at their logs, then resume it, or cancel it."
    )
    parked = await workshop.store.runs.pause(run.id, PROGRAM, why, at=workshop.now())
    if parked.is_paused:
        log.error("run %s is parked: %s", run.id, why)
        await tell(workshop, run, f"parked-{run.epoch}", why, "error")
    return parked
