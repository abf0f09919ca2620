"""Every verb checks the right, acts once and says what happened."""

from dataclasses import dataclass

import pytest

from bot import answering, moderation
from bot.answering import Desk
from bot.chat import Question
from bot.moderation import Draft, NotAllowed
from bot.text import TextRefused
from curation.dataset import Rules
from curation.imports import Answer
from curation.promotion import NothingToRollBackTo
from curation.retrain import Recipe, Workshop
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.errors import AlreadyDecided
from storage.records import Actor, CorrectionState, Judgement, Reply, Right, Voice
from storage.store import Store
from tests.conftest import Clock


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
    recipe = Recipe(Rules(10, 2, 0.2, 500), None, 0.02, Sampling(50), 500, 7)
    return Team(store, clock, voice, reply, Workshop(store, provider, provider, count, "none", recipe, clock), people)


async def test_anyone_may_judge_and_change_their_mind(team: Team):
    await moderation.mark(team.store, team.cleo, team.reply.id, Judgement.GOOD, now=team.clock())
    outcome = await moderation.mark(team.store, team.cleo, team.reply.id, Judgement.WRONG, now=team.clock())
    assert outcome.said == "Thanks, noted as not right."
    kept = await team.store.feedback.for_reply(team.reply.id)
    assert [feedback.judgement for feedback in kept] == [Judgement.WRONG]
    assert (await moderation.unmark(team.store, team.cleo, team.reply.id, now=team.clock())).record
    assert not (await moderation.unmark(team.store, team.cleo, team.reply.id, now=team.clock())).record


async def test_a_flag_asks_for_a_moderator(team: Team):
    await moderation.mark(team.store, team.cleo, team.reply.id, Judgement.UNSAFE, flag=True, now=team.clock())
    assert [f.reply_id for f in await team.store.feedback.flagged(team.voice.id, 10)] == [team.reply.id]


async def test_a_correction_keeps_question_reply_and_context(team: Team):
    correction = await team.store.corrections.get(await team.propose("Ahoy, it is on its way!"))
    assert correction.question == "Where is it?"
    assert correction.served_text == "[base] Where is it?"
    assert correction.state is CorrectionState.PROPOSED
    assert correction.proposed_by == team.mia.id


@pytest.mark.parametrize("who", ["cleo", "noor", "ada"])
async def test_only_a_moderator_corrects(team: Team, who: str):
    with pytest.raises(NotAllowed, match=f"Only a moderator can correct a reply, and {who.title()} is not one"):
        await moderation.correct(
            team.store, team.people[who], team.reply.id, Draft("Ahoy", Judgement.TONE), now=team.clock()
        )


@pytest.mark.parametrize("who", ["cleo", "mia", "ada"])
async def test_only_an_approver_decides(team: Team, who: str):
    correction_id = await team.propose()
    actor = team.people[who]
    with pytest.raises(NotAllowed, match="Only an approver"):
        await moderation.approve(team.store, actor, correction_id, team_of_one=True, now=team.clock())
    with pytest.raises(NotAllowed, match="Only an approver"):
        await moderation.reject(team.store, actor, correction_id, now=team.clock())
    with pytest.raises(NotAllowed, match="Only an approver"):
        await moderation.revise(team.store, actor, correction_id, "x", now=team.clock())


@pytest.mark.parametrize("who", ["cleo", "mia", "noor"])
async def test_only_an_admin_trains_cancels_and_rolls_back(team: Team, who: str):
    actor = team.people[who]
    with pytest.raises(NotAllowed, match="Only an admin"):
        await moderation.start_retrain(team.workshop, actor, team.voice)
    with pytest.raises(NotAllowed, match="Only an admin"):
        await moderation.cancel_run(team.store, actor, "run_1", now=team.clock())
    with pytest.raises(NotAllowed, match="Only an admin"):
        await moderation.roll_back(team.store, actor, team.voice, now=team.clock())


