"""Answers to conversations, whole or streamed: /v1/chat/completions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tuner import chat, wire
from tuner.engine import Lease
from tuner.errors import ApiError, EngineFailed
from tuner.http.replies import merged, open_streams, sse, unless_gone
from tuner.http.server import Server, Serving
from tuner.jobs import new_id

router = APIRouter()


@router.post("/chat/completions", response_model=None)
async def chat_completion(server: Serving, body: wire.ChatRequest, request: Request) -> Response:
    adapter = await asyncio.to_thread(server.adapter, body.model)
    if body.stream:
        return await _streamed(server, body, adapter)
    return await unless_gone(request, lambda: _whole(server, body, adapter))


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
            "choices": [
                chat.chat_choice(reply["choices"][0], index, body.top_logprobs or 0)
                for index, reply in enumerate(replies)
            ],
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

    async def bodies(lease: Lease) -> list[dict[str, Any]]:
        return [chat.engine_request(body, lease.lora, index, server.has_tools) for index in range(body.n or 1)]

    stack, replies = await open_streams(server.pool, adapter, "/v1/chat/completions", bodies, "messages")
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
            async for index, raw in merged(replies):
                event = json.loads(raw)
                if event.get("usage"):
                    usages.append(chat.usage(event["usage"]))
                if "error" in event or "choices" not in event:
                    yield sse(chat.engine_refusal(500, event if "error" in event else {"error": event}).body())
                    return
                for choice in event["choices"]:
                    yield sse({**head, "choices": [chat.stream_choice(choice, index, body.top_logprobs or 0)], **extra})
        except EngineFailed as error:
            yield sse(ApiError(503, str(error), "server_error", code="engine_unavailable").body())
            return
    if usages:
        total = chat.summed(usages)
        server.generated_tokens += total["completion_tokens"]
        if with_usage:
            yield sse({**head, "choices": [], "usage": total})
    yield b"data: [DONE]\n\n"
