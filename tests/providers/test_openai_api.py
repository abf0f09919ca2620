"""The driver against a server that answers as told: what each status, timeout and broken stream becomes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.base import ErrorKind, JobRequest, JobState, ProviderError, Sampling
from providers.openai_api import MODERATED_AT_ONCE, OpenAIModerator, OpenAIProvider
from providers.quirks import OPENAI
from storage.records import Message

HELLO = [Message("system", "Be kind."), Message("user", "Hello")]
JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1_790_000_000,
    "model": "base",
    "status": "running",
    "training_file": "file-1",
    "fine_tuned_model": None,
    "hyperparameters": {},
    "organization_id": "org",
    "result_files": [],
    "seed": 1,
    "trained_tokens": None,
    "validation_file": None,
    "finished_at": None,
    "error": None,
}


@dataclass
class Server:
    """Answers each request with the next of `answers`: (status, headers, body). Keeps what it saw."""

    base_url: str = ""
    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    seen: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    hang: bool = False

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            is_json = headers.get("content-type") == "application/json"
            self.seen.append((method, path, json.loads(body) if is_json and body else {}))
            status, extra, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            payload = text.encode()
            lines = [f"HTTP/1.1 {status} X", "connection: close", f"content-length: {len(payload)}"]
            lines += [f"{name}: {value}" for name, value in {"content-type": "application/json", **extra}.items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + payload)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def serving(*answers: tuple[int, dict[str, str], str]) -> AsyncGenerator[tuple[Server, OpenAIProvider]]:
    server = Server(answers=list(answers))
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.base_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    provider = OpenAIProvider(server.base_url, "key", OPENAI)
    try:
        yield server, provider
    finally:
        await provider.aclose()
        listener.close()
        await listener.wait_closed()


def error(status: int, message: str = "no", **headers: str) -> tuple[int, dict[str, str], str]:
    return status, headers, json.dumps({"error": {"message": message, "type": "x", "code": None, "param": None}})


def stream(*events: dict[str, Any] | str) -> tuple[int, dict[str, str], str]:
    lines = [f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for event in events]
    return 200, {"content-type": "text/event-stream"}, "".join(lines)


def piece(text: str | None, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text} if text is not None else {}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


USAGE = {
    "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}  # fmt: skip


async def ask(provider: OpenAIProvider) -> list[Any]:
    return [chunk async for chunk in provider.stream("m", HELLO, Sampling(20, seed=3))]


async def test_a_stream_gives_its_pieces_and_then_the_counts():
    async with serving(stream(piece("Ahoy"), piece(" friend"), piece(None, "stop"), USAGE, "[DONE]")) as (
        server,
        provider,
    ):
        chunks = await ask(provider)
    assert "".join(chunk.text for chunk in chunks) == "Ahoy friend"
    assert (chunks[-1].finish_reason, chunks[-1].prompt_tokens, chunks[-1].completion_tokens) == ("stop", 9, 2)
    _, path, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
    assert (body["max_completion_tokens"], body["seed"], body["temperature"]) == (20, 3, 0.0)


async def test_a_stream_that_ends_before_it_is_finished_is_an_error():
    async with serving(stream(piece("Aho"), "[DONE]")) as (_, provider):
        with pytest.raises(ProviderError, match="ended before it was finished"):
            await ask(provider)


async def test_an_error_inside_a_stream_is_an_error():
    async with serving(stream(piece("Aho"), {"error": {"message": "engine died"}})) as (_, provider):
        with pytest.raises(ProviderError, match="engine died"):
            await ask(provider)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "bad_request"), (404, "model_gone"), (410, "model_gone"), (409, "conflict"), (422, "bad_request")],
)
async def test_a_refused_chat_says_what_to_do_next(status: int, kind: str):
    async with serving(error(status, "the vendor's words", **{"x-should-retry": "false"})) as (_, provider):
        with pytest.raises(ProviderError, match="the vendor's words") as refused:
            await ask(provider)
    assert refused.value.kind == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "bad_request"),
        (401, "training_unavailable"),
        (403, "training_unavailable"),
        (404, "training_unavailable"),
        (410, "training_unavailable"),
        (429, "rate_limit"),
        (500, "ambiguous"),
        (503, "ambiguous"),
    ],
)
async def test_creating_a_job_posts_exactly_once_whatever_comes_back(status: int, kind: str):
    async with serving(error(status, **{"retry-after": "7"})) as (server, provider):
        with pytest.raises(ProviderError) as refused:
            await provider.create_job(JobRequest("run_1", "base", "file-1", "puffin-1"))
    assert refused.value.kind == kind
    assert refused.value.retry_after_s == 7
    assert len(server.seen) == 1


async def test_a_create_that_was_never_connected_is_not_ambiguous():
    provider = OpenAIProvider("http://127.0.0.1:9/v1", "key", OPENAI)
    with pytest.raises(ProviderError) as refused:
        await provider.create_job(JobRequest("run_1", "base", "file-1", "puffin-1"))
    await provider.aclose()
    assert refused.value.kind is ErrorKind.UNREACHABLE


async def test_a_create_whose_answer_is_cut_off_is_ambiguous():
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(cut, "127.0.0.1", 0)
    provider = OpenAIProvider(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1", "key", OPENAI)
    with pytest.raises(ProviderError) as refused:
        await provider.create_job(JobRequest("run_1", "base", "file-1", "puffin-1"))
    await provider.aclose()
    listener.close()
    await listener.wait_closed()
    assert refused.value.kind is ErrorKind.AMBIGUOUS


async def test_a_job_carries_its_run_as_metadata():
    async with serving((200, {}, json.dumps(JOB))) as (server, provider):
        job = await provider.create_job(JobRequest("run_1", "base", "file-1", "puffin-1", n_epochs=3, seed=7))
    body = server.seen[0][2]
    assert body["metadata"] == {"finetone_run": "run_1"}
    assert body["method"] == {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}
    assert (job.id, job.state, job.model_name) == ("ftjob-1", JobState.RUNNING, None)


async def test_jobs_are_found_by_run_or_by_file_and_oldest_first():
    def listed(number: int, **changes: Any) -> dict[str, Any]:
        return {**JOB, "id": f"ftjob-{number}", "created_at": JOB["created_at"] + number, **changes}

    page = [
        listed(4, training_file="file-9"),
        listed(3, training_file="file-9", metadata={"finetone_run": "run_1"}),
        listed(2),
        listed(-9000),
    ]
    async with serving((200, {}, json.dumps({"object": "list", "data": page, "has_more": False}))) as (_, provider):
        since = datetime.fromtimestamp(JOB["created_at"], UTC)
        found = await provider.find_jobs("run_1", "file-1", since)
    assert [job.id for job in found] == ["ftjob-2", "ftjob-3"]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("validating_files", "queued"),
        ("succeeded", "succeeded"),
        ("error", "failed"),
        ("paused", "running"),
        ("", "running"),
    ],
)
async def test_an_unknown_status_never_ends_a_run(word: str, state: str):
    async with serving((200, {}, json.dumps({**JOB, "status": word}))) as (_, provider):
        assert (await provider.job("ftjob-1")).state == state


async def test_cancelling_a_job_that_is_over_gives_the_job():
    done = json.dumps({**JOB, "status": "succeeded", "fine_tuned_model": "ft:m"})
    async with serving(error(400, "already over"), (200, {}, done)) as (_, provider):
        assert (await provider.cancel("ftjob-1")).state is JobState.SUCCEEDED


# ---------------------------------------------------------------- moderation


def found(*scores: dict[str, float | None]) -> tuple[int, dict[str, str], str]:
    results = [{"flagged": False, "categories": {}, "category_scores": each} for each in scores]
    return 200, {}, json.dumps({"id": "m", "model": "omni", "results": results})


@asynccontextmanager
async def moderating(*answers: tuple[int, dict[str, str], str]) -> AsyncGenerator[tuple[Server, OpenAIModerator]]:
    async with serving(*answers) as (server, _):
        moderator = OpenAIModerator(server.base_url, "key", "omni")
        try:
            yield server, moderator
        finally:
            await moderator.aclose()


async def test_the_worst_score_of_each_text_counts_and_many_texts_go_in_parts():
    texts = ["x"] * (MODERATED_AT_ONCE + 1)
    first = found(*[{"hate": 0.25, "violence": 0.75, "illicit": None}] * MODERATED_AT_ONCE)
    async with moderating(first, found({"hate": 0.5})) as (server, moderator):
        assert await moderator.worst(texts) == [0.75] * MODERATED_AT_ONCE + [0.5]
    assert [len(body["input"]) for _, _, body in server.seen] == [MODERATED_AT_ONCE, 1]
    assert server.seen[0][1].endswith("/moderations")
    assert server.seen[0][2]["model"] == "omni"


async def test_a_vendor_without_moderation_and_one_that_skips_a_text_are_errors():
    async with moderating(error(404)) as (_, moderator):
        with pytest.raises(ProviderError) as gone:
            await moderator.worst(["x"])
    assert gone.value.kind is ErrorKind.MODEL_GONE
    async with moderating(found()) as (_, moderator):
        with pytest.raises(ProviderError, match="was asked about 1 texts and answered for 0"):
            await moderator.worst(["x"])
