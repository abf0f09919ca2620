"""Without the message-content intent the bot serves who speaks to it, and never asks the model about nothing."""

import discord

from bot.discord_app.notices import MENTION_ME
from storage.records import ChannelMode, ThreadMode
from tests.bot.discord_app.conftest import ANSWER, Shop

GRANTED = discord.Intents.default()


async def test_mentions_and_direct_messages_are_answered(shop: Shop):
    async with shop.opened(is_reduced=True, approved=GRANTED, discord_direct_messages=True):
        there = shop.guild
        _, reply = await shop.asked()
        await there.direct_message(there.customer, "And my refund?")
        assert reply.text == ANSWER
        assert [said.text for said in there.said_by_bot(there.dm(there.customer))] == [ANSWER]
        assert shop.prompts() == ["Where is my parcel?", "And my refund?"]


async def test_a_follow_up_without_a_mention_is_told_how_to_ask(shop: Shop):
    async with shop.opened(is_reduced=True, approved=GRANTED):
        there = shop.guild
        _, reply = await shop.asked()
        follow_up = await there.say(there.customer, reply.channel, "And my refund?")
        again = await there.say(there.customer, reply.channel, "Hello?")
        assert [said.text for said in there.replies(follow_up)] == [MENTION_ME]
        assert there.replies(again) == []
        mentioned = await there.mention(there.customer, reply.channel, "And my refund?")
        assert [said.text for said in there.replies(mentioned)] == [ANSWER]
        assert shop.prompts() == ["Where is my parcel?", "And my refund?"]


async def test_an_auto_channel_stays_silent_instead_of_asking_the_model_about_nothing(shop: Shop):
    async with shop.opened(is_reduced=True, approved=GRANTED):
        there = shop.guild
        await shop.set_channel(there.support, ChannelMode.AUTO)
        said = await there.say(there.customer, there.support, "Where is my parcel?")
        assert there.replies(said) == []
        assert shop.prompts() == []


async def test_a_reply_to_the_bot_that_mentions_it_goes_on(shop: Shop):
    async with shop.opened(is_reduced=True, approved=GRANTED, discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        _, reply = await shop.asked()
        more = await there.mention(there.customer, there.support, "And my refund?", reply_to=reply)
        assert [said.text for said in there.replies(more)] == [ANSWER]


async def test_an_edit_that_cannot_be_read_does_not_empty_the_question(shop: Shop):
    async with shop.opened(is_reduced=True, approved=GRANTED):
        there = shop.guild
        question, _ = await shop.asked()
        await there.edit(there.customer, question, "nothing that mentions anybody")
        turn = await shop.store.conversations.find_turn("discord", f"{there.id}/{there.support.id}/{question.id}")
        assert turn is not None
        assert turn.question == "Where is my parcel?"
