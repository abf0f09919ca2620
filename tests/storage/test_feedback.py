import asyncio

import pytest

from storage.errors import NotFound
from storage.records import Judgement
from storage.store import Store
from tests.storage.scenes import Scene, a_reply


async def test_a_second_judgement_replaces_the_first_and_the_audit_keeps_both(scene: Scene) -> None:
    reply = await a_reply(scene)
    feedback = scene.store.feedback
    first = await feedback.give(reply.id, scene.moderator.id, Judgement.GOOD, "", False, at=scene.clock())
    second = await feedback.give(reply.id, scene.moderator.id, Judgement.WRONG, "no", True, at=scene.clock())
    assert second.id == first.id
    assert await feedback.for_reply(reply.id) == [second]
    entries = await scene.store.audit.entries(9, subject=reply.id)
    assert [entry.detail["judgement"] for entry in entries] == ["wrong", "good"]


async def test_ten_clicks_at_once_leave_one_judgement(scene: Scene, other_store: Store) -> None:
    reply = await a_reply(scene)
    at = scene.clock()
    await asyncio.gather(
        *(
            store.feedback.give(reply.id, scene.moderator.id, Judgement.GOOD, "", False, at=at)
            for store in [scene.store, other_store] * 5
        )
    )
    assert len(await scene.store.feedback.for_reply(reply.id)) == 1


async def test_feedback_can_be_withdrawn_once(scene: Scene) -> None:
    reply = await a_reply(scene)
    await scene.store.feedback.give(reply.id, scene.moderator.id, Judgement.GOOD, "", False, at=scene.clock())
    assert await scene.store.feedback.withdraw(reply.id, scene.moderator.id, at=scene.clock())
    assert not await scene.store.feedback.withdraw(reply.id, scene.moderator.id, at=scene.clock())
    assert await scene.store.feedback.for_reply(reply.id) == []


async def test_feedback_on_an_unknown_reply_is_a_sentence(scene: Scene) -> None:
    with pytest.raises(NotFound, match="There is no reply 'reply_nothing'"):
        await scene.store.feedback.give(
            "reply_nothing", scene.moderator.id, Judgement.GOOD, "", False, at=scene.clock()
        )


async def test_flags_counts_and_judgements_are_listed_per_voice(scene: Scene) -> None:
    feedback, people = scene.store.feedback, scene.store.people
    customer = await people.ensure_actor("slack", "U1", "Ada", at=scene.clock())
    first, second = await a_reply(scene, "one"), await a_reply(scene, "two")
    good = await feedback.give(first.id, scene.moderator.id, Judgement.GOOD, "", False, at=scene.clock())
    tone = await feedback.give(first.id, customer.id, Judgement.TONE, "rude", True, at=scene.clock())
    wrong = await feedback.give(second.id, customer.id, Judgement.WRONG, "", True, at=scene.clock())
    assert await feedback.for_replies([first.id, second.id, "reply_nothing"]) == {
        first.id: [good, tone],
        second.id: [wrong],
    }
    assert await feedback.for_replies([]) == {}
    assert await feedback.flagged(scene.voice.id, 5) == [wrong, tone]
    assert await feedback.flagged("voice_nothing", 5) == []
    assert await feedback.counts(scene.voice.id) == {
        Judgement.GOOD: 1,
        Judgement.WRONG: 1,
        Judgement.TONE: 1,
        Judgement.UNSAFE: 0,
        Judgement.OUTDATED: 0,
        Judgement.OFF_TOPIC: 0,
    }
