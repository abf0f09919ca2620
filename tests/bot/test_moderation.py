"""Every verb checks the right, acts once and says what happened."""

from datetime import UTC, datetime

import pytest

from bot import answering, disputing, moderation
from bot.answering import Desk
from bot.chat import Question
from bot.moderation import Draft, NotAllowed
from bot.office.decisions import decision_sentence
from bot.text import TextRefused
from bot.wording import holds_told
from curation.imports import Answer
from curation.promotion import NothingToRollBackTo
from curation.prompting import HISTORY_TURNS
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.errors import AlreadyDecided
from storage.records import CorrectionState, Judgement, Scope, Settlement
from tests.bot.conftest import Team


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
    with pytest.raises(NotAllowed, match="Only an admin can pause a training run"):
        await moderation.pause_run(team.store, actor, "run_1", now=team.clock())
    with pytest.raises(NotAllowed, match="Only an admin can resume a training run"):
        await moderation.resume_run(team.store, actor, "run_1", now=team.clock())
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


# ---------------------------------------------------------------- what was chosen with a correction


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("is_for_training", [True, False])
async def test_a_correction_keeps_where_it_holds_and_whether_it_may_be_trained_on(
    team: Team, scope: Scope, is_for_training: bool
):
    draft = Draft("Ahoy!", Judgement.TONE, scope=scope, is_for_training=is_for_training)
    outcome = await moderation.correct(team.store, team.mia, team.reply.id, draft, now=team.clock())
    kept = await team.store.corrections.get(outcome.record.id)
    assert (kept.scope, kept.is_for_training) == (scope, is_for_training)
    approved = await moderation.approve(team.store, team.noor, kept.id, team_of_one=False, now=team.clock())
    assert approved.said.endswith(
        "It goes into the next dataset." if is_for_training else "It is used in answers, but not trained on."
    )


@pytest.mark.parametrize("edits_posted", [True, False])
async def test_the_posted_reply_changes_only_where_it_is_asked_for_and_the_models_words_stay(
    team: Team, edits_posted: bool
):
    draft = Draft("  Ahoy!  ", Judgement.TONE, edits_posted=edits_posted)
    await moderation.correct(team.store, team.mia, team.reply.id, draft, now=team.clock())
    reply = await team.store.conversations.reply(team.reply.id)
    assert reply.corrected_text == ("Ahoy!" if edits_posted else None)
    assert reply.text == team.reply.text


async def test_retracting_a_correction_gives_the_posted_reply_its_words_back(team: Team):
    draft = Draft("Ahoy!", Judgement.TONE, edits_posted=True)
    correction = (await moderation.correct(team.store, team.mia, team.reply.id, draft, now=team.clock())).record
    outcome = await moderation.retract(team.store, team.mia, correction.id, now=team.clock())
    assert outcome.said == "Retracted, and the posted reply is what it was."
    assert (await team.store.conversations.reply(team.reply.id)).corrected_text == team.reply.text


async def test_retracting_leaves_words_that_somebody_else_put_there_since(team: Team):
    for who, text in (("mia", "Ahoy!"), ("both", "Ahoy there!")):
        draft = Draft(text, Judgement.TONE, edits_posted=True)
        await moderation.correct(team.store, team.people[who], team.reply.id, draft, now=team.clock())
    (first, _) = await team.store.corrections.for_reply(team.reply.id)
    outcome = await moderation.retract(team.store, team.mia, first.id, now=team.clock())
    assert outcome.said == "Retracted."
    assert (await team.store.conversations.reply(team.reply.id)).corrected_text == "Ahoy there!"


async def test_a_correction_needs_a_reason_other_than_good(team: Team):
    with pytest.raises(NotAllowed, match="a reason other than good"):
        await moderation.correct(team.store, team.mia, team.reply.id, Draft("Ahoy!", Judgement.GOOD), now=team.clock())


