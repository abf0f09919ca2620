"""The board on Discord: it begins to look once the client is connected, because before that nothing can be shown."""

import asyncio
import contextlib

from bot.discord_app.interactions import Feature
from bot.discord_app.parts import Parts
from bot.office.board import Board

READY_S = 0.05  # between two looks whether the client is connected


async def serve(parts: Parts, stop: asyncio.Event) -> None:
    """Keep what stands on Discord up to date until `stop` is set."""
    board = Board(parts, parts.surface)
    parts.wake_board = board.wake
    while not parts.client.is_ready() and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), READY_S)
    await board.serve(stop)


FEATURE = Feature(serves=serve)
