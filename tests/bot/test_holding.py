"""A day that brings many times the usual is looked at by an admin before anything is made of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import holding, moderation
from bot.moderation import NotAllowed
from curation.holding import look
from storage.ids import new_id
from storage.records import CorrectionState, Held, Judgement
from tests.bot.conftest import Team


async def corrections(team: Team, count: int) -> None:
    """Moderator's corrections of one reply, all different, proposed now."""
    example = await team.store.corrections.get(await team.propose(f"First of {team.clock()}"))
    made = [
        replace(
            example, id=(id := new_id("corr", team.clock())), key=id, corrected_text=f"{n}", proposed_at=team.clock()
        )
        for n in range(count - 1)
    ]
    await team.store.corrections.propose_many(made)


async def a_month_then_a_flood(team: Team) -> None:
    for _ in range(6):
        await corrections(team, 4)
        team.clock.now += timedelta(days=1)
    await corrections(team, 40)


async def test_a_flood_of_corrections_is_not_approved_in_one_go_until_an_admin_has_looked(team: Team):
    await a_month_then_a_flood(team)
    waiting = await team.store.corrections.list(team.voice.id, [CorrectionState.PROPOSED], limit=100)
    with pytest.raises(NotAllowed, match=r"40 corrections came today; a usual day has 4\. So look at each, one by one"):
        await moderation.approve_all(team.store, team.noor, waiting, team_of_one=True, now=team.clock())
    await moderation.approve(team.store, team.noor, waiting[0].id, team_of_one=True, now=team.clock())
    (hold,) = (await team.store.holds.open(team.voice.id)).values()
    with pytest.raises(NotAllowed, match="Only an admin can release a hold"):
        await holding.release(team.store, team.noor, hold.id, now=team.clock())
    await holding.release(team.store, team.ada, hold.id, now=team.clock())
    outcome = await moderation.approve_all(team.store, team.noor, waiting[1:3], team_of_one=True, now=team.clock())
    assert outcome.record == 2
    assert await team.store.holds.open(team.voice.id) == {}  # what was released today is not held again today


async def test_a_busy_day_is_no_flood(team: Team):
    for _ in range(6):
        await corrections(team, 10)
        team.clock.now += timedelta(days=1)
    await corrections(team, 29)
    assert await look(team.store, team.voice.id, now=team.clock()) == {}


async def test_marks_of_customers_are_no_flood_and_those_of_moderators_are(team: Team):
    for _ in range(6):
        await team.store.feedback.give(team.reply.id, team.mia.id, Judgement.GOOD, "", False, at=team.clock())
        team.clock.now += timedelta(days=1)
    for number in range(60):
        who = await team.store.people.ensure_actor("console", f"guest-{number}", "Guest", frozenset(), at=team.clock())
        await team.store.feedback.give(team.reply.id, who.id, Judgement.GOOD, "", False, at=team.clock())
    assert await look(team.store, team.voice.id, now=team.clock()) == {}


async def test_an_old_flood_that_was_released_does_not_open_the_door_for_the_next(team: Team):
    await a_month_then_a_flood(team)
    hold = (await look(team.store, team.voice.id, now=team.clock()))[Held.CORRECTIONS]
    await holding.release(team.store, team.ada, hold.id, now=team.clock())
    team.clock.now += timedelta(days=1)
    await corrections(team, 60)
    again = (await look(team.store, team.voice.id, now=team.clock()))[Held.CORRECTIONS]
    assert again.why == "60 corrections came today; a usual day has 4."
