"""A forum post's tags say where it stands, where the forum has such tags and the bot may set them."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest

from bot.discord_app import tags
from bot.discord_app.tags import follow
from providers.base import ErrorKind, ProviderError
from storage.records import ChannelMode
from tests.bot.discord_app.acting import card_in, corrected
from tests.bot.discord_app.conftest import Shop
from tests.discord.talking import Post
from tests.discord.world import LEAST

# Discord asks for Manage Threads only; simcord 3.2.1 asks for Manage Channels whatever kind of channel is changed.
MAY_TAG = LEAST | discord.Permissions(manage_threads=True, manage_channels=True)


@pytest.fixture
async def open_shop(shop: Shop) -> AsyncIterator[Shop]:
    """The app, serving, where it may set tags."""
    async with shop.opened(permissions=MAY_TAG):
        yield shop


async def asked(shop: Shop, *names: str) -> Post:
    """A question as a forum post."""
    await shop.set_channel(shop.guild.forum, ChannelMode.AUTO)
    return await shop.guild.forum_post(shop.guild.customer, shop.guild.forum, "Parcel", "Where is it?", names)


async def followed(shop: Shop) -> None:
    await follow(shop.running.app.parts)
    await shop.guild.settle()


async def test_a_post_that_was_answered_says_so_once(open_shop: Shop):
    there = open_shop.guild
    post = await asked(open_shop)
    assert there.tags(post.thread) == ["Answered"]
    await there.say(there.customer, post.thread, "And my refund?")
    [change] = open_shop.recorder.sent("PATCH", f"/channels/{post.thread.id}")
    assert change.body == {"applied_tags": [str(there.world.tags["Answered"])]}


async def test_a_post_in_a_persons_hands_needs_one_until_it_is_given_back(open_shop: Shop):
    there = open_shop.guild
    post = await asked(open_shop)
    [reply] = there.said_by_bot(post.thread)
    await there.click(there.customer, reply, label="Get a human")
    await followed(open_shop)
    assert there.tags(post.thread) == ["Needs human"]
    await there.restart(open_shop.client())
    card = await card_in(open_shop, there.triage)
    await there.click(there.moderator, card, label="Resolved")
    await followed(open_shop)
    assert there.tags(post.thread) == ["Answered"]


async def test_what_the_team_sets_itself_is_left_alone(open_shop: Shop):
    there = open_shop.guild
    post = await asked(open_shop)
    [reply] = there.said_by_bot(post.thread)
    await there.click(there.customer, reply, label="Get a human")
    await followed(open_shop)
    there.backend.edit_channel(post.thread.id, {"applied_tags": []})
    await followed(open_shop)
    assert there.tags(post.thread) == []


async def test_a_corrected_answer_is_tagged_beside_what_the_post_says(open_shop: Shop):
    there = open_shop.guild
    post = await asked(open_shop)
    [reply] = there.said_by_bot(post.thread)
    await corrected(open_shop, reply, "Ahoy!", also=["for_training", "edit_posted"])
    await there.until(lambda: there.tags(post.thread) == ["Answered", "Corrected"])


async def test_an_apology_is_no_answer(open_shop: Shop):
    def gone(model: str, messages: object) -> str:
        raise ProviderError("no", ErrorKind.BAD_REQUEST)

    open_shop.provider.script = gone
    post = await asked(open_shop)
    assert len(open_shop.guild.said_by_bot(post.thread)) == 1
    assert open_shop.guild.tags(post.thread) == []


async def test_other_threads_have_no_tags(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.click(there.customer, reply, label="Get a human")
    await followed(open_shop)
    assert open_shop.recorder.sent("PATCH", f"/channels/{reply.channel.id}") == []


async def test_without_the_permission_nothing_is_tried(shop: Shop):
    async with shop.opened():
        there = shop.guild
        post = await asked(shop, "Needs human")
        [reply] = there.said_by_bot(post.thread)
        await there.click(there.customer, reply, label="Get a human")
        await followed(shop)
        assert there.tags(post.thread) == ["Needs human"]
        assert shop.recorder.sent("PATCH", f"/channels/{post.thread.id}") == []


async def test_a_refusal_keeps_no_answer_back(open_shop: Shop):
    there = open_shop.guild
    there.refuse("PATCH", "/channels/*", status=403, code=50013)
    post = await asked(open_shop)
    assert len(there.said_by_bot(post.thread)) == 1
    assert there.tags(post.thread) == []


async def test_it_is_looked_at_again_and_again(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tags, "LOOK_S", 0.01)
    async with shop.opened(permissions=MAY_TAG):
        there = shop.guild
        post = await asked(shop)
        [reply] = there.said_by_bot(post.thread)
        await there.click(there.customer, reply, label="Get a human")
        async with asyncio.timeout(5):
            await there.until(lambda: there.tags(post.thread) == ["Needs human"])
