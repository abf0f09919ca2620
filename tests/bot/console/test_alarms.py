"""What is to be told in time stands above the models, with no platform connected."""

from storage.records import Alarm
from tests.bot.console.scenes import House


async def test_alarms_stand_on_the_page_of_models(house: House):
    at = house.clock()
    await house.store.alarms.raise_(Alarm("a", house.voice.id, at, "gpt-4.1-mini stops <b>soon</b>."))
    async with house.browser("ada") as ada:
        shown = (await ada.get("/models")).text
    assert "Worth knowing" in shown
    assert "gpt-4.1-mini stops &lt;b&gt;soon&lt;/b&gt;." in shown


async def test_with_nothing_to_tell_there_is_no_such_box(house: House):
    async with house.browser("ada") as ada:
        assert "Worth knowing" not in (await ada.get("/models")).text
