"""Servers that the bot is no longer in: what was asked there is deleted after a grace period, unless it is added again.

An outage is no removal: Discord says which of them it is, and a server that is out of reach stays in the client's list.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta

from bot.discord_app.interactions import Feature
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Payload
from bot.discord_app.telling import tell_ops
from bot.wording import counted
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

GRACE = timedelta(days=30)  # a bot that was removed by mistake is missed by then
LOOK_S = 3_600.0
MOST_SERVERS = 10_000
EVER = datetime(2015, 1, 1, tzinfo=UTC)  # Discord's own beginning
IN, LEFT = "in/", "left/"  # what the notes about a server begin with: since when it was last known


async def begin(parts: Parts) -> None:
    """Note where the bot is, and where it is no longer: it may have been removed while nobody listened."""
    try:
        now = {str(guild.id) for guild in parts.client.guilds}
        for guild in now:
            await joined(parts, guild)
        for guild in await _noted(parts, IN):
            if guild not in now:
                await left(parts, guild)
    except DatabaseUnavailable as error:
        log.error("which servers the bot is in is noted later: %s", error)


async def joined(parts: Parts, guild: str) -> None:
    """The bot is in this server."""
    await parts.store.channels.forget_listened(PLATFORM, f"{LEFT}{guild}/")
    await parts.store.channels.listened(PLATFORM, f"{IN}{guild}/", parts.now())


async def left(parts: Parts, guild: str) -> None:
    """The bot was removed from this server: the grace period begins, once."""
    channels = parts.store.channels
    if await channels.listened_until(PLATFORM, f"{LEFT}{guild}/") is None:
        await channels.listened(PLATFORM, f"{LEFT}{guild}/", parts.now())
        day = (parts.now() + GRACE).date().isoformat()
        text = (
            f"I was removed from the server {guild}. What was asked there, with the answers and the corrections made from "
            f"them, is deleted on {day} unless I am added again; `finetone discord invite` prints the address."
        )
        await tell_ops(parts, f"left {guild} {day}", text)
    await channels.forget_listened(PLATFORM, f"{IN}{guild}/")


async def serve(parts: Parts, stop: asyncio.Event) -> None:
    """Delete what is due, again and again, until `stop` is set."""
    while not stop.is_set():
        try:
            await drop(parts)
        except DatabaseUnavailable as error:
            log.warning("what was asked in servers that removed the bot is deleted later: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)


async def drop(parts: Parts) -> None:
    """Delete what was asked in servers that the bot left a grace period ago."""
    store = parts.store
    for guild in await _noted(parts, LEFT):
        since = await store.channels.listened_until(PLATFORM, f"{LEFT}{guild}/")
        if since is None or since > parts.now() - GRACE:
            continue
        n_questions = await store.conversations.withdraw_all(PLATFORM, f"{guild}/", at=parts.now())
        await store.channels.forget(PLATFORM, f"{guild}/")
        await store.channels.forget_listened(PLATFORM, f"{LEFT}{guild}/")
        log.warning("%s of server %s deleted: the bot left it on %s", counted(n_questions, "question"), guild, since)


async def _noted(parts: Parts, beginning: str) -> list[str]:
    """The servers that such a note is about."""
    parts_noted = await parts.store.channels.listened_to(PLATFORM, beginning, EVER, MOST_SERVERS)
    return [part.removeprefix(beginning).removesuffix("/") for part in parts_noted]


async def was_added(parts: Parts, payload: Payload, is_first_try: bool) -> str:
    await joined(parts, payload["guild"])
    return ""


async def was_removed(parts: Parts, payload: Payload, is_first_try: bool) -> str:
    if any(str(guild.id) == payload["guild"] for guild in parts.client.guilds):
        return "it is back"
    await left(parts, payload["guild"])
    return ""


FEATURE = Feature(hears={"joined": was_added, "left": was_removed}, begins=begin, serves=serve)
