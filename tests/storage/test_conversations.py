import asyncio
from dataclasses import replace
from typing import Any

import pytest

from storage.conversations import Situation, Taken, ToPost
from storage.errors import NotFound
from storage.records import ChannelMode, CorrectionState, PostingKind, Right, TurnState
from storage.store import Store
from storage.turns import Asking
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


# ---------------------------------------------------------------- what a message and its reply need, at once


def asking(scene: Scene, key: str = "message-1", **more: Any) -> Asking:
    return Asking(scene.voice.id, "slack", "T1/C1/1.1", key, "Where is it?", scene.moderator.id, **more)


async def take(scene: Scene, what: Asking, owner: str = "bot-1") -> Taken | None:
    return await scene.store.conversations.take_question(what, owner=owner, lease_s=60, history=5, now=scene.clock())


async def look(scene: Scene, speaker: str = "T1/U1") -> Situation:
    return await scene.store.conversations.situation("slack", speaker=speaker, conversation="T1/C1/1.1", place="T1/C1")


async def test_of_what_was_never_heard_nothing_is_known(scene: Scene):
    assert await look(scene) == Situation(None, None, None, False, None)


async def test_all_that_is_known_about_a_message_is_seen_at_once(scene: Scene):
    store = scene.store
    cleo = await store.people.ensure_actor("slack", "T1/U1", "Cleo", [Right.MODERATOR], at=scene.clock())
    await store.channels.set("slack", "T1/C1", ChannelMode.DRAFT, True, scene.moderator.id, at=scene.clock())
    taken = await take(scene, asking(scene))
    assert taken is not None
    found = await look(scene)
    assert (found.speaker, found.channel_mode, found.first_asked_by) == (cleo, ChannelMode.DRAFT, scene.moderator.id)
    assert found.conversation is not None
    assert found.conversation.id == taken.turn.conversation_id
    assert not found.is_handed_over
    await store.hand_overs.ask(found.conversation.id, "", scene.moderator.id, at=scene.clock())
    assert (await look(scene)).is_handed_over
    assert (await look(scene, "T2/U1")).speaker is None


async def test_a_question_is_taken_once_with_its_conversation_and_what_serves(scene: Scene, other_store: Store):
    other = replace(scene, store=other_store)
    both = await asyncio.gather(take(scene, asking(scene)), take(other, asking(other), "bot-2"))
    (taken,) = [one for one in both if one is not None]
    assert taken.turn.lease_owner in ("bot-1", "bot-2")
    assert (taken.turn.attempts, taken.history, taken.is_deleted) == (1, [], False)
    assert await scene.store.conversations.turn(taken.turn.id) == taken.turn
    assert (taken.voice, taken.deployment) == await scene.store.models.serving(scene.voice.id)
    late = await scene.store.conversations.claim_turn(taken.turn.id, "bot-3", now=scene.clock(), lease_s=60)
    assert late is None


async def test_a_question_is_taken_with_what_was_said_before_it(scene: Scene):
    conversations = scene.store.conversations
    first = await take(scene, asking(scene, "m1"))
    assert first is not None
    reply, _ = await conversations.save_reply(a_reply_to(first.turn, scene.clock()), owner="bot-1")
    known = await conversations.find("slack", "T1/C1/1.1")
    second = await take(scene, asking(scene, "m2", known=known))
    assert second is not None
    assert [(turn.key, said) for turn, said in second.history] == [("m1", reply)]


async def test_a_question_whose_deletion_came_first_is_taken_as_deleted(scene: Scene):
    await scene.store.inbox.receive("slack", "gone", "message", {}, owner="b", now=scene.clock(), lease_s=60)
    taken = await take(scene, asking(scene, deletion_key="gone"))
    assert taken is not None
    assert taken.is_deleted


async def to_post(scene: Scene, taken: Taken, text: str = "Somewhere.") -> ToPost:
    reply = a_reply_to(taken.turn, scene.clock(), text)
    return await scene.store.conversations.save_reply_to_post(
        reply, owner="bot-1", platform="slack", place="T1/C1", at=scene.clock()
    )


async def test_a_reply_is_saved_and_its_message_intended_together(scene: Scene):
    taken = await take(scene, asking(scene))
    assert taken is not None
    saved = await to_post(scene, taken)
    assert (await scene.store.conversations.turn(taken.turn.id)).state is TurnState.ANSWERED
    assert await scene.store.conversations.reply_to(taken.turn.id) == saved.reply
    assert saved.first_part is not None
    posting, is_new = saved.first_part
    assert (is_new, posting.message_key) == (True, None)
    assert await scene.store.postings.of(PostingKind.REPLY, taken.turn.id) == [posting]


async def test_the_first_reply_stands_and_its_message_is_not_intended_twice(scene: Scene):
    taken = await take(scene, asking(scene))
    assert taken is not None
    first, again = await to_post(scene, taken, "One."), await to_post(scene, taken, "Two.")
    assert again.reply.text == "One."
    assert first.first_part is not None
    assert again.first_part == (first.first_part[0], False)


async def test_of_a_withdrawn_question_no_words_and_no_message_come(scene: Scene):
    taken = await take(scene, asking(scene))
    assert taken is not None
    await scene.store.conversations.withdraw_question("slack", "message-1", at=scene.clock())
    saved = await to_post(scene, taken)
    assert (saved.reply.text, saved.is_withdrawn, saved.first_part) == ("", True, None)
    assert await scene.store.postings.of(PostingKind.REPLY, taken.turn.id) == []


async def test_a_reply_in_a_conversation_that_was_handed_over_is_kept_but_not_to_be_posted(scene: Scene):
    taken = await take(scene, asking(scene))
    other = await take(scene, Asking(scene.voice.id, "slack", "T1/C1/2.2", "m2", "And this?", scene.moderator.id))
    assert taken is not None
    assert other is not None
    await scene.store.hand_overs.ask(taken.turn.conversation_id, "", scene.moderator.id, at=scene.clock())
    saved, elsewhere = await to_post(scene, taken), await to_post(scene, other)
    assert (saved.reply.text, saved.is_handed_over, saved.first_part) == ("Somewhere.", True, None)
    assert not elsewhere.is_handed_over
    assert elsewhere.first_part is not None


async def test_every_question_of_a_place_is_withdrawn_and_its_messages_are_out_of_reach(scene: Scene) -> None:
    conversations, postings = scene.store.conversations, scene.store.postings
    gone = [await a_reply(scene, f"10/1/{number}") for number in range(3)]
    kept = await a_reply(scene, "100/1/1")
    for reply, place in zip([*gone, kept], ["10/1", "10/1", "10/2", "100/1"], strict=True):
        posting, _ = await postings.intend("console", PostingKind.REPLY, reply.turn_id, 0, place, at=scene.clock())
        await postings.landed(posting.id, reply.turn_id)
    assert await conversations.withdraw_all("console", "10/", at=scene.clock()) == 3
    assert [(await conversations.reply(reply.id)).text for reply in gone] == ["", "", ""]
    assert (await conversations.reply(kept.id)).text != ""
    assert await postings.to_remove("console", 10) == []
    [standing] = await postings.standing("console", PostingKind.REPLY, 10)
    assert standing.subject == kept.turn_id
    assert await conversations.withdraw_all("console", "10/", at=scene.clock()) == 0
    assert await conversations.withdraw_all("slack", "100/", at=scene.clock()) == 0
