"""A server removes the bot: what was asked there is deleted after a grace period, and only then, and only that."""

import pytest

from bot.discord_app import leaving
from bot.discord_app.leaving import GRACE, drop
from storage.records import ChannelMode, Correction, CorrectionState, PostingKind
from tests.bot.discord_app.acting import corrected, corrections, stored
from tests.bot.discord_app.conftest import Shop
from tests.bot.discord_app.slowly import eventually
from tests.bot.discord_app.test_changes import questions

DAY_S = 86_400


async def pass_days(shop: Shop, days: float) -> None:
    """Time passes, and what is due is done."""
    shop.clock.advance(days * DAY_S)
    await drop(shop.running.app.parts)


async def noted(shop: Shop, beginning: str) -> list[str]:
    return await leaving._noted(shop.running.app.parts, beginning)


async def test_a_month_after_the_removal_everything_that_was_asked_there_is_deleted(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.forum, ChannelMode.AUTO)
    _, message = await open_shop.asked()
    reply = await stored(open_shop, message)
    await corrected(open_shop, message)
    await there.remove_bot()
    await pass_days(open_shop, GRACE.days - 0.1)
    assert await questions(open_shop) == ["Where is my parcel?"]
    await pass_days(open_shop, 0.2)
    assert await questions(open_shop) == []
    assert (await open_shop.store.conversations.reply(reply.id)).text == ""
    [correction] = await corrections(open_shop)
    assert words_of(correction) == ("", "", CorrectionState.ERASED)
    assert await open_shop.store.channels.list("discord") == []
    postings = await open_shop.store.postings.of(PostingKind.REPLY, reply.turn_id)
    assert [posting.removed_at is not None for posting in postings] == [True]  # nobody tries to take them off Discord
    assert await noted(open_shop, leaving.LEFT) == []


def words_of(correction: Correction) -> tuple[str, str, CorrectionState]:
    return correction.question, correction.corrected_text, correction.state


async def test_another_server_and_direct_messages_stay(shop: Shop):
    async with shop.opened(discord_direct_messages=True):
        there = shop.guild
        other = await there.second_guild()
        await shop.asked()
        await other.mention(other.customer, other.support, "Where is my letter?")
        await there.direct_message(there.customer, "And my refund?")
        await there.remove_bot()
        await pass_days(shop, GRACE.days + 1)
        assert await questions(shop) == ["And my refund?"]
        asker = await shop.store.people.find("discord", str(other.customer.id))
        assert asker is not None
        assert [turn.question for turn in await shop.store.conversations.asked_by(asker.id)] == ["Where is my letter?"]


async def test_a_server_that_is_out_of_reach_has_not_removed_the_bot(open_shop: Shop):
    there = open_shop.guild
    await open_shop.asked()
    await there.become_unavailable()
    assert await noted(open_shop, leaving.LEFT) == []
    await pass_days(open_shop, GRACE.days + 1)
    await there.become_available()
    assert await questions(open_shop) == ["Where is my parcel?"]


async def test_a_bot_that_is_added_again_in_time_keeps_everything(open_shop: Shop):
    there = open_shop.guild
    await open_shop.asked()
    parts = open_shop.running.app.parts
    await leaving.left(parts, str(there.id))
    await pass_days(open_shop, GRACE.days - 1)
    await open_shop.running.app.joined(str(there.id))

    async def is_back() -> bool:
        return await noted(open_shop, leaving.LEFT) == []

    await eventually(is_back)
    await pass_days(open_shop, GRACE.days + 1)
    assert await questions(open_shop) == ["Where is my parcel?"]


async def test_a_removal_that_is_told_late_of_a_server_that_is_back_is_none(open_shop: Shop):
    there = open_shop.guild
    await open_shop.running.app.left(str(there.id))
    await there.settle()
    assert await noted(open_shop, leaving.LEFT) == []


async def test_a_removal_while_nobody_listened_is_noticed_and_counts_from_then(
    open_shop: Shop, caplog: pytest.LogCaptureFixture
):
    there, parts = open_shop.guild, open_shop.running.app.parts
    await parts.store.channels.listened("discord", f"{leaving.IN}1234/", open_shop.clock())
    await leaving.begin(parts)
    assert (await noted(open_shop, leaving.LEFT), await noted(open_shop, leaving.IN)) == (["1234"], [str(there.id)])
    assert "I was removed from the server 1234." in caplog.text
    assert (open_shop.clock() + GRACE).date().isoformat() in caplog.text
    since = await parts.store.channels.listened_until("discord", f"{leaving.LEFT}1234/")
    await parts.store.channels.listened("discord", f"{leaving.IN}1234/", open_shop.clock())
    open_shop.clock.advance(DAY_S)
    await leaving.begin(parts)
    assert await parts.store.channels.listened_until("discord", f"{leaving.LEFT}1234/") == since


async def test_it_is_looked_for_again_and_again(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(leaving, "LOOK_S", 0.001)
    async with shop.opened():
        parts = shop.running.app.parts
        await leaving.left(parts, "1234")
        shop.clock.advance((GRACE.days + 1) * DAY_S)

        async def is_dropped() -> bool:
            return await noted(shop, leaving.LEFT) == []

        await eventually(is_dropped)
