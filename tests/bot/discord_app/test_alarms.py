"""What admins are to hear of in time is told once in the ops channel, and nobody's words in it act."""

from storage.records import Alarm
from tests.bot.discord_app.acting import card_in
from tests.bot.discord_app.conftest import Shop


async def test_an_alarm_is_told_once_and_as_plain_words(open_shop: Shop):
    there, at = open_shop.guild, open_shop.clock()
    text = "gpt-4.1-mini stops on 2027-01-14, in 53 days. @everyone **now**"
    await open_shop.store.alarms.raise_(Alarm("shutdown/gpt-4.1-mini/60", open_shop.voice.id, at, text))
    open_shop.running.app.parts.wake_board()
    told = await card_in(open_shop, there.ops, "gpt-4.1-mini stops on 2027-01-14")
    assert "**now**" not in told.shown
    assert "@everyone" not in told.shown
    await open_shop.store.alarms.raise_(Alarm("second", open_shop.voice.id, open_shop.clock(), "Another."))
    open_shop.running.app.parts.wake_board()
    await card_in(open_shop, there.ops, "Another.")
    shown = [message.shown for message in there.said_by_bot(there.ops)]
    assert len([each for each in shown if "gpt-4.1-mini" in each]) == 1
