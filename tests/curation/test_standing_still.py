"""Runs that need a person: paused ones wait, those that kill their workers are parked, and a standstill is told once."""

import asyncio

import pytest

from curation import standing_still
from curation.worker import Pace, work
from providers.base import JobState
from storage.records import PROGRAM_ACTOR_ID, RunState
from tests.curation.conftest import House

PACE = Pace(poll_s=0.01, idle_s=0.01, retry_s=0.01)


async def test_a_paused_run_keeps_its_state_and_goes_on_when_resumed(house: House):
    await house.approve(*range(12))
    run = await house.request()
    while run.state is not RunState.TRAINING:
        run = await house.look(run)
    paused = await house.store.runs.pause(run.id, house.admin.id, "Waiting for Monday.", at=house.workshop.now())
    assert (paused.state, paused.paused_by, paused.is_open) == (RunState.TRAINING, house.admin.id, True)
    assert await house.store.runs.claim(run.id, "worker-2", now=house.workshop.now(), lease_s=0) is None
    resumed = await house.store.runs.resume(run.id, house.admin.id, at=house.workshop.now())
    assert (resumed.state, resumed.paused_by, resumed.paused_why) == (RunState.TRAINING, None, "")
    assert (await house.finish(run)).state is RunState.PROMOTED
    assert len(house.provider.jobs) == 1
    verbs = [entry.verb for entry in await house.store.audit.entries(99, subject=run.id)]
    assert {"pause", "resume"} <= set(verbs)


async def test_a_run_paused_while_it_is_compared_is_not_promoted(house: House):
    await house.approve(*range(12))
    run = await house.request()
    while run.state is not RunState.EVALUATED:
        run = await house.look(run)
    claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
    assert claimed is not None
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    await house.advance_to_refusal(claimed)
    assert (await house.store.models.current(house.voice.id)).model.is_base


async def test_a_paused_run_is_still_cancelled_at_the_vendor(house: House):
    await house.approve(*range(12))
    run = await house.request()
    while run.job_id is None:
        run = await house.look(run)
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
    run = await house.finish(run)
    assert (run.state, run.end_reason) == (RunState.CANCELLED, "Cancelled by Ada.")
    assert house.provider.jobs["ftjob-1"].state is JobState.CANCELLED


async def test_a_run_that_is_over_cannot_be_paused(house: House):
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert (await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())).paused_by is None


async def test_after_five_dead_holders_in_a_row_the_run_waits_for_a_person(house: House):
    await house.approve(*range(12))
    run = await house.request()
    for number in range(6):
        claimed = await house.store.runs.claim(run.id, f"dead-{number}", now=house.workshop.now(), lease_s=0)
        assert claimed is not None
        assert claimed.takeovers == number
    stop = asyncio.Event()
    worker = asyncio.create_task(work(house.workshop, "worker", PACE, stop))
    async with asyncio.timeout(20):
        while not (parked := await house.store.runs.get(run.id)).is_paused:
            await asyncio.sleep(0)
    assert parked.paused_by == PROGRAM_ACTOR_ID
    assert "6 workers in a row ended while they worked on this run (requested)" in parked.paused_why
    await house.store.runs.resume(run.id, house.admin.id, at=house.workshop.now())
    async with asyncio.timeout(20):
        while (run := await house.store.runs.get(run.id)).is_open:
            await asyncio.sleep(0)
    stop.set()
    await worker
    assert run.state is RunState.PROMOTED


async def test_a_look_that_its_holder_outlives_starts_the_count_anew(house: House):
    await house.approve(*range(12))
    run = await house.request()
    for owner in ("dead-1", "dead-2"):
        await house.store.runs.claim(run.id, owner, now=house.workshop.now(), lease_s=0)
    alive = await house.store.runs.claim(run.id, "alive", now=house.workshop.now(), lease_s=60)
    assert alive is not None
    assert alive.takeovers == 2
    await house.store.runs.release(run.id, alive.epoch)
    following = await house.store.runs.claim(run.id, "next", now=house.workshop.now(), lease_s=60)
    assert following is not None
    assert following.takeovers == 0


@pytest.mark.parametrize(("seconds", "told"), [(590, 0), (610, 1)], ids=["under ten minutes", "over ten minutes"])
async def test_a_run_that_stands_still_is_told_of_once(house: House, seconds: float, told: int):
    await house.approve(*range(12))
    run = await house.request()
    claimed = await house.store.runs.claim(run.id, "worker-7", now=house.workshop.now(), lease_s=60)
    assert claimed is not None
    house.advance(seconds)
    for _ in range(3):
        await standing_still.look_for_still_ones(house.workshop)
    said = [text for text in await house.events(run) if "Nothing has happened for 10 minutes" in text]
    assert len(said) == told
    assert all("worker-7 holds it" in text for text in said)


async def test_a_paused_run_does_not_count_as_standing_still(house: House):
    await house.approve(*range(12))
    run = await house.request()
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    house.advance(5000)
    await standing_still.look_for_still_ones(house.workshop)
    assert await house.events(run) == []
