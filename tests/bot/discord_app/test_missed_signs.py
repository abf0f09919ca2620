"""Reactions that came while nobody listened: judgements are taken up, once, and nothing else is."""

from storage.records import Judgement
from tests.bot.discord_app.acting import feedback_on, judged
from tests.bot.discord_app.conftest import ANSWER, Shop


async def test_judgements_that_came_while_nobody_listened_are_taken_up_once(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.unheard():
        await there.react(there.customer, reply, "👍🏽")
        await there.react(there.second_customer, reply, "🚩")
        await there.react(there.moderator, reply, "🚩")
        await there.react(there.approver, reply, "🗑️")
        await there.react(there.other_bot, reply, "👎")
    await open_shop.crashes("bot-2")
    given = await feedback_on(open_shop, reply)
    assert sorted((one.judgement, one.flagged) for one in given) == [(Judgement.GOOD, False), (Judgement.WRONG, True)]
    assert there.reread(reply) is not None
    await open_shop.crashes("bot-3")
    assert await feedback_on(open_shop, reply) == given


async def test_what_somebody_has_judged_since_is_left_as_it_is(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.unheard():
        await there.react(there.customer, reply, "👍")
    await there.click(there.customer, reply, label="Not right")
    await open_shop.crashes("bot-2")
    assert await judged(open_shop, reply) == [Judgement.WRONG]


async def test_answers_that_cannot_be_read_stop_nothing(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    there.refuse("GET", f"/channels/{reply.channel.id}/messages/*", status=403, code=50001, times=None)
    await open_shop.crashes("bot-2")
    _, other = await open_shop.asked("Again?")
    assert other.text == ANSWER
