"""What admins are to hear of in time is told once in the ops channel, and nobody's words in it act."""

from storage.records import Alarm
from tests.bot.slack_app.conftest import Shop


async def test_an_alarm_is_told_once_and_as_plain_words(shop: Shop):
    there = shop.workspace
    at = shop.clock()
    text = "gpt-4.1-mini stops on 2027-01-14, in 53 days. <!channel> *now*"
    await shop.store.alarms.raise_(Alarm("shutdown/gpt-4.1-mini/2027-01-14/60", shop.voice.id, at, text))
    async with shop.serving(slack_ops_channel=there.triage.id):
        [told] = await there.until(lambda: there.channel_messages(there.triage))
        assert "gpt-4.1-mini stops on 2027-01-14, in 53 days." in told.text
        assert "<!channel>" not in told.text
        await shop.store.alarms.raise_(Alarm("second", shop.voice.id, shop.clock(), "Another."))

        async def both() -> bool:
            return len(await there.channel_messages(there.triage)) == 2

        await there.until(both)
    assert [m.text for m in await there.channel_messages(there.triage)].count(told.text) == 1
