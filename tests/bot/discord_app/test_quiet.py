"""Where the team answers, the bot is quiet until they have said nothing for half an hour; asked for, a person has all day."""

import pytest

from bot.discord_app import quiet
from bot.discord_app.quiet import give_back
from tests.bot.discord_app.acting import card_in, until_said
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import eventually
from tests.discord.place import Channel

MINUTE_S = 60


async def pass_minutes(shop: Shop, minutes: float) -> None:
    """Time passes, and what is due is done."""
    shop.clock.advance(minutes * MINUTE_S)
    await give_back(shop.running.app.parts)


async def is_answered(shop: Shop, thread: Channel) -> bool:
    follow_up = await shop.guild.say(shop.guild.customer, thread, "And my refund?")
    return [reply.text for reply in shop.guild.replies(follow_up)] == [ANSWER]


async def test_it_answers_again_half_an_hour_after_the_teams_last_words(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.say(there.moderator, reply.channel, "I look into it.")
    await pass_minutes(open_shop, 20)
    await there.say(there.moderator, reply.channel, "Nearly there.")
    await pass_minutes(open_shop, 29)
    assert not await is_answered(open_shop, reply.channel)
    await pass_minutes(open_shop, 2)
    assert await is_answered(open_shop, reply.channel)
    card = await card_in(open_shop, there.triage)
    await until_said(open_shop, card, "**Resolved.** The bot answers there again.")


async def test_where_a_person_was_asked_for_it_stays_silent(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.click(there.customer, reply, label="Get a human")
    await there.say(there.moderator, reply.channel, "I look into it.")
    await pass_minutes(open_shop, 31)
    assert not await is_answered(open_shop, reply.channel)


async def test_where_a_person_is_asked_for_after_somebody_stepped_in_it_stays_silent(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.say(there.moderator, reply.channel, "I look into it.")
    await there.click(there.customer, reply, label="Get a human")
    await pass_minutes(open_shop, 31)
    assert not await is_answered(open_shop, reply.channel)


@pytest.mark.parametrize(("setting", "is_answered_then"), [(5, True), (0, False)])
async def test_how_long_is_a_setting(shop: Shop, setting: float, is_answered_then: bool):
    async with shop.opened(discord_quiet_minutes=setting):
        there = shop.guild
        _, reply = await shop.asked()
        await there.say(there.moderator, reply.channel, "I look into it.")
        await pass_minutes(shop, 6)
        assert await is_answered(shop, reply.channel) is is_answered_then


async def test_a_conversation_that_was_given_back_before_is_left_alone(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.say(there.moderator, reply.channel, "I look into it.")
    card = await card_in(open_shop, there.triage)
    await there.click(there.moderator, card, label="Resolved")
    await there.click(there.customer, reply, label="Get a human")
    await pass_minutes(open_shop, 31)
    assert not await is_answered(open_shop, reply.channel)


async def test_it_is_looked_for_again_and_again(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quiet, "LOOK_S", 0.001)
    async with shop.opened():
        there = shop.guild
        _, reply = await shop.asked()
        await there.say(there.moderator, reply.channel, "I look into it.")
        shop.clock.advance(31 * MINUTE_S)

        async def is_given_back() -> bool:
            return await shop.store.hand_overs.all_open() == []

        await eventually(is_given_back)
