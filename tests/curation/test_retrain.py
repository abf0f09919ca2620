"""The run on a fake vendor: each step safe to repeat, one paid job, one promotion, and a sentence at every end."""

import asyncio
from dataclasses import replace

import pytest

from curation import promotion, requesting
from curation.advancing import advance
from curation.dataset import TooFewExamples
from curation.requesting import NothingNew
from curation.worker import Pace, work
from providers.base import ErrorKind, JobState, ProviderError
from storage.errors import RunMoved
from storage.records import CorrectionState, PromptKind, RunState
from tests.curation.conftest import House, learned_nothing
from tests.curation.test_selecting import correction


async def test_a_run_ends_with_its_candidate_serving(house: House):
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    current = await house.store.models.current(house.voice.id)
    assert current.model.name == run.candidate_name == "ft:base:local:puffin-1:1"
    assert current.by == house.admin.id
    assert "held-out questions" in current.why


async def test_with_too_few_examples_no_run_begins(house: House):
    await house.approve(*range(7))
    with pytest.raises(TooFewExamples, match="5 more to approve"):
        await house.request()
    assert await house.store.runs.open_run(house.voice.id) is None


async def test_ten_at_once_start_one_run(house: House):
    await house.approve(*range(12))
    results = await asyncio.gather(
        *(requesting.request(house.workshop, house.voice, by=house.admin.id) for _ in range(10))
    )
    assert len({run.id for run, _ in results}) == 1
    assert sum(started for _, started in results) == 1


async def test_a_candidate_that_learned_nothing_is_stopped_and_the_incumbent_stays(house: House):
    house.provider.script = learned_nothing
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert run.state is RunState.STOPPED
    assert "so nothing is proven" in run.end_reason
    assert (await house.store.models.current(house.voice.id)).model.is_base


async def test_training_again_on_the_same_examples_is_refused(house: House):
    await house.approve(*range(12))
    await house.finish(await house.request())
    with pytest.raises(NothingNew, match=r"Model 1 was trained on exactly these 10 examples"):
        await house.request()
    await house.approve(12)
    assert (await house.request()).is_open


async def test_a_create_whose_answer_never_came_is_found_and_not_paid_twice(house: House):
    await house.approve(*range(12))
    run = await house.request()
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    with pytest.raises(ProviderError, match="told to fail"):
        await house.finish(run)
    run = await house.finish(run)
    assert run.state is RunState.PROMOTED
    assert len(house.provider.jobs) == 1


async def test_a_second_job_of_the_same_run_is_cancelled_and_told(house: House):
    await house.approve(*range(12))
    run = await house.request()
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    with pytest.raises(ProviderError, match="told to fail"):
        await house.finish(run)
    await house.provider.create_job(house.provider.requests["ftjob-1"])
    run = await house.finish(run)
    assert run.job_id == "ftjob-1"
    assert house.provider.jobs["ftjob-2"].state is JobState.CANCELLED
    assert any("Cancelled a second training job" in text for text in await house.events(run))


async def test_a_worker_that_lost_the_run_creates_no_job(house: House):
    await house.approve(*range(12))
    run = await house.request()
    frozen = None
    for _ in range(1):
        claimed = await house.store.runs.claim(run.id, "slow", now=house.workshop.now(), lease_s=0)
        assert claimed is not None
        frozen = await advance(house.workshop, claimed)
    assert frozen is not None
    assert frozen.state is RunState.FROZEN
    taken = await house.store.runs.claim(run.id, "fast", now=house.workshop.now(), lease_s=100)
    assert taken is not None
    with pytest.raises(RunMoved):
        await advance(house.workshop, frozen)
    assert house.provider.jobs == {}


@pytest.mark.parametrize("call", ["upload", "find_jobs", "create_job", "job", "events", "model_names", "stream"])
async def test_a_vendor_that_is_down_for_a_moment_delays_the_run_and_nothing_else(house: House, call: str):
    await house.approve(*range(12))
    run = await house.request()
    house.provider.fail_next(call, ErrorKind.UNREACHABLE)
    with pytest.raises(ProviderError, match="told to fail"):
        await house.finish(run)
    run = await house.finish(run)
    assert run.state is RunState.PROMOTED
    assert len(house.provider.jobs) == 1


async def test_trained_is_not_servable(house: House):
    await house.approve(*range(12))
    run = await house.request()
    house.provider.hidden_models.add("ft:base:local:puffin-1:1")
    with pytest.raises(AssertionError, match="still training"):
        await house.finish(run, steps=8)
    assert any("waiting until it can be asked" in text for text in await house.events(run))
    house.provider.hidden_models.clear()
    assert (await house.finish(run)).state is RunState.PROMOTED


async def test_a_failed_job_ends_the_run_with_the_vendors_sentence(house: House):
    await house.approve(*range(12))
    house.provider.final_state = JobState.FAILED
    run = await house.finish(await house.request())
    assert (run.state, run.end_reason) == (RunState.FAILED, "The fake failed it.")


