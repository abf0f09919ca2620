"""Texts continued, and given texts scored: /v1/completions. Also where embeddings are refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tuner import chat, completion, wire
from tuner.completion import Logprobs
from tuner.engine import Lease
from tuner.errors import ApiError, EngineFailed, bad_request
from tuner.http.replies import merged, open_streams, sse, unless_gone
from tuner.http.server import Server, Serving
from tuner.jobs import new_id
from tuner.scoring import NotScored, conversation, detokenize, forced, tokenize

router = APIRouter()


@dataclass(frozen=True)
class Echo:
    """The prompt as the answer begins with it; empty where no echo was asked for."""

    text: str
    logprobs: list[dict[str, Any]]
    n_tokens: int
    continued: Logprobs  # for the tokens that follow


@router.post("/completions", response_model=None)
async def complete(server: Serving, body: wire.CompletionRequest, request: Request) -> Response:
    prompts = completion.prompts_of(body)
    adapter = await asyncio.to_thread(server.adapter, body.model)
    if body.stream:
        return await _streamed(server, body, prompts, adapter)
    return await unless_gone(request, lambda: _whole(server, body, prompts, adapter))


@router.post("/embeddings")
async def embed(server: Serving, body: wire.EmbeddingRequest) -> Response:
    await asyncio.to_thread(server.adapter, body.model)
    raise bad_request(
        f"The model {body.model} generates text and gives no embeddings. Use an embedding model of another server.",
        "model",
        "unsupported_model",
    )


async def _whole(
    server: Server, body: wire.CompletionRequest, prompts: list[str] | list[list[int]], adapter: Path | None
) -> Response:
    try:
        answers = await _answers(server, body, prompts, adapter)
    except EngineFailed:
        # An engine that died is replaced at once; nothing was shown yet, so the same is simply asked again.
        answers = await _answers(server, body, prompts, adapter)
    total = completion.usage(sum(n for _, n, _ in answers), sum(n for _, _, n in answers))
    server.generated_tokens += total["completion_tokens"]
    choices = [{"index": index, **choice} for index, (choice, _, _) in enumerate(answers)]
    return JSONResponse({**_head(body), "choices": choices, "usage": total})


def _head(body: wire.CompletionRequest) -> dict[str, Any]:
    return {
        "id": new_id("cmpl-"),
        "object": "text_completion",
        "created": int(time.time()),
        "model": body.model,
        "system_fingerprint": None,
    }


async def _answers(
    server: Server, body: wire.CompletionRequest, prompts: list[str] | list[list[int]], adapter: Path | None
) -> list[tuple[dict[str, Any], int, int]]:
    async with server.pool.lease(adapter) as lease:
        return await asyncio.gather(*(_answer(lease, body, prompt) for prompt in prompts))


async def _answer(
    lease: Lease, body: wire.CompletionRequest, prompt: str | list[int]
) -> tuple[dict[str, Any], int, int]:
    """A choice, and the tokens of its prompt and its answer."""
    echo = await _echo(lease, body, prompt)
    if body.max_tokens == 0:  # llama.cpp generates at least one token
        n_tokens = echo.n_tokens or len(prompt if isinstance(prompt, list) else await tokenize(lease, prompt, True))
        choice = {"text": echo.text, "logprobs": completion.joined(echo.logprobs), "finish_reason": "length"}
        return choice, n_tokens, 0
    async with lease.engine.post("/completion", completion.engine_body(body, prompt, lease.lora)) as reply:
        content = await reply.json()
    if reply.status != 200:
        raise chat.engine_refusal(reply.status, content, "prompt")
    parts = [*echo.logprobs, *_generated(body, echo, content)]
    choice = {
        "text": echo.text + content["content"],
        "logprobs": completion.joined(parts),
        "finish_reason": completion.finish_reason(content),
    }
    return choice, content["tokens_evaluated"], content["tokens_predicted"]


def _generated(body: wire.CompletionRequest, echo: Echo, content: dict[str, Any]) -> list[dict[str, Any]]:
    if body.logprobs is None:
        return []
    return [echo.continued.scored(content.get("completion_probabilities", []))]


async def _echo(lease: Lease, body: wire.CompletionRequest, prompt: str | list[int]) -> Echo:
    """The prompt's text and, with `logprobs`, its tokens, scored from the first that ends after `score_from` on."""
    lists = Logprobs(body.logprobs or 0)
    if not body.echo:
        return Echo("", [], 0, lists)
    tokens = await (tokenize(lease, prompt) if isinstance(prompt, str) else detokenize(lease, prompt))
    text = prompt if isinstance(prompt, str) else b"".join(token.bytes for token in tokens).decode(errors="replace")
    if body.logprobs is None:
        return Echo(text, [], len(tokens), lists)
    ids = [token.id for token in tokens]
    try:
        lead = await _lead(lease, body, prompt, len(ids))
        # The first token of a text by itself has no log-probability, as officially.
        earliest = 1 if body.messages is None else 0
        first = max(earliest, _first_after(body.score_from or 0, text, [len(token.bytes) for token in tokens]))
        entries = await forced(lease, lead + ids[:first], ids[first:], lease.lora, body.logprobs)
    except NotScored as refused:
        if refused.refusal is None:
            raise
        raise chat.engine_refusal(refused.status, refused.refusal, "prompt") from refused
    return Echo(text, [lists.unscored(tokens[:first]), lists.scored(entries)], len(lead) + len(ids), lists)


