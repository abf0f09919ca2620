"""A person asks where people ask, and reads one answer there."""

import pytest
from simcord.enums import MessageType

from bot.answering import NOTHING_ASKED
from bot.discord_app.notices import DIRECT_OFF, ONLY_TEXT
from storage.records import ChannelMode, ChannelRules, ThreadMode
from tests.bot.discord_app.conftest import ANSWER, Shop


async def test_a_mention_is_answered_in_a_thread_on_the_question(open_shop: Shop):
    question, reply = await open_shop.asked("Where is my **parcel**?")
    thread = open_shop.guild.thread_of(question)
    assert thread is not None
    assert (thread.name, reply.channel, reply.text) == ("Where is my parcel?", thread, ANSWER)
    assert reply.labels == ["Helpful", "Not right", "Get a human"]
    assert open_shop.prompts() == ["Where is my **parcel**?"]


async def test_a_follow_up_in_the_thread_needs_no_mention_and_knows_what_was_said(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    [answer] = there.replies(follow_up)
    assert (answer.text, answer.reply_to_id) == (ANSWER, follow_up.id)
    [_, messages] = [asked for _, asked in open_shop.provider.asked]
    assert [message.content for message in messages[1:]] == ["Where is my parcel?", ANSWER, "And my refund?"]


async def test_nobody_is_answered_who_does_not_speak_to_the_bot(open_shop: Shop):
    there = open_shop.guild
    said = await there.say(there.customer, there.support, "Lunch?")
    await there.say(there.second_customer, there.support, "Yes!", reply_to=said)
    assert there.said_by_bot(there.support) == []
    assert open_shop.prompts() == []


async def test_in_channel_mode_the_answer_stands_under_the_question_and_replies_go_on_with_it(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        question, reply = await shop.asked()
        there = shop.guild
        assert (reply.channel, reply.reply_to_id, there.thread_of(question)) == (there.support, question.id, None)
        more = await there.say(there.customer, there.support, "And my refund?", reply_to=reply)
        [answer] = there.replies(more)
        assert answer.reply_to_id == more.id
        [_, messages] = [asked for _, asked in shop.provider.asked]
        assert [message.content for message in messages[1:]] == ["Where is my parcel?", ANSWER, "And my refund?"]


async def test_a_new_mention_in_the_channel_begins_a_new_conversation(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        await shop.asked("First?")
        await shop.asked("Second?")
    assert [len(messages) for _, messages in shop.provider.asked] == [2, 2]


async def test_a_mention_that_answers_somebody_else_begins_a_thread_of_its_own(open_shop: Shop):
    there = open_shop.guild
    said = await there.say(there.second_customer, there.support, "My parcel is late.")
    question = await there.mention(there.customer, there.support, "Can you help them?", reply_to=said)
    thread = there.thread_of(question)
    assert thread is not None
    assert [reply.text for reply in there.said_by_bot(thread)] == [ANSWER]


async def test_a_thread_that_a_person_opened_is_answered_in(open_shop: Shop):
    there = open_shop.guild
    said = await there.say(there.customer, there.support, "Something is odd")
    thread = await there.open_thread(there.customer, said, "Odd")
    question = await there.mention(there.customer, thread, "Can you help?")
    [reply] = there.replies(question)
    assert (reply.channel, reply.reply_to_id) == (thread, question.id)
    follow_up = await there.say(there.customer, thread, "And then?")
    assert len(there.replies(follow_up)) == 1


async def test_a_thread_opened_on_the_bots_own_answer_is_the_same_conversation(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        _, reply = await shop.asked()
        there = shop.guild
        thread = await there.open_thread(there.customer, reply, "More")
        follow_up = await there.say(there.customer, thread, "And my refund?")
        assert len(there.replies(follow_up)) == 1
        assert len(shop.provider.asked[1][1]) == 4  # system prompt, question, answer, follow-up


async def test_a_thread_the_library_has_forgotten_is_asked_of_discord(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    guild = there.client.get_guild(there.id)
    assert guild is not None
    guild._threads.clear()
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    assert [one.reply_to_id for one in there.replies(follow_up)] == [follow_up.id]
    assert len(open_shop.provider.asked[1][1]) == 4


async def test_a_forum_post_is_answered_in_the_post(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.forum, ChannelMode.AUTO)
    post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
    assert post.starter is not None
    [reply] = there.said_by_bot(post.thread)
    assert (reply.reply_to_id, reply.text) == (post.starter.id, ANSWER)
    follow_up = await there.say(there.customer, post.thread, "And my refund?")
    assert len(there.replies(follow_up)) == 1


async def test_a_forum_post_whose_first_message_comes_later_is_answered_then(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.forum, ChannelMode.AUTO)
    post = await there.forum_post(there.customer, there.forum, "Parcel", "", starter_is_late=True)
    assert there.said_by_bot(post.thread) == []
    starter = await there.starter_arrives(there.customer, post, "Where is my parcel?")
    assert [(reply.reply_to_id, reply.text) for reply in there.said_by_bot(post.thread)] == [(starter.id, ANSWER)]


async def test_in_a_channel_set_to_auto_questions_need_no_mention_but_peoples_talk_is_left_alone(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.support, ChannelMode.AUTO)
    question = await there.say(there.customer, there.support, "Where is my parcel?")
    assert len(there.replies(question)) == 1
    other = await there.say(there.moderator, there.support, "We are open until six.")
    talk = await there.say(there.customer, there.support, "Thanks!", reply_to=other)
    assert (there.replies(other), there.replies(talk)) == ([], [])


async def test_direct_messages_are_answered_where_allowed(shop: Shop):
    async with shop.opened(discord_direct_messages=True):
        there = shop.guild
        await there.direct_message(there.customer, "Where is my parcel?")
        await there.direct_message(there.customer, "And my refund?")
        assert [reply.text for reply in there.said_by_bot(there.dm(there.customer))] == [ANSWER, ANSWER]
        assert len(shop.provider.asked[1][1]) == 4


async def test_direct_messages_that_are_not_allowed_are_told_so_once_a_minute(open_shop: Shop):
    there = open_shop.guild
    await there.direct_message(there.customer, "Where is my parcel?")
    await there.direct_message(there.customer, "Hello?")
    assert [said.text for said in there.said_by_bot(there.dm(there.customer))] == [DIRECT_OFF]
    assert open_shop.prompts() == []


async def test_bots_webhooks_and_discords_own_notices_are_left_alone(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.support, ChannelMode.AUTO)
    await there.mention(there.other_bot, there.support, "Where is my parcel?")
    await there.webhook_says(there.support, f"{there.bot.mention} Where is my parcel?")
    await there.system_message(there.customer, there.support, MessageType.NEW_MEMBER)
    assert there.said_by_bot(there.support) == []
    assert open_shop.prompts() == []


async def test_an_empty_mention_is_asked_what_it_wants_without_the_model(open_shop: Shop):
    there = open_shop.guild
    question = await there.mention(there.customer, there.support, "")
    assert [reply.text for reply in there.replies(question)] == [NOTHING_ASKED]
    assert open_shop.prompts() == []


async def test_a_file_alone_is_answered_in_words_that_only_text_is_read(open_shop: Shop):
    there = open_shop.guild
    big = ("film.mp4", bytes(50 << 20))
    question = await there.say(there.customer, there.support, there.bot.mention, files=[big])
    assert [reply.text for reply in there.replies(question)] == [ONLY_TEXT]
    assert open_shop.prompts() == []


async def test_a_file_beside_a_question_is_said_not_to_be_read(open_shop: Shop):
    there = open_shop.guild
    question = await there.say(
        there.customer, there.support, f"{there.bot.mention} What is this?", files=[("a.png", b"0")]
    )
    [reply] = there.replies(question)
    assert reply.text == f"{ANSWER}\n-# I can only read text, so I have not looked at the attached file."


async def test_the_bots_role_is_the_bot(open_shop: Shop):
    there = open_shop.guild
    question = await there.say(there.customer, there.support, f"{there.world.bot_role.mention} Where is my parcel?")
    assert len(there.replies(question)) == 1
    assert open_shop.prompts() == ["@role Where is my parcel?"]


async def test_names_and_ids_never_reach_the_model(open_shop: Shop):
    there = open_shop.guild
    await open_shop.asked(f"{there.moderator.mention} told {there.second_customer.mention} in <#{there.support.id}>")
    assert open_shop.prompts() == ["@teammate told @customer in #channel"]


async def test_staff_who_write_in_the_thread_make_the_bot_silent(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.say(there.moderator, reply.channel, "Let me look into that.")
    later = await there.say(there.customer, reply.channel, "Thank you!")
    assert there.replies(later) == []
    [hand_over] = await open_shop.store.hand_overs.all_open()
    assert hand_over.taken_by is not None


async def test_staff_who_mention_the_bot_are_answered(open_shop: Shop):
    there = open_shop.guild
    question = await there.mention(there.moderator, there.support, "What do you say to parcels?")
    assert len(there.replies(question)) == 1


@pytest.mark.parametrize("mode", [ChannelMode.OFF, ChannelMode.DRAFT])
async def test_where_it_is_off_or_drafts_nothing_is_said_in_the_channel(
    open_shop: Shop, mode: ChannelMode, caplog: pytest.LogCaptureFixture
):
    there = open_shop.guild
    await open_shop.set_channel(there.support, mode)
    question = await there.mention(there.customer, there.support, "Where is my parcel?")
    assert there.replies(question) == []


async def test_a_channel_may_have_its_own_way_to_answer(open_shop: Shop):
    await open_shop.set_channel(open_shop.guild.support, rules=ChannelRules(threads=ThreadMode.CHANNEL))
    question, reply = await open_shop.asked()
    assert (reply.channel, open_shop.guild.thread_of(question)) == (open_shop.guild.support, None)
