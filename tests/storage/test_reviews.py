"""Locks that expire, decisions that can be taken back for a while, and second opinions."""

import asyncio
from datetime import timedelta

import pytest

from storage.errors import NotFound
from storage.records import Actor, Correction, CorrectionState, DatasetLine, Judgement, Opinion, Part, Role
from storage.store import Store
from tests.storage.scenes import Scene, a_proposal, a_reply, a_version, an_approved_correction

LOCK = timedelta(minutes=5)


@pytest.fixture
async def other(scene: Scene) -> Actor:
    return await scene.store.people.ensure_actor("console", "bo", "Bo", at=scene.clock())


async def a_saved_proposal(scene: Scene, **how: object) -> Correction:
    saved, _ = await scene.store.corrections.propose(a_proposal(scene, **how))
    return saved


# ---------------------------------------------------------------- the queue


async def test_what_waits_comes_with_where_it_came_from(scene: Scene):
    reply = await a_reply(scene)
    of_reply = await a_saved_proposal(scene, reply=reply)
    of_file = await a_saved_proposal(scene, origin="import:faq.csv:1")
    await an_approved_correction(scene, "import:faq.csv:2")
    waiting = await scene.store.reviews.waiting(scene.voice.id)
    assert [(each.id, each.platform, each.place, each.is_imported) for each in waiting] == [
        (of_reply.id, "console", "practice", False),
        (of_file.id, None, None, True),
    ]
    assert waiting[0].proposed_at == of_reply.proposed_at
    assert waiting[0].reason is Judgement.TONE
    assert await scene.store.reviews.waiting("voice_other") == []


async def test_questions_of_late_are_the_newest_that_stand(scene: Scene):
    start = scene.clock()
    for key in ("m1", "m2", "m3"):
        await a_reply(scene, key)
    await scene.store.conversations.withdraw_question("console", "m3", at=scene.clock())
    asked = scene.store.reviews.asked
    assert await asked(scene.voice.id, start, 10) == ["Where is my parcel?"] * 2
    assert len(await asked(scene.voice.id, start, 1)) == 1
    assert await asked(scene.voice.id, scene.clock(), 10) == []


# ---------------------------------------------------------------- locks


async def test_of_two_who_take_it_at_once_one_gets_it(scene: Scene, other: Actor, other_store: Store):
    correction = await a_saved_proposal(scene)
    now = scene.clock()
    taken = await asyncio.gather(
        scene.store.reviews.take(correction.id, scene.moderator.id, now=now, until=now + LOCK),
        other_store.reviews.take(correction.id, other.id, now=now, until=now + LOCK),
    )
    assert len({assignment.actor_id for assignment in taken}) == 1
    assert await scene.store.reviews.held([correction.id], now) == {correction.id: taken[0]}


async def test_an_expired_lock_is_the_next_ones_and_a_renewed_one_is_not(scene: Scene, other: Actor):
    correction, reviews = await a_saved_proposal(scene), scene.store.reviews
    now = scene.clock()
    await reviews.take(correction.id, scene.moderator.id, now=now, until=now + LOCK)
    renewed = await reviews.take(correction.id, scene.moderator.id, now=now + LOCK / 2, until=now + LOCK * 2)
    assert renewed.until == now + LOCK * 2
    refused = await reviews.take(correction.id, other.id, now=now + LOCK, until=now + LOCK * 3)
    assert refused == renewed
    end = now + LOCK * 2
    assert await reviews.held([correction.id], end) == {}
    assert (await reviews.take(correction.id, other.id, now=end, until=end + LOCK)).actor_id == other.id


async def test_dropping_gives_back_all_of_ones_own_but_one(scene: Scene, other: Actor):
    reviews, now = scene.store.reviews, scene.clock()
    mine, kept, theirs = [(await a_saved_proposal(scene)).id for _ in range(3)]
    for id, actor in ((mine, scene.moderator), (kept, scene.moderator), (theirs, other)):
        await reviews.take(id, actor.id, now=now, until=now + LOCK)
    await reviews.drop(scene.moderator.id, but=kept)
    assert set(await reviews.held([mine, kept, theirs], now)) == {kept, theirs}


async def test_what_does_not_exist_cannot_be_taken(scene: Scene):
    now = scene.clock()
    with pytest.raises(NotFound, match="There is no correction 'corr_none'"):
        await scene.store.reviews.take("corr_none", scene.moderator.id, now=now, until=now + LOCK)


# ---------------------------------------------------------------- taking a decision back