async def test_a_cancelled_run_cancels_its_job_and_names_who_asked(house: House):
    await house.approve(*range(12))
    run = await house.request()
    for _ in range(3):
        claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
        assert claimed is not None
        run = await advance(house.workshop, claimed)
    await house.store.runs.request_cancel(run.id, by=house.admin.id, at=house.workshop.now())
    run = await house.finish(run)
    assert (run.state, run.end_reason) == (RunState.CANCELLED, "Cancelled by Ada.")
    assert house.provider.jobs["ftjob-1"].state is JobState.CANCELLED


async def test_a_rollback_between_verdict_and_promotion_means_comparing_again(house: House):
    await house.approve(*range(12))
    await house.finish(await house.request())
    await house.approve(12)
    run = await house.request()
    while run.state is not RunState.EVALUATED:
        claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
        assert claimed is not None
        run = await advance(house.workshop, claimed)
    await promotion.roll_back(house.store, house.voice.id, by=house.admin, why="bad", at=house.workshop.now())
    run = await house.finish(run)
    evaluation = await house.store.runs.evaluation(run.id)
    assert evaluation is not None
    assert evaluation.incumbent_name == "base"
    assert run.state is RunState.PROMOTED


async def test_the_preview_counts_what_a_run_would_use_and_spends_nothing(house: House):
    await house.approve(*range(14))
    shown = await requesting.preview(house.workshop, house.voice)
    assert (shown.train, shown.held_out, shown.new, shown.refusal) == (11, 3, 14, "")
    assert shown.expected_seconds is None
    assert house.provider.files == {}
    await house.finish(await house.request())
    await house.approve(20)
    assert (await requesting.preview(house.workshop, house.voice)).expected_seconds is not None


async def test_the_preview_of_too_few_says_how_many_are_missing_and_what_waits(house: House):
    await house.approve(*range(3))
    waiting = replace(
        correction(50),
        voice_id=house.voice.id,
        reply_id=None,
        conversation_id=None,
        proposed_by=house.admin.id,
        state=CorrectionState.PROPOSED,
        origin="import:test:50",
    )
    await house.store.corrections.propose(waiting)
    shown = await requesting.preview(house.workshop, house.voice)
    assert "9 more to approve. 1 correction still waits for approval" in shown.refusal


async def test_every_line_of_the_dataset_leads_to_its_correction_and_back(house: House):
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert run.dataset_version_id is not None
    lines = await house.store.datasets.lines(run.dataset_version_id)
    assert sorted(line.correction_id for line in lines) == [f"corr_{i:03}" for i in range(12)]
    for line in lines:
        approved = await house.store.corrections.get(line.correction_id)
        assert approved.decided_by == house.admin.id
        assert line in await house.store.datasets.versions_with(line.correction_id)


async def test_the_worker_takes_a_requested_run_to_its_end(house: House):
    await house.approve(*range(12))
    run = await house.request()
    house.provider.fail_next("upload", ErrorKind.RATE_LIMIT, retry_after_s=0.01)
    stop = asyncio.Event()
    pace = Pace(poll_s=0.01, idle_s=0.01, retry_s=0.01)
    worker = asyncio.create_task(work(house.workshop, "worker-1", pace, stop))
    async with asyncio.timeout(20):
        while (await house.store.runs.get(run.id)).is_open:
            await asyncio.sleep(0.01)
    stop.set()
    await worker
    run = await house.store.runs.get(run.id)
    assert run.state is RunState.PROMOTED
    assert any("Trying again" in text for text in await house.events(run))


async def test_training_that_is_closed_to_us_ends_the_run_at_once(house: House):
    await house.approve(*range(12))
    run = await house.request()
    house.provider.fail_next("create_job", ErrorKind.TRAINING_UNAVAILABLE)
    stop = asyncio.Event()
    worker = asyncio.create_task(work(house.workshop, "worker-1", Pace(0.01, 0.01, 0.01), stop))
    async with asyncio.timeout(20):
        while (await house.store.runs.get(run.id)).is_open:
            await asyncio.sleep(0.01)
    stop.set()
    await worker
    run = await house.store.runs.get(run.id)
    assert (run.state, run.end_reason) == (RunState.FAILED, "the fake was told to fail create_job")
    assert house.provider.jobs == {}


async def test_a_run_with_the_short_prompt_trains_asks_and_serves_with_it_and_says_what_it_saves(house: House):
    full = "You are the voice of Puffin. Be kind, be brief and never promise a date."
    house.voice = await house.store.voices.ensure(
        "puffin", full, "base", short_prompt="Puffin.", at=house.workshop.now()
    )
    house.workshop = replace(house.workshop, recipe=replace(house.workshop.recipe, prompt=PromptKind.SHORT))
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    assert "The candidate is asked with the short prompt: 14 tokens fewer in every reply." in await house.events(run)
    prompts = {model: messages[0].content for model, messages in house.provider.asked}
    assert prompts == {"base": full, run.candidate_name: "Puffin."}
    assert (await house.store.models.current(house.voice.id)).model.prompt is PromptKind.SHORT


async def test_the_worker_seals_what_was_written_into_the_audit(house: House):
    assert (await house.store.seals.verify()).unsealed > 0
    stop = asyncio.Event()
    worker = asyncio.create_task(work(house.workshop, "worker-1", Pace(0.01, 0.01, 0.01), stop))
    while (await house.store.seals.verify()).unsealed:
        await asyncio.sleep(0)
    stop.set()
    await worker
    assert (await house.store.seals.verify()).holds
