"""The app over its parts: every delivery is kept as a row under its natural key, then worked on from the row.

Discord delivers over a socket and waits for no acknowledgement of messages; what came while the database was away, or while
the socket was, is fetched afterwards (catching_up.py).
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import discord

from bot.discord_app import changes, interactions, messages, payloads
from bot.discord_app.catching_up import Listening
from bot.discord_app.features import FEATURES
from bot.discord_app.interactions import Receiver, Registry, asked_of, read_asked
from bot.discord_app.outgoing import UNREACHABLE, CannotSpeak, reason
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Payload, Place
from bot.discord_app.placing import placed
from bot.discord_app.speaking import apologise
from bot.discord_app.telling import tell_ops
from bot.inbox import Inbox, Work
from bot.office.verbs import Said
from bot.problems import FOR_PEOPLE, sentence_of
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from storage.records import InboundEvent

log = logging.getLogger(__name__)

SERVER_ERROR = "Sorry, that did not work. Somebody from the team was told. (reference {reference})"
ASKED_KINDS = frozenset({interactions.PRESS, interactions.FORM, interactions.COMMAND})


class DiscordApp:
    """What the client hears comes in at `received…`; `inbox` keeps and works."""

    def __init__(self, parts: Parts, owner: str) -> None:
        self.parts = parts
        self.registry = Registry(FEATURES)
        self.inbox = Inbox(parts.store, PLATFORM, owner, Work(self._handle, self._give_up), parts.now)
        self.receiver = Receiver(parts, self.registry, self.inbox.receive)
        self.listening = Listening(parts, self.message)

    # ------------------------------------------------------------ receiving

    async def began(self) -> None:
        """A session with Discord began: fetch what was said since the last one."""
        try:
            await self.listening.begin(list(self.parts.client.guilds))
        except DatabaseUnavailable as error:
            log.error("what was missed on Discord is fetched later: %s", error)
            self.listening.missed()
        for feature in self.registry.features:
            if feature.begins is not None:
                await feature.begins(self.parts)

    async def joined(self, guild: str) -> None:
        """A server added the bot, perhaps again."""
        await self.kept(new_id("joined", self.parts.now()), "joined", {"guild": guild})

    async def left(self, guild: str) -> None:
        """A server removed the bot."""
        await self.kept(new_id("left", self.parts.now()), "left", {"guild": guild})

    async def message(self, message: discord.Message) -> bool:
        """Somebody wrote; whether that is new. Bots, webhooks and Discord's own notices are left alone."""
        me = int(self.parts.me or 0)
        if payloads.is_noise(message, me):
            return False
        record = payloads.said_record(message, me)
        return await self.kept(payloads.read_said(record).place.key, "message", record)

    async def changed(self, key: str, place: Place, text: str | None, mentioned: tuple[payloads.Person, ...]) -> None:
        """A message was edited, or with None deleted."""
        kind = "deleted" if text is None else "edited"
        await self.kept(key, kind, payloads.changed_record(place, text, mentioned))

    async def asked(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody pressed a button of ours or sent a form of ours."""
        if (asked := asked_of(interaction)) is not None:
            await self.receiver.receive(interaction, asked)

    async def commanded(self, interaction: discord.Interaction[Any], verb: str, inputs: Mapping[str, Any]) -> None:
        """Somebody gave a command, or chose one of ours in a message's menu."""
        if (asked := asked_of(interaction, verb, inputs)) is not None:
            await self.receiver.receive(interaction, asked)

    async def kept(self, key: str, kind: str, payload: Payload) -> bool:
        """Keep a delivery and begin with it; False where it is known, or cannot be kept: it is then fetched later."""
        try:
            return await self.inbox.receive(key, kind, payload)
        except DatabaseUnavailable as error:
            log.error("%s cannot be kept and is fetched later: %s", kind, error)
            self.listening.missed()
            return False

    # ------------------------------------------------------------ working

    async def _handle(self, event: InboundEvent) -> str:
        """What a kept delivery asks for. A sentence meant for people reaches them; anything else is logged and tried again."""
        payload, is_first_try = event.payload, event.attempts == 1
        try:
            match event.kind:
                case "message":
                    return await messages.heard(self.parts, payloads.read_said(payload), is_first_try=is_first_try)
                case "edited":
                    return await changes.was_edited(self.parts, payloads.read_changed(payload))
                case "deleted":
                    return await changes.was_deleted(self.parts, payloads.read_changed(payload).place)
                case "thread_deleted":
                    return await changes.thread_was_deleted(self.parts, payload["guild"], payload["thread"])
                case kind if kind in ASKED_KINDS:
                    return await self._asked(payload, is_first_try)
                case kind if kind in self.registry.hears:
                    return await self.registry.hears[kind](self.parts, payload, is_first_try)
                case _:
                    return "nothing to do"
        except CannotSpeak as refused:
            return str(refused)

    async def _asked(self, payload: Payload, is_first_try: bool) -> str:
        asked = replace(read_asked(payload), is_first_try=is_first_try)
        await self.receiver.responded(asked)
        work = self.registry.works.get(asked.name)
        if work is None:
            return "not a verb of ours"
        try:
            actor = await self.parts.actor(asked.by)
            said = await work(self.parts, actor, asked)
        except DatabaseUnavailable:
            raise
        except FOR_PEOPLE as error:
            await interactions.say(self.parts, asked, Said(await sentence_of(self.parts.store, error)), self.registry)
            return type(error).__name__
        await interactions.say(self.parts, asked, said, self.registry)
        return ""

    async def _give_up(self, event: InboundEvent) -> None:
        """After the last attempt: who waits hears that it did not work, and the team hears where to look."""
        parts, payload = self.parts, event.payload
        log.error("%s %s was given up after %s attempts", event.kind, event.id, event.attempts - 1)
        try:
            if event.kind == "message":
                said, _ = await placed(parts, payloads.read_said(payload))
                mode, rules = await messages.rules_for(parts, said)
                await apologise(parts, said, rules, mode)
            elif event.kind in ASKED_KINDS:
                said = Said(SERVER_ERROR.format(reference=event.id))
                await interactions.say(parts, read_asked(payload), said, self.registry)
        except (CannotSpeak, *UNREACHABLE) as error:
            log.error("nobody could be told about %s (%s)", event.id, reason(error))
        text = f"A delivery failed three times: {event.kind} `{event.id}`. The log has the reason."
        await tell_ops(parts, event.id, text)
