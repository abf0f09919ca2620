"""The real Slack app in an emulated workspace, with a scripted model: what tests ask, click and read is what people would."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler

from bot.answering import Desk
from bot.program import Program, tariff_of
from bot.settings import Settings
from bot.slack_app.serve import Running, slack
from curation.dataset import Rules
from curation.worker import Pace
from curation.workshop import Recipe, Workshop
from providers.base import Message as ModelMessage
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.records import Voice
from storage.store import Store
from tests.conftest import JUDGED, Clock
from tests.curation.conftest import words
from tests.slack.conftest import door, no_proxy, program, second_workspace, wire, workspace
from tests.slack.place import Message
from tests.slack.workspace import Workspace

__all__ = ["door", "no_proxy", "program", "second_workspace", "wire", "workspace"]

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
    """The app, its store and its workspace; `serving` may be left and entered again, as a restart would."""

    workspace: Workspace
    store: Store
    voice: Voice
    provider: FakeProvider
    clock: Clock
    data_dir: Path
    settings: dict[str, object] = field(default_factory=dict[str, object])
    running: Running | None = None
    reply_s: float = 5.0  # the longest a reply may take

    @asynccontextmanager
    async def serving(self, owner: str = "bot-1", **more: object) -> AsyncGenerator[Running]:
        async with slack(self.program(owner, **more), is_http=True) as running:
            self.running = running
            stop = asyncio.Event()
            working = asyncio.create_task(running.work(stop))
            try:
                async with self.workspace.door.serving(AsyncSlackRequestHandler(running.app.bolt)):
                    yield running
            finally:
                stop.set()
                await working

    def program(self, owner: str, **more: object) -> Program:
        there = self.workspace
        usual: dict[str, object] = {
            "data_dir": self.data_dir,
            "slack_bot_token": SecretStr(there.bot_token),
            "slack_signing_secret": SecretStr(there.signing_secret),
            "slack_api_url": there.wire.api_url,
            "slack_moderators": there.moderator.user_id,
            "slack_approvers": there.approver.user_id,
            "slack_admins": there.admin.user_id,
            "slack_review_channel": there.review.id,
            "slack_triage_channel": there.triage.id,
            "team_of_one": False,
            "questions_per_minute": 0,
        }
        settings = Settings(_env_file=None, **(usual | self.settings | more))  # type: ignore[call-arg, arg-type]
        sampling = Sampling(200)
        desk = Desk(self.store, self.provider, words, sampling, 2000, owner, self.clock, pauses_s=(0.0, 0.0))
        recipe = Recipe(Rules(10, 2, 0.2, 1000), None, JUDGED, sampling, 2000, 7)
        tariff = tariff_of(settings, self.clock().date())
        workshop = Workshop(self.store, self.provider, self.provider, words, "words", recipe, self.clock, tariff)
        pace = Pace(0.03, 0.03, 0.03)
        return Program(settings, self.store, self.voice, desk, workshop, pace, NoCounter(), False)  # type: ignore[arg-type]

    async def asked(self, text: str = "Where is my parcel?") -> tuple[Message, Message]:
        """A customer mentions the bot in the support channel; the question and the bot's reply."""
        question = await self.workspace.mention(self.workspace.customer, self.workspace.support, text)
        return question, await self.reply_to(question)

    async def reply_to(self, question: Message) -> Message:
        """The bot's newest message under a question, once there is one that is whole."""

        async def found() -> Message | None:
            replies = await self.workspace.replies(question)
            return replies[-1] if replies and replies[-1].blocks else None

        return await self.workspace.until(found, self.reply_s)


@pytest.fixture
async def shop(workspace: Workspace, store: Store, clock: Clock, tmp_path: Path) -> Shop:
    """The app as one workspace runs it, not serving yet."""
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    return Shop(workspace, store, voice, FakeProvider(script=answers), clock, tmp_path / "data")


@pytest.fixture
async def open_shop(shop: Shop) -> AsyncIterator[Shop]:
    """The app, serving."""
    async with shop.serving():
        yield shop
