"""Moderators are asked a few questions a day, within their hours, where models disagree on what several people ask."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot import answering, moderation
from bot.answering import Desk
from bot.chat import Question
from bot.doubting import AskingRules, look
from curation.recall import Place
from curation.recalling import Recall
from curation.workshop import Workshop
from providers.base import Message, ProviderError, Sampling
from providers.fake import FakeProvider
from storage.records import Judgement
from tests.bot.conftest import Team
from tests.storage.scenes import Scene, an_evaluated_run

ALWAYS = AskingRules(3, "", "UTC")
HOLIDAY = "When do you open on a bank holiday?"
FAROE = "Do you ship to the Faroe Islands?"
KETTLE = "Is the copper kettle safe for induction?"
WOOL = "What kind of wool is the blanket made from?"
PAYING = "Can a school pay its order by invoice?"


class Known:
    """A recall that knows the answers to some questions."""

    def __init__(self, *questions: str) -> None:
        self.questions = questions

    async def fixes_for(self, question: str, place: Place, **_: Any) -> tuple[str, ...]:
        return tuple(known for known in self.questions if known == question)


def disagreeing(model: str, messages: Sequence[Message]) -> str:
    """Two models that agree on nothing but paying."""
    if "pay" in messages[-1].content:
        return "Yes, by invoice."
    return "Certainly, at any time." if model == "base" else "Never! 42"


@dataclass
class Shop:
    """A voice with two models and what people ask of it."""

    team: Team
    workshop: Workshop
    desk: Desk
    provider: FakeProvider

    async def ask(self, question: str, *names: str) -> None:
        async def unheard(_: str) -> None:
            return

        team = self.team
        for name in names:
            key = f"{name}/{question}/{len(self.provider.asked)}"
            asked = Question("console", key, key, question, team.people[name])
            turn, _ = await answering.record(team.store, team.voice, asked, now=team.clock())
            assert await answering.answer(self.desk, turn, unheard) is not None

    async def look(self, rules: AskingRules = ALWAYS, *, known: Sequence[str] = ()) -> int:
        desk = replace(self.desk, recall=cast(Recall, Known(*known)))
        return await look(self.workshop, desk, self.team.voice, rules)

    async def asked_about(self) -> list[str]:
        long_ago = self.team.clock() - timedelta(days=400)
        return [question for _, question in await self.team.store.doubts.chosen_since(self.team.voice.id, long_ago)]


@pytest.fixture
async def shop(team: Team) -> Shop:
    run, model = await an_evaluated_run(Scene(team.store, team.clock, team.voice, team.people["ada"]))
    assert run.voice_id == team.voice.id
    provider = FakeProvider(frozenset({"base", model.name}), disagreeing)
    desk = Desk(team.store, provider, lambda contents: 0, Sampling(50), 500, "desk-1", team.clock, pauses_s=(0.0, 0.0))
    return Shop(team, replace(team.workshop, chat_model=provider), desk, provider)


async def test_what_two_people_ask_and_two_models_disagree_on_is_asked_about_once(shop: Shop):
    await shop.ask(HOLIDAY, "cleo", "ada")
    await shop.ask(FAROE, "cleo")
    assert await shop.look() == 1
    assert await shop.asked_about() == [HOLIDAY]
    (entry,) = [each for each in await shop.team.store.audit.entries(5) if each.verb == "ask"]
    assert entry.actor_id == "actor_finetone"
    await shop.ask(HOLIDAY, "mia", "noor")
    assert await shop.look() == 0
    shop.team.clock.advance(31 * 86_400)
    await shop.ask(HOLIDAY, "both", "cleo")
    assert await shop.look() == 1


async def test_no_more_are_asked_than_a_day_takes(shop: Shop):
    for question in (HOLIDAY, FAROE, KETTLE, WOOL):
        await shop.ask(question, "cleo", "ada")
    two = replace(ALWAYS, a_day=2)
    assert [await shop.look(two), await shop.look(two)] == [2, 0]
    shop.team.clock.advance(86_401)
    assert await shop.look(two) == 2
    assert sorted(await shop.asked_about()) == sorted([HOLIDAY, FAROE, KETTLE, WOOL])


async def test_nothing_is_asked_where_models_agree_or_a_correction_answers(shop: Shop):
    await shop.ask(PAYING, "cleo", "ada")
    await shop.ask(FAROE, "cleo", "ada")
    assert await shop.look(known=[FAROE]) == 0
    assert await shop.look() == 1
    assert await shop.asked_about() == [FAROE]


async def test_what_was_judged_or_corrected_is_not_asked_about(shop: Shop):
    await shop.ask(HOLIDAY, "cleo", "ada")
    store, team = shop.team.store, shop.team
    (one, other) = [
        each
        for each in await store.doubts.asked_since(team.voice.id, datetime(2000, 1, 1, tzinfo=UTC), 9)
        if each.question == HOLIDAY
    ]
    await moderation.mark(store, team.people["mia"], one.reply_id, Judgement.GOOD, now=team.clock())
    assert await shop.look() == 0
    draft = moderation.Draft("At ten.", Judgement.WRONG)
    await moderation.correct(store, team.people["mia"], other.reply_id, draft, now=team.clock())
    left = await store.doubts.asked_since(team.voice.id, datetime(2000, 1, 1, tzinfo=UTC), 9)
    assert HOLIDAY not in [each.question for each in left]


@pytest.mark.parametrize(
    "rules", [replace(ALWAYS, a_day=0), AskingRules(3, "Mon-Sun 02:00-02:01", "UTC")], ids=["off", "quiet hours"]
)
async def test_nothing_is_asked_when_it_is_off_or_in_quiet_hours(shop: Shop, rules: AskingRules):
    await shop.ask(HOLIDAY, "cleo", "ada")
    before = len(shop.provider.asked)
    assert await shop.look(rules) == 0
    assert len(shop.provider.asked) == before


async def test_a_voice_with_one_model_asks_nothing_and_a_model_that_is_gone_is_no_error(shop: Shop, team: Team):
    await shop.ask(HOLIDAY, "cleo", "ada")
    shop.provider.base_models = frozenset({"base"})
    assert await shop.look() == 0
    shop.provider.fail_next("stream", "rate_limit")
    with pytest.raises(ProviderError):
        await shop.look()