async def test_a_decision_taken_back_waits_again_and_what_it_replaced_stands(scene: Scene):
    reply, store, me = await a_reply(scene), scene.store, scene.moderator.id
    older, newer = [await a_saved_proposal(scene, reply=reply, text=text) for text in ("Soon.", "Tomorrow.")]
    for correction in (older, newer):
        await store.corrections.decide(correction.id, CorrectionState.APPROVED, me, "Fine", at=scene.clock())
    since = older.proposed_at
    assert await store.reviews.take_back(newer.id, me, since=since, at=scene.clock())
    again = await store.corrections.get(newer.id)
    assert (again.state, again.decided_by, again.decided_at, again.decision_note) == (
        CorrectionState.PROPOSED, None, None, "",
    )  # fmt: skip
    standing = await store.corrections.get(older.id)
    assert (standing.state, standing.superseded_by, standing.superseded_at) == (CorrectionState.APPROVED, None, None)
    assert [e.verb for e in await store.audit.entries(2)] == ["restore", "take_back"]
    assert not await store.reviews.take_back(newer.id, me, since=since, at=scene.clock())


async def test_a_decision_is_taken_back_only_by_who_took_it_and_only_lately(scene: Scene, other: Actor):
    store, me = scene.store, scene.moderator.id
    correction = await a_saved_proposal(scene)
    decided = await store.corrections.decide(correction.id, CorrectionState.REJECTED, me, "", at=scene.clock())
    assert decided.decided_at is not None
    since = correction.proposed_at
    assert not await store.reviews.take_back(correction.id, other.id, since=since, at=scene.clock())
    assert not await store.reviews.take_back(correction.id, me, since=decided.decided_at, at=scene.clock())
    assert await store.reviews.take_back(correction.id, me, since=since, at=scene.clock())


@pytest.mark.parametrize("what", ["version", "opinion"])
async def test_a_decision_that_something_rests_on_stays(scene: Scene, other: Actor, what: str):
    store = scene.store
    since = scene.clock()
    correction = await an_approved_correction(scene)
    if what == "version":
        version = a_version(scene)
        line = DatasetLine(version.id, Part.TRAIN, 0, 0, Role.ANSWER, "group", correction.id)
        await store.datasets.freeze(version, {}, [line], {}, at=scene.clock())
    else:
        await store.reviews.give(Opinion(correction.id, other.id, True, Judgement.TONE, scene.clock()))
    assert not await store.reviews.take_back(correction.id, scene.moderator.id, since=since, at=scene.clock())
    assert (await store.corrections.get(correction.id)).state is CorrectionState.APPROVED


# ---------------------------------------------------------------- second opinions


async def test_what_was_decided_lately_can_be_looked_at_again(scene: Scene):
    start = scene.clock()
    imported = await an_approved_correction(scene)
    of_reply = await a_saved_proposal(scene, reply=await a_reply(scene))
    await a_saved_proposal(scene, origin="import:faq.csv:2")
    decide = scene.store.corrections.decide
    rejected = await decide(of_reply.id, CorrectionState.REJECTED, scene.moderator.id, "", at=scene.clock())
    found = await scene.store.reviews.decided(scene.voice.id, start)
    assert [(each.id, each.state, each.is_imported) for each in found] == [
        (imported.id, CorrectionState.APPROVED, True),
        (of_reply.id, CorrectionState.REJECTED, False),
    ]
    assert found[1].decided_at == rejected.decided_at
    assert imported.decided_at is not None
    assert [each.id for each in await scene.store.reviews.decided(scene.voice.id, imported.decided_at)] == [of_reply.id]


async def test_the_last_opinion_of_a_person_counts(scene: Scene, other: Actor):
    reviews, correction = scene.store.reviews, await an_approved_correction(scene)
    await reviews.give(Opinion(correction.id, other.id, True, Judgement.TONE, scene.clock()))
    last = await reviews.give(Opinion(correction.id, other.id, False, Judgement.WRONG, scene.clock()))
    mine = await reviews.give(Opinion(correction.id, scene.moderator.id, True, Judgement.TONE, scene.clock()))
    assert await reviews.opinions(scene.voice.id) == [last, mine]
    assert await reviews.opinions_on(correction.id) == [last, mine]
    assert await reviews.opinions("voice_other") == []
    verbs = [entry.verb for entry in await scene.store.audit.entries(10, correction.id)]
    assert verbs.count("second_opinion") == 3
    with pytest.raises(NotFound):
        await reviews.give(Opinion("corr_none", other.id, True, Judgement.TONE, scene.clock()))
