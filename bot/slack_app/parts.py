"""What every handler in this room works with, put together once at the start."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.answering import Desk
from bot.rates import Rates
from bot.slack_app.payloads import Place
from bot.slack_app.people import People
from bot.slack_app.replying import Speech
from bot.slack_app.workspaces import Workspaces
from curation.retrain import Workshop
from storage.records import ChannelMode, Conversation, PostingKind, Reply, Turn, Voice
from storage.store import Store

PLATFORM = "slack"


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator chose for Slack."""

    default_mode: ChannelMode = ChannelMode.MENTION
    review_channel: str = ""  # ids; "" where there is none
    triage_channel: str = ""
    ops_channel: str = ""
    domains: Collection[str] = ()  # that links may lead to
    questions_per_minute: int = 6  # of one person; 0: no limit
    channel_questions_per_minute: int = 60
    team_of_one: bool = True


@dataclass(slots=True)
class Parts:
    """The store, the model's desk, the workspaces and the rules."""

    store: Store
    voice: Voice
    desk: Desk
    workshop: Workshop
    workspaces: Workspaces
    people: People
    rates: Rates
    rules: Rules
    now: Callable[[], datetime]
    wake_board: Callable[[], None] = field(default=lambda: None)  # something that a card shows has changed

    async def client(self, team: str) -> AsyncWebClient:
        return await self.workspaces.client(team)

    async def speech(self, team: str) -> Speech:
        bot = await self.workspaces.bot(team)
        return Speech(await self.client(team), self.store, bot.user, self.rules.domains, self.now)

    async def mode(self, channel_key: str) -> ChannelMode:
        """When the bot speaks in the channel."""
        channel = await self.store.channels.get(PLATFORM, channel_key)
        return channel.mode if channel is not None else self.rules.default_mode

    async def may_train(self, channel_key: str) -> bool:
        channel = await self.store.channels.get(PLATFORM, channel_key)
        return channel is None or channel.is_training_allowed

    async def reply_at(self, channel_key: str, ts: str) -> Reply | None:
        """The reply that a message of ours is a part of; None for every other message."""
        posting = await self.store.postings.at(PLATFORM, channel_key, ts)
        if posting is None or posting.kind is not PostingKind.REPLY:
            return None
        return await self.store.conversations.reply_to(posting.subject)


def place_of(turn: Turn, conversation: Conversation) -> Place:
    """Where a question of Slack's stands, read back from the keys it was recorded under."""
    team, channel, ts = turn.key.split("/")
    return Place(team, channel, ts, conversation.external_id.rsplit("/", 1)[1])
