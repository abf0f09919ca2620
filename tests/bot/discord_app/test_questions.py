"""A person asks where people ask, and reads one answer there."""

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