async def _lead(lease: Lease, body: wire.CompletionRequest, prompt: str | list[int], n_tokens: int) -> list[int]:
    """What stands before the prompt and is not shown: the conversation it answers, or what the model expects before any text."""
    if body.messages is not None:
        return await conversation(lease, [chat.engine_message(each, at) for at, each in enumerate(body.messages)])
    if not isinstance(prompt, str):
        return []
    whole = [token.id for token in await tokenize(lease, prompt, True)]
    return whole[: len(whole) - n_tokens]


def _first_after(character: int, text: str, sizes: list[int]) -> int:
    """The index of the first token that reaches past `character`; as many as there are where none does."""
    start = len(text[:character].encode())
    return next((index for index, end in enumerate(accumulate(sizes)) if end > start), len(sizes))


async def _streamed(
    server: Server, body: wire.CompletionRequest, prompts: list[str] | list[list[int]], adapter: Path | None
) -> Response:
    """As `_whole`, in pieces; a refusal still is an error status and not half a stream."""
    echoes: list[Echo] = []

    async def bodies(lease: Lease) -> list[dict[str, Any]]:
        echoes[:] = [await _echo(lease, body, prompt) for prompt in prompts]
        return [completion.engine_body(body, prompt, lease.lora) for prompt in prompts]

    if body.max_tokens == 0:
        raise bad_request("max_tokens must be at least 1 when stream is true.", "max_tokens")
    stack, replies = await open_streams(server.pool, adapter, "/completion", bodies, "prompt")
    return StreamingResponse(_pieces(server, body, stack, replies, echoes), media_type="text/event-stream")


async def _pieces(
    server: Server, body: wire.CompletionRequest, stack: AsyncExitStack, replies: list[Any], echoes: list[Echo]
) -> AsyncIterator[bytes]:
    head = _head(body)
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    extra: dict[str, Any] = {"usage": None} if with_usage else {}

    def piece(index: int, text: str, parts: list[dict[str, Any]], reason: str | None) -> bytes:
        choice = {"index": index, "text": text, "logprobs": completion.joined(parts), "finish_reason": reason}
        return sse({**head, "choices": [choice], **extra})

    prompt_tokens = completion_tokens = 0
    async with stack:
        for index, echo in enumerate(echoes):
            if echo.text:
                yield piece(index, echo.text, echo.logprobs, None)
        try:
            async for index, raw in merged(replies):
                event = json.loads(raw)
                if "content" not in event:
                    yield sse(chat.engine_refusal(500, event if "error" in event else {"error": event}).body())
                    return
                reason = completion.finish_reason(event)
                if reason is not None:
                    prompt_tokens += event["tokens_evaluated"]
                    completion_tokens += event["tokens_predicted"]
                yield piece(index, event["content"], _generated(body, echoes[index], event), reason)
        except EngineFailed as error:
            yield sse(ApiError(503, str(error), "server_error", code="engine_unavailable").body())
            return
    server.generated_tokens += completion_tokens
    if with_usage:
        yield sse({**head, "choices": [], "usage": completion.usage(prompt_tokens, completion_tokens)})
    yield b"data: [DONE]\n\n"
