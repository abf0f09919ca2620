"""The harness, proven with a bare discord.py bot: what people do, what the bot hears, and what Discord refuses.

Where a test pins down what discord.py or simcord do by themselves, its name says so: Finetone's app is built on it.
"""

import io
from collections.abc import Awaitable
from typing import Any

import discord
import pytest

from tests.discord.bare import ANSWER, BareBot
from tests.discord.guild import Guild, open_guild
from tests.discord.place import CannotDo, Refused
from tests.discord.rest import Recorder
from tests.discord.world import LEAST

# Writing.


async def test_a_mention_is_answered_and_others_can_read_it(guild: Guild):
    question = await guild.mention(guild.customer, guild.support, "Where is my parcel?")
    [reply] = guild.replies(question)
    assert (reply.text, reply.author_id, reply.reply_to_id) == (ANSWER, guild.bot.id, question.id)
    assert guild.messages(guild.support, viewer=guild.stranger) == [question, reply]
    assert guild.pinged(reply) == []


async def test_everyone_is_not_pinged_by_a_bot_that_allows_no_mentions(guild: Guild, bot: BareBot):
    bot.says = f"@everyone @here {guild.customer.mention} {guild.moderators.mention}"
    question = await guild.mention(guild.customer, guild.support, "Who?")
    [reply] = guild.replies(question)
    assert (reply.text, guild.pinged(reply)) == (bot.says, [])


async def test_everyone_is_pinged_by_a_bot_that_says_nothing_of_mentions(recorder: Recorder):
    loud = discord.Permissions(LEAST.value, mention_everyone=True)
    async with open_guild(lambda _: BareBot(mentions=True), recorder, permissions=loud) as guild:
        assert isinstance(guild.client, BareBot)
        guild.client.says = "@everyone"
        [reply] = guild.replies(await guild.mention(guild.customer, guild.support, "Who?"))
        assert guild.pinged(reply) == [guild.id]
    [violation] = recorder.take_violations()
    assert violation.endswith("allowed_mentions.parse is ['everyone', 'users', 'roles'], not []")


async def test_an_announced_role_is_pinged_where_it_is_mentionable(guild: Guild, recorder: Recorder):
    channel = guild.client.get_partial_messageable(guild.support.id)
    for role in (guild.moderators, guild.approvers):
        recorder.announce_role_ping(role.id)
        only = discord.AllowedMentions(everyone=False, users=False, roles=[discord.Object(role.id)], replied_user=False)
        await channel.send(f"@everyone {role.mention} {guild.customer.mention}", allowed_mentions=only)
    assert [guild.pinged(one) for one in guild.said_by_bot(guild.support)] == [[guild.moderators.id], []]


async def test_what_people_do_reaches_the_bot(guild: Guild, bot: BareBot):
    customer, moderator = guild.customer, guild.moderator
    first = await guild.say(customer, guild.support, "Is it red?")
    edited = await guild.edit(customer, first, "Is it blue?")
    assert edited.text == "Is it blue?"
    second = await guild.say(customer, guild.support, "And green?", reply_to=first)
    assert second.reply_to_id == first.id
    third = await guild.say(customer, guild.support, "Or grey?", files=[("grey.txt", b"grey")])
    assert guild.files(third) == {"grey.txt": b"grey"}
    await guild.show_link_preview(third)
    await guild.bulk_delete(moderator, [first, second])
    await guild.delete(moderator, third)
    assert guild.messages(guild.support) == []
    told = [one for one in bot.heard if isinstance(one, tuple)]
    assert told == [
        ("edit", "Is it blue?"),
        ("edit", "Or grey?"),
        ("bulk delete", {first.id, second.id}),
        ("delete", third.id),
    ]
    assert bot.heard_texts == ["Is it red?", "And green?", "Or grey?"]


async def test_people_may_do_only_what_discord_lets_them(guild: Guild):
    message = await guild.say(guild.customer, guild.support, "Hello")
    with pytest.raises(CannotDo):
        await guild.edit(guild.moderator, message, "Bye")
    with pytest.raises(Refused):
        await guild.delete(guild.second_customer, message)
    with pytest.raises(Refused):
        await guild.say(guild.customer, guild.review, "May I?")
    with pytest.raises(CannotDo):
        guild.messages(guild.review, viewer=guild.customer)
    assert guild.messages(guild.review, viewer=guild.moderator) == []


async def test_a_direct_message_is_answered_in_private(guild: Guild):
    question = await guild.direct_message(guild.customer, "Where is my parcel?")
    assert [one.text for one in guild.messages(guild.dm(guild.customer))] == ["Where is my parcel?", ANSWER]
    [reply] = guild.replies(question)
    answer = await guild.click(guild.customer, reply, label="good")
    assert (answer.text, answer.ephemeral) == ("Thanks for good on reply_1", True)
    await guild.react(guild.customer, reply, "👍")
    assert guild.reactions(reply) == {"👍": [guild.customer.id]}


