"""Questions that were edited or deleted while nobody listened are followed when a session begins, or before they are answered."""

import pytest

from storage.records import ChannelMode, ThreadMode
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import Gate
from tests.bot.discord_app.test_bursts import Silence
from tests.bot.discord_app.test_changes import mention, questions


async def test_a_question_that_was_deleted_in_a_gap_leaves_the_data_with_its_answer(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        question, reply = await shop.asked()
        _, other = await shop.asked("And my refund?")
        with there.feed.unheard():
            await there.delete(there.customer, question)
        await shop.crashes("bot-2")
        await there.until(lambda: there.reread(reply) is None)
        assert await questions(shop) == ["And my refund?"]
        assert there.reread(other) is not None


async def test_a_question_that_was_edited_in_a_gap_is_kept_as_it_is_now(open_shop: Shop):
    there = open_shop.guild
    question, _ = await open_shop.asked(f"Where is {there.moderator.mention}'s parcel?")
    with there.feed.unheard():
        await there.edit(there.customer, question, f"{there.bot.mention} Where is my refund?")
    await open_shop.crashes("bot-2")
    assert await questions(open_shop) == ["Where is my refund?"]
    assert len(open_shop.prompts()) == 1


async def test_what_nobody_changed_stays_as_it_is(open_shop: Shop):
    there = open_shop.guild
    said = await there.say(there.second_customer, there.support, "My parcel is late.")
    await there.mention(there.customer, there.support, f"What does {there.moderator.mention} say?", reply_to=said)
    [kept] = await questions(open_shop)
    await open_shop.crashes("bot-2")
    assert await questions(open_shop) == [kept]
    assert "@teammate" in kept


@pytest.mark.parametrize("is_deleted", [True, False])
async def test_of_several_messages_that_are_one_question_one_may_have_changed(shop: Shop, is_deleted: bool):
    silence = Silence(shop)
    async with shop.opened():
        there = shop.guild
        await mention(shop, "Where is my parcel?")
        more = await there.say(there.customer, there.support, "It is number 6.")
        await silence.ends()
        await there.say(there.customer, there.support, "Lunch?")
        with there.feed.unheard():
            if is_deleted:
                await there.delete(there.customer, more)
            else:
                await there.edit(there.customer, more, "It is number 7.")
        await shop.crashes("bot-2")
        changed = "Where is my parcel?" if is_deleted else "Where is my parcel?\nIt is number 7."
        assert await questions(shop) == [changed]


async def test_what_cannot_be_read_is_left_alone(open_shop: Shop):
    there = open_shop.guild
    await open_shop.asked()
    there.refuse("GET", f"/channels/{there.support.id}/messages", status=403, code=50001, times=None)
    await open_shop.crashes("bot-2")
    assert await questions(open_shop) == ["Where is my parcel?"]


async def test_a_question_that_waits_for_its_answer_is_read_again_after_a_crash(shop: Shop):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        shop.provider.script = lambda model, messages: f"You asked: {messages[-1].content}"
        edited = await mention(shop, "Where is my parcel?")
        gone = await mention(shop, "Where is my refund?")
        await there.until(lambda: gate.asked == 2)
        with there.feed.unheard():
            await there.edit(there.customer, edited, f"{there.bot.mention} Where is my letter?")
            await there.delete(there.customer, gone)
        await shop.crashes()
        await gate.open()
        await shop.taken_up()
        assert [reply.text for reply in there.replies(edited)] == ["You asked: Where is my letter?"]
        assert there.replies(gone) == []
        assert await questions(shop) == ["Where is my letter?"]


async def test_a_question_that_cannot_be_read_again_is_answered_as_it_was(shop: Shop):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        question = await mention(shop, "Where is my parcel?")
        await shop.crashes()
        there.refuse("GET", f"/channels/{there.support.id}/messages/*", status=500, code=0, times=None)
        await gate.open()
        await shop.taken_up()
        assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_a_question_whose_thread_was_deleted_is_not_kept_after_a_crash(shop: Shop):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        await shop.set_channel(there.forum, ChannelMode.AUTO)
        post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
        await there.until(lambda: gate.asked == 1)
        with there.feed.unheard():
            await there.delete_channel(post.thread)
        await shop.crashes()
        await gate.open()
        await shop.taken_up()
        assert await questions(shop) == []
