"""People change their minds: what they edit is answered as it is now, what they delete is gone."""

from dataclasses import replace

import discord
import pytest

from bot.discord_app.payloads import Place
from bot.discord_app.replying import PostedReply, Spot
from bot.discord_app.titles import WITHOUT_WORDS
from bot.office import board
from storage.records import ChannelMode, Judgement, ThreadMode
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import Gate, eventually
from tests.discord.place import Channel, Message
from tests.discord.world import LEAST


async def questions(shop: Shop) -> list[str]:
    """The words of every question that is kept."""
    actor = await shop.store.people.find("discord", str(shop.guild.customer.id))
    return [] if actor is None else [turn.question for turn in await shop.store.conversations.asked_by(actor.id)]


async def are_kept(shop: Shop, words: list[str]) -> bool:
    return await questions(shop) == words


async def mention(shop: Shop, text: str) -> Message:
    return await shop.guild.mention(shop.guild.customer, shop.guild.support, text)


async def test_a_question_edited_before_the_answer_is_answered_as_it_is_now(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    open_shop.provider.script = lambda model, messages: f"You asked: {messages[-1].content}"
    question = await mention(open_shop, "Where is my parcel?")
    await there.edit(there.customer, question, f"{there.bot.mention} Where is my refund?")
    await there.until(lambda: gate.asked == 2)
    await gate.open()
    [reply] = there.replies(question)
    assert reply.text == "You asked: Where is my refund?"
    assert await questions(open_shop) == ["Where is my refund?"]


async def test_an_edit_after_the_answer_changes_nothing_that_stands(open_shop: Shop):
    there = open_shop.guild
    question, reply = await open_shop.asked()
    await there.edit(there.customer, question, f"{there.bot.mention} Where is my refund?")
    assert [one.text for one in there.replies(question)] == [reply.text]
    assert open_shop.prompts() == ["Where is my parcel?"]


async def test_a_link_preview_is_no_edit(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    question = await mention(open_shop, "Is https://example.com ours?")
    await there.show_link_preview(question)
    await gate.open()
    assert gate.asked == 1
    assert len(there.replies(question)) == 1


async def test_a_question_deleted_while_the_model_thinks_is_not_answered_and_not_kept(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    question = await mention(open_shop, "Where is my parcel?")
    await there.delete(there.customer, question)
    await eventually(lambda: are_kept(open_shop, []))
    await gate.open()
    assert there.said_by_bot(there.support) == []
    assert there.threads(there.support) == []
    assert await questions(open_shop) == []


async def test_a_deleted_question_takes_its_answer_and_its_words_with_it(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        question, reply = await shop.asked()
        await there.delete(there.customer, question)
        await there.until(lambda: there.reread(reply) is None)
        assert await questions(shop) == []


async def test_a_deletion_that_comes_first_cancels(open_shop: Shop):
    there = open_shop.guild
    question = await mention(open_shop, "Where is my parcel?")
    message = there.feed.last("MESSAGE_CREATE").payload | {"id": str(question.id + 1)}
    deletion = {"id": str(question.id + 1), "channel_id": str(there.support.id), "guild_id": str(there.id)}
    there.feed.tell("MESSAGE_DELETE", deletion)
    await there.settle()
    there.feed.tell("MESSAGE_CREATE", message)
    await there.settle()
    assert len(await questions(open_shop)) == 1
    assert len(open_shop.prompts()) == 1


async def test_several_deleted_at_once_are_each_forgotten(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        first, _ = await shop.asked("First?")
        second, _ = await shop.asked("Second?")
        await there.bulk_delete(there.moderator, [first, second])
        assert await questions(shop) == []
        await there.until(lambda: there.said_by_bot(there.support) == [])


async def flags(shop: Shop) -> list[tuple[Judgement, bool]]:
    actor = await shop.store.people.find("discord", str(shop.guild.customer.id))
    assert actor is not None
    [turn] = await shop.store.conversations.asked_by(actor.id)
    reply = await shop.store.conversations.reply_to(turn.id)
    assert reply is not None
    return [(one.judgement, one.flagged) for one in await shop.store.feedback.for_reply(reply.id)]


async def test_an_answer_that_a_moderator_deletes_counts_as_flagged_and_goes_as_a_whole(open_shop: Shop):
    open_shop.provider.script = lambda model, messages: "\n\n".join(letter * 1_500 for letter in "ab")
    there = open_shop.guild
    question = await mention(open_shop, "Tell me")
    first, second = there.replies(question)
    await there.delete(there.moderator, second)
    assert there.reread(first) is None
    assert await flags(open_shop) == [(Judgement.WRONG, True)]


async def test_a_part_that_a_shorter_correction_leaves_over_is_no_flag(open_shop: Shop):
    open_shop.provider.script = lambda model, messages: "\n\n".join(letter * 1_500 for letter in "ab")
    there = open_shop.guild
    question = await mention(open_shop, "Tell me")
    first, second = there.replies(question)
    place = Place(str(there.id), str(there.support.id), str(question.id))
    turn = await open_shop.store.conversations.find_turn("discord", place.key)
    assert turn is not None
    reply = await open_shop.store.conversations.reply_to(turn.id)
    assert reply is not None
    parts = open_shop.running.app.parts
    posted = PostedReply(parts.speech(), Spot(place, turn.question, True), turn.id)
    await posted.finish(replace(reply, corrected_text="Short."))
    await there.settle()
    kept = there.reread(first)
    assert kept is not None
    assert (kept.text, len(kept.labels), there.reread(second)) == ("Short.", 3, None)
    assert len(open_shop.recorder.sent("POST", "/threads")) == 1
    assert await open_shop.store.feedback.for_reply(reply.id) == []


async def test_an_answer_that_we_take_away_ourselves_is_no_flag(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        question, _ = await shop.asked()
        actor = await shop.store.people.find("discord", str(there.customer.id))
        assert actor is not None
        [turn] = await shop.store.conversations.asked_by(actor.id)
        reply = await shop.store.conversations.reply_to(turn.id)
        assert reply is not None
        await there.delete(there.customer, question)
        await there.until(lambda: there.said_by_bot(there.support) == [])
        await there.settle()
        assert await shop.store.feedback.for_reply(reply.id) == []


async def test_a_forum_post_that_is_deleted_takes_its_words_along(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.forum, ChannelMode.AUTO)
    post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
    await there.say(there.customer, post.thread, "And my refund?")
    assert len(await questions(open_shop)) == 2
    await there.delete_channel(post.thread)
    assert await questions(open_shop) == []


async def test_a_thread_deleted_while_the_model_thinks_leaves_nothing_to_say(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    gate = Gate(open_shop)
    await there.say(there.customer, reply.channel, "And my refund?")
    await there.delete_channel(reply.channel)
    await eventually(lambda: are_kept(open_shop, ["Where is my parcel?"]))
    await gate.open()
    assert there.said_by_bot(there.support) == []
    assert await questions(open_shop) == ["Where is my parcel?"]  # it stands in the channel


async def test_a_thread_that_was_put_away_opens_again_for_the_answer(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    gate = Gate(open_shop)
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    await there.archive(reply.channel)
    await gate.open()
    assert [one.text for one in there.replies(follow_up)] == [ANSWER]


@pytest.mark.parametrize("is_archived", [True, False])
async def test_in_a_locked_thread_nothing_is_said_and_nothing_fails(open_shop: Shop, is_archived: bool):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    gate = Gate(open_shop)
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    await (there.archive(reply.channel, locked=True) if is_archived else there.lock(reply.channel))
    await gate.open()
    assert there.replies(follow_up) == []


async def test_a_person_who_takes_over_while_the_model_thinks_is_not_talked_over(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    gate = Gate(open_shop)
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    await there.say(there.moderator, reply.channel, "I look after this.")

    async def is_taken() -> bool:
        return bool(await open_shop.store.hand_overs.all_open())

    await eventually(is_taken)
    await gate.open()
    assert there.replies(follow_up) == []


# Discord lets whoever opened a thread rename it; simcord 3.2.1 asks for Manage Channels whatever kind of channel is changed.
MAY_RENAME = LEAST | discord.Permissions(manage_channels=True)


async def test_a_deleted_question_leaves_the_name_of_the_thread_that_was_opened_on_it(shop: Shop):
    async with shop.opened(permissions=MAY_RENAME):
        there = shop.guild
        question, reply = await shop.asked()
        follow_up = await there.say(there.customer, reply.channel, "And my refund?")
        await there.delete(there.customer, follow_up)
        await there.until(lambda: there.replies(follow_up) == [])
        await there.settle()
        assert name_of(shop, reply.channel) == "Where is my parcel?"
        await there.delete(there.customer, question)
        await there.until(lambda: name_of(shop, reply.channel) == WITHOUT_WORDS)
        assert len(shop.recorder.sent("PATCH", f"/channels/{reply.channel.id}")) == 1


async def test_a_question_deleted_while_its_answer_is_shown_leaves_the_name_of_the_thread(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    async with shop.opened(permissions=MAY_RENAME):
        there, postings = shop.guild, shop.store.postings
        lands = postings.landed_in_turn

        async def lands_late(posting_id: str, key: str, turn_id: str) -> bool:
            turn = await shop.store.conversations.turn(turn_id)
            await shop.store.conversations.withdraw_question("discord", turn.key, at=shop.clock())
            return await lands(posting_id, key, turn_id)

        monkeypatch.setattr(postings, "landed_in_turn", lands_late)
        await mention(shop, "Where is my parcel?")
        [thread] = there.threads(there.support)
        assert (name_of(shop, thread), there.said_by_bot(thread)) == (WITHOUT_WORDS, [])


async def test_a_thread_of_somebody_elses_keeps_its_name(shop: Shop):
    async with shop.opened(permissions=MAY_RENAME):
        there = shop.guild
        await shop.set_channel(there.forum, ChannelMode.AUTO)
        post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
        assert post.starter is not None
        [reply] = there.said_by_bot(post.thread)
        await there.delete(there.customer, post.starter)
        await there.until(lambda: there.reread(reply) is None)
        assert name_of(shop, post.thread) == "Parcel"


async def test_a_thread_that_cannot_be_renamed_stops_nothing(open_shop: Shop):
    there = open_shop.guild
    question, reply = await open_shop.asked()
    await there.delete(there.customer, question)  # simcord refuses the new name
    await there.until(lambda: there.reread(reply) is None)
    assert await questions(open_shop) == []


def name_of(shop: Shop, thread: Channel) -> str:
    return shop.guild.channel(thread.id).name


async def test_answers_that_cannot_be_taken_away_do_not_keep_others_there(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(board, "AT_ONCE", 1)
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        first, stays = await shop.asked("First?")
        second, goes = await shop.asked("Second?")
        there.refuse("DELETE", f"/channels/{there.support.id}/messages/{stays.id}", status=403, code=50013, times=None)
        await there.delete(there.customer, first)
        await there.delete(there.customer, second)
        await there.until(lambda: there.reread(goes) is None)
        assert there.reread(stays) is not None
