"""What every handler in this room works with, put together once at the start."""

from dataclasses import dataclass, field

from slack_sdk.web.async_client import AsyncWebClient

from bot.office.cards import Surface
from bot.office.office import Office
from bot.rates import Latest
from bot.slack_app.braking import Working
from bot.slack_app.payloads import Place
from bot.slack_app.people import PLATFORM, People
from bot.slack_app.replying import Speech
from bot.slack_app.workspaces import Workspaces
from storage.records import ChannelRules, Conversation, Turn


@dataclass(slots=True, kw_only=True)
class Parts(Office):
    """The office, with Slack's workspaces and people."""

    platform: str = field(default=PLATFORM, init=False)
    workspaces: Workspaces
    people: People
    latest: Latest  # when each person last asked, by channel
    surface: Surface = field(init=False)  # set once there are parts to make it of
    working: dict[str, Working] = field(default_factory=dict[str, Working])  # answers on their way here, by turn id

    async def client(self, team: str) -> AsyncWebClient:
        return await self.workspaces.client(team)

    async def channel_rules(self, channel_key: str) -> ChannelRules:
        """By which rules the bot answers in the channel; as they begin where nothing was set."""
        known = await self.store.channels.get(self.platform, channel_key)
        return ChannelRules() if known is None else known.rules

    async def speech(self, team: str) -> Speech:
        bot = await self.workspaces.bot(team)
        return Speech(await self.client(team), self.store, bot.user, self.rules.domains, self.now)


def place_of(turn: Turn, conversation: Conversation) -> Place:
    """Where a question of Slack's stands, read back from the keys it was recorded under."""
    return Place.of(turn.key, conversation.external_id.rsplit("/", 1)[1])
