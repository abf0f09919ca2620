"""The queue on fakes: what a caller sees when training succeeds, fails, is cancelled, or dies and is taken up again."""

import asyncio
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI

from tests.tuner.conftest import CHANGED, DONE, VOICE, Bench, step
from tuner.background import at_work
from tuner.errors import EngineFailed, EngineGone
from tuner.jobs import Jobs, Proof

CHECKPOINT: dict[str, Any] = {
    "kind": "checkpoint",
    "step": 2,
    "adapter": "adapter-step-2.gguf",
    "metrics": {"train_loss": 0.5},
}


async def submit(client: AsyncOpenAI, **more: Any) -> Any:
    file = await client.files.create(file=("voice.jsonl", VOICE), purpose="fine-tune")
    return await client.fine_tuning.jobs.create(model="tiny", training_file=file.id, **more)


async def ended(client: AsyncOpenAI, job_id: str) -> Any:
    async with asyncio.timeout(20):
        while (job := await client.fine_tuning.jobs.retrieve(job_id)).status in (
            "validating_files",
            "queued",
            "running",
        ):
            await asyncio.sleep(0.01)
    return job


async def said(client: AsyncOpenAI, job_id: str) -> list[str]:
    return [event.message async for event in client.fine_tuning.jobs.list_events(job_id)][::-1]


async def test_a_job_is_persisted_before_the_reply_and_waits_for_the_queue(bench: Bench):
    job = await submit(bench.client, suffix="voice", seed=3, metadata={"brand": "tern"})
    assert (job.status, job.object, job.seed, job.metadata) == (
        "validating_files",
        "fine_tuning.job",
        3,
        {"brand": "tern"},
    )
    stored = bench.server.store.job(job.id)
    assert stored is not None
    assert stored.n_examples == 12
    assert bench.launcher.starts == 0


async def test_a_trained_and_proven_job_succeeds_with_model_checkpoint_events_and_result_file(bench: Bench):
    bench.launcher.scripts = [([step(1), step(2), CHECKPOINT, step(3), DONE], 0)]
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, (await submit(bench.client, suffix="my voice")).id)
    assert job.status == "succeeded"
    assert job.fine_tuned_model == f"ft:tiny:local:my-voice:{job.id[6:14]}"
    assert job.trained_tokens == 300
    checkpoints = [c async for c in bench.client.fine_tuning.jobs.checkpoints.list(job.id)]
    assert [(c.step_number, c.fine_tuned_model_checkpoint) for c in checkpoints] == [
        (2, f"{job.fine_tuned_model}:ckpt-step-2")
    ]
    content = (await bench.client.files.content(job.result_files[0])).text
    assert content.splitlines()[:2] == [
        "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy",
        "1,1.0,0.5,,",
    ]
    events = await said(bench.client, job.id)
    assert events[0] == f"Created fine-tuning job: {job.id}"
    assert events[-1] == "The job has successfully completed"
    assert "Served and checked: mean log-probability of 6 training answers: -2.000 before, -0.500 after" in events


async def test_an_engine_that_dies_in_the_middle_of_the_proof_is_asked_again(bench: Bench):
    bench.launcher.scripts = [([step(1), DONE], 0)]
    bench.proofs += [EngineGone("The engine stopped while answering.")] * 2
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, (await submit(bench.client)).id)
    assert job.status == "succeeded"


async def test_an_adapter_that_kills_the_engine_every_time_fails_the_job(bench: Bench):
    bench.launcher.scripts = [([step(1), DONE], 0)]
    bench.proofs += [EngineGone("The engine stopped while answering.")] * 3
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, (await submit(bench.client)).id)
    assert (job.status, job.error.code) == ("failed", "not_servable")


@pytest.mark.parametrize(
    ("proof", "complaint"),
    [
        pytest.param(Proof(6, -2.0, -2.0, 0.0), "does not change the model", id="no effect"),
        pytest.param(EngineFailed("bad magic"), "could not be served: bad magic", id="does not load"),
    ],
)
async def test_an_adapter_that_is_not_proven_fails_the_job(bench: Bench, proof: Any, complaint: str):
    bench.launcher.scripts = [([step(1), DONE], 0)]
    bench.proofs.append(proof)
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, (await submit(bench.client)).id)
    assert (job.status, job.error.code, job.fine_tuned_model) == ("failed", "not_servable", None)
    assert complaint in job.error.message


async def test_a_killed_trainer_is_started_again_and_no_step_is_told_twice(bench: Bench):
    bench.launcher.scripts = [([step(1), step(2)], -9), ([step(2), step(3), DONE], 0)]
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, (await submit(bench.client)).id)
    assert (job.status, bench.launcher.starts) == ("succeeded", 2)
    metrics = [e.data async for e in bench.client.fine_tuning.jobs.list_events(job.id) if e.type == "metrics"]
    assert [data["step"] for data in metrics] == [3, 2, 1]  # pyright: ignore