@pytest.mark.parametrize("nothing", ["", " ", "\n\u200b"], ids=["empty", "space", "invisible"])
def test_a_form_that_rejects_has_to_say_why(nothing: str):
    with pytest.raises(TextRefused, match="Say in a few words why it is not taken"):
        moderation.require_reason(nothing)
    moderation.require_reason("Untrue.")


async def test_an_address_has_one_number_in_all_corrections_of_a_conversation(team: Team):
    async def nothing(_: str) -> None:
        return

    desk = Desk(
        team.store, FakeProvider(), lambda contents: 0, Sampling(50), 500, "desk-2", team.clock, pauses_s=(0.0, 0.0)
    )
    approved: list[str] = []
    first, last = "I am cleo@mail.example", "Not to ole@mail.example, but to cleo@mail.example"
    for number, asked in enumerate((first, *(f"And {n}?" for n in range(HISTORY_TURNS + 1)), last)):
        question = Question("console", "c2", f"n{number:02}", asked, team.cleo)
        turn, _ = await answering.record(team.store, team.voice, question, now=team.clock())
        reply = await answering.answer(desk, turn, nothing)
        assert reply is not None
        if asked in (first, last):
            draft = Draft(f"Ahoy! {asked.split()[-1]}", Judgement.TONE)
            proposed = (await moderation.correct(team.store, team.mia, reply.id, draft, now=team.clock())).record
            done = await moderation.approve(team.store, team.noor, proposed.id, team_of_one=False, now=team.clock())
            approved.append(done.record.question)
    assert approved == ["I am [email 1]", "Not to [email 2], but to [email 1]"]


async def test_what_never_held_and_what_holds_no_longer_gets_no_last_day(team: Team):
    correction_id, day = await team.propose(), datetime(2026, 12, 1, tzinfo=UTC)
    await moderation.reject(team.store, team.noor, correction_id, note="No.", now=team.clock())
    with pytest.raises(AlreadyDecided):
        await moderation.let_expire(team.store, team.noor, correction_id, day, now=team.clock())


async def test_a_last_day_is_said_once_and_whoever_proposed_it_reads_of_it(team: Team):
    correction_id, day = await team.propose(), datetime(2026, 12, 1, tzinfo=UTC)
    for _ in range(2):
        outcome = await moderation.let_expire(team.store, team.noor, correction_id, day, now=team.clock())
        assert outcome.said == "It holds until 1 December 2026; from that day on it is neither shown nor trained on."
    assert list((await team.store.audit.verbs(50)).values()).count("let_expire") == 1
    decided = await moderation.approve(team.store, team.noor, correction_id, team_of_one=False, now=team.clock())
    assert decided.said.startswith("Approved. It goes into the next dataset. It holds until 1 December 2026;")
    assert decision_sentence(decided.record, "Noor approved", "", "Where is it?", "").endswith(
        "It holds until 1 December 2026."
    )


async def test_a_winner_of_a_later_date_does_not_end_before_it_begins(team: Team):
    rows = [Answer(n, "How long do returns take?", f"We refund within {days} days.") for n, days in ((1, 5), (2, 14))]
    await moderation.propose_answers(team.store, team.mia, team.voice, "faq.csv", rows, now=team.clock())
    waiting = await team.store.corrections.list(team.voice.id, [CorrectionState.PROPOSED], limit=9)
    await moderation.approve_all(team.store, team.noor, waiting, team_of_one=False, now=team.clock())
    [dispute] = await team.store.disputes.open(team.voice.id)
    december, march = datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)
    settled = {"holds_from": december, "now": team.clock()}
    await disputing.settle(team.store, team.noor, dispute.id, Settlement.SECOND, **settled)
    with pytest.raises(NotAllowed, match="It holds only from 1 December 2026 on, so it cannot end on 1 December 2026"):
        await moderation.let_expire(team.store, team.noor, dispute.second, december, now=team.clock())
    outcome = await moderation.let_expire(team.store, team.noor, dispute.second, march, now=team.clock())
    assert holds_told(outcome.record) == "Holds from 1 December 2026 until 1 March 2027"
