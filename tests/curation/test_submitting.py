"""One paid job a run: what is done when nobody knows whether there is one, and when there are two."""

from datetime import timedelta

import pytest

from providers.base import ErrorKind, JobState, ProviderError
from storage.errors import RunMoved
from storage.records import PROGRAM_ACTOR_ID, Run, RunState
from tests.curation.conftest import House


async def frozen(house: House) -> Run:
    """A run that has its dataset and no job yet."""
    await house.approve(*range(12))
    run = await house.look(await house.request())
    assert run.state is RunState.FROZEN
    return run


async def left_in_doubt(house: House, run: Run) -> None:
    """Ask for a job that the vendor never makes, and get no answer."""
    house.provider.loses_creates = True
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    with pytest.raises(ProviderError):
        await house.look(run)
    house.provider.loses_creates = False


async def test_nothing_is_asked_for_again_while_the_job_may_still_be_listed(house: House):
    run = await frozen(house)
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    house.provider.list_lag = 4
    with pytest.raises(ProviderError):
        await house.look(run)
    for _ in range(3):
        assert (await house.look(run)).state is RunState.FROZEN
    assert (await house.look(run)).job_id == "ftjob-1"
    assert len(house.provider.jobs) == 1


async def test_a_job_that_never_came_to_be_is_asked_for_again_after_the_wait(house: House):
    run = await frozen(house)
    await left_in_doubt(house, run)
    assert (await house.look(run)).state is RunState.FROZEN
    house.advance(31)
    assert (await house.finish(run)).state is RunState.PROMOTED
    assert len(house.provider.jobs) == 1


async def test_after_two_creates_without_an_answer_a_person_is_asked_and_can_go_on(house: House):
    run = await frozen(house)
    for _ in range(2):
        await left_in_doubt(house, run)
        house.advance(31)
    run = await house.look(run)
    assert run.paused_by == PROGRAM_ACTOR_ID
    assert "asked 2 times for a training job" in run.paused_why
    assert run.paused_why in await house.events(run)
    assert await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1) is None
    await house.store.runs.resume(run.id, house.admin.id, at=house.workshop.now())
    assert (await house.finish(run)).state is RunState.PROMOTED
    assert len(house.provider.jobs) == 1


async def test_pausing_and_resuming_does_not_shorten_the_wait(house: House):
    run = await frozen(house)
    await left_in_doubt(house, run)
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    await house.store.runs.resume(run.id, house.admin.id, at=house.workshop.now())
    assert (await house.look(run)).state is RunState.FROZEN
    assert house.provider.jobs == {}


async def test_a_create_that_was_refused_leaves_no_doubt(house: House):
    run = await frozen(house)
    house.provider.fail_next("create_job", ErrorKind.RATE_LIMIT)
    with pytest.raises(ProviderError):
        await house.look(run)
    assert (await house.look(run)).job_id == "ftjob-1"


async def test_a_run_paused_at_the_last_moment_pays_for_nothing(house: House):
    run = await frozen(house)
    claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
    assert claimed is not None
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    with pytest.raises(RunMoved):
        await house.advance_one(claimed)
    assert house.provider.jobs == {}


async def test_a_twin_that_a_lagging_list_shows_late_is_cancelled_and_told(house: House):
    run = await house.look(await frozen(house))
    assert run.job_id == "ftjob-1"
    await house.provider.create_job(house.provider.requests["ftjob-1"])  # a worker that woke up too late
    house.provider.list_lag = 1
    await house.look(run)
    assert house.provider.jobs["ftjob-2"].state is JobState.QUEUED
    run = await house.finish(run)
    assert (run.state, run.job_id) == (RunState.PROMOTED, "ftjob-1")
    assert house.provider.jobs["ftjob-2"].state is JobState.CANCELLED
    assert "Cancelled a second training job, ftjob-2." in await house.events(run)


async def test_an_older_twin_that_shows_up_late_becomes_the_runs_job(house: House):
    run = await frozen(house)
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    with pytest.raises(ProviderError):
        await house.look(run)
    house.provider.list_lag = 2
    house.advance(31)
    run = await house.look(run)
    assert run.job_id == "ftjob-2"
    run = await house.look(await house.look(run))
    assert run.job_id == "ftjob-1"
    assert house.provider.jobs["ftjob-2"].state is JobState.CANCELLED
    assert (await house.finish(run)).state is RunState.PROMOTED


async def test_cancelling_waits_for_a_job_that_may_still_turn_up(house: House):
    run = await frozen(house)
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    house.provider.list_lag = 2
    with pytest.raises(ProviderError):
        await house.look(run)
    await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
    assert (await house.look(run)).is_open
    run = await house.finish(run)
    assert run.state is RunState.CANCELLED
    assert house.provider.jobs["ftjob-1"].state is JobState.CANCELLED


async def test_a_worker_that_wakes_after_the_run_is_over_cancels_the_job_it_made(house: House):
    run = await frozen(house)
    sleeper = await house.store.runs.claim(run.id, "sleeper", now=house.workshop.now(), lease_s=0)
    assert sleeper is not None
    creates = house.provider.create_job

    async def late(request: object):
        house.provider.create_job = creates
        await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
        house.advance(31)
        assert (await house.finish(run, "worker-2")).state is RunState.CANCELLED
        return await creates(request)  # type: ignore[arg-type]

    house.provider.create_job = late  # type: ignore[method-assign]
    with pytest.raises(RunMoved):
        await house.advance_one(sleeper)
    assert house.provider.jobs["ftjob-1"].state is JobState.CANCELLED


async def test_the_wait_is_counted_from_the_moment_the_answer_was_given_up(house: House):
    run = await frozen(house)
    await left_in_doubt(house, run)
    known = await house.store.runs.get(run.id)
    assert known.create_tried_at is not None
    assert house.workshop.now() - known.create_tried_at < timedelta(seconds=5)
    assert known.creates == 1