async def test_other_bots_webhooks_and_discord_itself_can_be_told_apart(guild: Guild, bot: BareBot):
    pinned = await guild.say(guild.customer, guild.support, "Pin this")
    await guild.say(guild.other_bot, guild.support, "Beep")
    await guild.webhook_says(guild.support, "Deployed")
    await guild.system_message(guild.admin, guild.support)
    assert guild.said_by_bot(guild.support) == []
    _, beep, deployed, joined = [one for one in bot.heard if isinstance(one, discord.Message)]
    assert (beep.author.bot, beep.webhook_id) == (True, None)
    assert deployed.author.bot
    assert deployed.webhook_id == deployed.author.id
    assert joined.type is discord.MessageType.new_member
    assert pinned.raw["type"] == 0


async def test_a_bot_without_the_content_intent_sees_mentions_only(recorder: Recorder):
    async with open_guild(lambda _: BareBot(intents=discord.Intents.default()), recorder) as guild:
        assert isinstance(guild.client, BareBot)
        await guild.say(guild.customer, guild.support, "Where is my parcel?")
        question = await guild.mention(guild.customer, guild.support, "Where is it?")
        [reply] = guild.replies(question)
        await guild.say(guild.customer, guild.support, "Thanks", reply_to=reply)
        assert guild.client.heard_texts == [
            "",
            question.text,
            ANSWER,
            "Thanks",
            ANSWER,
        ]  # a reply mentions whom it answers


# Reactions.


async def test_reactions_reach_the_bot_with_the_messages_author_as_discord_sends_it(guild: Guild, bot: BareBot):
    question = await guild.mention(guild.customer, guild.support, "Where?")
    [reply] = guild.replies(question)
    await guild.react(guild.moderator, reply, "👍🏽")
    assert guild.reactions(reply) == {"👍🏽": [guild.moderator.id]}
    await guild.unreact(guild.moderator, reply, "👍🏽")
    guild.feed.tells_reaction_author = False
    await guild.react(guild.moderator, reply, "wrong:123456789012345678")
    assert [one for one in bot.heard if isinstance(one, tuple)] == [
        ("add", "👍🏽", guild.moderator.id, guild.bot.id),
        ("remove", "👍🏽", guild.moderator.id, None),
        ("add", "<:wrong:123456789012345678>", guild.moderator.id, None),
    ]
    await guild.clear_reactions(guild.moderator, reply)
    assert guild.reactions(reply) == {}


# Threads and posts.


async def test_the_bot_opens_a_thread_and_writes_in_it(guild: Guild, bot: BareBot):
    question = await guild.say(guild.customer, guild.support, "Where is my parcel?")
    message = bot.heard[0]
    thread = await message.create_thread(name="Where is my parcel?", auto_archive_duration=1440)
    await thread.send("Here")
    opened = guild.thread_of(question)
    assert opened is not None
    assert (opened.name, opened.id, opened.parent_id) == ("Where is my parcel?", question.id, guild.support.id)
    assert [one.text for one in guild.replies(question)] == ["Here"]
    assert guild.threads(guild.support) == [opened]
    with pytest.raises(discord.HTTPException) as again:
        await message.create_thread(name="Again")
    assert again.value.code == 160004


async def test_people_open_threads_and_write_in_them(guild: Guild, bot: BareBot):
    question = await guild.say(guild.customer, guild.support, "Where?")
    thread = await guild.open_thread(guild.second_customer, question, "Parcels")
    said = await guild.mention(guild.customer, thread, "Here?")
    assert bot.heard_texts[-2:] == [said.text, ANSWER]
    assert [one.text for one in guild.replies(said)] == [ANSWER]
    with pytest.raises(CannotDo):
        await guild.open_thread(guild.customer, question, "Again")


async def test_a_forum_post_is_told_of_as_thread_and_message_of_one_id(guild: Guild, bot: BareBot):
    post = await guild.forum_post(guild.customer, guild.forum, "Parcel", "Where is it?", ["Needs human"])
    assert post.starter is not None
    assert post.starter.id == post.thread.id
    assert guild.tags(post.thread) == ["Needs human"]
    assert bot.heard[0] == ("thread", "Parcel")
    assert bot.heard_texts == ["Where is it?"]


async def test_the_first_message_of_a_forum_post_may_come_late(guild: Guild, bot: BareBot):
    post = await guild.forum_post(guild.customer, guild.forum, "Parcel", "", starter_is_late=True)
    thread = guild.client.get_channel(post.thread.id)
    assert isinstance(thread, discord.Thread)
    with pytest.raises(discord.NotFound) as unknown:
        await thread.fetch_message(thread.id)
    assert unknown.value.code == 10008
    await guild.starter_arrives(guild.customer, post, "Where is it?")
    assert (await thread.fetch_message(thread.id)).content == "Where is it?"


