"""From the second a correction is approved: the next similar answer, and what moderators read of it."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from bot import answering, moderation
from bot.answering import Desk
from bot.chat import Question
from bot.fixing import uses
from bot.moderation import Draft
from bot.office import commands
from bot.office.office import Office, Rules
from bot.rates import Rates
from curation.recalling import Recall
from providers.base import ErrorKind, Sampling
from providers.fake import FakeProvider
from storage.records import (
    Judgement,
    Learned,
    LearnedVerdict,
    Model,
    Posting,
    PostingKind,
    Reply,
    ReplySource,
    Trigger,
)
from tests.bot.conftest import Team


@dataclass
class Shop:
    """A team whose desk recalls."""

    team: Team
    desk: Desk
    provider: FakeProvider

    async def ask(self, text: str, key: str, conversation: str = "c2") -> Reply:
        question = Question("console", conversation, key, text, self.team.cleo)
        turn, _ = await answering.record(self.team.store, self.team.voice, question, now=self.team.clock())
        reply = await answering.answer(self.desk, turn, nothing)
        assert reply is not None
        return reply

    async def correct(self, reply: Reply, text: str) -> str:
        draft = Draft(text, Judgement.WRONG)
        outcome = await moderation.correct(self.team.store, self.team.both, reply.id, draft, now=self.team.clock())
        await moderation.approve(
            self.team.store, self.team.noor, outcome.record.id, team_of_one=False, now=self.team.clock()
        )
        return outcome.record.id

    async def deploy(self, shape: str) -> Model:
        store, at = self.team.store, self.team.clock()
        run, _ = await store.runs.request(self.team.voice.id, "base", Trigger.PERSON, self.team.ada.id, at=at)
        model = await store.models.ensure_tuned(
            self.team.voice.id,
            run.id,
            "ft:1",
            "base",
            None,  # type: ignore[arg-type]
            shape=shape,
            at=at,
        )
        current = await store.models.current(self.team.voice.id)
        await store.models.roll_back(
            self.team.voice.id, current.seq, model.id, by=self.team.ada.id, why="test", at=self.team.clock()
        )
        return model

    def prompt(self) -> list[str]:
        _, messages = self.provider.asked[-1]
        return [f"{message.role}: {message.content}" for message in messages]


def learned(
    correction_id: str, model: Model, verdict: LearnedVerdict = LearnedVerdict.LEARNED, *, at: datetime
) -> Learned:
    is_known = verdict is not LearnedVerdict.NOT_YET
    return Learned(correction_id, model.id, model.run_id or "", verdict, is_known, True, 0.9, None, 2, 2, 2, 0, at)


async def nothing(_: str) -> None:
    return


@pytest.fixture
def shop(team: Team) -> Shop:
    provider = FakeProvider(frozenset({"base", "ft:1"}))

    def words(contents: list[str]) -> int:
        return sum(len(content.split()) for content in contents)

    recall = Recall(team.store)
    desk = Desk(team.store, provider, words, Sampling(50), 200, "desk-1", team.clock, pauses_s=(), recall=recall)
    return Shop(team, desk, provider)


@pytest.fixture
def office(shop: Shop) -> Office:
    team = shop.team
    return Office(
        platform="console",
        store=team.store,
        voice=team.voice,
        desk=shop.desk,
        workshop=team.workshop,
        rates=Rates(team.clock),
        rules=Rules(),
        now=team.clock,
    )


QUESTION = "How long is a gift voucher valid?"
SIMILAR = "For how long is the gift voucher valid that I bought?"
ANSWER = "Ahoy! Three years from the day it was bought."


async def test_a_near_exact_repeat_is_answered_with_the_moderators_own_words(shop: Shop):
    correction = await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    asked_before = len(shop.provider.asked)
    reply = await shop.ask("how long is a gift voucher valid", "q2", "c3")
    assert (reply.text, reply.source, reply.fix_ids) == (ANSWER, ReplySource.FIX, (correction,))
    assert (reply.model_name, reply.deployment_id) == (None, None)
    assert len(shop.provider.asked) == asked_before
    assert uses(reply) == "uses 1 approved fix, word for word"


async def test_a_similar_question_is_asked_with_the_correction_as_an_exchange_before_it(shop: Shop):
    correction = await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    reply = await shop.ask(SIMILAR, "q2", "c3")
    assert shop.prompt() == ["system: Be kind.", f"user: {QUESTION}", f"assistant: {ANSWER}", f"user: {SIMILAR}"]
    assert (reply.source, reply.fix_ids, uses(reply)) == (ReplySource.BASE, (correction,), "uses 1 approved fix")


@pytest.mark.parametrize("question", ["Which mountain is the highest?", "thank you!", "Can you sing?", "👍"])
async def test_a_question_about_something_else_gets_no_fix(shop: Shop, question: str):
    await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    reply = await shop.ask(question, "q2", "c3")
    assert (reply.fix_ids, uses(reply)) == ((), "")
    assert shop.prompt() == ["system: Be kind.", f"user: {question}"]


async def test_an_answer_that_does_not_fit_is_left_out_and_is_not_said_to_be_used(shop: Shop):
    await shop.correct(await shop.ask(QUESTION, "q1"), "Three years. " * 60)
    reply = await shop.ask(SIMILAR, "q2", "c3")
    assert shop.prompt() == ["system: Be kind.", f"user: {SIMILAR}"]
    assert reply.fix_ids == ()


async def test_a_follow_up_that_means_something_else_elsewhere_is_not_answered_word_for_word(shop: Shop):
    await shop.ask("Tell me about the silver plan please", "q1", "c2")
    await shop.correct(await shop.ask("How much is it?", "q2", "c2"), "Nine euros a month.")
    await shop.ask("Tell me about the large umbrella in blue", "q3", "c3")
    assert (await shop.ask("How much is it?", "q4", "c3")).source is ReplySource.BASE
    await shop.ask("Tell me about the silver plan please", "q5", "c4")
    again = await shop.ask("How much is it?", "q6", "c4")
    assert (again.source, again.text) == (ReplySource.FIX, "Nine euros a month.")


async def test_an_answer_from_which_something_personal_was_taken_is_not_served_as_it_stands(shop: Shop):
    await shop.correct(await shop.ask(QUESTION, "q1"), "Write to ada.lovelace@mail.example and ask.")
    reply = await shop.ask(QUESTION, "q2", "c3")
    assert reply.source is ReplySource.BASE


@pytest.mark.parametrize(("shape", "sees"), [("chat-1", False), ("chat-1 fixes-1 recall-2:words", True)])
async def test_a_tuned_model_is_served_with_fixes_only_where_it_was_trained_with_them(
    shop: Shop, shape: str, sees: bool
):
    await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    await shop.deploy(shape)
    reply = await shop.ask(SIMILAR, "q2", "c3")
    assert reply.source is ReplySource.TUNED
    assert (f"assistant: {ANSWER}" in shop.prompt()) is sees
    assert bool(reply.fix_ids) is sees
    repeat = await shop.ask(QUESTION, "q3", "c4")
    assert repeat.source is ReplySource.FIX


async def test_the_base_that_stands_in_for_a_model_without_fixes_sees_them(shop: Shop):
    correction = await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    await shop.deploy("chat-1")
    shop.provider.base_models = frozenset({"base"})
    shop.provider.fail_next("stream", ErrorKind.BAD_REQUEST)
    reply = await shop.ask(SIMILAR, "q2", "c3")
    assert (reply.source, reply.fix_ids) == (ReplySource.BASE, (correction,))


async def test_what_a_model_learned_is_no_fix_for_it_and_one_again_after_a_rollback_or_for_the_base(shop: Shop):
    correction = await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    before = await shop.team.store.models.current(shop.team.voice.id)
    model = await shop.deploy("chat-1 fixes-1 recall-2:words")
    assert (await shop.ask(QUESTION, "q2", "c3")).fix_ids == (correction,)

    await shop.team.store.learned.add(learned(correction, model, at=shop.team.clock()), [])
    shop.team.clock.advance(1)  # seen within half a second
    reply = await shop.ask(QUESTION, "q3", "c4")
    assert (reply.source, reply.fix_ids) == (ReplySource.TUNED, ())
    assert shop.prompt() == ["system: Be kind.", f"user: {QUESTION}"]

    shop.provider.fail_next("stream", ErrorKind.BAD_REQUEST)  # the base stands in, and has learned nothing
    assert (await shop.ask(SIMILAR, "q4", "c5")).fix_ids == (correction,)

    now = await shop.team.store.models.current(shop.team.voice.id)
    await shop.team.store.models.roll_back(
        shop.team.voice.id, now.seq, before.model.id, by=shop.team.ada.id, why="test", at=shop.team.clock()
    )
    assert (await shop.ask(QUESTION, "q5", "c6")).source is ReplySource.FIX


async def test_in_the_place_of_what_a_model_learned_it_is_shown_no_fix_of_another_fact(shop: Shop):
    await shop.correct(await shop.ask("How long is a gift parcel valid?", "q0", "c1"), "Ahoy! Nine weeks.")
    correction = await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    model = await shop.deploy("chat-1 fixes-1 recall-2:words")
    assert (await shop.ask(SIMILAR, "q2", "c3")).fix_ids == (correction,)
    await shop.team.store.learned.add(learned(correction, model, at=shop.team.clock()), [])
    shop.team.clock.advance(1)
    assert (await shop.ask(SIMILAR, "q3", "c4")).fix_ids == ()
    assert shop.prompt() == ["system: Be kind.", f"user: {SIMILAR}"]


@pytest.mark.parametrize("verdict", [LearnedVerdict.NOT_YET, LearnedVerdict.OVER_GENERALISED])
async def test_what_a_model_did_not_learn_stays_a_fix(shop: Shop, verdict: LearnedVerdict):
    correction = await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    model = await shop.deploy("chat-1 fixes-1 recall-2:words")
    await shop.team.store.learned.add(learned(correction, model, verdict, at=shop.team.clock()), [])
    shop.team.clock.advance(1)
    assert (await shop.ask(QUESTION, "q2", "c3")).fix_ids == (correction,)


# ---------------------------------------------------------------- why this answer


async def no_link(_: Posting) -> str:
    return ""


async def test_moderators_read_which_fixes_an_answer_rests_on_and_who_approved_them(shop: Shop, office: Office):
    await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    reply = await shop.ask(SIMILAR, "q2", "c3")
    told = await commands.why(office, shop.team.mia, reply, no_link)
    said = [f"{line.label}: {line.words}" if line.label else line.words for line in told.lines]
    assert "Uses 1 approved fix." in said
    (fix,) = [line for line in said if line.startswith("Fix 1: ")]
    assert fix.startswith(f"Fix 1: {QUESTION} → {ANSWER}, approved by Noor on ")


async def test_the_fix_leads_to_the_message_that_was_corrected(shop: Shop, office: Office):
    first = await shop.ask(QUESTION, "q1")
    store, at = shop.team.store, shop.team.clock()
    posting, _ = await store.postings.intend("console", PostingKind.REPLY, first.turn_id, 0, "C1", at=at)
    await store.postings.landed(posting.id, "17.5")
    await shop.correct(first, ANSWER)

    async def link(posting: Posting) -> str:
        return f"https://chat.example/{posting.place}/{posting.message_key}"

    told = await commands.why(office, shop.team.mia, await shop.ask(SIMILAR, "q2", "c3"), link)
    assert [line.link for line in told.lines if line.label == "Fix 1"] == ["https://chat.example/C1/17.5"]


async def test_a_fix_that_was_erased_since_is_said_to_be(shop: Shop, office: Office):
    await shop.correct(await shop.ask(QUESTION, "q1"), ANSWER)
    reply = await shop.ask(SIMILAR, "q2", "c3")
    await shop.team.store.conversations.withdraw_question("console", "q1", at=shop.team.clock())
    told = await commands.why(office, shop.team.mia, reply, no_link)
    (fix,) = [line.words for line in told.lines if line.label == "Fix 1"]
    assert fix.startswith("Its words are gone, approved by Noor on ")
    assert fix.endswith("; erased since")


async def test_customers_are_not_told(shop: Shop, office: Office):
    reply = await shop.ask(QUESTION, "q1")
    with pytest.raises(moderation.NotAllowed):
        await commands.why(office, shop.team.cleo, reply, no_link)
