"""A canary: which votes count, what they prove, and how it ends by itself, by an admin, or not at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation import promotion
from curation.canary import AT_LEAST, counting, ending, floods, harm, pairs_in_time, standing
from curation.evidence import Pairs, Rules, Vote, rolls_back
from storage.records import (
    CastVote,
    Correction,
    CorrectionState,
    Deployment,
    DeploymentKind,
    Judgement,
    Model,
    Reply,
    Run,
    RunState,
)
from tests.conftest import JUDGED
from tests.curation.conftest import House
from tests.curation.test_sealing import run_until, with_rules
from tests.storage.scenes import a_reply_to

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = NOON + timedelta(days=30)
RULES = Rules(candidate_share=0.5)
MODELS = [Model(f"m{number}", "voice", number, f"m{number}", "base", f"r{number}", None, NOON) for number in (0, 1)]
CANARY = Deployment(
    "deploy_1", "voice", 1, DeploymentKind.CANARY, MODELS[0], "r1", NOON, "ada", "", canary=MODELS[1], canary_share=0.5
)
IN = [f"conv_{number}" for number in range(2000) if CANARY.is_in_canary(f"conv_{number}")]
OUT = [f"conv_{number}" for number in range(2000) if not CANARY.is_in_canary(f"conv_{number}")]


def cast(voter: int, conversation: str, good: bool | None, *, hours: float = 0.0, by_team: bool = False) -> CastVote:
    at = NOON + timedelta(hours=hours)
    return CastVote(f"u{voter}", f"r_{conversation}", conversation, good, at, at, by_asker=not by_team, by_team=by_team)


def count(votes: list[CastVote], *, held_since: datetime | None = None, now: datetime = LATER) -> list[Vote]:
    return counting(votes, CANARY, [vote.voted_at for vote in votes], held_since, now)


# ---------------------------------------------------------------- which votes count


def test_a_vote_counts_for_the_model_its_conversation_was_given():
    assert count([cast(1, IN[0], True), cast(2, OUT[0], False)]) == [Vote(True, True), Vote(False, False)]


def test_a_customers_vote_counts_on_the_own_question_and_the_teams_on_any():
    stranger = replace(cast(1, IN[0], False), by_asker=False)
    assert count([stranger]) == []
    assert count([cast(1, IN[0], False, by_team=True)]) == [Vote(True, False)]


def test_a_vote_waits_until_its_hour_is_over():
    vote = [cast(1, IN[0], False, hours=0.2)]
    assert count(vote, now=NOON + 1.1 * HOUR) == []
    assert count(vote, now=NOON + 1.2 * HOUR) == [Vote(True, False)]


def test_what_the_team_voted_under_a_hold_waits():
    votes = [cast(1, IN[0], False, by_team=True), cast(2, IN[1], False)]
    assert count(votes, held_since=NOON) == [Vote(True, False)]
    assert count(votes, held_since=NOON + HOUR) == [Vote(True, False)] * 2


def test_a_flood_in_one_hour_is_left_out_and_a_busy_shop_is_none():
    usual = [cast(n, IN[n], True, hours=n * 3) for n in range(10)]
    flood = [cast(100 + n, IN[100 + n], False, hours=40.1) for n in range(50)]
    assert count(usual + flood) == count(usual)
    assert [one.first for one in floods(vote.voted_at for vote in usual + flood)] == [NOON + 40.1 * HOUR]
    busy = [NOON + hour * HOUR + timedelta(seconds=n) for hour in range(5) for n in range(40)]
    assert floods(busy) == []
    assert floods([NOON] * (AT_LEAST - 1)) == []
    assert floods([NOON] * AT_LEAST)  # the first votes ever, all at once


@pytest.mark.parametrize("in_first", range(51))
def test_a_flood_over_a_full_hour_of_the_clock_is_one_flood(in_first: int):
    begin = NOON + 41 * HOUR - timedelta(seconds=in_first)
    flood = [
        replace(cast(100 + n, IN[100 + n], False), replied_at=begin, voted_at=begin + timedelta(seconds=n))
        for n in range(50)
    ]
    usual = [cast(n, IN[n], True, hours=n * 3) for n in range(10)]
    assert count(flood) == []
    assert count(usual + flood) == count(usual)


events = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 5), st.sampled_from([True, False, None]), st.integers(0, 60), st.booleans()
    ),
    max_size=25,
    unique_by=lambda each: (each[0], each[1], each[3]),
)


@settings(deadline=None)
@given(events, st.randoms(use_true_random=False))
def test_votes_told_twice_and_in_another_order_change_nothing(
    told: list[tuple[int, int, bool | None, int, bool]], chance: Random
):
    votes = [
        replace(cast(voter, (IN + OUT[:3])[at], good, hours=hour), replied_at=NOON, by_team=by_team)
        for voter, at, good, hour, by_team in told
    ]
    moments = [vote.voted_at for vote in votes]
    again = [*votes, *chance.choices(votes, k=len(votes))] if votes else []
    chance.shuffle(again)
    assert counting(again, CANARY, moments, None, LATER) == counting(votes, CANARY, moments, None, LATER)


# ---------------------------------------------------------------- what they prove


def test_pairs_are_close_in_time_and_never_chosen_by_what_they_say():
    up, down = Vote(True, True), Vote(True, False)
    other_up, other_down = Vote(False, True), Vote(False, False)
    assert pairs_in_time([other_up, down, other_up, other_up]) == Pairs(0, 1)
    assert pairs_in_time([up, down, other_down, other_down]) == Pairs(1, 0, 1)
    assert pairs_in_time([up, down]) == Pairs(0, 0)


def votes_at(share: float, candidate: float, incumbent: float, number: int, chance: Random) -> list[Vote]:
    drawn = [chance.random() < share for _ in range(number)]
    return [Vote(is_in, chance.random() < (candidate if is_in else incumbent)) for is_in in drawn]


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_an_equal_canary_is_rarely_taken_back_however_often_one_looks(share: float):
    chance, rules, runs = Random(11), Rules(candidate_share=share), 120
    false = 0
    for _ in range(runs):
        votes = votes_at(share, 0.8, 0.8, 160, chance)
        false += any(rolls_back(harm(votes[:seen], rules)) for seen in range(8, 161, 8))
    # Three standard errors above the promised 0.10.
    assert false / runs <= rules.harm_alpha + 3 * (0.1 * 0.9 / runs) ** 0.5


def test_a_disaster_is_found_and_the_sentence_has_the_numbers():
    votes = votes_at(0.5, 0.3, 0.8, 200, Random(5))
    ended = ending(votes, RULES, since=NOON, now=NOON + HOUR)
    assert ended is not None
    assert not ended.is_promoted
    assert ended.why.startswith("The canary was taken back. The new model does harm")
    assert "needed 30" in ended.why


def test_a_canary_is_over_after_so_many_votes_or_hours():
    few, enough = [Vote(True, True)] * 59, [Vote(True, True)] * 60
    assert ending(few, RULES, since=NOON, now=NOON + 71 * HOUR) is None
    for ended in (
        ending(enough, RULES, since=NOON, now=NOON + HOUR),
        ending([], RULES, since=NOON, now=NOON + 72 * HOUR),
    ):
        assert ended is not None
        assert ended.is_promoted
    assert "60 of 60 votes on its replies were thumbs up" in str(ending(enough, RULES, since=NOON, now=NOON + HOUR))
    assert "No harm is proven" in standing(few, RULES)


# ---------------------------------------------------------------- looking after one


async def a_canary(house: House, share: float = 0.5) -> Run:
    with_rules(house, replace(JUDGED, candidate_share=share))
    await house.approve(*range(14))
    return await run_until(house, await house.request(), RunState.CANARY)


async def step(house: House, run: Run) -> Run:
    return await run_until(house, run, (await house.store.runs.get(run.id)).state)


async def reply_in(house: House, number: int, *, in_canary: bool) -> Reply:
    """A customer's question in a thread that was given that model, and its reply."""
    store, now = house.store, house.workshop.now
    current = await store.models.current(house.voice.id)
    for attempt in range(64):
        key = f"T1/C1/{number}.{attempt}"
        thread = await store.conversations.ensure(house.voice.id, "slack", key, at=now())
        if current.is_in_canary(thread.id) is in_canary:
            break
    else:
        raise AssertionError("no thread was given that model")
    asker = await store.people.ensure_actor("slack", f"T1/U{number}", f"Customer {number}", at=now())
    turn, _ = await store.conversations.record_turn(thread, key, "How?", asker.id, at=now())
    made = replace(a_reply_to(turn, now()), deployment_id=current.id, model_name=current.model_for(thread.id).name)
    reply, _ = await store.conversations.save_reply(made, owner="w")
    return reply


