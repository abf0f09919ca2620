"""What is set for a channel holds there: who is answered, when, how often, in which language."""

from bot.policy import CAP_REACHED
from storage.records import ChannelMode, ChannelRules
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.discord.place import Person


async def said_to(shop: Shop, by: Person, text: str = "Where is my parcel?") -> list[str]:
    """What the bot says to a mention in the support channel."""
    question = await shop.guild.mention(by, shop.guild.support, text)
    return [reply.text for reply in shop.guild.replies(question)]


async def test_only_certain_roles_are_answered(open_shop: Shop):
    there = open_shop.guild
    rules = ChannelRules(asking_roles=(str(there.world.roles["customers"].id),))
    await open_shop.set_channel(there.support, rules=rules)
    assert await said_to(open_shop, there.customer) == [ANSWER]
    [why] = await said_to(open_shop, there.stranger)
    assert "only members with certain roles" in why
    assert await said_to(open_shop, there.moderator) == [ANSWER]


async def test_who_asks_again_too_soon_is_told_how_long_to_wait_once(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.support, rules=ChannelRules(cooldown_s=300))
    assert await said_to(open_shop, there.customer) == [ANSWER]
    [why] = await said_to(open_shop, there.customer)
    assert why.startswith("Please wait 2")
    assert await said_to(open_shop, there.customer) == []
    assert await said_to(open_shop, there.second_customer) == [ANSWER]
    open_shop.clock.advance(300)
    assert await said_to(open_shop, there.customer) == [ANSWER]


async def test_outside_the_opening_hours_people_hear_when_to_come_back(open_shop: Shop):
    there = open_shop.guild
    rules = ChannelRules(opening_hours="Sat 10:00-18:00", time_zone="Europe/Berlin")
    await open_shop.set_channel(there.support, rules=rules)
    assert await said_to(open_shop, there.customer) == [ANSWER]  # Saturday, nine o'clock UTC
    open_shop.clock.advance(10 * 3_600)
    assert await said_to(open_shop, there.customer) == [
        "I answer here Sat 10:00-18:00 (Europe/Berlin). Please ask again then."
    ]


async def test_a_days_cap_is_kept_for_the_channel_and_its_threads_and_ends_with_the_day(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.support, rules=ChannelRules(daily_cap=2))
    _, reply = await open_shop.asked()
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    assert len(there.replies(follow_up)) == 1
    assert await said_to(open_shop, there.second_customer) == [CAP_REACHED]
    other = await there.new_channel("other")
    assert len(there.replies(await there.mention(there.customer, other, "Here?"))) == 1
    open_shop.clock.advance(24 * 3_600)
    assert await said_to(open_shop, there.second_customer) == [ANSWER]


async def test_the_cap_outlives_a_restart(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.support, rules=ChannelRules(daily_cap=1))
    await open_shop.asked()
    await there.restart(open_shop.client("bot-2"))
    assert await said_to(open_shop, there.second_customer) == [CAP_REACHED]


async def test_a_channels_language_is_told_to_the_model(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.support, rules=ChannelRules(language="German"))
    await open_shop.asked()
    other = await there.new_channel("other")
    await there.mention(there.customer, other, "Here?")
    prompts = [messages[0].content for _, messages in open_shop.provider.asked]
    assert prompts == ["Be kind.\nAnswer in German.", "Be kind."]


async def test_too_many_questions_in_a_minute_are_refused_once_and_then_passed_over(shop: Shop):
    async with shop.opened(questions_per_minute=2):
        there = shop.guild
        heard = [await said_to(shop, there.customer, f"Number {number}?") for number in range(4)]
        assert heard[:2] == [[ANSWER], [ANSWER]]
        assert "wait a minute" in heard[2][0]
        assert heard[3] == []


async def test_a_threads_rules_are_its_channels(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await open_shop.set_channel(there.support, ChannelMode.OFF)
    later = await there.say(there.customer, reply.channel, "And now?")
    assert there.replies(later) == []
