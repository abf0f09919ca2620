"""HTTP in the official shapes. Handlers check, call one thing below, and shape its answer; no rule lives here.

The only module that imports FastAPI. File and model names from requests are looked up in the store, never joined
into paths.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, File, Form, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from tuner import chat, wire
from tuner.engine import EnginePool, Lease
from tuner.errors import ApiError, EngineFailed, bad_request, model_not_found
from tuner.intake import Intake
from tuner.jobs import Jobs, message_event, new_id
from tuner.keys import is_known
from tuner.paths import Home
from tuner.store import OPEN, FileRecord, Job, Store
from tuner.training_file import BadLine, parse_lines

MAX_FILE_BYTES = 512 * 1024 * 1024  # the official limit per file
MAX_BODY_BYTES = 16 * 1024 * 1024  # of a JSON request
PURPOSES = ("fine-tune",)


@dataclass
class Server:
    """What the handlers work with."""

    store: Store
    home: Home
    base: str
    base_created_at: int
    pool: EnginePool
    jobs: Jobs
    intake: Intake
    organization: str
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    has_tools: bool = False
    started_at: float = field(default_factory=time.time)
    requests: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    generated_tokens: int = 0

    def resolve(self, name: str) -> str:
        return self.aliases.get(name, name)

    def adapter(self, name: str) -> Path | None:
        """The adapter file a model name stands for; None for the base. Raises ApiError 404 for an unknown name."""
        wanted = self.resolve(name)
        if wanted == self.base:
            return None
        model = self.store.model(wanted)
        if model is None or model.base != self.base:
            raise model_not_found(name)
        return self.home.jobs / model.job_id / model.adapter


def create_app(server: Server) -> FastAPI:
    """The application over an already running server; starting and stopping it is the caller's."""
    app = FastAPI(title="tuner", version="0.1.0", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.include_router(_health(server))
    for router in (_files(server), _jobs(server), _models(server), _generation(server)):
        app.include_router(router, prefix="/v1")
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(EngineFailed, _engine_gone)
    app.add_exception_handler(sqlite3.OperationalError, _no_room)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(Gate, server=server)
    return app


class Gate:
    """The outermost layer, plain ASGI so that a streamed token passes it at no cost: keys, sizes, counts."""

    def __init__(self, app: Any, server: Server) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = {name: value for name, value in scope["headers"]}
        if (refusal := await self._refusal(path, headers)) is not None:
            response = JSONResponse(refusal.body(), refusal.status)
            self._count(path, refusal.status)
            await response(scope, receive, send)
            return

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._count(path, message["status"])
            await send(message)

        await self._app(scope, receive, counted)

    def _count(self, path: str, status: int) -> None:
        # Only the first words of a path: ids would make a metric per object.
        label = "/".join(path.split("/")[:4]) if path.startswith("/v1/") else path
        label = label if label in COUNTED else "other"
        self._server.requests[label, status] = self._server.requests.get((label, status), 0) + 1

    async def _refusal(self, path: str, headers: dict[bytes, bytes]) -> ApiError | None:
        length = headers.get(b"content-length", b"0")
        limit = MAX_FILE_BYTES + MAX_BODY_BYTES if path == "/v1/files" else MAX_BODY_BYTES
        if length.isdigit() and int(length) > limit:
            return ApiError(
                413, f"The request is {int(length)} bytes; at most {limit} are accepted.", code="request_too_large"
            )
        if not path.startswith("/v1/"):
            return None
        hashes = await asyncio.to_thread(self._server.store.key_hashes)
        if not hashes:
            return None
        given = headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ").strip()
        if given and is_known(given, hashes):
            return None
        what = "Incorrect API key provided." if given else "You didn't provide an API key."
        return ApiError(401, f"{what} Create one with: python -m tuner key create --home HOME", code="invalid_api_key")


COUNTED = (
    "/v1/files",
    "/v1/fine_tuning/jobs",
    "/v1/models",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/healthz",
    "/metrics",
)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body(), error.status)


