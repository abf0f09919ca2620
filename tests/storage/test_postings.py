"""Our messages on the platforms: intended once, found by what they show and by where they are."""

import asyncio
from datetime import timedelta

import pytest

from storage.errors import NotFound
from storage.postings import EDITED, LAST
from storage.records import CorrectionState, Posting, PostingKind
from storage.store import Store
from tests.storage.scenes import Scene, a_proposal, a_reply, a_turn


async def test_a_message_is_intended_once_and_found_again_after_a_crash(scene: Scene):
    postings = scene.store.postings
    first, is_new = await postings.intend("slack", PostingKind.REPLY, "turn_1", 0, "T1/C1", at=scene.clock())
    assert is_new
    assert first.message_key is None
    again, is_new = await postings.intend("slack", PostingKind.REPLY, "turn_1", 0, "T1/C1", at=scene.clock())
    assert (again, is_new) == (first, False)
    landed = await postings.landed(first.id, "171.1")
    assert (await postings.intend("slack", PostingKind.REPLY, "turn_1", 0, "T1/C1", at=scene.clock()))[0] == landed


async def test_two_processes_intend_one_message(scene: Scene, other_store: Store):
    at = scene.clock()
    told = await asyncio.gather(
        *(
            s.postings.intend("slack", PostingKind.REVIEW, "corr_1", 0, "T1/C2", at=at)
            for s in (scene.store, other_store)
        )
    )
    assert sorted(is_new for _, is_new in told) == [False, True]
    assert len({posting.id for posting, _ in told}) == 1


async def test_every_part_of_a_long_reply_leads_back_to_it(scene: Scene):
    postings = scene.store.postings
    for part, key in enumerate(("171.1", "171.2", "171.3")):
        posting, _ = await postings.intend("slack", PostingKind.REPLY, "turn_1", part, "T1/C1", at=scene.clock())
        await postings.landed(posting.id, key)
    assert [p.message_key for p in await postings.of(PostingKind.REPLY, "turn_1")] == ["171.1", "171.2", "171.3"]
    found = await postings.at("slack", "T1/C1", "171.2")
    assert found is not None
    assert (found.kind, found.subject, found.part) == (PostingKind.REPLY, "turn_1", 1)
    assert await postings.at("slack", "T2/C1", "171.2") is None
    assert await postings.at("discord", "T1/C1", "171.2") is None


async def test_a_message_that_was_deleted_there_is_marked(scene: Scene):
    postings = scene.store.postings
    posting, _ = await postings.intend("slack", PostingKind.REPLY, "turn_1", 0, "T1/C1", at=scene.clock())
    await postings.landed(posting.id, "171.1")
    at = scene.clock()
    await postings.removed(posting.id, at=at)
    await postings.removed(posting.id, at=scene.clock())
    found = await postings.at("slack", "T1/C1", "171.1")
    assert found is not None
    assert found.removed_at == at


async def test_an_unknown_posting_is_not_found(scene: Scene):
    with pytest.raises(NotFound, match="There is no posting 'post_none'"):
        await scene.store.postings.landed("post_none", "171.1")


async def test_words_changed_once_more_while_the_last_change_was_being_shown_are_shown_too(scene: Scene):
    postings, conversations = scene.store.postings, scene.store.conversations
    reply = await a_reply(scene)
    posting, _ = await postings.intend("slack", PostingKind.REPLY, reply.turn_id, 0, "T1/C1", at=scene.clock())
    await postings.landed(posting.id, "171.1")
    await conversations.edit_reply(reply.id, "Almost.", scene.moderator.id, at=scene.clock())
    [behind] = await postings.unshown_edits("slack", 9)
    await conversations.edit_reply(reply.id, "Here.", scene.moderator.id, at=scene.clock())
    assert not await postings.advance(posting.id, behind.shown, EDITED)
    [still] = await postings.unshown_edits("slack", 9)
    assert await postings.advance(posting.id, still.shown, EDITED)
    assert await postings.unshown_edits("slack", 9) == []


