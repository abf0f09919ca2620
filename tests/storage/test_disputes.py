"""Two approved corrections that cannot both be right: one question, settled once, and the loser is superseded with a date."""

import asyncio
from datetime import timedelta

import pytest

from storage.disputes import blocked
from storage.errors import AlreadySettled, NotFound
from storage.ids import new_id
from storage.records import Correction, CorrectionState, Dispute, DisputeKind, Settlement
from storage.store import Store
from tests.storage.scenes import Scene, a_proposal

DETAIL = {"differs": ["number"]}


async def approved(scene: Scene, origin: str, text: str) -> Correction:
    saved, _ = await scene.store.corrections.propose(a_proposal(scene, origin=origin, text=text))
    mo = scene.moderator.id
    return await scene.store.corrections.decide(saved.id, CorrectionState.APPROVED, mo, "", at=scene.clock())


def a_dispute(scene: Scene, first: Correction, second: Correction | None) -> Dispute:
    kind = DisputeKind.OPINION if second is None else DisputeKind.CONTRADICTION
    at = scene.clock()
    return Dispute(new_id("disp", at), scene.voice.id, kind, first.id, second.id if second else "", DETAIL, at)


async def a_contradiction(scene: Scene) -> tuple[Dispute, Correction, Correction]:
    first, second = await approved(scene, "import:a:1", "14 days."), await approved(scene, "import:a:2", "30 days.")
    (dispute,) = await scene.store.disputes.raise_([a_dispute(scene, first, second)], scene.moderator.id)
    return dispute, first, second


async def test_a_pair_is_asked_about_once(scene: Scene):
    dispute, first, second = await a_contradiction(scene)
    store = scene.store.disputes
    assert await store.open(scene.voice.id) == [dispute]
    assert await store.raise_([a_dispute(scene, first, second)], scene.moderator.id) == []
    await store.settle(dispute.id, Settlement.BOTH, scene.moderator.id, at=scene.clock())
    assert await store.raise_([a_dispute(scene, first, second)], scene.moderator.id) == []
    assert await store.open(scene.voice.id) == []
    assert await store.pairs(scene.voice.id) == {(first.id, second.id)}


@pytest.mark.parametrize(("settlement", "loses"), [(Settlement.FIRST, 1), (Settlement.SECOND, 0)])
async def test_the_loser_is_superseded_by_the_winner_with_a_date(scene: Scene, settlement: Settlement, loses: int):
    dispute, *both = await a_contradiction(scene)
    at = scene.clock()
    settled = await scene.store.disputes.settle(dispute.id, settlement, scene.moderator.id, at=at)
    assert (settled.settlement, settled.settled_by, settled.settled_at) == (settlement, scene.moderator.id, at)
    loser = await scene.store.corrections.get(both[loses].id)
    winner = await scene.store.corrections.get(both[1 - loses].id)
    assert (loser.state, loser.superseded_by, loser.superseded_at) == (CorrectionState.SUPERSEDED, winner.id, at)
    assert winner.state is CorrectionState.APPROVED


async def test_where_both_can_be_right_both_stay(scene: Scene):
    dispute, *both = await a_contradiction(scene)
    await scene.store.disputes.settle(dispute.id, Settlement.BOTH, scene.moderator.id, at=scene.clock())
    assert {(await scene.store.corrections.get(each.id)).state for each in both} == {CorrectionState.APPROVED}


async def test_of_two_who_settle_at_once_one_is_told(scene: Scene, other_store: Store):
    dispute, *_ = await a_contradiction(scene)
    mo, at = scene.moderator.id, scene.clock()
    tries = await asyncio.gather(
        scene.store.disputes.settle(dispute.id, Settlement.FIRST, mo, at=at),
        other_store.disputes.settle(dispute.id, Settlement.SECOND, mo, at=at),
        return_exceptions=True,
    )
    (refused,) = [each for each in tries if isinstance(each, AlreadySettled)]
    assert "is already settled" in str(refused)
    states = [(await scene.store.corrections.get(id)).state for id in (dispute.first, dispute.second)]
    assert sorted(states) == [CorrectionState.APPROVED, CorrectionState.SUPERSEDED]


async def test_a_reviewer_who_disagrees_can_have_a_correction_taken_out(scene: Scene):
    made = await approved(scene, "import:a:1", "14 days.")
    (dispute,) = await scene.store.disputes.raise_([a_dispute(scene, made, None)], scene.moderator.id)
    assert blocked(await scene.store.disputes.open(scene.voice.id)) == {made.id}
    with pytest.raises(ValueError, match="opinion cannot be settled as second"):
        await scene.store.disputes.settle(dispute.id, Settlement.SECOND, scene.moderator.id, at=scene.clock())
    at = scene.clock()
    await scene.store.disputes.settle(dispute.id, Settlement.NEITHER, scene.moderator.id, at=at)
    gone = await scene.store.corrections.get(made.id)
    assert (gone.state, gone.superseded_by, gone.superseded_at) == (CorrectionState.SUPERSEDED, None, at)


