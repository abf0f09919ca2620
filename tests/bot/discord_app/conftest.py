"""The real Discord app in a guild, with a scripted model: what tests say, click and read is what people would."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import discord
import pytest
from pydantic import SecretStr

from bot.answering import Desk
from bot.discord_app.bursts import Pause
from bot.discord_app.serve import Running, discord_app
from bot.inbox import LEASE_S
from bot.program import Program, tariff_of
from bot.settings import Settings
from curation.dataset import Rules
from curation.worker import Pace
from curation.workshop import Recipe, Workshop
from providers.base import Message as ModelMessage
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.records import ChannelMode, ChannelRules, Voice
from storage.store import Store
from tests.conftest import JUDGED, Clock
from tests.curation.conftest import words
from tests.discord.conftest import hurry, recorded, recorder, stub
from tests.discord.guild import Guild, open_guild
from tests.discord.own_stub import TOKEN
from tests.discord.place import Channel, Message
from tests.discord.rest import Recorder
from tests.discord.world import LEAST

__all__ = ["hurry", "recorded", "recorder", "stub"]

ANSWER = "It is on its way."


def answers(model: str, messages: Sequence[ModelMessage]) -> str:
    """What the scripted model says: one sentence, or what the question asks for."""
    question = messages[-1].content
    return question.removeprefix("say ") if question.startswith("say ") else ANSWER


class NoCounter:
    """Counts words where a program would count tokens."""

    name = "words"

    def count_messages(self, contents: Sequence[str]) -> int:
        return words(list(contents))


@dataclass
class Shop:
    """The app, its store and its guild; `opened` may be left and entered again."""

    recorder: Recorder
    store: Store
    voice: Voice
    provider: FakeProvider
    clock: Clock
    data_dir: Path
    settings: dict[str, object] = field(default_factory=dict[str, object])
    pause: Pause | None = None  # in which a question may go on
    guild: Guild = field(init=False)
    running: Running = field(init=False)
    _stop: asyncio.Event = field(init=False)
    _working: "asyncio.Task[None]" = field(init=False)

    @asynccontextmanager
    async def opened(
        self,
        *,
        permissions: discord.Permissions = LEAST,
        approved: discord.Intents | None = None,
        is_reduced: bool = False,
        **more: object,
    ) -> AsyncGenerator["Shop"]:
        """The app serving a guild, for the length of a block. Settings are by name; ids of channels are filled in."""
        self.settings |= more

        def build(guild: Guild) -> discord.Client:
            self.guild = guild
            return self.client(is_reduced=is_reduced)

        async with open_guild(build, self.recorder, permissions=permissions, approved=approved):
            self._begin()
            try:
                yield self
            finally:
                self._stop.set()
                await self._working

    def _begin(self) -> None:
        self._stop = asyncio.Event()
        self._working = asyncio.create_task(self.running.work(self._stop))

    async def crashes(self, owner: str = "bot-1") -> None:
        """The process dies wherever it stands, and another one comes: under the same name, or under its own."""
        for tasks in (
            [task for task in asyncio.all_tasks() if task.get_name().startswith("discord ")],
            [self._working],
        ):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self.guild.crash(self.client(owner))
        self._begin()

    async def taken_up(self, after_s: float = LEASE_S + 1) -> None:
        """Time passes, and what a dead process left is worked on."""
        self.clock.advance(after_s)
        inbox = self.running.app.inbox
        await inbox._start()
        await inbox._take_left()
        await asyncio.gather(*inbox._tasks.values())
        await self.guild.settle()

    def client(self, owner: str = "bot-1", *, is_reduced: bool = False, **more: object) -> discord.Client:
        """Another process's client over the same store, not connected yet."""
        program = self.program(self.guild, owner, **more)
        self.running = discord_app(program, is_reduced=is_reduced, pause=self.pause)
        return self.running.client

    def program(self, there: "Guild | object", owner: str = "bot-1", **more: object) -> Program:
        assert isinstance(there, Guild) or hasattr(there, "world")
        world = there.world  # type: ignore[union-attr]
        usual: dict[str, object] = {
            "data_dir": self.data_dir,
            "discord_token": SecretStr(TOKEN),
            "discord_moderators": str(world.roles["moderators"].id),
            "discord_approvers": str(world.roles["approvers"].id),
            "discord_admins": str(world.roles["admins"].id),
            "discord_review_channel": str(world.channels["review"].id),
            "discord_triage_channel": str(world.channels["triage"].id),
            "discord_ops_channel": str(world.channels["ops"].id),
            "team_of_one": False,
            "questions_per_minute": 0,
            "discord_footer": "none",
        }
        settings = Settings(_env_file=None, **(usual | self.settings | more))  # type: ignore[call-arg, arg-type]
        sampling = Sampling(2_000)
        desk = Desk(self.store, self.provider, words, sampling, 2000, owner, self.clock, pauses_s=(0.0, 0.0))
        recipe = Recipe(Rules(10, 2, 0.2, 1000), None, JUDGED, sampling, 2000, 7)
        tariff = tariff_of(settings, self.clock().date())
        workshop = Workshop(self.store, self.provider, self.provider, words, "words", recipe, self.clock, tariff)
        pace = Pace(0.01, 0.01, 0.01)
        return Program(settings, self.store, self.voice, desk, workshop, pace, NoCounter(), False)  # type: ignore[arg-type]

    async def asked(self, text: str = "Where is my parcel?") -> tuple[Message, Message]:
        """A customer mentions the bot in the support channel; the question and the bot's first reply."""
        question = await self.guild.mention(self.guild.customer, self.guild.support, text)
        return question, self.guild.replies(question)[0]

    async def set_channel(
        self, channel: Channel, mode: ChannelMode = ChannelMode.MENTION, rules: ChannelRules | None = None
    ) -> None:
        """Set it as an admin would."""
        place, by = f"{self.guild.id}/{channel.id}", "actor_finetone"
        await self.store.channels.set("discord", place, mode, True, by, rules=rules, at=self.clock())

    def guild_now(self) -> datetime:
        """The moment by the guild's clock, which its messages carry."""
        return self.guild.backend.clock.now()

    def prompts(self) -> list[str]:
        """The last message of everything that the model was asked."""
        return [messages[-1].content for _, messages in self.provider.asked]


@pytest.fixture
async def shop(recorder: Recorder, store: Store, clock: Clock, tmp_path: Path) -> Shop:
    """The app as one operator runs it, not serving yet."""
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    return Shop(recorder, store, voice, FakeProvider(script=answers), clock, tmp_path / "data")


@pytest.fixture
async def open_shop(shop: Shop) -> AsyncIterator[Shop]:
    """The app, serving."""
    async with shop.opened():
        yield shop
