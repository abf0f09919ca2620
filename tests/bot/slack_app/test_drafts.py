"""Draft-only channels: moderators see a reply first, and one of them decides, once."""

import asyncio

import pytest

from bot.office.drafts import DECIDED
from storage.records import ChannelMode, CorrectionState
from tests.bot.slack_app.acting import buttons_of, card_in, cards_in, form_of, whispered, words_of
from tests.bot.slack_app.asking import is_whole, read, replies_to, set_mode, silence
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.bot.slack_app.dying import after_failures, dies, fails, looks_often, passes
from tests.slack.place import Message, Person

__all__ = ["looks_often"]

BUTTONS = ["send_draft", "edit_draft", "drop_draft"]


async def ask(shop: Shop) -> Message:
    await set_mode(shop, ChannelMode.DRAFT)
    return await shop.workspace.say(shop.workspace.customer, shop.workspace.support, "Where is my parcel?")


async def offered(shop: Shop) -> tuple[Message, Message]:
    """A question in a draft-only channel, and the card with the draft."""
    question = await ask(shop)
    return question, await card_in(shop, shop.workspace.review)


async def press(shop: Shop, by: Person, card: Message, action: str) -> None:
    await shop.workspace.click(by, card, action)
    await silence(shop)


async def reread(shop: Shop, card: Message) -> Message:
    found = await shop.workspace.reread(card)
    assert found is not None
    return found


async def test_a_draft_is_shown_to_moderators_and_to_nobody_else(open_shop: Shop):
    question, card = await offered(open_shop)
    await silence(open_shop)
    assert ANSWER in words_of(card)
    assert "Where is my parcel?" in words_of(card)
    assert buttons_of(card) == BUTTONS
    assert await open_shop.workspace.replies(question) == []
    assert await open_shop.workspace.reactions(question.channel, question.ts) == {}


async def test_a_draft_that_is_sent_is_the_reply_and_the_card_says_who_sent_it(open_shop: Shop):
    there = open_shop.workspace
    question, card = await offered(open_shop)
    await press(open_shop, there.moderator, card, "send_draft")
    (reply,) = await there.replies(question)
    assert read(reply) == ANSWER
    assert is_whole(reply)
    assert reply.root_ts == question.ts
    closed = await reread(open_shop, card)
    assert "Sent by moderator" in words_of(closed)
    assert buttons_of(closed) == []


async def test_who_is_slower_hears_that_it_is_decided(open_shop: Shop):
    there = open_shop.workspace
    question, card = await offered(open_shop)
    await press(open_shop, there.moderator, card, "send_draft")
    for action in ("send_draft", "drop_draft"):
        await press(open_shop, there.approver, card, action)
    assert (await whispered(open_shop, there.approver, 2)).text == DECIDED
    assert len(await there.replies(question)) == 1


async def test_two_who_press_at_once_send_it_once(open_shop: Shop):
    there = open_shop.workspace
    question, card = await offered(open_shop)
    await silence(open_shop)
    hold = there.wire.faults.hold("chat.postMessage", 1)
    await asyncio.gather(*(there.click(by, card, "send_draft") for by in (there.moderator, there.approver)))
    await hold.reached()
    await there.click(there.admin, card, "drop_draft")
    assert (await whispered(open_shop, there.admin)).text == DECIDED
    hold.release()
    await silence(open_shop)
    assert len(await there.replies(question)) == 1


async def test_a_draft_that_is_dropped_reaches_nobody(open_shop: Shop):
    there = open_shop.workspace
    question, card = await offered(open_shop)
    await press(open_shop, there.moderator, card, "drop_draft")
    assert await there.replies(question) == []
    closed = await reread(open_shop, card)
    assert "Dropped by moderator" in words_of(closed)
    assert buttons_of(closed) == []


