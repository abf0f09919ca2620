"""Everything that leaves for Discord, and the one way it leaves: naming nobody, without previews, once.

Codes: docs.discord.com, opcodes and status codes, read 2026-11-21.
"""

import asyncio
import hashlib
import io
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import discord

from bot.discord_app.payloads import DIRECT
from storage.records import Posting

T = TypeVar("T")

log = logging.getLogger(__name__)

CONTENT_LIMIT = 2_000  # characters of a bot's message, whoever pays for what
PATIENCE_S = 900.0  # how long one message may wait for Discord's rate limit, all waits together
LOOKED_THROUGH = 50  # messages after a question, for one of ours that was sent and not recorded
CLOUDFLARE_S = 60.0  # a limit of Cloudflare's names no end
NOBODY = discord.AllowedMentions.none()

UNREACHABLE = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError)
"""What a call to Discord may raise when it did not work."""

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED = 10062, 40060
NO_ACCESS, NO_PERMISSION, NO_DIRECT_MESSAGES = 50001, 50013, 50007
TOO_OLD_TO_EDIT = 30046  # more edits of a message older than an hour than Discord allows
THREAD_ARCHIVED, THREAD_LOCKED, THREAD_EXISTS = 50083, 160005, 160004
GONE = frozenset({UNKNOWN_CHANNEL, UNKNOWN_MESSAGE})
FORBIDDEN = frozenset({NO_ACCESS, NO_PERMISSION})
SHUT = frozenset({THREAD_ARCHIVED, THREAD_LOCKED})


class CannotSpeak(Exception):
    """Nothing of ours can stand there. The message says why in a few words; `code` is Discord's."""

    def __init__(self, why: str, code: int) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Shown:
    """What a message of ours shows. `file` is a name and the bytes."""

    text: str
    view: discord.ui.View | None = None
    file: tuple[str, bytes] | None = None


def room_at(client: discord.Client, room_key: str) -> discord.PartialMessageable:
    """A channel, thread or direct conversation to write in by our name of it, known to discord.py's cache or not."""
    guild, channel = room_key.split("/")
    return client.get_partial_messageable(int(channel), guild_id=None if guild == DIRECT else int(guild))


async def ours_after(room: discord.PartialMessageable, me: int, message_id: int) -> list[discord.Message]:
    """What we said in a room since then, oldest first: one that was sent and not recorded is among it. Raises CannotSpeak.

    Where history may not be read it is nothing; Discord's nonce then has to do.
    """

    async def read() -> list[discord.Message]:
        after = discord.Object(message_id)
        return [
            message
            async for message in room.history(after=after, limit=LOOKED_THROUGH, oldest_first=True)
            if message.author.id == me
        ]

    try:
        return await understood(lambda: patiently(read))
    except CannotSpeak as refused:
        if refused.code in FORBIDDEN:
            return []
        raise


async def send(
    room: discord.abc.Messageable,
    shown: Shown,
    *,
    nonce: str = "",
    answers: discord.MessageReference | None = None,
    allowed_mentions: discord.AllowedMentions = NOBODY,
) -> discord.Message:
    """Post a message. Raises CannotSpeak where Discord says that none of ours can stand there.

    With `nonce`, Discord answers a second sending within some minutes with the message there is.
    """
    more: dict[str, Any] = {"nonce": nonce} if nonce else {}
    if shown.view is not None:
        more["view"] = shown.view
    if answers is not None:
        more["reference"] = answers

    async def post() -> discord.Message:
        if shown.file is not None:  # read anew at each try
            more["file"] = discord.File(io.BytesIO(shown.file[1]), shown.file[0])
        return await room.send(shown.text, allowed_mentions=allowed_mentions, suppress_embeds=True, **more)

    return await understood(lambda: patiently(post))


async def change(message: discord.PartialMessage, shown: Shown) -> None:
    """Change a message of ours: all of it, also what it no longer has. Raises CannotSpeak."""
    files = [] if shown.file is None else [discord.File(io.BytesIO(shown.file[1]), shown.file[0])]
    await understood(
        lambda: patiently(
            lambda: message.edit(content=shown.text, view=shown.view, attachments=files, allowed_mentions=NOBODY)
        )
    )


async def remove(message: discord.PartialMessage) -> None:
    """Take a message of ours away; one that is gone is no error."""
    try:
        await patiently(message.delete)
    except discord.HTTPException as error:
        if error.code not in GONE:
            raise


async def understood(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call; what Discord will refuse for good is CannotSpeak, everything else is raised as it came."""
    try:
        return await call()
    except discord.HTTPException as error:
        if error.code in FORBIDDEN:
            raise CannotSpeak("not allowed to write there", error.code) from error
        if error.code in SHUT:
            raise CannotSpeak("the thread is closed", error.code) from error
        if error.code in GONE:
            raise CannotSpeak("it is gone", error.code) from error
        if error.code == NO_DIRECT_MESSAGES:
            raise CannotSpeak("they take no direct messages", error.code) from error
        raise


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call again after each rate limit that discord.py does not wait out itself, for PATIENCE_S in all."""
    waited_s = 0.0
    while True:
        try:
            return await call()
        except discord.RateLimited as error:
            pause_s, last = error.retry_after, error
        except discord.HTTPException as error:
            if error.status != 429:
                raise
            pause_s, last = CLOUDFLARE_S, error
        waited_s += pause_s
        if waited_s > PATIENCE_S:
            raise last
        log.warning("Discord asks us to wait %.0f s", pause_s)
        await asyncio.sleep(pause_s)


def nonce_of(posting: Posting) -> str:
    """The same for every sending of one posting; Discord takes up to 25 characters."""
    return str(int.from_bytes(hashlib.sha256(posting.id.encode()).digest()[:8], "big"))


def reason(error: BaseException) -> str:
    """Why a call did not work, in a word or two; never what was sent."""
    if isinstance(error, discord.HTTPException):
        return f"{error.status}, code {error.code}"
    return type(error).__name__
