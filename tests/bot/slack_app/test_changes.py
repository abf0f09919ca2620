"""What people do to a question later: an edit is followed, a deletion takes everything with it."""

import json

import pytest

from storage.records import ChannelMode, PostingKind
from tests.bot.slack_app.asking import ask, replies_to, set_mode, silence
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.bot.slack_app.dying import after_failures, dies, fails, looks_often, passes
from tests.bot.slack_app.slowly import Gate, at_once
from tests.slack import envelopes
from tests.slack.place import Message
from tests.slack.telling import now_ts

__all__ = ["at_once", "looks_often"]


async def ours(shop: Shop) -> list[Message]:
    """Every message of the bot in the support channel and its threads: deleting a thread's first message hides none."""
    there = shop.workspace
    posted = {
        call.answer["ts"]
        for method in ("chat.postMessage", "chat.startStream")
        for call in there.wire.calls_of(method)
        if call.ok and call.answer["channel"] == there.support.id
    }
    removed = {call.arguments["ts"] for call in there.wire.calls_of("chat.delete") if call.ok}
    return [Message(there.support, {"ts": ts}) for ts in sorted(posted - removed)]


async def kept_text(shop: Shop, question: Message) -> tuple[str, str | None]:
    """What is remembered of a question and of its reply."""
    team = shop.workspace.team.team_id
    turn = await shop.store.conversations.find_turn("slack", f"{team}/{question.channel.id}/{question.ts}")
    assert turn is not None
    reply = await shop.store.conversations.reply_to(turn.id)
    return turn.question, None if reply is None else reply.text


# ---------------------------------------------------------------- edits


@pytest.mark.usefixtures("looks_often")
async def test_a_question_that_was_edited_before_its_answer_is_answered_as_it_is_now(
    open_shop: Shop, caplog: pytest.LogCaptureFixture
):
    there = open_shop.workspace
    fails(open_shop, 1)
    question = await ask(open_shop, "Where is my parcle?")
    await there.until(lambda: "failed at attempt 1" in caplog.text)
    await there.edit(there.customer, question, f"<@{there.bot_user_id}> Where is my parcel?")
    await after_failures(open_shop, 1, caplog)
    await open_shop.reply_to(question)
    assert open_shop.provider.asked[-1][1][-1].content == "Where is my parcel?"