async def test_a_message_that_is_not_there_may_be_intended_anew(scene: Scene):
    postings = scene.store.postings
    first, _ = await postings.intend("slack", PostingKind.REPLY, "turn_1", 1, "T1/C1", at=scene.clock())
    await postings.dropped(first.id)
    again, is_new = await postings.intend("slack", PostingKind.REPLY, "turn_1", 1, "T1/C1", at=scene.clock())
    assert is_new
    assert again.id != first.id


async def test_cards_that_ask_for_a_decision_which_was_made_are_found_however_many_wait(scene: Scene):
    postings, corrections = scene.store.postings, scene.store.corrections
    cards: list[Posting] = []
    for number in range(4):
        proposal = a_proposal(scene, origin=f"import:faq.csv:{number}")
        await corrections.propose(proposal)
        card, _ = await postings.intend("slack", PostingKind.REVIEW, proposal.id, 0, "T1/C2", at=scene.clock())
        cards.append(await postings.landed(card.id, f"171.{number}"))
    assert await postings.decided_reviews("slack", 10) == []
    for card in cards[:3]:
        await corrections.decide(
            card.subject, CorrectionState.APPROVED, by=scene.moderator.id, note="", at=scene.clock()
        )
    assert await postings.decided_reviews("slack", 10) == cards[:3]
    assert await postings.decided_reviews("slack", 1) == cards[:1]
    assert await postings.decided_reviews("discord", 10) == []
    await postings.shows(cards[0].id, LAST)
    await postings.removed(cards[1].id, at=scene.clock())
    assert await postings.decided_reviews("slack", 10) == cards[2:3]


async def test_whoever_proposed_here_is_owed_a_word_about_what_somebody_else_decided(scene: Scene):
    store = scene.store
    approver = await store.people.ensure_actor("console", "noor", "Noor", at=scene.clock())
    ids: list[str] = []
    for number, by in enumerate((approver, approver, scene.moderator)):
        proposal = a_proposal(scene, origin=f"import:faq.csv:{number}")
        ids.append(proposal.id)
        await store.corrections.propose(proposal)
        await store.corrections.decide(proposal.id, CorrectionState.REJECTED, by=by.id, note="", at=scene.clock())
    await store.corrections.propose(a_proposal(scene, origin="import:faq.csv:9"))
    long_ago, now = scene.clock() - timedelta(days=1), scene.clock()
    assert await store.postings.untold_decisions("console", scene.voice.id, long_ago, 10) == ids[:2]
    assert await store.postings.untold_decisions("console", scene.voice.id, now, 10) == []
    assert await store.postings.untold_decisions("slack", scene.voice.id, long_ago, 10) == []
    await store.postings.intend("console", PostingKind.NOTICE, ids[0], 0, "mo", at=now)
    assert await store.postings.untold_decisions("console", scene.voice.id, long_ago, 10) == ids[1:2]


async def test_what_lands_after_its_question_was_withdrawn_is_known_to_have_to_go(scene: Scene):
    postings = scene.store.postings
    turn = await a_turn(scene)
    first, _ = await postings.intend("console", PostingKind.REPLY, turn.id, 0, "T1/C1", at=scene.clock())
    assert not await postings.landed_in_turn(first.id, "171.1", turn.id)
    await scene.store.conversations.withdraw_question("console", turn.key, at=scene.clock())
    second, _ = await postings.intend("console", PostingKind.REPLY, turn.id, 1, "T1/C1", at=scene.clock())
    assert await postings.landed_in_turn(second.id, "171.2", turn.id)
    assert [p.message_key for p in await postings.of(PostingKind.REPLY, turn.id)] == ["171.1", "171.2"]
    with pytest.raises(NotFound, match="There is no posting 'post_none'"):
        await postings.landed_in_turn("post_none", "171.3", turn.id)
