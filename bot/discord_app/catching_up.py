"""What was said while nobody listened: fetched once after each gap, and taken up as if it had just been heard.

Discord tells each channel's newest message when a session begins, so only channels with something newer than the gap are read.
A message that was heard before is known by its id, and is not answered twice.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta

import discord
from discord.utils import time_snowflake

from bot.discord_app.outgoing import UNREACHABLE, patiently, reason
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import DIRECT
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

Room = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.Thread

NOTED_EVERY_S = 20.0  # how exactly the beginning of a gap is known
MARGIN = timedelta(minutes=2)  # a dead connection is noticed late, and clocks differ
LONGEST = timedelta(hours=6)  # what was asked longer ago is not answered out of the blue
MOST_ROOMS = 200  # read after one gap, those with the newest messages
MOST_DIRECT = 50  # direct conversations read after one gap, the last ones
DIRECT_FOR = timedelta(days=7)  # of silence, after which a direct conversation is not looked at any more
MOST_MESSAGES = 100  # of one room
AGAIN_S = 5.0  # after the database was away


class Listening:
    """Notes how far Discord has been heard, and fetches what was missed. One for each process."""

    def __init__(self, parts: Parts, hear: Callable[[discord.Message], Awaitable[bool]]) -> None:
        self._parts = parts
        self._hear = hear  # takes a message up; whether it is new
        self._has_missed = asyncio.Event()  # something was told that could not be kept
        self._gap_from: datetime | None = None
        self._is_noted = False  # how far the last life heard has been read

    async def begin(self, guilds: list[discord.Guild]) -> None:
        """A new session began, after a start or because the old one could not be resumed: fetch what it does not tell."""
        parts = self._parts
        since = self._gap_from
        if not self._is_noted:
            heard = await parts.store.channels.listened_until(PLATFORM, _PART)
            since = heard if since is None or (heard is not None and heard < since) else since
            self._is_noted = True
        if since is None:
            return  # the first start ever: nothing was missed
        self._gap_from = since
        self._has_missed.clear()
        earliest = max(since - MARGIN, parts.now() - LONGEST)
        found = 0
        for room in list(_rooms_since(guilds, earliest))[:MOST_ROOMS]:
            if room.permissions_for(room.guild.me).read_message_history:
                found += await self._fetched(room, earliest)
        for key in await self._direct():
            found += await self._fetched(parts.room(key), earliest)
        if not self._has_missed.is_set():  # else it could not be kept again
            self._gap_from = None
        if found:
            log.warning("%s messages of a gap since %s are taken up", found, earliest)

    def lost(self) -> None:
        """The connection is gone: what comes from here on may be missed."""
        self._gap_from = self._gap_from or self._parts.now()

    def resumed(self) -> None:
        """The connection is back, and Discord has told everything since."""
        if not self._has_missed.is_set():
            self._gap_from = None

    def missed(self) -> None:
        """Something was told that could not be kept: it is fetched once it can."""
        self.lost()
        self._has_missed.set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Note how far was heard, and fetch what the database kept us from keeping, until `stop` is set."""
        while not stop.is_set():
            try:
                if self._has_missed.is_set():
                    await self.begin(list(self._parts.client.guilds))
                if self._is_noted and self._gap_from is None and self._parts.client.is_ready():
                    await self._parts.store.channels.listened(PLATFORM, _PART, self._parts.now())
            except DatabaseUnavailable as error:
                log.warning("what was missed on Discord waits: %s", error)
                self._has_missed.set()
            is_waiting = self._has_missed.is_set()
            waiting = stop.wait() if is_waiting else _either(stop, self._has_missed)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(waiting, AGAIN_S if is_waiting else NOTED_EVERY_S)

    async def _direct(self) -> Sequence[str]:
        """Direct conversations that somebody has written in lately: Discord does not say in which of them there is more."""
        if not self._parts.rules.answers_direct:
            return []
        since = self._parts.now() - DIRECT_FOR
        return await self._parts.store.channels.listened_to(PLATFORM, f"{DIRECT}/", since, MOST_DIRECT)

    async def _fetched(self, room: Room | discord.PartialMessageable, since: datetime) -> int:
        """Take up what was said in a room; how many messages of it are new."""

        async def read() -> list[discord.Message]:
            return [message async for message in room.history(after=since, limit=MOST_MESSAGES, oldest_first=True)]

        try:
            messages = await patiently(read)
        except UNREACHABLE as error:
            log.warning("what was said in %s meanwhile is not known (%s)", room.id, reason(error))
            return 0
        answered = _answered_by_people(messages)
        return sum([await self._hear(message) for message in messages if message.id not in answered])


_PART = "gateway"


def _rooms_since(guilds: list[discord.Guild], since: datetime) -> Iterator[Room]:
    """Channels and open threads in which something was said since then, the newest first."""
    earliest = time_snowflake(since)
    rooms: list[Room] = [
        room
        for guild in guilds
        for room in [*guild.text_channels, *guild.voice_channels, *guild.stage_channels, *guild.threads]
        if (room.last_message_id or 0) >= earliest
    ]
    yield from sorted(rooms, key=lambda room: room.last_message_id or 0, reverse=True)


def _answered_by_people(messages: Sequence[discord.Message]) -> set[int]:
    """Messages of the gap that somebody else has answered meanwhile."""
    authors = {message.id: message.author.id for message in messages}
    found: set[int] = set()
    for message in messages:
        answered = message.reference.message_id if message.reference is not None else None
        if answered in authors and authors[answered] != message.author.id and not message.author.bot:
            found.add(answered)
    return found


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait until one of two events is set."""
    waiting = [asyncio.ensure_future(one.wait()), asyncio.ensure_future(other.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
