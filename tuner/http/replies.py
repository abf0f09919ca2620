"""Answers on their way to a caller who may leave: events of several streams in one, and no work for nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from tuner.chat import engine_refusal
from tuner.engine import EnginePool, Lease
from tuner.errors import EngineFailed


async def unless_gone(request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
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


async def open_streams(
    pool: EnginePool,
    adapter: Path | None,
    path: str,
    bodies: Callable[[Lease], Awaitable[list[dict[str, Any]]]],
    param: str,
) -> tuple[AsyncExitStack, list[Any]]:
    """One engine's replies to several requests, begun, and the stack that holds them open.

    An engine that died is replaced and asked again once. Raises ApiError where it refuses, about `param`; nothing is
    held then.
    """
    stack = AsyncExitStack()
    replies: list[Any] = []
    try:
        for attempt in (1, 2):
            try:
                lease = await stack.enter_async_context(pool.lease(adapter))
                replies.clear()
                for body in await bodies(lease):
                    reply = await stack.enter_async_context(lease.engine.post(path, body))
                    if reply.status != 200:
                        raise engine_refusal(reply.status, await reply.json(), param)
                    replies.append(reply)
                break
            except EngineFailed:
                await stack.aclose()
                if attempt == 2:
                    raise
    except BaseException:
        await stack.aclose()
        raise
    return stack, replies


async def merged(replies: list[Any]) -> AsyncIterator[tuple[int, bytes]]:
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


def sse(content: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
