import asyncio
from dataclasses import replace

import pytest

from storage.errors import NotFound
from storage.records import CorrectionState, TurnState
from storage.store import Store
from tests.storage.scenes import Scene, a_proposal, a_reply, a_reply_to, a_turn


async def test_a_redelivered_question_is_recorded_once(scene: Scene, other_store: Store) -> None:
    conversation = await scene.store.conversations.ensure(scene.voice.id, "slack", "C1", at=scene.clock())
    at = scene.clock()
    recorded = await asyncio.gather(
        *(
            store.conversations.record_turn(conversation, "event-1", "Hi?", scene.moderator.id, at=at)
            for store in [scene.store, other_store] * 5
        )
    )
    assert sum(is_new for _, is_new in recorded) == 1
    assert len({turn.id for turn, _ in recorded}) == 1
    assert len(await scene.store.conversations.recent_turns(conversation.id, 10)) == 1


async def test_a_conversation_is_the_same_one_the_second_time(scene: Scene, other_store: Store) -> None:
    at = scene.clock()
    found = await asyncio.gather(
        *(store.conversations.ensure(scene.voice.id, "slack", "C1", at=at) for store in [scene.store, other_store] * 3)
    )
    assert len(set(found)) == 1


async def test_one_worker_at_a_time_answers_a_turn(scene: Scene, other_store: Store) -> None:
    turn = await a_turn(scene)
    now = scene.clock()
    claims = await asyncio.gather(
        *(
            store.conversations.claim_turn(turn.id, f"worker-{number}", now=now, lease_s=60)
            for number, store in enumerate([scene.store, other_store] * 3)
        )
    )
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_an_owner_that_starts_again_frees_what_it_held_before_and_nothing_else(scene: Scene) -> None:
    conversations = scene.store.conversations
    mine, theirs = await a_turn(scene, "mine"), await a_turn(scene, "theirs")
    await conversations.claim_turn(mine.id, "embedded", now=scene.clock(), lease_s=600)
    await conversations.claim_turn(theirs.id, "worker-2", now=scene.clock(), lease_s=600)
    assert await conversations.release_turns("embedded") == 1
    assert [turn.id for turn in await conversations.unanswered(scene.clock())] == [mine.id]
    assert await conversations.release_turns("embedded") == 0


async def test_a_turn_is_claimed_again_by_its_owner_or_after_its_lease(scene: Scene) -> None:
    conversations = scene.store.conversations
    turn = await a_turn(scene)
    await conversations.claim_turn(turn.id, "worker-1", now=scene.clock(), lease_s=60)
    again = await conversations.claim_turn(turn.id, "worker-1", now=scene.clock(), lease_s=60)
    assert again is not None
    assert again.attempts == 2
    assert await conversations.claim_turn(turn.id, "worker-2", now=scene.clock(), lease_s=60) is None
    taken_over = await conversations.claim_turn(turn.id, "worker-2", now=scene.clock.advance(61), lease_s=60)
    assert taken_over is not None
    assert (taken_over.lease_owner, taken_over.attempts) == ("worker-2", 3)


async def test_claiming_an_unknown_turn_is_a_sentence(scene: Scene) -> None:
    with pytest.raises(NotFound, match="There is no turn 'turn_nothing'"):
        await scene.store.conversations.claim_turn("turn_nothing", "worker-1", now=scene.clock(), lease_s=60)


async def test_unanswered_turns_are_those_nobody_works_on_oldest_first(scene: Scene) -> None:
    conversations = scene.store.conversations
    held, lapsed, fresh, answered = [await a_turn(scene, key) for key in ("held", "lapsed", "fresh", "answered")]
    await conversations.claim_turn(lapsed.id, "worker-1", now=scene.clock(), lease_s=1)
    await conversations.claim_turn(held.id, "worker-1", now=scene.clock(), lease_s=600)
    await conversations.save_reply(a_reply_to(answered, scene.clock()), owner="worker-1")
    waiting = await conversations.unanswered(scene.clock.advance(10))
    assert [turn.key for turn in waiting] == [lapsed.key, fresh.key]


async def test_a_turn_gets_one_reply_even_when_two_workers_finish(scene: Scene, other_store: Store) -> None:
    turn = await a_turn(scene)
    replies = [a_reply_to(turn, scene.clock(), text=f"Reply {number}") for number in range(6)]
    saved = await asyncio.gather(
        *(
            store.conversations.save_reply(reply, owner=f"worker-{number}")
            for number, (reply, store) in enumerate(zip(replies, [scene.store, other_store] * 3, strict=True))
        )
    )
    assert sum(is_new for _, is_new in saved) == 1
    winner = next(reply for reply, is_new in saved if is_new)
    assert {reply for reply, _ in saved} == {winner}
    assert await scene.store.conversations.reply_to(turn.id) == winner
    answered = await scene.store.conversations.turn(turn.id)
    assert (answered.state, answered.lease_until) == (TurnState.ANSWERED, None)
    assert await scene.store.conversations.claim_turn(turn.id, "worker-9", now=scene.clock(), lease_s=9) is None