async def vote(house: House, reply: Reply, judgement: Judgement) -> None:
    turn = await house.store.conversations.turn(reply.turn_id)
    await house.store.feedback.give(reply.id, turn.asked_by, judgement, "", False, at=house.workshop.now())


def pass_hours(house: House, hours: float) -> None:
    house.advance(hours * 3600)


async def test_a_harmful_canary_is_taken_back_by_itself_and_tells_why(house: House):
    run = await a_canary(house)
    for number in range(30):
        await vote(house, await reply_in(house, number, in_canary=True), Judgement.WRONG)
        await vote(house, await reply_in(house, 100 + number, in_canary=False), Judgement.GOOD)
        pass_hours(house, 1)
    run = await run_until(house, run, RunState.STOPPED)
    current = await house.store.models.current(house.voice.id)
    assert (current.kind, current.model.number, current.canary) == (DeploymentKind.ROLLBACK, 0, None)
    assert current.why == run.end_reason
    assert "The canary was taken back. The new model does harm" in run.end_reason
    [alarm] = await house.store.alarms.since(house.voice.id, NOON)
    assert alarm.text == f"Model 1 was tried on 50% of the conversations. {run.end_reason}"
    assert "needed 30" in run.end_reason
    assert any(
        event.level == "warn" and "taken back" in event.text for _, event in await house.store.runs.events(run.id)
    )