async def _malformed(request: Request, error: Exception) -> Response:
    """The first fault pydantic found, in the official shape and with the parameter's name."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [
        str(part) for part in first["loc"][1:] if not re.search(r"[A-Z\[(]|^(str|int|float|auto|literal)$", str(part))
    ]
    param = ".".join(place) or None
    if first["type"] == "json_invalid":
        refusal = bad_request("We could not parse the JSON body of your request.")
    elif first["type"] == "extra_forbidden":
        refusal = bad_request(f"Unrecognized request argument supplied: {param}", param, "unknown_parameter")
    elif first["type"] == "missing":
        refusal = bad_request(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    else:
        refusal = bad_request(f"Invalid value for '{param}': {first['msg']}.", param, "invalid_value")
    return JSONResponse(refusal.body(), refusal.status)


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"Invalid URL ({request.method} {request.url.path})" if error.status_code == 404 else str(error.detail)
    return JSONResponse(ApiError(error.status_code, what).body(), error.status_code, headers=error.headers)


async def _engine_gone(request: Request, error: Exception) -> Response:
    refusal = ApiError(503, str(error), "server_error", code="engine_unavailable")
    return JSONResponse(refusal.body(), 503, headers={"Retry-After": "1"})


async def _no_room(request: Request, error: Exception) -> Response:
    full = "full" in str(error) or getattr(error, "errno", None) == 28
    message = (
        "The server's disk is full; free some space and try again." if full else "The server could not write its store."
    )
    return JSONResponse(
        ApiError(507 if full else 503, message, "server_error", code="storage").body(), 507 if full else 503
    )


async def _bug(request: Request, error: Exception) -> Response:
    return JSONResponse(
        ApiError(500, "The server had an error while processing your request.", "server_error").body(), 500
    )


def _health(server: Server) -> APIRouter:
    router = APIRouter()

    @router.get("/healthz")
    def healthz() -> dict[str, Any]:
        """Ready to answer: the engine is loaded and the store can be read."""
        server.store.key_hashes()
        return {
            "status": "ok",
            "base": server.base,
            "loaded_adapters": len(server.pool.loaded),
            "jobs": server.jobs.running,
        }

    return router


Limit = Annotated[int, Query(ge=1, le=100)]
FileLimit = Annotated[int, Query(ge=1, le=10_000)]


def _files(server: Server) -> APIRouter:
    router = APIRouter()

    def found(file_id: str) -> FileRecord:
        if (record := server.store.file(file_id)) is None:
            raise ApiError(404, f"No such File object: {file_id}", param="id")
        return record

    @router.post("/files")
    def create_file(file: Annotated[UploadFile, File()], purpose: Annotated[str, Form()]) -> dict[str, Any]:
        if purpose not in PURPOSES:
            raise bad_request(f"'{purpose[:40]}' is not one of ['fine-tune'] - 'purpose'", "purpose", "invalid_purpose")
        file_id = new_id("file-")
        target = server.home.files / file_id
        try:
            with target.open("wb") as out:
                shutil.copyfileobj(file.file, out, 1 << 20)
            size = target.stat().st_size
            if size > MAX_FILE_BYTES:
                raise ApiError(413, f"The file is {size} bytes; at most {MAX_FILE_BYTES} are accepted.", param="file")
            if not size:
                raise bad_request("The file is empty.", "file")
            try:
                parse_lines(target.read_bytes())
            except BadLine as fault:
                raise bad_request(
                    f"Invalid file format. Expected JSON lines; {fault}.", "file", "invalid_jsonl"
                ) from None
            name = Path(file.filename or "upload.jsonl").name[:255]
            record = FileRecord(file_id, name, purpose, size, int(time.time()))
            server.store.add_file(record)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return wire.file_object(record)

    @router.get("/files")
    def list_files(
        purpose: str | None = None,
        after: str | None = None,
        limit: FileLimit = 10_000,
        order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
    ) -> dict[str, Any]:
        records, has_more = server.store.files(purpose, after, limit, order == "desc")
        return _page([wire.file_object(record) for record in records], has_more)

    @router.get("/files/{file_id}")
    def retrieve_file(file_id: str) -> dict[str, Any]:
        return wire.file_object(found(file_id))

    @router.get("/files/{file_id}/content")
    def file_content(file_id: str) -> FileResponse:
        record = found(file_id)
        return FileResponse(server.home.files / record.id, media_type="application/octet-stream")

    @router.delete("/files/{file_id}")
    def delete_file(file_id: str) -> dict[str, Any]:
        record = found(file_id)
        for job in server.store.open_jobs():
            if record.id in (job.training_file, job.validation_file):
                raise ApiError(
                    409, f"The file {file_id} is used by the open job {job.id}; cancel it first.", param="id"
                )
        server.store.delete_file(record.id, int(time.time()))
        (server.home.files / record.id).unlink(missing_ok=True)
        return {"id": file_id, "object": "file", "deleted": True}

    return router


def _page(items: list[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    return {
        "object": "list",
        "data": items,
        "has_more": has_more,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
    }


def _jobs(server: Server) -> APIRouter:
    router = APIRouter(prefix="/fine_tuning/jobs")

    def found(job_id: str) -> Job:
        if (job := server.store.job(job_id)) is None:
            raise ApiError(404, f"Could not find fine tune: {job_id}", param="fine_tune_id", code="fine_tune_not_found")
        return job

    def shown(job: Job) -> dict[str, Any]:
        return wire.job_object(job, server.organization)

    @router.post("")
    def create_job(body: wire.JobRequest) -> dict[str, Any]:
        job = server.intake.job(body, server.resolve(body.model))
        server.store.add_job(job, message_event(f"Created fine-tuning job: {job.id}"))
        server.jobs.wake()
        return shown(job)

    @router.get("")
    def list_jobs(request: Request, after: str | None = None, limit: Limit = 20) -> dict[str, Any]:
        jobs, has_more = server.store.jobs(after, limit, _metadata_filter(request))
        return _page([shown(job) for job in jobs], has_more)

    @router.get("/{job_id}")
    def retrieve_job(job_id: str) -> dict[str, Any]:
        return shown(found(job_id))

    @router.post("/{job_id}/cancel")
    async def cancel_job(job_id: str) -> dict[str, Any]:
        await asyncio.to_thread(found, job_id)
        event = message_event("The job was cancelled")
        ended = await asyncio.to_thread(server.store.end_job, job_id, "cancelled", {}, event, int(time.time()))
        if ended is None:
            raise _at_an_end(await asyncio.to_thread(found, job_id), "cancel")
        await server.jobs.stop_training(job_id)
        server.jobs.drop_checkpoints(job_id)
        await asyncio.to_thread(server.jobs.announce, job_id, "cancelled")
        return shown(ended)

    @router.post("/{job_id}/pause")
    async def pause_job(job_id: str) -> dict[str, Any]:
        job = await asyncio.to_thread(found, job_id)
        if job.status not in OPEN:
            raise _at_an_end(job, "pause")
        event = message_event("The job was paused; it keeps its last checkpoint")
        paused = await asyncio.to_thread(server.store.pause_job, job_id, True, event)
        await server.jobs.stop_training(job_id)
        return shown(paused or job)

    @router.post("/{job_id}/resume")
    async def resume_job(job_id: str) -> dict[str, Any]:
        job = await asyncio.to_thread(found, job_id)
        if job.status not in OPEN:
            raise _at_an_end(job, "resume")
        resumed = await asyncio.to_thread(server.store.pause_job, job_id, False, message_event("The job was resumed"))
        server.jobs.wake()
        return shown(resumed or job)

    @router.get("/{job_id}/events")
    def list_events(job_id: str, after: str | None = None, limit: Limit = 20) -> dict[str, Any]:
        events, has_more = server.store.events(found(job_id).id, after, limit)
        return _page([wire.event_object(event) for event in events], has_more)

    @router.get("/{job_id}/checkpoints")
    def list_checkpoints(job_id: str, after: str | None = None, limit: Limit = 10) -> dict[str, Any]:
        models, has_more = server.store.checkpoints(found(job_id).id, after, limit)
        return _page([wire.checkpoint_object(model) for model in models], has_more)

    return router


def _at_an_end(job: Job, what: str) -> ApiError:
    return bad_request(f"The job {job.id} has already {job.status}; there is nothing to {what}.", code="job_finished")


def _metadata_filter(request: Request) -> dict[str, str] | None:
    """`metadata[key]=value` pairs, as the stock client writes its `metadata` argument; None where there are none."""
    pairs = {
        match[1]: value
        for name, value in request.query_params.multi_items()
        if (match := re.fullmatch(r"metadata\[(.+)\]", name))
    }
    return pairs or None


def _models(server: Server) -> APIRouter:
    router = APIRouter(prefix="/models")

    def base() -> dict[str, Any]:
        return wire.model_object(server.base, server.base_created_at, "system")

    @router.get("")
    def list_models() -> dict[str, Any]:
        tuned = [
            wire.model_object(model.name, model.created_at, server.organization)
            for model in server.store.models()
            if model.base == server.base and not model.is_checkpoint
        ]
        aliases = [wire.model_object(name, server.base_created_at, "alias") for name in server.aliases]
        return {"object": "list", "data": [base(), *aliases, *tuned]}

    # Names contain colons and, for aliases, may contain slashes.
    @router.get("/{name:path}")
    def retrieve_model(name: str) -> dict[str, Any]:
        wanted = server.resolve(name)
        if wanted == server.base:
            return {**base(), "id": name}
        if (model := server.store.model(wanted)) is None:
            raise model_not_found(name)
        return wire.model_object(name, model.created_at, server.organization)

    @router.delete("/{name:path}")
    def delete_model(name: str) -> dict[str, Any]:
        model = server.store.model(name)
        if model is None:
            if server.resolve(name) == server.base:
                raise ApiError(403, f"The base model {name} cannot be deleted.", param="model")
            raise model_not_found(name)
        server.store.delete_model(name, int(time.time()))
        return {"id": name, "object": "model", "deleted": True}

    return router


def _generation(server: Server) -> APIRouter:
    router = APIRouter()

    @router.post("/chat/completions", response_model=None)
    async def chat_completion(body: wire.ChatRequest, request: Request) -> Response:
        adapter = await asyncio.to_thread(server.adapter, body.model)
        if body.stream:
            return await _streamed(server, body, adapter)
        return await _unless_gone(request, lambda: _whole(server, body, adapter))

    return router


async def _unless_gone(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
    """The answer, unless the caller hangs up first: then the work is stopped and nobody reads the reply."""
    working = asyncio.ensure_future(answer())
    leaving = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        return Response(status_code=499)
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _whole(server: Server, body: wire.ChatRequest, adapter: Path | None) -> Response:
    try:
        replies = await _answers(server, body, adapter)
    except EngineFailed:
        # An engine that died is replaced at once; nothing was shown yet, so the question is simply asked again.
        replies = await _answers(server, body, adapter)
    usage = chat.summed([chat.usage(reply.get("usage")) for reply in replies])
    server.generated_tokens += usage["completion_tokens"]
    return JSONResponse(
        {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body.model,
            "choices": [chat.chat_choice(reply["choices"][0], index) for index, reply in enumerate(replies)],
            "usage": usage,
            "service_tier": "default",
            "system_fingerprint": None,
        }
    )


async def _answers(server: Server, body: wire.ChatRequest, adapter: Path | None) -> list[dict[str, Any]]:
    async with server.pool.lease(adapter) as lease:
        return await asyncio.gather(*(_answer(server, lease, body, index) for index in range(body.n or 1)))


async def _answer(server: Server, lease: Lease, body: wire.ChatRequest, index: int) -> dict[str, Any]:
    request = chat.engine_request(body, lease.lora, index, server.has_tools)
    async with lease.engine.post("/v1/chat/completions", request) as reply:
        content = await reply.json()
    if reply.status != 200:
        raise chat.engine_refusal(reply.status, content)
    return content


async def _streamed(server: Server, body: wire.ChatRequest, adapter: Path | None) -> Response:
    """Start the answer before replying, so that a refusal still is an error status and not half a stream."""
    stack = AsyncExitStack()
    replies: list[Any] = []
    try:
        for attempt in (1, 2):
            try:
                lease = await stack.enter_async_context(server.pool.lease(adapter))
                replies.clear()
                for index in range(body.n or 1):
                    request = chat.engine_request(body, lease.lora, index, server.has_tools)
                    reply = await stack.enter_async_context(lease.engine.post("/v1/chat/completions", request))
                    if reply.status != 200:
                        raise chat.engine_refusal(reply.status, await reply.json())
                    replies.append(reply)
                break
            except EngineFailed:
                await stack.aclose()
                if attempt == 2:
                    raise
    except BaseException:
        await stack.aclose()
        raise
    return StreamingResponse(_pieces(server, body, stack, replies), media_type="text/event-stream")


async def _pieces(
    server: Server, body: wire.ChatRequest, stack: AsyncExitStack, replies: list[Any]
) -> AsyncIterator[bytes]:
    head = {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": body.model,
        "service_tier": "default",
        "system_fingerprint": None,
    }
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    extra: dict[str, Any] = {"usage": None} if with_usage else {}
    usages: list[dict[str, Any]] = []
    async with stack:
        try:
            async for index, raw in _merged(replies):
                event = json.loads(raw)
                if event.get("usage"):
                    usages.append(chat.usage(event["usage"]))
                if "error" in event or "choices" not in event:
                    yield _sse(chat.engine_refusal(500, event if "error" in event else {"error": event}).body())
                    return
                for choice in event["choices"]:
                    yield _sse({**head, "choices": [chat.stream_choice(choice, index)], **extra})
        except EngineFailed as error:
            yield _sse(ApiError(503, str(error), "server_error", code="engine_unavailable").body())
            return
    if usages:
        total = chat.summed(usages)
        server.generated_tokens += total["completion_tokens"]
        if with_usage:
            yield _sse({**head, "choices": [], "usage": total})
    yield b"data: [DONE]\n\n"


async def _merged(replies: list[Any]) -> AsyncIterator[tuple[int, bytes]]:
    """The events of several streams as they come, each with its stream's index."""
    if len(replies) == 1:
        async for raw in replies[0].events():
            yield 0, raw
        return
    queue: asyncio.Queue[tuple[int, bytes] | BaseException | None] = asyncio.Queue(64)

    async def pump(index: int, reply: Any) -> None:
        try:
            async for raw in reply.events():
                await queue.put((index, raw))
        except EngineFailed as error:
            await queue.put(error)
        await queue.put(None)

    pumps = [asyncio.ensure_future(pump(index, reply)) for index, reply in enumerate(replies)]
    try:
        left = len(pumps)
        while left:
            item = await queue.get()
            if item is None:
                left -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def _sse(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


@asynccontextmanager
async def running_jobs(jobs: Jobs) -> AsyncGenerator[None]:
    """The queue at work for as long as the context is open."""
    task = asyncio.ensure_future(jobs.serve())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
