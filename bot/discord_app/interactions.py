"""What people press, fill in and command: kept as a row, answered within Discord's three seconds, then worked on from the row.

A feature is a module that brings its verbs; features.py lists them. A verb either works (`Feature.works`: the first response
is made here, the work is done once however often it is delivered, and goes on after a crash) or shows something at once
(`Feature.opens`: a form has to be the first response, so nothing slow may come before it). Forms are read from what was
delivered and not from discord.py's memory, so one that is sent after a restart is saved like every other.
"""

import asyncio
import contextlib
import io
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import discord
from discord import app_commands

from bot.discord_app.answers import Reading, shown
from bot.discord_app.asked import COMMAND, FORM, PRESS, Asked, Target, asked_of, read_asked
from bot.discord_app.outgoing import (
    ALREADY_ACKNOWLEDGED,
    NOBODY,
    UNKNOWN_INTERACTION,
    UNREACHABLE,
    CannotSpeak,
    patiently,
    reason,
    send,
)
from bot.discord_app.outgoing import Shown as Message
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Payload
from bot.office.verbs import Said
from bot.problems import FOR_PEOPLE, sentence_of
from storage.errors import DatabaseUnavailable
from storage.records import Actor

log = logging.getLogger(__name__)

FIRST_RESPONSE_S = 1.5  # Discord waits 3; the row may not take longer than this before the response is made without it
BUSY = "Sorry, that cannot be done at the moment. Please do it again in a minute."

__all__ = ["COMMAND", "FORM", "PRESS", "Asked", "Target", "asked_of", "read_asked"]  # most who ask for one ask for both


Answer = Said | Reading
Work = Callable[[Parts, Actor, Asked], Awaitable[Answer]]
Open = Callable[[Parts, Actor, Asked], Awaitable[discord.ui.Modal | Answer]]
Hear = Callable[[Parts, Payload, bool], Awaitable[str]]
"""Works on another kind of kept event; the bool says whether this is the first try. Returns "" or why there was nothing to do."""

Serve = Callable[[Parts, asyncio.Event], Coroutine[Any, Any, None]]
"""Works in the background until the event is set."""

Begin = Callable[[Parts], Awaitable[None]]
"""Works when a session with Discord begins, which is after every gap that Discord does not fill."""


@dataclass(frozen=True, slots=True)
class Feature:
    """What one module adds. Verbs are named "press good", "form correct", "command retrain"; no two features share one."""

    works: Mapping[str, Work] = field(default_factory=dict[str, Work])
    opens: Mapping[str, Open] = field(default_factory=dict[str, Open])
    hears: Mapping[str, Hear] = field(default_factory=dict[str, Hear])
    serves: Serve | None = None
    begins: Begin | None = None
    add_commands: Callable[[app_commands.CommandTree[Any]], None] | None = None


class Registry:
    """Every feature's verbs. Raises ValueError when two features claim one."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = tuple(features)
        self.works: dict[str, Work] = {}
        self.opens: dict[str, Open] = {}
        self.hears: dict[str, Hear] = {}
        for feature in features:
            for name in [*feature.works, *feature.opens]:
                if name in self.works or name in self.opens:
                    raise ValueError(f"two features claim {name!r}")
            if twice := self.hears.keys() & feature.hears.keys():
                raise ValueError(f"two features claim {sorted(twice)}")
            self.works |= feature.works
            self.opens |= feature.opens
            self.hears |= feature.hears

    def can(self, verb: str) -> bool:
        """Whether somebody here does something when a button with this verb is pressed."""
        return f"{PRESS} {verb}" in self.works or f"{PRESS} {verb}" in self.opens

    def add_commands(self, tree: app_commands.CommandTree[Any]) -> None:
        """Define every feature's commands."""
        for feature in self.features:
            if feature.add_commands is not None:
                feature.add_commands(tree)


# ---------------------------------------------------------------- the first response


Keep = Callable[[str, str, Payload], Awaitable[bool]]
"""Keeps a delivery by key, kind and payload; False when it was kept before. Raises DatabaseUnavailable."""


