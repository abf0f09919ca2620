"""A person takes over: asked for or stepping in, shown on one card, and the bot silent in that thread until it is given back."""

import pytest

from bot import moderation
from storage.records import PostingKind, Right
from tests.bot.slack_app.acting import (
    buttons_of,
    card_in,
    cards_in,
    corrected,
    direct_messages,
    settled,
    whispered,
    words_of,
)
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.place import Message


async def asked_for(shop: Shop) -> tuple[Message, Message, Message]:
    """A question, its reply under which the customer asked for a person, and the card."""
    there = shop.workspace
    question, reply = await shop.asked()
    await there.click(there.customer, reply, "hand_over")
    return question, reply, await card_in(shop, there.triage)


async def card_that_says(shop: Shop, words: str) -> Message:
    return await card_in(shop, shop.workspace.triage, lambda card: words in words_of(card))


async def follow_up(shop: Shop, question: Message, text: str = "And when?") -> int:
    """How many replies there are after the customer went on asking."""
    there = shop.workspace
    before = len(await there.replies(question))
    await there.say(there.customer, there.support, text, question.ts)
    await settled(shop)
    return len(await there.replies(question)) - before


async def test_the_card_says_who_asks_where_and_what_was_said(open_shop: Shop):
    there = open_shop.workspace
    question, _, card = await asked_for(open_shop)
    link = await there.api("chat.getPermalink", there.admin.token, channel=there.support.id, message_ts=question.ts)
    assert words_of(card).split("\n")[:4] == [
        "*A person is needed, asked for by customer*",
        f"<{link['permalink']}|Open the thread>",
        "*Customer*  Where is my parcel?",
        f"*Bot*  {ANSWER}",
    ]
    assert buttons_of(card) == ["take", "release"]
    assert (await whispered(open_shop, there.customer)).text == (
        "A person from the team has been asked. Until they are done, I stay silent here."
    )


async def test_the_card_shows_the_words_a_teammate_put_in_the_bots_mouth(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await corrected(open_shop, reply, "It sails tomorrow.", also=["edit_posted"])
    await there.click(there.customer, reply, "hand_over")
    assert "*Bot*  It sails tomorrow." in words_of(await card_in(open_shop, there.triage))


async def test_the_bot_is_silent_in_that_thread_alone_until_it_is_given_back(open_shop: Shop):
    there = open_shop.workspace
    question, _, card = await asked_for(open_shop)
    assert await follow_up(open_shop, question) == 0
    assert await follow_up(open_shop, question, f"<@{there.bot_user_id}> hello?") == 0
    await open_shop.asked("Another thread?")
    await there.click(there.moderator, card, "release")
    assert (await whispered(open_shop, there.moderator)).text == "Given back. The bot answers there again."
    assert await follow_up(open_shop, question) == 1
    closed = await card_that_says(open_shop, "*Resolved.* The bot answers there again.")
    assert (closed.ts, buttons_of(closed)) == (card.ts, [])
    await there.until(lambda: nothing_is_behind(open_shop))


async def nothing_is_behind(shop: Shop) -> bool:
    return not await shop.store.postings.standing("slack", PostingKind.HAND_OVER, 9)


async def test_asking_twice_is_one_card(open_shop: Shop):
    there = open_shop.workspace
    _, reply, _ = await asked_for(open_shop)
    await there.click(there.stranger, reply, "hand_over")
    assert (await whispered(open_shop, there.stranger)).text == "A person from the team has been asked already."
    assert len(await cards_in(open_shop, there.triage)) == 1


async def test_who_takes_it_stands_on_the_card_and_the_second_hears_so(open_shop: Shop):
    there = open_shop.workspace
    _, _, card = await asked_for(open_shop)
    await there.click(there.moderator, card, "take")
    assert (await whispered(open_shop, there.moderator)).text.startswith("It is yours.")
    taken = await card_that_says(open_shop, "moderator looks after it. The bot is silent there.")
    assert (taken.ts, buttons_of(taken)) == (card.ts, ["release"])
    await there.click(there.approver, card, "take")
    assert (await whispered(open_shop, there.approver)).text == "moderator was faster and looks after it."


async def test_a_hand_over_taken_elsewhere_shows_on_the_card(open_shop: Shop):
    await asked_for(open_shop)
    (hand_over,) = await open_shop.store.hand_overs.all_open()
    noor = await open_shop.store.people.ensure_actor(
        "console", "noor", "*Noor* <!here>", frozenset({Right.MODERATOR}), at=open_shop.clock()
    )
    await moderation.take_over(open_shop.store, noor, hand_over.id, now=open_shop.clock())
    await card_that_says(open_shop, "\u2060*\u2060Noor\u2060*\u2060 &lt;!\u200dhere&gt; looks after it.")


async def test_staff_who_write_in_the_thread_take_over_what_was_asked_for(open_shop: Shop):
    there = open_shop.workspace
    question, _, card = await asked_for(open_shop)
    await there.say(there.moderator, there.support, "I am here.", question.ts)
    taken = await card_that_says(open_shop, "moderator looks after it.")
    assert taken.ts == card.ts
    assert await follow_up(open_shop, question) == 0


async def test_staff_who_simply_answer_silence_the_bot_until_they_give_it_back(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.say(there.moderator, there.support, "Let me look.", question.ts)
    card = await card_that_says(open_shop, "*moderator answers a customer*")
    assert "answers here" not in words_of(card)  # said once is enough
    assert await follow_up(open_shop, question) == 0
    await there.click(there.moderator, card, "release")
    await settled(open_shop)
    assert await follow_up(open_shop, question) == 1
    assert buttons_of(await card_that_says(open_shop, "*Resolved.*")) == []


async def test_a_customer_who_helps_another_does_not_silence_the_bot(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.say(there.second_customer, there.support, "Mine came late, too.", question.ts)
    await settled(open_shop)
    assert await open_shop.store.hand_overs.all_open() == []


async def test_silence_and_card_outlast_a_restart(shop: Shop):
    there = shop.workspace
    async with shop.serving("bot-1"):
        question, _, card = await asked_for(shop)
    async with shop.serving("bot-2"):
        assert await follow_up(shop, question) == 0
        await there.click(there.moderator, card, "release")
        await card_that_says(shop, "*Resolved.*")
        assert await follow_up(shop, question) == 1
    assert len(await cards_in(shop, there.triage)) == 1


async def test_without_a_triage_channel_the_review_channel_is_asked(shop: Shop):
    there = shop.workspace
    async with shop.serving(slack_triage_channel=""):
        _, reply = await shop.asked()
        await there.click(there.customer, reply, "hand_over")
        assert "A person is needed" in words_of(await card_in(shop, there.review))


@pytest.mark.parametrize("method", ["chat.getPermalink", "users.info"])
async def test_a_card_comes_without_what_slack_does_not_tell(open_shop: Shop, method: str):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    there.wire.faults.refuse(method, "missing_scope", times=9)
    await there.click(there.second_customer, reply, "hand_over")
    card = await card_in(open_shop, there.triage)
    assert "asked for by second" in words_of(card)
    assert ("could not be linked" in words_of(card)) is (method == "chat.getPermalink")


async def test_a_hand_over_in_direct_messages_works_the_same(open_shop: Shop):
    there = open_shop.workspace
    question = await there.direct_message(there.customer, "Where is it?")
    reply = await open_shop.reply_to(question)
    await there.click(there.customer, reply, "hand_over")
    card = await card_in(open_shop, there.triage)
    assert "*Customer*  Where is it?" in words_of(card)
    assert len(await direct_messages(open_shop, there.customer)) == 0
