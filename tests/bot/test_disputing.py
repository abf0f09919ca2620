"""Approving what contradicts another approved answer opens a dispute; only an approver settles it, once."""

from datetime import datetime, timedelta

import pytest

from bot import disputing, moderation
from bot.moderation import Draft, NotAllowed
from bot.problems import sentence_of
from curation import versions
from curation.examples import LeftOut
from curation.gathering import gather, pick
from curation.imports import Answer
from curation.recall import Place
from curation.recalling import Recall
from storage.errors import AlreadySettled
from storage.records import Correction, CorrectionState, Dispute, Judgement, Scope, Settlement
from tests.bot.conftest import Team

ASKED = "How long do returns take?"


async def proposed(team: Team, *answers: str, question: str = ASKED) -> list[Correction]:
    rows = [Answer(line, question, text) for line, text in enumerate(answers, 1)]
    await moderation.propose_answers(team.store, team.mia, team.voice, "faq.csv", rows, now=team.clock())
    return await team.store.corrections.list(team.voice.id, [CorrectionState.PROPOSED], limit=50)


async def disputed(team: Team) -> tuple[Dispute, Correction, Correction]:
    first, second = await proposed(team, "We refund within 5 days.", "We refund within 14 days.")
    for each in (first, second):
        await moderation.approve(team.store, team.noor, each.id, team_of_one=False, now=team.clock())
    (dispute,) = await team.store.disputes.open(team.voice.id)
    return dispute, first, second


async def left_out(team: Team) -> dict[str, LeftOut]:
    press = versions.keeping_everything(team.workshop.press)
    material = await gather(team.store, team.voice, press, at=team.clock())
    return dict((await pick(material, team.voice, press)).selection.left_out)


async def test_an_approver_is_told_what_an_approval_contradicts(team: Team):
    first, second = await proposed(team, "We refund within 5 days.", "We refund within 14 days.")
    quiet = await moderation.approve(team.store, team.noor, first.id, team_of_one=False, now=team.clock())
    assert quiet.said == "Approved. It goes into the next dataset."
    told = await moderation.approve(team.store, team.noor, second.id, team_of_one=False, now=team.clock())
    assert told.said == (
        "Approved. It goes into the next dataset, once this is settled: it contradicts another approved answer to that "
        "question, “We refund within 5 days.”. They differ in a number (5 day and 14 day). Until an approver settles it, "
        "under Disputes in the console, none of them is trained on."
    )


async def test_neither_side_of_an_open_dispute_is_trained_on_and_the_winner_is_once_it_is_settled(team: Team):
    dispute, first, second = await disputed(team)
    assert await left_out(team) == {first.id: LeftOut.DISPUTED, second.id: LeftOut.DISPUTED}
    outcome = await disputing.settle(team.store, team.noor, dispute.id, Settlement.SECOND, now=team.clock())
    assert outcome.said == "Settled: the newer answer holds, and the older one is superseded from now on."
    assert await left_out(team) == {}
    loser = await team.store.corrections.get(first.id)
    assert (loser.state, loser.superseded_by) == (CorrectionState.SUPERSEDED, second.id)


async def test_where_both_can_be_right_both_are_used_and_nobody_is_asked_again(team: Team):
    dispute, first, second = await disputed(team)
    await disputing.settle(team.store, team.noor, dispute.id, Settlement.BOTH, now=team.clock())
    assert await left_out(team) == {first.id: LeftOut.OUTVOTED}  # the same words: one line, which speaks for both
    await moderation.approve_all(
        team.store, team.noor, await proposed(team, "Free.", question="Is it?"), team_of_one=True, now=team.clock()
    )
    assert await team.store.disputes.open(team.voice.id) == []
    assert (await team.store.corrections.get(second.id)).state is CorrectionState.APPROVED


async def test_an_answer_for_everyone_does_not_contradict_one_that_holds_in_one_channel_only(team: Team):
    narrow = Draft("It takes 5 days.", Judgement.WRONG, scope=Scope.CHANNEL)
    here = (await moderation.correct(team.store, team.mia, team.reply.id, narrow, now=team.clock())).record
    (everywhere,) = [c for c in await proposed(team, "It takes 14 days.", question="Where is it?") if c.id != here.id]
    for each in (here, everywhere):
        await moderation.approve(team.store, team.noor, each.id, team_of_one=False, now=team.clock())
    assert await team.store.disputes.open(team.voice.id) == []


