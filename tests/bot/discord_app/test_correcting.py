"""The correction's form: filled, sent, kept over a restart, in several fields; what becomes of the posted answer; teaching."""

import pytest

from bot.discord_app.correcting import TOO_LONG
from bot.discord_app.teaching import UNREAD
from bot.office.verbs import MINE, NOTHING_BEFORE
from storage.records import CorrectionState, Judgement, Scope, ThreadMode
from tests.bot.discord_app.acting import (
    MENU,
    card_in,
    corrected,
    corrections,
    direct,
    field,
    judged,
    saying,
    stored,
    told,
    until_said,
)
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.discord.place import Message

SAVED = "Saved. It waits for approval in the review list."
LONG = "\n\n".join(
    f"{number}. " + "The puffin carries it over the sea. " * 20 for number in range(9)
)  # 6,500 characters
VERY_LONG = "\n\n".join("the_puffin_carries_it_" * 32 for _ in range(28))  # 19,700 characters


async def until_replies(shop: Shop, question: Message, texts: list[str]) -> None:
    """The bot's messages under a question say this, once the board has looked."""

    def found() -> bool:
        shop.running.app.parts.wake_board()
        return [reply.text for reply in shop.guild.replies(question)] == texts

    await shop.guild.until(found)


async def test_the_form_is_filled_with_the_answer_and_what_is_put_in_is_kept(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    opened = await there.open_menu(there.moderator, reply, MENU)
    form = opened.modal
    assert form is not None
    assert (form["title"], len(form["components"])) == ("Correct this answer", 5)
    assert field(form, "text")["value"] == ANSWER
    sent = await there.submit(
        there.moderator,
        {
            "text": "It *sails* tomorrow.",
            "reason": "tone",
            "note": "Be honest",
            "scope": "everyone",
            "also": ["for_training"],
        },
    )
    assert (sent.text, sent.message.labels if sent.message else [], sent.ephemeral) == (SAVED, ["Undo"], True)
    [correction] = await corrections(open_shop)
    assert (correction.corrected_text, correction.reason, correction.note, correction.scope) == (
        "It *sails* tomorrow.",
        Judgement.TONE,
        "Be honest",
        Scope.EVERYONE,
    )
    assert correction.is_for_training
    assert (await stored(open_shop, reply)).corrected_text is None


async def test_a_form_that_was_open_at_a_restart_is_saved(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.open_menu(there.moderator, reply, MENU)
    await open_shop.crashes("bot-2")
    sent = await there.submit(there.moderator, {"text": "It sails."})
    assert sent.text == SAVED
    [correction] = await corrections(open_shop)
    assert correction.corrected_text == "It sails."


async def test_a_form_that_is_told_twice_is_one_correction_and_one_answer(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.open_menu(there.moderator, reply, MENU)
    with there.feed.twice():
        sent = await there.submit(there.moderator, {"text": "It sails."})
    assert (sent.text, len(sent.followups)) == (SAVED, 0)
    assert len(await corrections(open_shop)) == 1


async def test_what_was_proposed_can_be_taken_back_at_once(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    await there.open_menu(there.moderator, reply, MENU)
    sent = await there.submit(there.moderator, {"text": "It sails."})
    await until_replies(open_shop, question, ["It sails."])
    assert sent.message is not None
    undone = await there.click(there.moderator, sent.message, label="Undo")
    assert undone.followups[0].text == "Retracted, and the posted reply is what it was."
    [correction] = await corrections(open_shop)
    assert correction.state is CorrectionState.RETRACTED
    await until_replies(open_shop, question, [ANSWER])


async def test_the_same_words_are_no_correction(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.open_menu(there.moderator, reply, MENU)
    sent = await there.submit(there.moderator, {})
    assert sent.text == "The correction is the same as the reply. Press Good to approve of it as it is."


async def test_a_channel_without_consent_offers_no_training_and_takes_none(open_shop: Shop):
    there = open_shop.guild
    place = f"{there.id}/{there.support.id}"
    mode, _ = await open_shop.running.app.parts.channel(place)
    await open_shop.store.channels.set("discord", place, mode, False, "actor_finetone", at=open_shop.clock())
    _, reply = await open_shop.asked()
    opened = await there.open_menu(there.moderator, reply, MENU)
    assert [option["value"] for option in field(opened.modal, "also")["options"]] == ["edit_posted"]
    await there.submit(there.moderator, {"text": "It sails.", "also": []})
    [correction] = await corrections(open_shop)
    assert not correction.is_for_training


# ---------------------------------------------------------------- long answers


async def test_an_answer_that_is_too_long_for_a_field_comes_in_several_and_loses_nothing(open_shop: Shop):
    there = open_shop.guild
    open_shop.provider.script = saying(LONG)
    question = await there.mention(there.customer, there.support, "Tell me all")
    reply = there.replies(question)[0]
    opened = await there.open_menu(there.moderator, reply, MENU)
    form = opened.modal
    assert form is not None
    names = [one["component"]["custom_id"] for one in form["components"]]
    assert names == ["text", "text_1", "reason", "also", "note"]
    assert [one["label"] for one in form["components"]][:2] == [
        "What it should have been (1 of 2)",
        "What it should have been (2 of 2)",
    ]
    last = str(field(form, "text_1")["value"])
    await there.submit(there.moderator, {"text_1": f"{last} Amen.", "also": ["for_training"]})
    [correction] = await corrections(open_shop)
    assert correction.corrected_text == f"{LONG.strip()} Amen."
    assert correction.scope is Scope.VOICE


async def test_an_answer_that_no_form_takes_has_another_way(open_shop: Shop):
    there = open_shop.guild
    open_shop.provider.script = saying(VERY_LONG)
    question = await there.mention(there.customer, there.support, "Tell me all")
    [reply] = there.replies(question)
    refused = await there.open_menu(there.moderator, reply, MENU)
    assert (refused.modal, refused.text) == (None, TOO_LONG)
    answer = await there.say(there.moderator, reply.channel, "In short: it is here.")
    taught = await there.open_menu(there.moderator, answer, "Teach from this")
    assert taught.text == SAVED


# ---------------------------------------------------------------- the posted answer


async def test_the_posted_answer_is_edited_at_once_and_keeps_its_buttons(open_shop: Shop):
    question, reply = await open_shop.asked()
    await corrected(open_shop, reply, "It *is* here. 🎉 مرحبا", also=["edit_posted", "for_training"])
    await until_replies(open_shop, question, ["It *is* here. 🎉 مرحبا"])
    [now] = open_shop.guild.replies(question)
    assert (now.id, now.labels) == (reply.id, ["Helpful", "Not right", "Get a human"])


async def test_an_edit_of_a_long_answer_takes_as_many_messages_as_it_needs(open_shop: Shop):
    there = open_shop.guild
    open_shop.provider.script = saying("\n\n".join(letter * 1_500 for letter in "abc"))
    question = await there.mention(there.customer, there.support, "Tell me all")
    assert len(there.replies(question)) == 3
    await corrected(open_shop, there.replies(question)[1], "Short.", text_1="", also=["edit_posted"])
    await until_replies(open_shop, question, ["Short."])
    assert await judged(open_shop, there.replies(question)[0]) == []  # what we took away ourselves is no flag


async def test_an_answer_too_old_to_edit_is_followed_by_the_new_words(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    there.refuse("PATCH", f"/channels/{reply.channel.id}/messages/{reply.id}", status=400, code=30046)
    await corrected(open_shop, reply, "It is here.", also=["edit_posted"])
    await until_replies(open_shop, question, [ANSWER, "It is here."])


async def test_an_answer_that_is_gone_unheard_is_said_anew(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    await there.open_menu(there.moderator, reply, MENU)
    with there.feed.unheard():
        await there.delete(there.moderator, reply)
    await there.submit(there.moderator, {"text": "It is here."})
    await until_replies(open_shop, question, ["It is here."])


async def test_nothing_in_a_correction_acts_where_it_is_posted(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    hostile = f"@everyone {there.moderators.mention} [x](https://evil.example) discord.gg/evil"
    await corrected(open_shop, reply, hostile, also=["edit_posted"])
    await until_said(open_shop, reply, "link removed")
    [now] = there.replies(question)
    assert there.pinged(now) == []
    assert "evil" not in now.text
    assert "@everyone" not in now.text


# ---------------------------------------------------------------- teaching


@pytest.mark.parametrize("threads", ["thread", "channel"])
async def test_a_persons_answer_teaches_what_the_bots_should_have_been(shop: Shop, threads: str):
    async with shop.opened(discord_thread_mode=ThreadMode(threads)):
        there = shop.guild
        question, reply = await shop.asked()
        answer = await there.say(there.moderator, reply.channel, "No, it *sails* <@1> tomorrow.", reply_to=reply)
        taught = await there.open_menu(there.moderator, answer, "Teach from this")
        assert taught.text == SAVED
        [correction] = await corrections(shop)
        assert (correction.question, correction.corrected_text) == (
            "Where is my parcel?",
            "No, it *sails* @customer tomorrow.",
        )
        assert correction.served_text == ANSWER
        assert there.replies(question)[0].text == ANSWER


async def test_a_mortarboard_teaches_and_its_removal_takes_that_back(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.say(there.moderator, reply.channel, "No, it sails tomorrow.")
    await there.react(there.moderator, answer, "🎓")
    [correction] = await corrections(open_shop)
    assert correction.corrected_text == "No, it sails tomorrow."
    assert direct(open_shop, there.moderator)[-1].labels == ["Undo"]
    await there.unreact(there.moderator, answer, "🎓")
    assert [one.state for one in await corrections(open_shop)] == [CorrectionState.RETRACTED]


async def test_a_persons_answer_is_learned_for_the_question_before_it_and_no_later_one(open_shop: Shop):
    _, reply = await open_shop.asked("First?")
    there = open_shop.guild
    answer = await there.say(there.moderator, reply.channel, "The first one is here.")
    card = await card_in(open_shop, there.triage)
    await there.click(there.moderator, card, label="Resolved")
    await there.say(there.customer, reply.channel, "Second?")
    await there.open_menu(there.moderator, answer, "Teach from this")
    [correction] = await corrections(open_shop)
    assert correction.question == "First?"


async def test_there_is_nothing_to_learn_before_an_answer_nor_from_the_bots_own(open_shop: Shop):
    there = open_shop.guild
    chat = await there.say(there.moderator, there.support, "Good morning")
    nothing = await there.open_menu(there.moderator, chat, "Teach from this")
    assert nothing.text == NOTHING_BEFORE
    _, reply = await open_shop.asked()
    mine = await there.open_menu(there.moderator, reply, "Teach from this")
    assert mine.text == MINE
    assert await corrections(open_shop) == []


async def test_a_message_without_words_is_nothing_to_learn_from(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.say(there.moderator, reply.channel, "", files=[("parcel.png", b"png")])
    await there.react(there.moderator, answer, "🎓")
    assert direct(open_shop, there.moderator)[-1].shown.startswith(UNREAD)
    taught = await there.open_menu(there.moderator, answer, "Teach from this")
    assert taught.text == UNREAD
    assert await corrections(open_shop) == []


async def test_without_the_content_intent_a_persons_answer_is_learned_from_by_its_menu(shop: Shop):
    async with shop.opened(is_reduced=True):
        there = shop.guild
        _, reply = await shop.asked()
        answer = await there.say(there.moderator, reply.channel, "No, it sails tomorrow.")
        taught = await there.open_menu(there.moderator, answer, "Teach from this")
        assert taught.text == SAVED


async def test_a_card_of_ours_is_nothing_to_learn_from(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await corrected(open_shop, reply)
    card = await card_in(open_shop, there.review)
    await there.react(there.moderator, card, "🎓")
    assert len(await corrections(open_shop)) == 1
    assert direct(open_shop, there.moderator) == []
    assert told(open_shop, there.moderator) == SAVED