async def test_an_edit_after_the_answer_is_remembered_and_not_answered(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.edit(there.customer, question, f"<@{there.bot_user_id}> Where is parcel 7?")
    await silence(open_shop)
    assert await kept_text(open_shop, question) == ("Where is parcel 7?", ANSWER)
    assert len(await there.replies(question)) == 1
    await there.say(there.customer, there.support, "And?", thread_ts=question.ts)
    await replies_to(open_shop, question, 2)
    assert "Where is parcel 7?" in [message.content for message in open_shop.provider.asked[-1][1]]


async def test_slacks_own_edit_for_a_link_changes_nothing(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked("See https://puffin.example")
    new = {**question.raw, "attachments": [{"title": "Puffin"}]}
    event = envelopes.message_changed_event(new, question.raw, there.support.id, "channel", now_ts())
    assert (await there.deliver(there.event(event))).status == 200
    await silence(open_shop)
    assert len(await there.replies(question)) == 1
    assert len(open_shop.provider.asked) == 1


async def test_an_edit_to_something_too_long_leaves_the_question_as_it_was(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.edit(there.customer, question, "why? " * 2_000)
    await silence(open_shop)
    assert (await kept_text(open_shop, question))[0] == "Where is my parcel?"


async def test_an_edit_that_adds_a_mention_to_a_message_is_not_answered(open_shop: Shop):
    there = open_shop.workspace
    said = await there.say(there.customer, there.support, "Where is my parcel?")
    await there.edit(there.customer, said, f"<@{there.bot_user_id}> Where is my parcel?")
    await silence(open_shop)
    assert await there.replies(said) == []


# ---------------------------------------------------------------- deletions


async def test_deleting_a_question_takes_its_words_and_the_reply_with_it(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.delete(there.customer, question)
    await silence(open_shop)
    assert await ours(open_shop) == []
    assert await kept_text(open_shop, question) == ("", "")


async def test_deleting_a_follow_up_leaves_the_rest_of_the_thread(open_shop: Shop):
    there = open_shop.workspace
    question, first = await open_shop.asked()
    follow_up = await there.say(there.customer, there.support, "And when?", thread_ts=question.ts)
    await replies_to(open_shop, question, 2)
    await silence(open_shop)
    await there.delete(there.customer, follow_up)
    await silence(open_shop)
    assert [reply.ts for reply in await there.replies(question)] == [first.ts]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("words", [0, 3], ids=["nothing shown yet", "half shown"])
@pytest.mark.parametrize("has_ai", [True, False], ids=["streamed", "edited"])
async def test_a_question_deleted_while_it_is_answered_leaves_nothing(open_shop: Shop, words: int, has_ai: bool):
    there = open_shop.workspace
    if not has_ai:
        there.wire.without_ai()
    gate = Gate(open_shop.provider)
    question = await ask(open_shop)
    if words:
        await gate.let(words)
        await replies_to(open_shop, question, 1)
    else:
        await gate.reached(0)
    await there.delete(there.customer, question)
    await there.until(lambda: is_withdrawn(open_shop, question))
    await gate.open()
    await silence(open_shop)
    assert await ours(open_shop) == []
    assert await kept_text(open_shop, question) == ("", "")


async def is_withdrawn(shop: Shop, question: Message) -> bool:
    return (await kept_text(shop, question))[0] == ""


async def test_a_question_deleted_while_its_reply_is_being_posted_leaves_nothing(open_shop: Shop):
    there = open_shop.workspace
    hold = there.wire.faults.hold("chat.postMessage", 1)
    question = await ask(open_shop)
    await hold.reached()
    await there.delete(there.customer, question)
    await there.until(lambda: is_withdrawn(open_shop, question))
    hold.release()
    await silence(open_shop)
    assert await ours(open_shop) == []


@pytest.mark.usefixtures("at_once")
async def test_a_question_deleted_after_its_process_died_leaves_nothing(shop: Shop):
    there = shop.workspace
    hold = there.wire.faults.hold("chat.appendStream", 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
    passes(shop, 0)
    await there.api("chat.delete", there.customer.token, channel=there.support.id, ts=question.ts)
    event = envelopes.message_deleted_event(question.raw, there.support.id, "channel", now_ts())
    shop.clock.advance(61)
    async with shop.serving("bot-2"):
        await there.deliver(there.event(event))
        await silence(shop)
    assert await ours(shop) == []


async def test_a_deletion_that_slack_hinders_is_finished_later(shop: Shop, caplog: pytest.LogCaptureFixture):
    there = shop.workspace
    async with shop.serving("bot-1"):
        question, _ = await shop.asked()
        await silence(shop)
        there.wire.faults.refuse("chat.delete", "internal_failure")
        await there.delete(there.customer, question)
        await there.until(lambda: "on slack is behind: internal_failure" in caplog.text)
    async with shop.serving("bot-1"):
        await there.until(lambda: there.wire.count()["chat.delete"] == 2)
        await silence(shop)
    assert await ours(shop) == []


async def test_a_reply_that_a_moderator_deletes_stays_away(open_shop: Shop):
    there = open_shop.workspace
    question, reply = await open_shop.asked()
    await there.api("chat.delete", there.bot_token, channel=there.support.id, ts=reply.ts)
    event = envelopes.message_deleted_event(reply.raw, there.support.id, "channel", now_ts())
    await there.deliver(there.event(event))
    await silence(open_shop)
    assert await there.replies(question) == []
    turn_id = json.loads(json.dumps(reply.metadata))["event_payload"]["subject"]
    (posting,) = await open_shop.store.postings.of(PostingKind.REPLY, turn_id)
    assert posting.removed_at is not None


@pytest.mark.usefixtures("at_once")
async def test_a_person_who_takes_over_while_the_bot_thinks_is_not_talked_over(open_shop: Shop):
    there = open_shop.workspace
    gate = Gate(open_shop.provider)
    question = await ask(open_shop)
    await gate.let(3)
    await replies_to(open_shop, question, 1)
    await there.say(there.moderator, there.support, "Let me look.", thread_ts=question.ts)
    await there.until(open_shop.store.hand_overs.all_open)
    await gate.open()
    await silence(open_shop)
    assert await there.replies(question) == []


async def test_a_deleted_question_that_is_delivered_late_is_not_answered(open_shop: Shop):
    """The first delivery was lost; Slack sends it again after the person has thought better of it."""
    there = open_shop.workspace
    await set_mode(open_shop, ChannelMode.AUTO)
    question = await there.post(there.customer, there.support, "Where is my parcel?")
    event = there.message_event(there.customer, question)
    await there.delete(there.customer, question)
    await silence(open_shop)
    assert (await there.deliver(there.event(event), retry_num=1)).status == 200
    await silence(open_shop)
    assert open_shop.provider.asked == []
