"""A conversation in a person's hands: one at a time, taken by the first, released once."""

import asyncio

import pytest

from storage.errors import NotFound
from storage.records import Conversation
from storage.store import Store
from tests.storage.scenes import Scene, a_turn


@pytest.fixture
async def conversation(scene: Scene) -> Conversation:
    return await scene.store.conversations.ensure(scene.voice.id, "slack", "T1/C1/171.1", at=scene.clock())


async def test_a_person_is_asked_for_once_until_the_conversation_is_released(scene: Scene, conversation: Conversation):
    hands, mo = scene.store.hand_overs, scene.moderator.id
    assert await hands.open(conversation.id) is None
    first, is_new = await hands.ask(conversation.id, "asked for a person", mo, at=scene.clock())
    assert is_new
    assert await hands.ask(conversation.id, "again", mo, at=scene.clock()) == (first, False)
    assert await hands.open(conversation.id) == first
    released = await hands.release(first.id, mo, at=scene.clock())
    assert released.released_by == mo
    assert await hands.open(conversation.id) is None
    _, is_new = await hands.ask(conversation.id, "once more", mo, at=scene.clock())
    assert is_new


async def test_who_takes_it_first_keeps_it(scene: Scene, conversation: Conversation, other_store: Store):
    other = await scene.store.people.ensure_actor("slack", "U2", "Bo", at=scene.clock())
    asked, _ = await scene.store.hand_overs.ask(conversation.id, "", scene.moderator.id, at=scene.clock())
    at = scene.clock()
    taken = await asyncio.gather(
        scene.store.hand_overs.take(asked.id, scene.moderator.id, at=at),
        other_store.hand_overs.take(asked.id, other.id, at=at),
    )
    assert len({hand_over.taken_by for hand_over in taken}) == 1
    assert len([e for e in await scene.store.audit.entries(10, asked.id) if e.verb == "take_hand_over"]) == 1


async def test_staff_who_simply_answer_have_it_at_once(scene: Scene, conversation: Conversation):
    mo = scene.moderator.id
    asked, _ = await scene.store.hand_overs.ask(conversation.id, "staff answered", mo, taken_by=mo, at=scene.clock())
    assert (asked.taken_by, asked.taken_at) == (mo, asked.asked_at)


async def test_a_released_one_can_no_longer_be_taken(scene: Scene, conversation: Conversation):
    mo = scene.moderator.id
    asked, _ = await scene.store.hand_overs.ask(conversation.id, "", mo, at=scene.clock())
    await scene.store.hand_overs.release(asked.id, mo, at=scene.clock())
    assert (await scene.store.hand_overs.take(asked.id, mo, at=scene.clock())).taken_by is None


async def test_an_unknown_one_is_not_found(scene: Scene):
    with pytest.raises(NotFound, match="There is no hand-over 'hand_none'"):
        await scene.store.hand_overs.get("hand_none")


async def test_what_becomes_of_a_question_is_told_at_once(scene: Scene):
    turn = await a_turn(scene)
    conversations, mo = scene.store.conversations, scene.moderator.id
    assert await conversations.fate(turn.id) == (False, False)
    asked, _ = await scene.store.hand_overs.ask(turn.conversation_id, "", mo, at=scene.clock())
    assert await conversations.fate(turn.id) == (False, True)
    await scene.store.hand_overs.release(asked.id, mo, at=scene.clock())
    await conversations.withdraw_question(turn.platform, turn.key, at=scene.clock())
    assert await conversations.fate(turn.id) == (True, False)
    with pytest.raises(NotFound, match="There is no turn 'turn_none'"):
        await conversations.fate("turn_none")