async def test_a_canary_without_harm_serves_everything_when_its_time_is_over(house: House):
    run = await a_canary(house)
    assert "It answers 50% of the conversations" in " ".join(await house.events(run))
    for number in range(4):
        await vote(house, await reply_in(house, number, in_canary=True), Judgement.GOOD)
    pass_hours(house, 2)
    assert (await step(house, run)).state is RunState.CANARY
    assert any("4 of 4 votes on its replies" in event for event in await house.events(run))
    pass_hours(house, 71)
    run = await run_until(house, run, RunState.PROMOTED)
    current = await house.store.models.current(house.voice.id)
    assert (current.kind, current.model.number) == (DeploymentKind.PROMOTION, 1)
    assert "As a canary it did no harm that could be proven in 73 hours" in current.why
    assert "better on the held-out questions" in current.why


async def test_fifty_accounts_in_an_hour_decide_nothing(house: House):
    run = await a_canary(house)
    for number in range(50):
        await vote(house, await reply_in(house, number, in_canary=True), Judgement.WRONG)
    assert (await step(house, run)).state is RunState.CANARY
    pass_hours(house, 30)
    assert (await step(house, run)).state is RunState.CANARY
    pass_hours(house, 60)
    run = await run_until(house, run, RunState.PROMOTED)
    assert "0 of 0 votes on its replies" in run.end_reason


async def test_who_corrected_a_reply_and_who_was_forgotten_have_no_vote_on_it(house: House):
    await a_canary(house)
    store, now = house.store, house.workshop.now
    current = await store.models.current(house.voice.id)
    corrected, forgotten, other = [await reply_in(house, number, in_canary=True) for number in range(3)]
    for reply in (corrected, forgotten, other):
        await vote(house, reply, Judgement.WRONG)
    asker = (await store.conversations.turn(corrected.turn_id)).asked_by
    made = Correction(
        "corr_own", house.voice.id, corrected.id, corrected.conversation_id, "reply", "k", (), "How?", "x", "So.",
        Judgement.WRONG, "", CorrectionState.PROPOSED, asker, now(),
    )  # fmt: skip
    await store.corrections.propose(made)
    actors = await store.people.actors([(await store.conversations.turn(forgotten.turn_id)).asked_by])
    [gone] = actors.values()
    await store.erasures.erase_person(gone, by=house.admin.id, at=now())
    assert [one.reply_id for one in await store.votes.cast(current)] == [other.id]
    assert await store.votes.cast(current, except_on="slack") == []


async def test_an_admins_roll_back_ends_the_canary_and_the_run(house: House):
    run = await a_canary(house)
    await promotion.roll_back(
        house.store, house.voice.id, by=house.admin, why="Ada did not like it.", at=house.workshop.now()
    )
    run = await run_until(house, run, RunState.STOPPED)
    assert "Ada did not like it." in run.end_reason
    current = await house.store.models.current(house.voice.id)
    assert (current.model.number, current.canary, current.seq) == (0, None, 2)


async def test_a_cancelled_run_takes_its_canary_with_it(house: House):
    run = await a_canary(house)
    await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
    run = await run_until(house, run, RunState.CANCELLED)
    assert (await house.store.models.current(house.voice.id)).canary is None


async def test_a_canary_whose_rules_were_changed_is_taken_back(house: House):
    run = await a_canary(house)
    with_rules(house, replace(JUDGED, candidate_share=0.25))
    run = await run_until(house, run, RunState.STOPPED)
    assert "decides nothing" in run.end_reason
    assert (await house.store.models.current(house.voice.id)).canary is None