async def test_until_its_day_the_other_one_is_used_and_from_then_on_the_winner(team: Team):
    dispute, first, second = await disputed(team)
    now = team.clock()
    day = disputing.first_moment(f"{now + timedelta(days=3):%Y-%m-%d}")
    assert day is not None
    outcome = await disputing.settle(
        team.store, team.noor, dispute.id, Settlement.SECOND, holds_from=day, now=team.clock()
    )
    on = disputing.day(day)
    assert outcome.said == f"Settled: the newer answer holds from {on} on, and the older one until then."
    assert await left_out(team) == {second.id: LeftOut.NOT_YET}
    recall, here = Recall(team.store), Place(team.voice.id, "")

    async def used(at: datetime) -> list[str]:
        return [found.fix.id for found in await recall.fixes_for(ASKED, here, now=at)]

    assert await used(day - timedelta(seconds=1)) == [first.id]
    assert await used(day) == [second.id]
    team.clock.advance((day - team.clock()).total_seconds() + 1)
    assert await left_out(team) == {first.id: LeftOut.EXPIRED}


@pytest.mark.parametrize(
    ("settlement", "day", "why"),
    [
        (Settlement.BOTH, "2999-01-01", "Only one of two answers"),
        (Settlement.FIRST, "2001-01-01", "1 January 2001 is not in the future"),
        (Settlement.FIRST, "tomorrow", "“tomorrow” is no date"),
    ],
)
async def test_a_day_that_cannot_be_is_refused_with_what_can(team: Team, settlement: Settlement, day: str, why: str):
    dispute, *_ = await disputed(team)
    with pytest.raises(NotAllowed, match=why):
        await disputing.settle(
            team.store, team.noor, dispute.id, settlement, holds_from=disputing.first_moment(day), now=team.clock()
        )
    assert (await team.store.disputes.get(dispute.id)).settled_at is None


async def test_a_vote_that_does_not_settle_it_says_how_many_agree(team: Team):
    dispute, *_ = await disputed(team)
    first = await disputing.settle(team.store, team.noor, dispute.id, Settlement.FIRST, votes=2, now=team.clock())
    assert first.said == ("Your vote is counted: the older holds. 1 of 2 approvers say so; it is settled once 2 do.")
    second = await disputing.settle(team.store, team.both, dispute.id, Settlement.FIRST, votes=2, now=team.clock())
    assert second.said.startswith("Settled: the older answer holds")


async def test_who_comes_second_hears_who_settled_it_and_how(team: Team):
    dispute, *_ = await disputed(team)
    await disputing.settle(team.store, team.noor, dispute.id, Settlement.FIRST, now=team.clock())
    with pytest.raises(AlreadySettled) as late:
        await disputing.settle(team.store, team.both, dispute.id, Settlement.SECOND, now=team.clock())
    said = await sentence_of(team.store, late.value)
    assert said.startswith("Noor was faster, and settled it on ")
    assert said.endswith("Settled: the older answer holds, and the newer one is superseded from now on.")


@pytest.mark.parametrize("who", ["cleo", "mia", "ada"])
async def test_only_an_approver_settles(team: Team, who: str):
    dispute, *_ = await disputed(team)
    with pytest.raises(NotAllowed, match="Only an approver can settle a dispute"):
        await disputing.settle(team.store, team.people[who], dispute.id, Settlement.FIRST, now=team.clock())


async def test_who_is_second_to_settle_is_told(team: Team):
    dispute, *_ = await disputed(team)
    await disputing.settle(team.store, team.noor, dispute.id, Settlement.FIRST, now=team.clock())
    with pytest.raises(AlreadySettled, match="is already settled"):
        await disputing.settle(team.store, team.noor, dispute.id, Settlement.SECOND, now=team.clock())


async def test_approving_many_at_once_finds_what_contradicts_among_them(team: Team):
    many = await proposed(team, "We refund within 5 days.", "We refund within 14 days.", "It depends, ask us.")
    outcome = await moderation.approve_all(team.store, team.noor, many, team_of_one=False, now=team.clock())
    assert outcome.said.startswith("Approved 3. ")
    assert "found: the console lists them under Disputes." in outcome.said
    pairs = await team.store.disputes.pairs(team.voice.id)
    assert (many[0].id, many[1].id) in pairs


async def test_a_contradiction_that_slipped_in_is_found_when_a_version_is_built(team: Team):
    """Two processes that approve at once do not see each other's."""
    first, second = await proposed(team, "We refund within 5 days.", "We refund within 14 days.")
    await team.store.corrections.approve_many([first.id, second.id], team.noor.id, "", at=team.clock())
    assert await left_out(team) == {first.id: LeftOut.DISPUTED, second.id: LeftOut.DISPUTED}
    press = versions.keeping_everything(team.workshop.press)
    await versions.freeze(team.store, team.voice, press, by=team.ada.id, at=team.clock())
    assert [(d.first, d.second) for d in await team.store.disputes.open(team.voice.id)] == [(first.id, second.id)]
