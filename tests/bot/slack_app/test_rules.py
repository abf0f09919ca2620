"""What is set for a channel holds there: who is answered, when, how often, in which language."""

import pytest

from bot.policy import CAP_REACHED
from storage.records import ChannelMode, ChannelRules
from tests.bot.slack_app.asking import set_mode, silence
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.place import Person

NOT_YOU = "In this channel I answer only members with certain roles, and you have none of them."


async def set_rules(shop: Shop, rules: ChannelRules, mode: ChannelMode = ChannelMode.MENTION) -> None:
    there = shop.workspace
    place = f"{there.team.team_id}/{there.support.id}"
    await shop.store.channels.set("slack", place, mode, True, "actor_finetone", rules=rules, at=shop.clock())


async def is_answered(shop: Shop, by: Person, text: str = "Where is my parcel?") -> bool:
    question = await shop.workspace.mention(by, shop.workspace.support, text)
    return ANSWER in (await shop.reply_to(question)).text


async def why_not(shop: Shop, by: Person, text: str = "Where is my parcel?") -> str:
    """What only who asks is told, there being no answer for all to see."""
    there = shop.workspace
    before = len(there.ephemerals(by))
    question = await there.mention(by, there.support, text)
    heard = await there.until(lambda: found if len(found := there.ephemerals(by)) > before else None)
    assert await there.replies(question) == []
    assert len(heard) == before + 1
    return heard[-1].text


async def test_only_certain_groups_are_answered_and_staff(open_shop: Shop):
    there = open_shop.workspace
    there.wire.usergroups.members["S0CUSTOMERS"] = [there.customer.user_id, there.stranger.user_id]
    await set_rules(open_shop, ChannelRules(asking_roles=("S0PARTNERS", "S0CUSTOMERS")))
    assert await is_answered(open_shop, there.customer)
    assert await why_not(open_shop, there.second_customer) == NOT_YOU
    assert (
        await why_not(open_shop, there.stranger) == NOT_YOU
    )  # whatever a group of ours says of another company's people
    assert await is_answered(open_shop, there.moderator)


async def test_who_asks_again_too_soon_is_told_how_long_to_wait(open_shop: Shop):
    there = open_shop.workspace
    await set_rules(open_shop, ChannelRules(cooldown_s=300))
    assert await is_answered(open_shop, there.customer)
    open_shop.clock.advance(60)
    assert (await why_not(open_shop, there.customer)).startswith("Please wait 2")
    assert await is_answered(open_shop, there.second_customer)
    open_shop.clock.advance(300)
    assert await is_answered(open_shop, there.customer)


async def test_staff_ask_as_often_and_as_late_as_they_like(open_shop: Shop):
    there = open_shop.workspace
    await set_rules(open_shop, ChannelRules(cooldown_s=300, opening_hours="Sun 03:00-03:01", daily_cap=1))
    assert await is_answered(open_shop, there.moderator)
    assert await is_answered(open_shop, there.moderator)


async def test_outside_the_opening_hours_people_hear_when_to_come_back(open_shop: Shop):
    there = open_shop.workspace
    await set_rules(open_shop, ChannelRules(opening_hours="Sat 10:00-18:00", time_zone="Europe/Berlin"))
    assert await is_answered(open_shop, there.customer)  # Saturday, nine o'clock UTC
    open_shop.clock.advance(10 * 3_600)
    said = await why_not(open_shop, there.customer)
    assert said == "I answer here Sat 10:00-18:00 (Europe/Berlin). Please ask again then."


async def test_a_days_cap_is_kept_for_the_channel_alone_and_ends_with_the_day(open_shop: Shop):
    there = open_shop.workspace
    await set_rules(open_shop, ChannelRules(daily_cap=1))
    assert await is_answered(open_shop, there.customer)
    assert await why_not(open_shop, there.second_customer) == CAP_REACHED
    assert await is_answered(open_shop, there.moderator)
    direct = await there.direct_message(there.second_customer, "Here?")
    assert ANSWER in (await open_shop.reply_to(direct)).text
    open_shop.clock.advance(24 * 3_600)
    assert await is_answered(open_shop, there.second_customer)


async def test_the_cap_outlives_a_restart(shop: Shop):
    there = shop.workspace
    await set_rules(shop, ChannelRules(daily_cap=1))
    async with shop.serving("bot-1"):
        assert await is_answered(shop, there.customer)
    async with shop.serving("bot-2"):
        assert await why_not(shop, there.second_customer) == CAP_REACHED


async def test_a_follow_up_in_the_thread_is_bound_by_the_rules_too_and_told_where_it_was_asked(open_shop: Shop):
    there = open_shop.workspace
    await set_rules(open_shop, ChannelRules(daily_cap=1))
    question, _ = await open_shop.asked()
    await there.say(there.customer, there.support, "And my refund?", thread_ts=question.ts)
    [whisper] = await there.until(lambda: there.ephemerals(there.customer))
    assert (whisper.text, whisper.root_ts) == (CAP_REACHED, question.ts)
    await silence(open_shop)
    assert len(await there.replies(question)) == 1


@pytest.mark.parametrize("mode", [ChannelMode.MENTION, ChannelMode.DRAFT], ids=str)
async def test_a_channels_language_is_told_to_the_model(open_shop: Shop, mode: ChannelMode):
    there = open_shop.workspace
    await set_rules(open_shop, ChannelRules(language="German"), mode)
    await there.mention(there.customer, there.support, "Where is my parcel?")
    await there.until(lambda: len(open_shop.provider.asked) == 1)
    await set_mode(open_shop, ChannelMode.MENTION)
    await there.direct_message(there.customer, "Here?")
    await there.until(lambda: len(open_shop.provider.asked) == 2)
    prompts = [messages[0].content for _, messages in open_shop.provider.asked]
    assert prompts == ["Be kind.\nAnswer in German.", "Be kind."]
