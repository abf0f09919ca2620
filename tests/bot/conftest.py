"""A team with a voice and one reply that they may judge; and a terminal to type commands in."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import answering, moderation
from bot.answering import Desk
from bot.chat import Question
from bot.moderation import Draft
from curation.dataset import Rules
from curation.workshop import Recipe, Workshop
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.records import Actor, Judgement, Reply, Right, Voice
from storage.store import Store
from tests.bot.terminal import Terminal
from tests.conftest import JUDGED, Clock


@dataclass
class Team:
    store: Store
    clock: Clock
    voice: Voice
    reply: Reply
    workshop: Workshop
    people: dict[str, Actor]

    def __getattr__(self, name: str) -> Actor:
        return self.people[name]

    async def propose(self, text: str = "Ahoy!") -> str:
        draft = Draft(text, Judgement.TONE)
        outcome = await moderation.correct(self.store, self.people["mia"], self.reply.id, draft, now=self.clock())
        return outcome.record.id


@pytest.fixture
async def team(store: Store, clock: Clock) -> Team:
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    rights = {
        "cleo": (),
        "mia": (Right.MODERATOR,),
        "noor": (Right.APPROVER,),
        "both": (Right.MODERATOR, Right.APPROVER),
        "ada": (Right.ADMIN,),
    }
    people = {
        name: await store.people.ensure_actor("console", name, name.title(), frozenset(given), at=clock())
        for name, given in rights.items()
    }

    def count(contents: list[str]) -> int:
        return 0

    provider = FakeProvider()
    desk = Desk(store, provider, count, Sampling(50), 500, "desk-1", clock, pauses_s=(0.0, 0.0))
    question = Question("console", "c1", "m1", "Where is it?", people["cleo"])
    turn, _ = await answering.record(store, voice, question, now=clock())

    async def nothing(_: str) -> None:
        return

    reply = await answering.answer(desk, turn, nothing)
    assert reply is not None
    recipe = Recipe(Rules(10, 2, 0.2, 500), None, JUDGED, Sampling(50), 500, 7)
    return Team(store, clock, voice, reply, Workshop(store, provider, provider, count, "none", recipe, clock), people)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    folder = tmp_path / "my shop"
    folder.mkdir()
    return Terminal(folder, monkeypatch, capsys)