async def test_a_dispute_is_moot_once_a_side_is_gone(scene: Scene):
    dispute, first, second = await a_contradiction(scene)
    third = await approved(scene, "import:a:3", "60 days.")
    (other,) = await scene.store.disputes.raise_([a_dispute(scene, second, third)], scene.moderator.id)
    await scene.store.disputes.settle(dispute.id, Settlement.FIRST, scene.moderator.id, at=scene.clock())
    assert await scene.store.disputes.open(scene.voice.id) == []
    assert await scene.store.disputes.about(second.id) == [await scene.store.disputes.get(dispute.id), other]
    assert blocked([dispute, other]) == {first.id, second.id, third.id}


async def test_an_unknown_dispute_is_not_found(scene: Scene):
    with pytest.raises(NotFound, match="There is no dispute 'disp_none'"):
        await scene.store.disputes.settle("disp_none", Settlement.BOTH, scene.moderator.id, at=scene.clock())


async def test_where_neither_is_right_both_are_taken_out(scene: Scene):
    dispute, *both = await a_contradiction(scene)
    await scene.store.disputes.settle(dispute.id, Settlement.NEITHER, scene.moderator.id, at=scene.clock())
    gone = [await scene.store.corrections.get(each.id) for each in both]
    assert [(each.state, each.superseded_by) for each in gone] == [(CorrectionState.SUPERSEDED, None)] * 2


async def test_the_winner_may_hold_from_a_day_on_and_the_other_one_until_then(scene: Scene):
    dispute, older, newer = await a_contradiction(scene)
    store, at = scene.store, scene.clock()
    day = at + timedelta(days=9)
    settled = await store.disputes.settle(dispute.id, Settlement.SECOND, scene.moderator.id, at=at, holds_from=day)
    assert settled.holds_from == day
    older, newer = await store.corrections.get(older.id), await store.corrections.get(newer.id)
    assert {older.state, newer.state} == {CorrectionState.APPROVED}
    assert (older.holds_from, older.expires_at, newer.holds_from, newer.expires_at) == (None, day, day, None)
    assert await store.disputes.open(scene.voice.id) == []


@pytest.mark.parametrize("settlement", [Settlement.BOTH, Settlement.NEITHER])
async def test_only_a_winner_holds_from_a_day_on_and_no_day_lies_behind(scene: Scene, settlement: Settlement):
    dispute, *_ = await a_contradiction(scene)
    at, mo = scene.clock(), scene.moderator.id
    later, before = at + timedelta(days=1), at - timedelta(days=1)
    for impossible, day in ((settlement, later), (Settlement.FIRST, before)):
        with pytest.raises(ValueError, match="cannot hold from"):
            await scene.store.disputes.settle(dispute.id, impossible, mo, at=at, holds_from=day)
    assert await scene.store.disputes.votes([dispute.id]) == {dispute.id: []}


async def test_it_is_settled_once_enough_say_the_same_and_the_last_word_of_each_counts(scene: Scene):
    dispute, *_ = await a_contradiction(scene)
    store, mo = scene.store, scene.moderator.id
    other = await store.people.ensure_actor("console", "ann", "Ann", frozenset(), at=scene.clock())

    async def says(by: str, settlement: Settlement) -> Dispute:
        return await store.disputes.settle(dispute.id, settlement, by, at=scene.clock(), needed=2)

    assert (await says(mo, Settlement.FIRST)).settled_at is None
    assert (await says(mo, Settlement.SECOND)).settled_at is None  # a second vote of one person is no second person
    assert (await says(other.id, Settlement.FIRST)).settled_at is None
    votes = (await store.disputes.votes([dispute.id]))[dispute.id]
    assert {vote.actor_id: vote.settlement for vote in votes} == {mo: Settlement.SECOND, other.id: Settlement.FIRST}
    settled = await says(other.id, Settlement.SECOND)
    assert (settled.settlement, settled.settled_by) == (Settlement.SECOND, other.id)
    verbs = [entry.verb for entry in await store.audit.entries(20, dispute.id)]
    assert (verbs.count("vote_dispute"), verbs.count("settle")) == (4, 1)


async def test_two_who_agree_at_once_settle_it(scene: Scene, other_store: Store):
    dispute, *_ = await a_contradiction(scene)
    other = await scene.store.people.ensure_actor("console", "ann", "Ann", frozenset(), at=scene.clock())
    at = scene.clock()
    await asyncio.gather(
        scene.store.disputes.settle(dispute.id, Settlement.BOTH, scene.moderator.id, at=at, needed=2),
        other_store.disputes.settle(dispute.id, Settlement.BOTH, other.id, at=at, needed=2),
    )
    assert (await scene.store.disputes.get(dispute.id)).settlement is Settlement.BOTH


async def test_a_dispute_is_moot_only_while_nobody_has_settled_it(scene: Scene):
    dispute, _, second = await a_contradiction(scene)
    assert not await scene.store.disputes.is_moot(dispute.id)
    third = await approved(scene, "import:a:3", "60 days.")
    (other,) = await scene.store.disputes.raise_([a_dispute(scene, second, third)], scene.moderator.id)
    settled = await scene.store.disputes.settle(dispute.id, Settlement.FIRST, scene.moderator.id, at=scene.clock())
    assert await scene.store.disputes.is_moot(other.id)
    assert not await scene.store.disputes.is_moot(settled.id)
