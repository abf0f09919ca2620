"""What was said while nobody listened is answered once, and only what is still worth answering."""

from datetime import datetime, timedelta

import pytest

from bot.discord_app import catching_up
from storage.errors import DatabaseUnavailable
from storage.records import ChannelMode
from tests.bot.discord_app.conftest import ANSWER, Shop


async def away(shop: Shop) -> None:
    """The bot has been up to now, and is not any more."""
    await shop.store.channels.listened("discord", "gateway", shop.guild_now())


async def test_what_was_said_while_the_bot_was_away_is_answered_once(shop: Shop):
    async with shop.opened():
        there = shop.guild
        heard, _ = await shop.asked("Before?")
        await away(shop)
        with there.feed.unheard():
            mention = await there.mention(there.customer, there.support, "Meanwhile?")
            await there.say(there.customer, there.support, "Lunch?")
        await there.restart(shop.client())
        assert [reply.text for reply in there.replies(mention)] == [ANSWER]
        assert len(there.replies(heard)) == 1
        await away(shop)
        await there.restart(shop.client())
        assert len(there.replies(mention)) == 1
        assert shop.prompts() == ["Before?", "Meanwhile?"]


async def test_follow_ups_in_threads_and_forum_posts_are_found_as_well(shop: Shop):
    async with shop.opened():
        there = shop.guild
        _, reply = await shop.asked()
        await shop.set_channel(there.forum, ChannelMode.AUTO)
        post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
        await away(shop)
        with there.feed.unheard():
            in_thread = await there.say(there.customer, reply.channel, "And my refund?")
            in_post = await there.say(there.customer, post.thread, "Still nothing.")
        await there.restart(shop.client())
        assert len(there.replies(in_thread)) == 1
        assert len(there.replies(in_post)) == 1


async def test_direct_conversations_are_looked_at_too(shop: Shop):
    async with shop.opened(discord_direct_messages=True):
        there = shop.guild
        await there.direct_message(there.customer, "Before?")
        await away(shop)
        with there.feed.unheard():
            await there.direct_message(there.customer, "Meanwhile?")
        await there.restart(shop.client())
        await there.restart(shop.client())
        assert [reply.text for reply in there.said_by_bot(there.dm(there.customer))] == [ANSWER, ANSWER]
        assert shop.prompts() == ["Before?", "Meanwhile?"]


async def test_at_the_very_first_start_nothing_is_answered_that_was_said_before(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    async def never(*_: object) -> None:
        return

    monkeypatch.setattr(shop.store.channels, "listened", never)  # the first client of this test is not to count
    async with shop.opened():
        there = shop.guild
        with there.feed.unheard():
            old = await there.mention(there.customer, there.support, "Is anybody here?")
        await there.restart(shop.client())
        assert there.replies(old) == []


async def test_what_a_person_has_answered_meanwhile_is_left_alone(shop: Shop):
    async with shop.opened():
        there = shop.guild
        await away(shop)
        with there.feed.unheard():
            question = await there.mention(there.customer, there.support, "Meanwhile?")
            await there.say(there.second_customer, there.support, "It is late today.", reply_to=question)
        await there.restart(shop.client())
        assert there.replies(question) == []


async def test_what_was_asked_long_ago_is_not_answered_out_of_the_blue(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catching_up, "LONGEST", timedelta(minutes=30))
    async with shop.opened():
        there = shop.guild
        await away(shop)
        with there.feed.unheard():
            old = await there.mention(there.customer, there.support, "In the morning?")
            await there.pass_time(3_600)
            recent = await there.mention(there.customer, there.support, "Just now?")
        shop.clock.advance(3_600)
        await there.restart(shop.client())
        assert there.replies(old) == []
        assert len(there.replies(recent)) == 1


async def test_a_channel_whose_history_is_closed_to_the_bot_is_passed_over(shop: Shop):
    async with shop.opened():
        there = shop.guild
        other = await there.new_channel("other")
        await there.take_permission(there.support, "read_message_history")
        await away(shop)
        with there.feed.unheard():
            hidden = await there.mention(there.customer, there.support, "Meanwhile?")
            seen = await there.mention(there.customer, other, "Meanwhile?")
        await there.restart(shop.client())
        assert there.replies(hidden) == []
        assert len(there.replies(seen)) == 1


async def test_what_the_database_could_not_keep_is_fetched_when_it_is_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def gone(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("The database does not answer.")

    monkeypatch.setattr(catching_up, "AGAIN_S", 0.01)
    monkeypatch.setattr(catching_up, "MARGIN", timedelta(minutes=1))
    async with shop.opened():
        there = shop.guild
        await away(shop)
        with monkeypatch.context() as patch:
            patch.setattr(shop.store.inbox, "receive", gone)
            question = await there.mention(there.customer, there.support, "Meanwhile?")
            await there.until(lambda: caplog.text.count("is fetched later") > 2)
            shop.clock.advance(600)
            await there.until(lambda: caplog.text.count("is fetched later") > 5)
        await there.until(lambda: there.replies(question))
        assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_how_far_was_heard_is_noted_again_and_again(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    noted: list[datetime] = []

    async def note(platform: str, part: str, until: datetime) -> None:
        noted.append(until)

    monkeypatch.setattr(catching_up, "NOTED_EVERY_S", 0.001)
    monkeypatch.setattr(shop.store.channels, "listened", note)
    async with shop.opened():
        await shop.guild.until(lambda: len(noted) > 2)
    assert noted == sorted(noted)
