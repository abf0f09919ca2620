"""Every verb checks the right, acts once and says what happened: what becomes of a conversation and of a channel."""

import pytest

from bot import moderation
from bot.moderation import NotAllowed
from storage.records import ChannelMode
from tests.bot.conftest import Team


async def test_a_retracted_reply_counts_as_flagged(team: Team):
    outcome = await moderation.retract_reply(team.store, team.mia, team.reply.id, now=team.clock())
    assert outcome.said == "Retracted. The message is removed, and the reply counts as flagged."
    (flag,) = await team.store.feedback.flagged(team.voice.id, 10)
    assert (flag.reply_id, flag.actor_id) == (team.reply.id, team.mia.id)


async def test_anyone_may_ask_for_a_person_once(team: Team):
    asked = await moderation.ask_for_person(
        team.store, team.cleo, team.reply.conversation_id, reason=" Please. ", now=team.clock()
    )
    assert asked.said.startswith("A person from the team has been asked.")
    again = await moderation.ask_for_person(team.store, team.mia, team.reply.conversation_id, now=team.clock())
    assert again.said == "A person from the team has been asked already."
    assert (again.record.id, again.record.reason) == (asked.record.id, "Please.")


async def test_who_takes_over_first_keeps_it_and_the_next_hears_who_that_is(team: Team):
    asked = await moderation.ask_for_person(team.store, team.cleo, team.reply.conversation_id, now=team.clock())
    for _ in range(2):
        outcome = await moderation.take_over(team.store, team.mia, asked.record.id, now=team.clock())
        assert outcome.said.startswith("It is yours.")
    late = await moderation.take_over(team.store, team.both, asked.record.id, now=team.clock())
    assert late.said == "Mia was faster and looks after it."
    assert late.record.taken_by == team.mia.id


async def test_what_was_given_back_cannot_be_taken(team: Team):
    asked = await moderation.ask_for_person(team.store, team.cleo, team.reply.conversation_id, now=team.clock())
    for _ in range(2):
        outcome = await moderation.release(team.store, team.mia, asked.record.id, now=team.clock())
        assert outcome.said == "Given back. The bot answers there again."
    late = await moderation.take_over(team.store, team.both, asked.record.id, now=team.clock())
    assert late.said == "That conversation was given back to the bot already."
    assert await team.store.hand_overs.open(team.reply.conversation_id) is None


async def test_staff_who_answer_hold_the_conversation(team: Team):
    for _ in range(2):
        held = (await moderation.step_back(team.store, team.mia, team.reply.conversation_id, now=team.clock())).record
        assert (held.asked_by, held.taken_by) == (team.mia.id, team.mia.id)
    other = await moderation.step_back(team.store, team.both, team.reply.conversation_id, now=team.clock())
    assert (other.record.id, other.record.taken_by) == (held.id, team.mia.id)


async def test_staff_who_answer_where_a_person_was_asked_for_take_it(team: Team):
    asked = await moderation.ask_for_person(team.store, team.cleo, team.reply.conversation_id, now=team.clock())
    held = await moderation.step_back(team.store, team.mia, team.reply.conversation_id, now=team.clock())
    assert (held.record.id, held.record.asked_by) == (asked.record.id, team.cleo.id)
    assert held.record.taken_by == team.mia.id


@pytest.mark.parametrize("who", ["cleo", "noor", "ada"])
async def test_only_a_moderator_retracts_and_takes_conversations(team: Team, who: str):
    actor, now = team.people[who], team.clock()
    asked = await moderation.ask_for_person(team.store, team.cleo, team.reply.conversation_id, now=now)
    for verb, about in (
        (moderation.retract_reply, team.reply.id),
        (moderation.step_back, team.reply.conversation_id),
        (moderation.take_over, asked.record.id),
        (moderation.release, asked.record.id),
    ):
        with pytest.raises(NotAllowed, match="Only a moderator can"):
            await verb(team.store, actor, about, now=now)
    assert await team.store.feedback.flagged(team.voice.id, 10) == []
    assert await team.store.hand_overs.open(team.reply.conversation_id) == asked.record


@pytest.mark.parametrize("mode", list(ChannelMode))
async def test_an_admin_decides_when_the_bot_speaks_in_a_channel(team: Team, mode: ChannelMode):
    outcome = await moderation.set_channel(
        team.store, team.ada, "slack", "T1/C1", mode=mode, is_training_allowed=False, now=team.clock()
    )
    assert outcome.said == f"Set to {mode}. {moderation.MODE_WORDS[mode]}"
    kept = await team.store.channels.get("slack", "T1/C1")
    assert kept is not None
    assert (kept.mode, kept.is_training_allowed) == (mode, False)


@pytest.mark.parametrize("who", ["cleo", "mia", "noor"])
async def test_only_an_admin_sets_up_a_channel(team: Team, who: str):
    with pytest.raises(NotAllowed, match="Only an admin can set up a channel"):
        await moderation.set_channel(
            team.store, team.people[who], "slack", "T1/C1", mode=ChannelMode.OFF, now=team.clock()
        )
    assert await team.store.channels.get("slack", "T1/C1") is None