async def test_a_draft_that_is_edited_is_sent_as_it_was_edited_and_proposed_as_a_correction(open_shop: Shop):
    there, store = open_shop.workspace, open_shop.store
    question, card = await offered(open_shop)
    await there.click(there.moderator, card, "edit_draft")
    await form_of(open_shop, there.moderator)
    await there.submit(there.moderator, {"text": "It *sails* tomorrow."})
    await silence(open_shop)
    (reply,) = await replies_to(open_shop, question, 1)
    assert read(reply) == "It *sails* tomorrow."
    closed = await reread(open_shop, card)
    assert "It *sails* tomorrow." in words_of(closed)
    assert ANSWER not in words_of(closed)
    (correction,) = await store.corrections.list(open_shop.voice.id, [CorrectionState.PROPOSED], limit=9)
    assert (correction.served_text, correction.corrected_text) == (ANSWER, "It *sails* tomorrow.")


@pytest.mark.parametrize("action", BUTTONS)
async def test_who_is_no_moderator_decides_nothing(open_shop: Shop, action: str):
    there = open_shop.workspace
    question, card = await offered(open_shop)
    await there.click(there.customer, card, action, even_if_hidden=True)
    await silence(open_shop)
    assert there.open_view(there.customer) is None
    assert await there.replies(question) == []
    assert buttons_of(await reread(open_shop, card)) == BUTTONS


async def test_a_question_that_was_deleted_takes_its_draft_with_it(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await offered(open_shop)
    await silence(open_shop)
    await there.delete(there.customer, question)
    await silence(open_shop)
    assert await cards_in(open_shop, there.review) == []


async def test_a_send_that_slack_refuses_can_be_pressed_again(open_shop: Shop):
    there = open_shop.workspace
    question, card = await offered(open_shop)
    await silence(open_shop)
    there.wire.faults.refuse("chat.postMessage", "is_archived")
    await press(open_shop, there.moderator, card, "send_draft")
    assert await there.replies(question) == []
    await press(open_shop, there.moderator, card, "send_draft")
    assert len(await there.replies(question)) == 1


@pytest.mark.parametrize("next_owner", ["bot-1", "bot-2"], ids=["restarted", "taken over"])
async def test_a_process_that_dies_while_it_offers_a_draft_leaves_one_card(shop: Shop, next_owner: str):
    there = shop.workspace
    hold = there.wire.faults.hold("chat.postMessage", 1)
    async with shop.serving("bot-1"):
        await ask(shop)
        await dies(shop, hold)
    passes(shop, 61 if next_owner == "bot-2" else 0)
    async with shop.serving(next_owner):
        await there.until(lambda: there.wire.count()["conversations.history"])
        await silence(shop)
        (card,) = await cards_in(shop, there.review)
        await press(shop, there.moderator, card, "send_draft")
        assert "Sent by" in words_of(await reread(shop, card))


async def test_a_card_that_was_pressed_before_it_was_known_to_stand_is_closed_too(shop: Shop):
    there = shop.workspace
    hold = there.wire.faults.hold("chat.postMessage", 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
    there.wire.faults.heal()
    async with shop.serving("bot-2"):
        card = await card_in(shop, there.review)
        await press(shop, there.moderator, card, "send_draft")
        assert len(await there.replies(question)) == 1
    passes(shop)
    async with shop.serving("bot-2"):
        await card_in(shop, there.review, lambda card: buttons_of(card) == [])


@pytest.mark.parametrize("next_owner", ["bot-1", "bot-2"], ids=["restarted", "taken over"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_process_that_dies_while_it_sends_a_draft_sends_it_once(shop: Shop, method: str, next_owner: str):
    there = shop.workspace
    async with shop.serving("bot-1"):
        question, card = await offered(shop)
        await silence(shop)
        hold = there.wire.faults.hold(method, 1)
        await there.click(there.moderator, card, "send_draft")
        await dies(shop, hold)
    passes(shop, 61 if next_owner == "bot-2" else 0)
    async with shop.serving(next_owner):
        await card_in(shop, there.review, lambda card: "Sent by moderator" in words_of(card))
        await silence(shop)
        assert len(await there.replies(question)) == 1


@pytest.mark.usefixtures("looks_often")
async def test_a_draft_that_keeps_failing_is_not_apologised_for_in_public(
    open_shop: Shop, caplog: pytest.LogCaptureFixture
):
    fails(open_shop, 99)
    question = await ask(open_shop)
    await after_failures(open_shop, 3, caplog)
    await open_shop.workspace.until(lambda: "given up" in caplog.text)
    await silence(open_shop)
    assert await open_shop.workspace.replies(question) == []
