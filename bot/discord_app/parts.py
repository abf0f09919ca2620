"""What every handler in this room works with, put together once at the start."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

import discord

from bot.answering import Desk
from bot.discord_app.outgoing import room_at
from bot.discord_app.payloads import Said
from bot.discord_app.people import PLATFORM, People
from bot.discord_app.replying import Speech
from bot.rates import Latest, Rates
from curation.retrain import Workshop
from storage.records import ChannelMode, ChannelRules, PostingKind, Reply, ThreadMode, Turn, Voice
from storage.store import Store

log = logging.getLogger(__name__)

__all__ = ["PLATFORM", "Parts", "Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator chose for Discord."""

    default_mode: ChannelMode = ChannelMode.MENTION
    default_thread_mode: ThreadMode = ThreadMode.THREAD
    review_channel: str = ""  # ids; "" where there is none
    triage_channel: str = ""
    ops_channel: str = ""
    escalation_role: str = ""
    domains: Collection[str] = ()  # that links may lead to
    answers_direct: bool = False
    is_streaming: bool = False
    questions_per_minute: int = 6  # of one person; 0: no limit
    channel_questions_per_minute: int = 60
    team_of_one: bool = True


OfferDraft = Callable[[Turn, Said, bool], Awaitable[str]]
"""Answers a question without sending the answer, and shows it to the moderators; the bool says that an attempt died."""


async def _nobody_reads_drafts(turn: Turn, said: Said, is_again: bool) -> str:
    log.error("a draft in %s has nowhere to go", said.place.channel_key)
    return "nobody reads drafts"


@dataclass(slots=True)
class Working:
    """A reply that is being written, so that an edit or a deletion of its question is heeded at once."""

    task: asyncio.Task[Reply | None]
    is_outdated: bool = False  # the question was edited: it is begun anew


@dataclass(slots=True)
class Parts:
    """The store, the model's desk, the client and the rules. `client` changes once where the bot has to do without an intent."""

    client: discord.Client
    store: Store
    voice: Voice
    desk: Desk
    workshop: Workshop
    people: People
    rates: Rates
    rules: Rules
    latest: Latest  # when each person last asked, by channel
    now: Callable[[], datetime]
    is_reduced: bool = False  # without the message-content intent
    removing: set[str] = field(default_factory=set[str])  # ids of messages that we are taking away ourselves
    told: set[str] = field(default_factory=set[str])  # trouble that the team has heard of
    working: dict[str, Working] = field(default_factory=dict[str, "Working"])  # answers on their way, by turn id
    offer_draft: OfferDraft = field(default=_nobody_reads_drafts)
    wake_board: Callable[[], None] = field(default=lambda: None)  # something that a card shows has changed

    @property
    def me(self) -> str:
        """The bot's own user id; "" before it has logged in."""
        return str(self.client.user.id) if self.client.user is not None else ""

    def room(self, room_key: str) -> discord.PartialMessageable:
        """A channel, thread or direct conversation to write in."""
        return room_at(self.client, room_key)

    def speech(self) -> Speech:
        """What showing a reply needs."""
        return Speech(self.client, self.store, self.rules.domains, self.rules.is_streaming, self.removing, self.now)

    async def channel(self, channel_key: str) -> tuple[ChannelMode, ChannelRules]:
        """When the bot speaks in the channel, and by which rules; the installation's where nothing was set."""
        known = await self.store.channels.get(PLATFORM, channel_key)
        if known is None:
            return self.rules.default_mode, ChannelRules(threads=self.rules.default_thread_mode)
        return known.mode, replace(known.rules, threads=known.rules.threads or self.rules.default_thread_mode)

    async def mode(self, channel_key: str) -> ChannelMode:
        """When the bot speaks in the channel."""
        channel = await self.store.channels.get(PLATFORM, channel_key)
        return channel.mode if channel is not None else self.rules.default_mode

    async def may_train(self, channel_key: str) -> bool:
        channel = await self.store.channels.get(PLATFORM, channel_key)
        return channel is None or channel.is_training_allowed

    async def reply_at(self, room_key: str, message_id: str) -> Reply | None:
        """The reply that a message of ours is a part of; None for every other message."""
        posting = await self.store.postings.at(PLATFORM, room_key, message_id)
        if posting is None or posting.kind is not PostingKind.REPLY:
            return None
        return await self.store.conversations.reply_to(posting.subject)
