"""One contract, two vendors: what the fake promises to tests, the driver against tuner's own HTTP surface keeps as well."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
import uvicorn

from providers.base import (
    ChatModel,
    ErrorKind,
    JobRequest,
    JobState,
    JobStatus,
    Method,
    ProviderError,
    Sampling,
    Scores,
    Trainer,
)
from providers.fake import FakeProvider
from providers.openai_api import OpenAIProvider
from providers.quirks import TUNER
from storage.records import Message
from tests.tuner.conftest import DONE, Bench, running_bench, step
from tuner.background import at_work
from tuner.http.app import create_app

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HELLO = [Message("system", "Be kind."), Message("user", "Hello")]
LINES = b"\n".join(
    json.dumps({"messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}."}]}).encode()
    for n in range(12)
)
PAIRS = b"\n".join(
    json.dumps(
        {
            "input": {"messages": [{"role": "user", "content": f"{n}?"}]},
            "preferred_output": [{"role": "assistant", "content": f"{n}."}],
            "non_preferred_output": [{"role": "assistant", "content": "No."}],
        }
    ).encode()
    for n in range(12)
)


class Provider(ChatModel, Scores, Trainer, Protocol):
    """What every vendor is to us; scoring, the tuner alone."""


class Vendor:
    """A provider, its base model, and the hand that brings its jobs to their end."""

    def __init__(self, provider: Provider, base: str, bench: Bench | None) -> None:
        self.provider = provider
        self.base = base
        self._bench = bench

    async def submit(self, run_key: str = "run-1") -> JobStatus:
        file_id = await self.provider.upload("train.jsonl", LINES)
        return await self.provider.create_job(JobRequest(run_key, self.base, file_id, "shop-1"))

    async def finish(self, job: JobStatus, **outcome: str) -> JobStatus:
        """Poll until the job is over."""
        if self._bench is None:
            return await self._polled(job)
        ending = {"kind": "failed", "code": "training_failed", "message": outcome["error"]} if outcome else DONE
        self._bench.launcher.scripts = [([step(1), step(2), step(3), ending], 0)]
        async with at_work(self._bench.server.jobs.serve()):
            return await self._polled(job)

    async def _polled(self, job: JobStatus) -> JobStatus:
        while job.state in (JobState.QUEUED, JobState.RUNNING):
            job = await self.provider.job(job.id)
        return job


@asynccontextmanager
async def listening(bench: Bench) -> AsyncGenerator[str]:
    """The bench's server on a loopback port of its own; yields its base URL."""
    config = uvicorn.Config(create_app(bench.server), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"
        server.should_exit = True


@pytest.fixture(params=["fake", "tuner"])
async def vendor(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Vendor]:
    if request.param == "fake":
        yield Vendor(FakeProvider(), "base", None)
        return
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(running_bench(tmp_path))
        provider = OpenAIProvider(await stack.enter_async_context(listening(bench)), "unused", TUNER)
        stack.push_async_callback(provider.aclose)
        yield Vendor(provider, "tiny", bench)


async def kind_of(call: object) -> ErrorKind:
    with pytest.raises(ProviderError) as caught:
        await call  # type: ignore[misc]
    assert str(caught.value)
    return caught.value.kind


async def said_by(vendor: Vendor, model: str) -> tuple[str, str | None, int]:
    """A reply's text, and why it ended and how many tokens it took, as its last chunk says."""
    chunks = [chunk async for chunk in vendor.provider.stream(model, HELLO, Sampling(50))]
    return "".join(chunk.text for chunk in chunks), chunks[-1].finish_reason, chunks[-1].completion_tokens


async def test_a_reply_ends_with_its_reason_and_its_count(vendor: Vendor):
    text, reason, tokens = await said_by(vendor, vendor.base)
    assert text
    assert reason == "stop"
    assert tokens > 0


async def test_an_unknown_model_is_gone(vendor: Vendor):
    stream = vendor.provider.stream("ft:nobody", HELLO, Sampling(5))
    assert await kind_of(anext(stream)) is ErrorKind.MODEL_GONE


async def test_a_given_answer_is_scored_by_its_tokens_and_the_same_each_time(vendor: Vendor):
    scores = [await vendor.provider.score(vendor.base, HELLO, answer) for answer in ("Hello!", "Hello!", "Good day")]
    assert scores[0] == scores[1]
    assert all(-100 < score <= 0 for score in scores)


async def test_an_empty_answer_is_not_scored_and_an_unknown_model_is_gone(vendor: Vendor):
    assert await kind_of(vendor.provider.score(vendor.base, HELLO, "")) is ErrorKind.BAD_REQUEST
    assert await kind_of(vendor.provider.score("ft:nobody", HELLO, "Hello!")) is ErrorKind.MODEL_GONE


async def test_lines_that_are_not_json_are_a_bad_request(vendor: Vendor):
    assert await kind_of(vendor.provider.upload("x.jsonl", b"{half")) is ErrorKind.BAD_REQUEST


@pytest.mark.parametrize("what", ["base_model", "training_file_id"])
async def test_a_job_from_what_does_not_exist_is_a_bad_request(vendor: Vendor, what: str):
    wanted = {
        "base_model": vendor.base,
        "training_file_id": await vendor.provider.upload("train.jsonl", LINES),
        what: "nowhere",
    }
    assert await kind_of(vendor.provider.create_job(JobRequest("run-1", suffix="s", **wanted))) is ErrorKind.BAD_REQUEST
    assert await vendor.provider.find_jobs("run-1", "nowhere", LONG_AGO) == []


async def test_a_job_is_found_again_by_its_run_and_no_other(vendor: Vendor):
    first = await vendor.submit("run-1")
    second = await vendor.submit("run-2")
    found = vendor.provider.find_jobs
    assert [job.id for job in await found("run-1", "none", LONG_AGO)] == [first.id]
    assert [job.id for job in await found("run-2", "none", LONG_AGO)] == [second.id]
    assert await found("run-1", "none", datetime.now(UTC) + timedelta(hours=1)) == []


async def test_a_job_goes_from_queued_to_a_model_that_answers(vendor: Vendor):
    job = await vendor.submit()
    assert (job.state, job.model_name) == (JobState.QUEUED, None)
    done = await vendor.finish(job)
    assert done.state is JobState.SUCCEEDED
    assert done.model_name is not None
    assert done.model_name.startswith(f"ft:{vendor.base}:")
    assert done.trained_tokens
    assert done.model_name in await vendor.provider.model_names()
    text, _, _ = await said_by(vendor, done.model_name)
    assert text != (await said_by(vendor, vendor.base))[0]


async def test_a_preference_job_goes_on_from_a_tuned_model_and_from_none_that_is_not_there(vendor: Vendor):
    first = await vendor.finish(await vendor.submit())
    file_id = await vendor.provider.upload("pairs.jsonl", PAIRS)
    wanted = JobRequest("run-1-2", vendor.base, file_id, "s", method=Method.DPO, starts_from="ft:nobody")
    assert await kind_of(vendor.provider.create_job(wanted)) is ErrorKind.BAD_REQUEST
    second = await vendor.finish(await vendor.provider.create_job(replace(wanted, starts_from=first.model_name)))
    assert second.model_name not in (None, first.model_name)
    assert str(second.model_name).startswith(f"ft:{vendor.base}:")


async def test_every_step_is_told_once_with_its_loss(vendor: Vendor):
    job = await vendor.finish(await vendor.submit())
    events = await vendor.provider.events(job.id)
    steps = [event.numbers["step"] for event in events if "train_loss" in event.numbers]
    assert steps == [1.0, 2.0, 3.0]
    assert len({event.id for event in events}) == len(events)


async def test_a_failed_job_says_why_and_has_no_model(vendor: Vendor):
    if isinstance(vendor.provider, FakeProvider):
        vendor.provider.final_state = JobState.FAILED
    job = await vendor.finish(await vendor.submit(), error="The loss became nan.")
    assert (job.state, job.model_name) == (JobState.FAILED, None)
    assert job.error


async def test_an_open_job_is_cancelled_and_one_that_is_over_stays_as_it_is(vendor: Vendor):
    job = await vendor.submit()
    assert (await vendor.provider.cancel(job.id)).state is JobState.CANCELLED
    assert (await vendor.provider.job(job.id)).state is JobState.CANCELLED
    done = await vendor.finish(await vendor.submit("run-2"))
    assert (await vendor.provider.cancel(done.id)).state is JobState.SUCCEEDED


async def test_an_unknown_job_is_never_asked_for_again(vendor: Vendor):
    assert await kind_of(vendor.provider.job("ftjob-none")) is ErrorKind.TRAINING_UNAVAILABLE