class Receiver:
    """Answers within three seconds, and hands the rest to the row."""

    def __init__(self, parts: Parts, registry: Registry, keep: Keep) -> None:
        self._parts = parts
        self._registry = registry
        self._keep = keep
        # By interaction id, while the first response is on its way.
        self._responding: dict[str, asyncio.Future[None]] = {}

    async def receive(self, interaction: discord.Interaction[Any], asked: Asked) -> None:
        """Open what has to be opened at once; keep everything else, respond, and let the work begin from the row."""
        if asked.name in self._registry.opens:
            await self._open(interaction, asked)
            return
        responded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if asked.id not in self._responding:  # else it is being delivered twice
            self._responding[asked.id] = responded
        keeping = asyncio.ensure_future(self._keep(f"interaction/{asked.id}", asked.kind, asdict(asked)))
        try:
            await asyncio.wait([keeping], timeout=FIRST_RESPONSE_S)
            is_late = not keeping.done()
            if is_late or (keeping.exception() is None and keeping.result()):
                await defer(interaction, is_press=asked.kind == PRESS)
            await keeping
        except DatabaseUnavailable as error:
            log.error("%s cannot be kept: %s", asked.name, error)
            if interaction.response.is_done():
                await say(self._parts, asked, Said(BUSY), self._registry)
            else:
                await respond(interaction, Said(BUSY), self._registry)
        finally:
            if self._responding.get(asked.id) is responded:
                del self._responding[asked.id]
            responded.set_result(None)

    async def responded(self, asked: Asked) -> None:
        """Wait until the first response is made, which every later answer needs; at once where another process received it."""
        if asked.id in self._responding:
            await asyncio.shield(self._responding[asked.id])

    async def _open(self, interaction: discord.Interaction[Any], asked: Asked) -> None:
        opened: discord.ui.Modal | Answer
        try:
            async with asyncio.timeout(FIRST_RESPONSE_S):
                actor = await self._parts.actor(asked.by)
                opened = await self._registry.opens[asked.name](self._parts, actor, asked)
        except TimeoutError:
            opened = Said(BUSY)
        except FOR_PEOPLE as error:
            opened = Said(
                BUSY if isinstance(error, DatabaseUnavailable) else await sentence_of(self._parts.store, error)
            )
        if not isinstance(opened, discord.ui.Modal):
            await respond(interaction, opened, self._registry)
            return
        opened.stop()  # discord.py would remember it for ever; what is sent is read from the delivery
        with _late_is_told(asked):
            await interaction.response.send_modal(opened)


async def defer(interaction: discord.Interaction[Any], *, is_press: bool) -> None:
    """Tell Discord that an answer comes. Too late is not too late for the work: it is done, and told by a message."""
    try:
        if is_press:
            await interaction.response.defer()
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
    except UNREACHABLE as error:
        log.warning("interaction %s had no response in time (%s)", interaction.id, reason(error))
    except discord.InteractionResponded:
        log.info("interaction %s was responded to before", interaction.id)


async def respond(interaction: discord.Interaction[Any], answer: Answer, registry: Registry) -> None:
    """Answer as the first response, to the person alone."""
    message = shown(answer, registry.can)
    more: dict[str, Any] = {} if message.view is None else {"view": message.view}
    try:
        await interaction.response.send_message(message.text, ephemeral=True, allowed_mentions=NOBODY, **more)
    except UNREACHABLE as error:
        log.warning("interaction %s had no response in time (%s)", interaction.id, reason(error))


@contextlib.contextmanager
def _late_is_told(asked: Asked):
    try:
        yield
    except discord.HTTPException as error:
        if error.code not in (UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED):
            raise
        log.warning("%s came too late to be shown (%s)", asked.name, reason(error))


# ---------------------------------------------------------------- the answer


async def say(parts: Parts, asked: Asked, answer: Answer, registry: Registry) -> None:
    """Answer the person alone: under what they pressed, or where that is no longer possible in a direct message."""
    message = shown(answer, registry.can)
    if not message.text:
        return
    webhook = discord.Webhook.from_state(
        {"id": int(asked.application), "type": discord.WebhookType.application.value, "token": asked.token},  # pyright: ignore[reportArgumentType]
        state=parts.client._connection,  # pyright: ignore[reportPrivateUsage]  # as Interaction.followup makes it
    )

    async def follow_up() -> None:
        more: dict[str, Any] = {} if message.view is None else {"view": message.view}
        if message.file is not None:  # read anew at each try
            more["file"] = discord.File(io.BytesIO(message.file[1]), message.file[0])
        await webhook.send(message.text, ephemeral=True, allowed_mentions=NOBODY, wait=True, **more)

    try:
        await patiently(follow_up)
    except UNREACHABLE as error:
        log.info("%s is answered by a direct message (%s)", asked.name, reason(error))
        await tell(parts, asked.by.id, message)


async def tell(parts: Parts, user: str, shown: Message) -> discord.Message | None:
    """Say something to one person in their direct messages; None where they or Discord do not let us."""
    try:
        room = await parts.client.create_dm(discord.Object(int(user)))
        return await send(room, shown)
    except (CannotSpeak, *UNREACHABLE) as error:
        log.warning("could not write to %s (%s)", user, reason(error))
        return None