async def test_a_closed_thread_opens_again_and_a_locked_one_refuses(guild: Guild):
    question = await guild.say(guild.customer, guild.support, "Where?")
    thread = await guild.open_thread(guild.customer, question, "Parcels")
    here = guild.client.get_partial_messageable(thread.id)
    posted = await here.send("Here")
    await guild.archive(thread)
    with pytest.raises(discord.HTTPException) as archived:
        await posted.edit(content="There", allowed_mentions=discord.AllowedMentions.none())
    assert archived.value.code == 50083
    await here.send("Or there")
    assert not guild.is_archived(thread)
    await guild.archive(thread, locked=True)
    with pytest.raises(discord.HTTPException) as locked:
        await here.send("Too late")
    assert locked.value.code == 50083
    with pytest.raises(Refused):
        await guild.say(guild.customer, thread, "Hello?")
    await guild.say(guild.moderator, thread, "We are closed")
    await guild.delete_channel(thread)
    with pytest.raises(discord.NotFound):
        await here.send("Hello?")


# Who is there, and who may what.


async def test_a_permission_that_was_taken_is_missing(guild: Guild):
    here = guild.client.get_partial_messageable(guild.support.id)
    await here.send("One")
    await guild.take_permission(guild.support, "send_messages")
    with pytest.raises(discord.Forbidden) as forbidden:
        await here.send("Two")
    assert forbidden.value.code == 50013
    await guild.take_permission(guild.support, "view_channel")
    with pytest.raises(discord.Forbidden) as hidden:
        await here.send("Three")
    assert hidden.value.code == 50001
    await guild.give_permission(guild.support, "view_channel", "send_messages")
    await here.send("Four")
    assert [one.text for one in guild.said_by_bot(guild.support)] == ["One", "Four"]


async def test_discord_refuses_what_simcord_by_itself_lets_pass(guild: Guild, bot: BareBot):
    gone = await guild.say(guild.customer, guild.support, "Never mind")
    asked = bot.heard[0]
    await guild.delete(guild.customer, gone)
    await refused(asked.reply("Here", mention_author=False), 50035)
    await asked.channel.send("Here", reference=asked.to_reference(fail_if_not_exists=False))
    await refused(asked.create_thread(name="Here"), 10008)
    large = discord.File(io.BytesIO(bytes((10 << 20) + 1)), "large.md")
    await refused(asked.channel.send("All", file=large), 40005)
    await guild.take_permission(guild.support, "attach_files", "embed_links", "add_reactions", "read_message_history")
    await guild.say(guild.customer, guild.support, "Still there?")
    again = bot.heard[-1]
    await refused(again.channel.send("All", file=discord.File(io.BytesIO(b"x"), "all.md")), 50013)
    await refused(again.channel.send(embed=discord.Embed(title="Card")), 50013)
    await refused(again.reply("Here", mention_author=False), 160002)
    await refused(again.add_reaction("👍"), 50013)


async def refused(request: Awaitable[Any], code: int) -> None:
    with pytest.raises(discord.HTTPException) as raised:
        await request
    assert raised.value.code == code


async def test_people_come_and_go_and_lose_their_roles(guild: Guild, bot: BareBot):
    newcomer = await guild.join("newcomer", guild.moderators)
    assert guild.can_read(newcomer, guild.review)
    await guild.take_role(newcomer, guild.moderators)
    assert not guild.can_read(newcomer, guild.review)
    await guild.leave(newcomer)
    with pytest.raises(Refused):
        await guild.say(newcomer, guild.support, "Still here?")


async def test_the_bot_is_told_when_it_is_removed_and_not_when_discord_fails(guild: Guild):
    other = await guild.second_guild()
    assert {one.id for one in guild.client.guilds} == {guild.id, other.id}
    await guild.become_unavailable()
    unavailable = guild.client.get_guild(guild.id)
    assert unavailable is not None
    assert unavailable.unavailable
    await guild.become_available()
    assert not unavailable.unavailable
    await other.remove_bot()
    assert [one.id for one in guild.client.guilds] == [guild.id]


async def test_a_message_too_long_is_refused_and_recorded(guild: Guild):
    with pytest.raises(discord.HTTPException) as refused:
        await guild.client.get_partial_messageable(guild.support.id).send("x" * 2_001)
    assert refused.value.code == 50035
    assert guild.rest.requests[-1].status == 400
    [violation] = guild.rest.take_violations()
    assert violation.endswith("content has 2001 characters, at most 2000")