async def test_a_reply_to_an_unknown_turn_is_a_sentence(scene: Scene) -> None:
    unknown = replace(await a_turn(scene), id="turn_nothing")
    with pytest.raises(NotFound, match="There is no turn 'turn_nothing'"):
        await scene.store.conversations.save_reply(a_reply_to(unknown, scene.clock()), owner="worker-1")


async def test_history_is_what_was_said_before_oldest_first(scene: Scene) -> None:
    conversations = scene.store.conversations
    replies = [await a_reply(scene, key) for key in ("one", "two", "three")]
    last = await a_turn(scene, "four")
    history = await conversations.history(last.conversation_id, before=last, limit=2)
    assert [(turn.key, reply) for turn, reply in history] == [("two", replies[1]), ("three", replies[2])]
    recent = await conversations.recent_turns(last.conversation_id, 2)
    assert [(turn.key, reply) for turn, reply in recent] == [("three", replies[2]), ("four", None)]
    assert await conversations.history("conv_nothing", before=None, limit=5) == []


async def test_turns_of_the_same_moment_keep_one_order(scene: Scene) -> None:
    conversations = scene.store.conversations
    conversation = await conversations.ensure(scene.voice.id, "slack", "C1", at=scene.clock())
    at = scene.clock()
    for key in "abcde":
        await conversations.record_turn(conversation, key, key, scene.moderator.id, at=at)
    everything = [turn for turn, _ in await conversations.recent_turns(conversation.id, 9)]
    before = [turn for turn, _ in await conversations.history(conversation.id, before=everything[3], limit=9)]
    assert before == everything[:3]


async def test_editing_a_reply_keeps_what_the_model_said(scene: Scene) -> None:
    reply = await a_reply(scene)
    edited = await scene.store.conversations.edit_reply(reply.id, "On it!", scene.moderator.id, at=scene.clock())
    assert (edited.text, edited.corrected_text) == ("Somewhere.", "On it!")
    assert await scene.store.conversations.reply(reply.id) == edited
    assert [entry.verb for entry in await scene.store.audit.entries(9, subject=reply.id)] == ["edit_reply"]
    with pytest.raises(NotFound):
        await scene.store.conversations.edit_reply("reply_nothing", "x", scene.moderator.id, at=scene.clock())


@pytest.mark.parametrize(
    "question",
    [
        "",
        "👩‍👩‍👧‍👦" * 50,
        "שלום עולם",
        "a\r\n\tb",
        "'; DROP TABLE turns; --",
        "x" * 1_000_000,
        "<script>alert(1)</script>",
    ],
    ids=["empty", "emoji", "right-to-left", "control", "sql", "a-megabyte", "html"],
)
async def test_any_question_comes_back_as_it_was_asked(scene: Scene, question: str) -> None:
    conversation = await scene.store.conversations.ensure(scene.voice.id, "slack", "C1", at=scene.clock())
    turn, _ = await scene.store.conversations.record_turn(
        conversation, "k", question, scene.moderator.id, at=scene.clock()
    )
    assert (await scene.store.conversations.turn(turn.id)).question == question


async def test_an_edited_question_is_the_one_that_counts(scene: Scene) -> None:
    turn = await a_turn(scene)
    conversations = scene.store.conversations
    edited = await conversations.edit_question("console", turn.key, "Where is my LETTER?", at=scene.clock())
    assert edited is not None
    assert (edited.id, edited.question, edited.edited_at) == (turn.id, "Where is my LETTER?", scene.clock.now)
    assert await conversations.edit_question("console", "message-none", "?", at=scene.clock()) is None


async def test_a_deleted_question_leaves_nothing_to_train_on_and_is_not_answered(scene: Scene) -> None:
    conversations, corrections = scene.store.conversations, scene.store.corrections
    reply = await a_reply(scene)
    approved, _ = await corrections.propose(a_proposal(scene, reply))
    await corrections.decide(approved.id, CorrectionState.APPROVED, scene.moderator.id, "", at=scene.clock())
    waiting = await a_turn(scene, "message-2")
    for key in ("message-1", "message-2"):
        assert await conversations.withdraw_question("console", key, at=scene.clock()) is not None
        assert await conversations.withdraw_question("console", key, at=scene.clock()) is None
    assert (await conversations.turn(reply.turn_id)).question == ""
    assert (await conversations.reply(reply.id)).text == ""
    erased = await corrections.get(approved.id)
    assert (erased.state, erased.question, erased.corrected_text, erased.history) == (
        CorrectionState.ERASED,
        "",
        "",
        (),
    )
    assert await corrections.approved(scene.voice.id) == []
    assert await conversations.unanswered(scene.clock()) == []
    assert await conversations.claim_turn(waiting.id, "w", now=scene.clock(), lease_s=60) is None
    assert await conversations.edit_question("console", "message-1", "again", at=scene.clock()) is None
