"""Nobody says anything after a reply: the bot asks back once, where the reply stands, if it is told to."""

from bot.office.board import DID_IT_HELP, Board
from storage.records import ThreadMode
from tests.bot.discord_app.acting import judged, told
from tests.bot.discord_app.conftest import Shop

HOURS = 4


async def silence(shop: Shop) -> None:
    """Four hours pass, and the board has looked since."""
    shop.clock.advance(HOURS * 3_600)
    parts = shop.running.app.parts
    await Board(parts, parts.surface).look()
    await shop.guild.settle()


async def test_after_the_silence_it_asks_once_in_the_thread_with_the_replys_buttons(shop: Shop):
    async with shop.opened(follow_up_hours=HOURS):
        there = shop.guild
        question, reply = await shop.asked()
        await silence(shop)
        await silence(shop)
        [_, follow_up] = there.replies(question)
        assert (follow_up.text, follow_up.channel, follow_up.labels) == (DID_IT_HELP, reply.channel, reply.labels)
        await there.click(there.customer, follow_up, label="Helpful")
        assert told(shop, there.customer) == "Thanks, noted as good."
        assert len(await judged(shop, reply)) == 1


async def test_it_asks_in_the_channel_where_answers_stand_there(shop: Shop):
    async with shop.opened(follow_up_hours=HOURS, discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        await shop.asked()
        await silence(shop)
        assert [one.text for one in there.said_by_bot(there.support)][-1] == DID_IT_HELP


async def test_where_somebody_has_judged_or_nothing_is_set_it_does_not_ask(shop: Shop):
    async with shop.opened(follow_up_hours=HOURS):
        there = shop.guild
        question, reply = await shop.asked()
        await there.click(there.customer, reply, label="Helpful")
        await silence(shop)
        assert len(there.replies(question)) == 1


async def test_it_never_asks_unless_it_is_told_to(open_shop: Shop):
    question, _ = await open_shop.asked()
    await silence(open_shop)
    assert len(open_shop.guild.replies(question)) == 1
