"""The sign that the bot is typing: within a second of the question, until the reply stands. It only decorates, so it may fail."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

import discord

from bot.discord_app.outgoing import UNREACHABLE, reason

log = logging.getLogger(__name__)

TYPES_AFTER_S = 0.3  # a reply that is there by then needs no sign
AGAIN_S = 8.0  # Discord shows it for ten seconds


@contextlib.asynccontextmanager
async def typing(room: discord.PartialMessageable) -> AsyncGenerator[None]:
    """Show it for the length of a block, if that takes long enough."""
    showing: list[asyncio.Task[None]] = []
    soon = asyncio.get_running_loop().call_later(
        TYPES_AFTER_S, lambda: showing.append(asyncio.ensure_future(_show(room)))
    )
    try:
        yield
    finally:
        soon.cancel()
        for task in showing:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _show(room: discord.PartialMessageable) -> None:
    while True:
        try:
            await room.typing()
        except UNREACHABLE as error:
            log.info("no typing in %s (%s)", room.id, reason(error))
        await asyncio.sleep(AGAIN_S)
