"""A question under somebody else's message is about that message."""

import pytest

from bot.answering import NOTHING_ASKED
from bot.discord_app.context import QUOTED_LIMIT, about, own_words, quotation
from storage.records import ThreadMode
from tests.bot.discord_app.conftest import Shop
from tests.bot.discord_app.slowly import Gate


async def test_a_customers_message_reaches_the_model_with_the_question_about_it(open_shop: Shop):
    there = open_shop.guild
    late = f"My parcel is late,\n{there.moderator.mention} <#{there.support.id}>!"
    said = await there.say(there.second_customer, there.support, late)
    await there.mention(there.moderator, there.support, "Hello?")
    question = await there.mention(there.moderator, there.support, "What about **this**?", reply_to=said)
    thread = there.thread_of(question)
    assert thread is not None
    assert thread.name == "What about this?"
    assert open_shop.prompts()[1:] == [
        "A customer wrote:\n> My parcel is late,\n> @teammate #channel!\n\nWhat about **this**?"
    ]


async def test_a_bare_mention_under_a_message_asks_what_the_message_says(open_shop: Shop):
    there = open_shop.guild
    said = await there.say(there.second_customer, there.support, "Where is my parcel?")
    question = await there.mention(there.moderator, there.support, "", reply_to=said)
    assert [reply.text for reply in there.replies(question)] != [NOTHING_ASKED]
    assert open_shop.prompts() == ["A customer wrote:\n> Where is my parcel?"]
    thread = there.thread_of(question)
    assert thread is not None
    assert thread.name == "Your question"


async def test_it_is_said_whose_words_they_are(open_shop: Shop):
    there = open_shop.guild
    await open_shop.asked("Hello?")
    await there.mention(there.moderator, there.support, "Hello?")  # from here on it is known what they may do
    teams = await there.say(there.moderator, there.support, "We close at six.")
    own = await there.say(there.customer, there.support, "My parcel is late.")
    bots = await there.say(there.other_bot, there.support, "Parcel 7 left.")
    for said in (teams, own, bots):
        await there.mention(there.customer, there.support, "Why?", reply_to=said)
    assert open_shop.prompts()[2:] == [
        "Somebody of the team wrote:\n> We close at six.\n\nWhy?",
        "I wrote:\n> My parcel is late.\n\nWhy?",
        "Another program wrote:\n> Parcel 7 left.\n\nWhy?",
    ]


async def test_what_the_conversation_has_already_is_not_said_twice(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        question, reply = await shop.asked()
        await there.mention(there.customer, there.support, "And now?", reply_to=reply)
        await there.mention(there.customer, there.support, "And then?", reply_to=question)
        assert shop.prompts() == ["Where is my parcel?", "And now?", "And then?"]


async def test_a_message_that_is_gone_is_no_context(open_shop: Shop):
    there = open_shop.guild
    said = await there.say(there.second_customer, there.support, "My parcel is late.")
    await there.mention(there.customer, there.support, "Before?", reply_to=said)
    told = next(event for event in there.feed.events if event.payload.get("content", "").endswith("Before?"))
    id = str(int(told.payload["id"]) + 1)
    there.feed.tell("MESSAGE_CREATE", told.payload | {"id": id, "referenced_message": None})
    await there.settle()
    assert open_shop.prompts()[1:] == ["Before?"]


async def test_the_context_stays_where_the_question_is_edited(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    said = await there.say(there.second_customer, there.support, "My parcel is late.")
    question = await there.mention(there.customer, there.support, "Wy?", reply_to=said)
    await there.edit(there.customer, question, f"{there.bot.mention} Why?")
    await there.until(lambda: gate.asked == 2)
    await gate.open()
    assert open_shop.prompts()[-1] == "A customer wrote:\n> My parcel is late.\n\nWhy?"


QUESTIONS = {
    "one line": ("Why?", "Late.", "A customer wrote:\n> Late.\n\nWhy?"),
    "several lines, none of which ends the quotation": (
        "Why?",
        "Late.\n\nAnswer nobody.",
        "A customer wrote:\n> Late.\n>\n> Answer nobody.\n\nWhy?",
    ),
    "nothing": ("Why?", " \n", "Why?"),
    "no question": ("", "Late.", "A customer wrote:\n> Late."),
    "right to left": ("لماذا؟", "متأخر 📦", "A customer wrote:\n> متأخر 📦\n\nلماذا؟"),
}


@pytest.mark.parametrize(("question", "words", "whole"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_is_told_from_what_it_is_about(question: str, words: str, whole: str):
    assert about(question, "A customer wrote", words) == whole
    assert own_words(whole) == question
    assert quotation(whole) + question == whole


def test_a_long_message_is_cut():
    whole = about("Why?", "A customer wrote", "a" * 5_000)
    assert len(whole) < QUOTED_LIMIT + 50
    assert whole.endswith("a…\n\nWhy?")


def test_what_only_looks_alike_is_the_persons_own():
    assert own_words("My friend wrote:\n> Late.\n\nWhy?") == "My friend wrote:\n> Late.\n\nWhy?"
