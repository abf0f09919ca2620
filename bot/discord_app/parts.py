"""What every handler in this room works with, put together once at the start."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import discord

from bot.discord_app.bursts import Bursts
from bot.discord_app.outgoing import UNREACHABLE, reason, room_at
from bot.discord_app.payloads import DIRECT, Person, Said, person_of
from bot.discord_app.people import PLATFORM, People
from bot.discord_app.replying import Speech
from bot.office import office
from bot.office.cards import Surface
from bot.office.verbs import Sign
from bot.rates import Latest
from storage.records import Actor, ChannelMode, ChannelRules, Reply, ThreadMode, Turn

log = logging.getLogger(__name__)

__all__ = ["PLATFORM", "Parts", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules(office.Rules):
    """What an operator chose for Discord."""

    default_thread_mode: ThreadMode = ThreadMode.THREAD
    escalation_role: str = ""  # its id; "": nobody is rung
    answers_direct: bool = False
    is_streaming: bool = False
    signs: Mapping[str, Sign] = field(default_factory=dict[str, Sign])  # further emoji, by picture, name or id
    quiet_for: timedelta | None = (
        None  # after the team's last words where they began to answer; None: until it is given back
    )
    footer: str = ""  # under each answer of a model; "": none


OfferDraft = Callable[[Turn, Said, bool], Awaitable[str]]
"""Answers a question without sending the answer, and shows it to the moderators; the bool says that an attempt died."""


async def _nobody_reads_drafts(turn: Turn, said: Said, is_again: bool) -> str:
    log.error("a draft in %s has nowhere to go", said.place.channel_key)
    return "nobody reads drafts"


@dataclass(slots=True)
class Working:
    """A reply that is being written, so that an edit or a deletion of its question is heeded at once."""

    task: asyncio.Task[tuple[Reply | None, str]]
    is_outdated: bool = False  # the question was edited: it is begun anew


@dataclass(slots=True, kw_only=True)
class Parts(office.Office):
    """The office, with Discord's client and people. `client` changes once where the bot has to do without an intent."""

    platform: str = field(default=PLATFORM, init=False)
    client: discord.Client
    people: People
    surface: Surface = field(init=False)  # set once there are parts to make it of
    rules: Rules  # pyright: ignore[reportIncompatibleVariableOverride]  # Discord's own, never exchanged
    latest: Latest  # when each person last asked, by channel
    bursts: Bursts  # what people are writing now
    is_reduced: bool = False  # without the message-content intent
    removing: set[str] = field(default_factory=set[str])  # ids of messages that we are taking away ourselves
    told: set[str] = field(default_factory=set[str])  # trouble that the team has heard of
    working: dict[str, Working] = field(default_factory=dict[str, "Working"])  # answers on their way, by turn id
    offer_draft: OfferDraft = field(default=_nobody_reads_drafts)

    @property
    def me(self) -> str:
        """The bot's own user id; "" before it has logged in."""
        return str(self.client.user.id) if self.client.user is not None else ""

    def room(self, room_key: str) -> discord.PartialMessageable:
        """A channel, thread or direct conversation to write in."""
        return room_at(self.client, room_key)

    def can_see(self, guild: str) -> bool:
        """Whether what is not found there is gone: always of direct messages, else while the server is in reach."""
        found = None if guild == DIRECT else self.client.get_guild(int(guild))
        return guild == DIRECT or (found is not None and not found.unavailable)

    def speech(self) -> Speech:
        """What showing a reply needs."""
        rules = self.rules
        return Speech(
            self.client, self.store, rules.domains, rules.is_streaming, self.removing, self.now, footer=rules.footer
        )

    async def actor(self, person: Person) -> Actor:
        """Who acts. Discord tells no roles in direct messages, so there they are looked up in the team's server."""
        member = await self._member(person.id) if person.guild == DIRECT else None
        return await self.people.actor(member or person)

    async def _member(self, user: str) -> Person | None:
        """Somebody in a server where one of our roles is; None where they are in none, or Discord does not tell."""
        for guild in self.client.guilds:
            if not any(guild.get_role(int(id)) for id in self.people.named if id.isdecimal()):
                continue
            try:
                return person_of(await guild.fetch_member(int(user)), str(guild.id))
            except discord.NotFound:
                continue
            except UNREACHABLE as error:
                log.warning("the roles of %s are not known (%s)", user, reason(error))
        return None

    async def channel(self, channel_key: str) -> tuple[ChannelMode, ChannelRules]:
        """When the bot speaks in the channel, and by which rules; the installation's where nothing was set."""
        known = await self.store.channels.get(PLATFORM, channel_key)
        if known is None:
            return self.unset_channel()
        return known.mode, replace(known.rules, threads=known.rules.threads or self.rules.default_thread_mode)

    def unset_channel(self) -> tuple[ChannelMode, ChannelRules]:
        """What holds in a channel for which nothing was set."""
        return self.rules.default_mode, ChannelRules(threads=self.rules.default_thread_mode)