async def test_a_trainer_that_fails_the_same_way_twice_fails_the_job_with_its_last_words(bench: Bench):
    bench.launcher.scripts = [([], 1), ([], 1)]
    async with at_work(bench.server.jobs.serve()):
        made = await submit(bench.client)
        (bench.server.home.jobs / made.id).mkdir(exist_ok=True)
        (bench.server.home.jobs / made.id / "trainer.log").write_text("Traceback\nValueError: no such layer\n")
        job = await ended(bench.client, made.id)
    assert job.error.message == "Training stopped 2 times without progress (status 1): ValueError: no such layer"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(
            ([{"kind": "failed", "code": "training_failed", "message": "The loss became nan"}], 0),
            "training_failed",
            id="nan",
        ),
        pytest.param(([], 28), "disk_full", id="disk"),
    ],
)
async def test_a_trainer_that_gives_up_says_why(bench: Bench, script: Any, code: str):
    bench.launcher.scripts = [script]
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, (await submit(bench.client)).id)
    assert (job.status, job.error.code) == ("failed", code)


async def test_half_a_line_from_a_killed_trainer_is_skipped(bench: Bench):
    made = await submit(bench.client)
    folder = bench.server.home.jobs / made.id
    folder.mkdir()
    (folder / "progress.jsonl").write_text('{"kind": "st\n')
    bench.launcher.scripts = [([step(1), DONE], 0)]
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, made.id)
    assert job.status == "succeeded"


async def test_a_running_job_is_taken_up_by_the_next_server(bench: Bench):
    made = await submit(bench.client)
    async with at_work(bench.server.jobs.serve()):
        async with asyncio.timeout(20):
            while bench.launcher.starts == 0:
                await asyncio.sleep(0.01)
    assert (await bench.client.fine_tuning.jobs.retrieve(made.id)).status == "running"
    bench.launcher.scripts = [([step(3), DONE], 0)]
    store, home = bench.server.store, bench.server.home

    async def proven(*_: Any) -> Proof:
        return CHANGED

    base = bench.server.jobs._base
    async with at_work(Jobs(store, home, base, bench.launcher, proven, "local", 1).serve()):
        assert (await ended(bench.client, made.id)).status == "succeeded"


async def test_whoever_shares_the_cores_hears_when_training_begins_and_when_the_last_job_is_over(bench: Bench):
    told: list[bool] = []
    store, home, base = bench.server.store, bench.server.home, bench.server.jobs._base

    async def proven(*_: Any) -> Proof:
        return CHANGED

    bench.launcher.scripts = [([step(3), DONE], 0), ([step(3), DONE], 0)]
    made = [await submit(bench.client) for _ in range(2)]
    async with at_work(Jobs(store, home, base, bench.launcher, proven, "local", 2, told.append).serve()):
        for job in made:
            assert (await ended(bench.client, job.id)).status == "succeeded"
        async with asyncio.timeout(20):
            while told[-1:] != [False]:
                await asyncio.sleep(0.01)
    assert told == [True, False]


async def test_a_job_that_was_done_when_the_server_died_is_not_trained_again(bench: Bench):
    made = await submit(bench.client)
    bench.launcher.scripts = [([step(3), DONE], 0)]
    bench.proofs.append(RuntimeError("the server dies here"))
    async with at_work(bench.server.jobs.serve()):
        async with asyncio.timeout(20):
            while bench.proofs:
                await asyncio.sleep(0.01)
        assert (await ended(bench.client, made.id)).status == "succeeded"
    assert bench.launcher.starts == 1


async def test_cancelling_ends_the_training_process_and_the_job_stays_cancelled(bench: Bench):
    async with at_work(bench.server.jobs.serve()):
        made = await submit(bench.client)
        async with asyncio.timeout(20):
            while (await bench.client.fine_tuning.jobs.retrieve(made.id)).status != "running":
                await asyncio.sleep(0.01)
        assert (await bench.client.fine_tuning.jobs.cancel(made.id)).status == "cancelled"
        assert bench.server.jobs.running == []
        with pytest.raises(APIStatusError, match="already cancelled"):
            await bench.client.fine_tuning.jobs.cancel(made.id)


async def test_a_paused_job_gives_way_and_goes_on_when_resumed(bench: Bench):
    async with at_work(bench.server.jobs.serve()):
        first = await submit(bench.client)
        async with asyncio.timeout(20):
            while bench.launcher.starts == 0:
                await asyncio.sleep(0.01)
        paused = await bench.client.fine_tuning.jobs.pause(first.id)
        assert (paused.status, paused.model_dump()["paused"]) == ("queued", True)
        bench.launcher.scripts = [([step(3), DONE], 0)]
        assert (await ended(bench.client, (await submit(bench.client)).id)).status == "succeeded"
        bench.launcher.scripts = [([step(3), DONE], 0)]
        await bench.client.fine_tuning.jobs.resume(first.id)
        assert (await ended(bench.client, first.id)).status == "succeeded"


async def test_jobs_run_one_after_the_other_in_the_order_they_came(bench: Bench):
    bench.launcher.scripts = [([step(3), DONE], 0), ([step(3), DONE], 0)]
    made = [await submit(bench.client), await submit(bench.client)]
    async with at_work(bench.server.jobs.serve()):
        done = [await ended(bench.client, job.id) for job in made]
    assert [job.status for job in done] == ["succeeded", "succeeded"]
    assert len({job.fine_tuned_model for job in done}) == 2


async def test_jobs_are_listed_newest_first_in_pages_and_by_metadata(bench: Bench):
    made = [(await submit(bench.client, metadata={"run": str(n % 2)})).id for n in range(3)]
    listed = [job.id async for job in bench.client.fine_tuning.jobs.list(limit=2)]
    assert listed == made[::-1]
    ones = [job.id async for job in bench.client.fine_tuning.jobs.list(metadata={"run": "1"})]
    assert ones == [made[1]]