async def test_nobody_approves_their_own_correction_unless_the_team_is_one(team: Team):
    draft = Draft("Ahoy!", Judgement.TONE)
    own = (await moderation.correct(team.store, team.both, team.reply.id, draft, now=team.clock())).record
    with pytest.raises(NotAllowed, match="somebody else has to approve it"):
        await moderation.approve(team.store, team.both, own.id, team_of_one=False, now=team.clock())
    outcome = await moderation.approve(team.store, team.both, own.id, team_of_one=True, now=team.clock())
    assert outcome.record.state is CorrectionState.APPROVED


async def test_pressing_approve_twice_approves_once_and_is_no_error(team: Team):
    correction_id = await team.propose()
    for _ in range(2):
        outcome = await moderation.approve(team.store, team.noor, correction_id, team_of_one=False, now=team.clock())
        assert outcome.said == "Approved. It goes into the next dataset."
    verbs = [entry.verb for entry in await team.store.audit.entries(50, subject=correction_id)]
    assert verbs.count("approve") == 1


async def test_deciding_after_somebody_else_is_said_so(team: Team):
    correction_id = await team.propose()
    await moderation.approve(team.store, team.noor, correction_id, team_of_one=False, now=team.clock())
    with pytest.raises(AlreadyDecided):
        await moderation.reject(team.store, team.noor, correction_id, now=team.clock())


async def test_a_correction_equal_to_the_reply_is_refused(team: Team):
    with pytest.raises(NotAllowed, match="same as the reply"):
        await team.propose(team.reply.text + " ")


async def test_an_empty_or_endless_correction_is_refused(team: Team):
    with pytest.raises(TextRefused, match="empty"):
        await team.propose("  ")
    with pytest.raises(TextRefused, match="12,000"):
        await team.propose("x" * 12_001)


async def test_one_retracts_only_ones_own(team: Team):
    correction_id = await team.propose()
    with pytest.raises(NotAllowed, match="Only the person who proposed"):
        await moderation.retract(team.store, team.both, correction_id, now=team.clock())
    outcome = await moderation.retract(team.store, team.mia, correction_id, now=team.clock())
    assert outcome.record.state is CorrectionState.RETRACTED


async def test_importing_a_file_twice_adds_nothing(team: Team):
    answers = [Answer(line, f"Q{line}?", f"A{line}") for line in range(1, 4)]
    for expected, said in ((3, "3 proposed, waiting for approval."), (0, "3 were already in.")):
        outcome = await moderation.propose_answers(
            team.store, team.mia, team.voice, "faq.csv", answers, now=team.clock()
        )
        assert outcome.record == expected
        assert said in outcome.said


async def test_with_nothing_tuned_there_is_nothing_to_roll_back_to(team: Team):
    with pytest.raises(NothingToRollBackTo, match="Model 0 was the first to serve"):
        await moderation.roll_back(team.store, team.ada, team.voice, now=team.clock())


async def test_approving_all_skips_what_is_already_decided(team: Team):
    first, second = await team.propose("Ahoy one"), await team.propose("Ahoy two")
    waiting = await team.store.corrections.list(team.voice.id, [CorrectionState.PROPOSED], limit=10)
    await moderation.reject(team.store, team.noor, first, now=team.clock())
    outcome = await moderation.approve_all(team.store, team.noor, waiting, team_of_one=False, now=team.clock())
    assert outcome.record == 1
    assert (await team.store.corrections.get(second)).state is CorrectionState.APPROVED


async def test_the_same_correction_sent_twice_is_one(team: Team):
    assert await team.propose("Ahoy!") == await team.propose("Ahoy!")
    assert await team.propose("Ahoy there!") != await team.propose("Ahoy!")
    assert len(await team.store.corrections.for_reply(team.reply.id)) == 2


async def test_a_row_that_moved_in_its_file_is_not_proposed_again_and_a_changed_one_is(team: Team):
    def propose(*answers: Answer):
        return moderation.propose_answers(team.store, team.mia, team.voice, "faq.csv", answers, now=team.clock())

    await propose(Answer(2, "Q?", "A"))
    assert (await propose(Answer(9, "Q?", "A"))).record == 0
    assert (await propose(Answer(9, "Q?", "Better A"))).record == 1
