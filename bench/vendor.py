"""A vendor over HTTP for benches: files, training jobs, models and chat in the OpenAI shape, with a ledger nobody else writes.

It outlives the processes that are killed, and its ledger is what counts: a line for every job it would bill. On demand its list
of jobs lags, and a create is made at once but answered late. A job is over after `job_s`; its model answers what `answer` says.
"""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

BASE = "base"
Answer = Callable[[str, list[dict[str, str]]], str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: when (time.monotonic()), by whom (the API key) and what."""

    at: float
    by: str
    what: str


@dataclass
class Job:
    """A training job: everything but its state, which follows from its age and whether it was cancelled."""

    id: str
    request: dict[str, Any]
    by: str
    created_at: float  # seconds since 1970
    cancelled: bool = False


@dataclass
class Vendor:
    """The vendor's memory and its ways."""

    answer: Answer
    job_s: float = 0.5
    delay_s: float = 0.0  # before every answer
    list_lag_s: float = 0.0  # until a job is listed
    hangs: int = 0  # this many of the next creates are answered only after `hang_s`
    hang_s: float = 0.0
    listed: Callable[[str], None] | None = None  # told who has asked for the list, before it is answered
    ledger: list[Job] = field(default_factory=list[Job])  # append-only: what is billed
    calls: list[Call] = field(default_factory=list[Call])
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def alive(self, file_id: str) -> list[Job]:
        """The jobs of one training file that are not cancelled."""
        return [job for job in self.ledger if job.request["training_file"] == file_id and not job.cancelled]

    # ------------------------------------------------------------ routes

    @web.middleware
    async def noted(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Note the call, then take as long as a vendor takes."""
        self.calls.append(Call(time.monotonic(), _key(request), f"{request.method} {request.path}"))
        await asyncio.sleep(self.delay_s)
        try:
            return await handler(request)
        except ConnectionResetError:  # whoever asked was killed
            return web.Response(status=499)

    async def upload(self, request: web.Request) -> web.Response:
        body = await request.read()
        return web.json_response(
            {
                "id": f"file-{next(self.numbers)}",
                "object": "file",
                "bytes": len(body),
                "created_at": int(time.time()),
                "filename": "x.jsonl",
                "purpose": "fine-tune",
                "status": "processed",
            }
        )

    async def create(self, request: web.Request) -> web.Response:
        job = Job(f"ftjob-{next(self.numbers):06}", await request.json(), _key(request), time.time())
        self.ledger.append(job)
        if self.hangs > 0:
            self.hangs -= 1
            await asyncio.sleep(self.hang_s)
        return web.json_response(self._shown(job))

    async def list_jobs(self, request: web.Request) -> web.Response:
        if self.listed is not None:
            self.listed(_key(request))
        now = time.time()
        seen = [job for job in reversed(self.ledger) if now - job.created_at >= self.list_lag_s]
        after = request.query.get("after")
        if after is not None:
            seen = seen[[job.id for job in seen].index(after) + 1 :]
        page = seen[: int(request.query.get("limit", "20"))]
        return web.json_response(
            {"object": "list", "data": [self._shown(job) for job in page], "has_more": len(page) < len(seen)}
        )

    async def one_job(self, request: web.Request) -> web.Response:
        return web.json_response(self._shown(self._job(request)))

    async def events(self, request: web.Request) -> web.Response:
        job = self._job(request)
        event = {
            "id": f"{job.id}-1",
            "object": "fine_tuning.job.event",
            "created_at": int(job.created_at),
            "level": "info",
            "message": "Step 1/1",
            "type": "metrics",
            "data": {"step": 1, "total_steps": 1, "train_loss": 1.0},
        }
        return web.json_response({"object": "list", "data": [event], "has_more": False})

    async def cancel(self, request: web.Request) -> web.Response:
        job = self._job(request)
        job.cancelled = job.cancelled or self._status(job) != "succeeded"
        return web.json_response(self._shown(job))

    async def models(self, _: web.Request) -> web.Response:
        names = [BASE, *(_model_of(job) for job in self.ledger if self._status(job) == "succeeded")]
        shown = [{"id": name, "object": "model", "created": 0, "owned_by": "bench"} for name in names]
        return web.json_response({"object": "list", "data": shown})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        words = self.answer(asked["model"], asked["messages"]).split(" ")
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for index, word in enumerate(words):
            await response.write(_chunk(asked["model"], {"content": word if index == 0 else f" {word}"}))
        await response.write(_chunk(asked["model"], {}, "stop"))
        await response.write(b"data: [DONE]\n\n")
        return response

    # ------------------------------------------------------------ what a job is like

    def _job(self, request: web.Request) -> Job:
        for job in self.ledger:
            if job.id == request.match_info["job"]:
                return job
        raise web.HTTPNotFound(text=json.dumps({"error": {"message": "no such job"}}))

    def _status(self, job: Job) -> str:
        if job.cancelled:
            return "cancelled"
        age = time.time() - job.created_at
        return "succeeded" if age >= self.job_s else "running" if age >= self.job_s / 4 else "queued"

    def _shown(self, job: Job) -> dict[str, Any]:
        status = self._status(job)
        return {
            "id": job.id,
            "object": "fine_tuning.job",
            "created_at": int(job.created_at),
            "status": status,
            "model": job.request["model"],
            "training_file": job.request["training_file"],
            "metadata": job.request.get("metadata"),
            "fine_tuned_model": _model_of(job) if status == "succeeded" else None,
            "trained_tokens": 100 if status == "succeeded" else None,
            "organization_id": "bench",
            "result_files": [],
            "seed": 1,
            "hyperparameters": {"n_epochs": 1},
        }


def _key(request: web.Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _model_of(job: Job) -> str:
    return f"ft:{job.request['model']}:bench:{job.request.get('suffix', '')}:{job.id[6:]}"


def _chunk(model: str, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    shown = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}
    return f"data: {json.dumps(shown)}\n\n".encode()


@contextlib.asynccontextmanager
async def listening(vendor: Vendor) -> AsyncGenerator[str]:
    """The vendor, listening on loopback; its base URL."""
    app = web.Application(middlewares=[vendor.noted], client_max_size=100_000_000)
    app.router.add_post("/v1/files", vendor.upload)
    app.router.add_post("/v1/fine_tuning/jobs", vendor.create)
    app.router.add_get("/v1/fine_tuning/jobs", vendor.list_jobs)
    app.router.add_get("/v1/fine_tuning/jobs/{job}", vendor.one_job)
    app.router.add_get("/v1/fine_tuning/jobs/{job}/events", vendor.events)
    app.router.add_post("/v1/fine_tuning/jobs/{job}/cancel", vendor.cancel)
    app.router.add_get("/v1/models", vendor.models)
    app.router.add_post("/v1/chat/completions", vendor.chat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()
