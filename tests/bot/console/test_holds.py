"""A hold stands above the review list with its numbers, and only an admin releases it."""

from storage.ids import new_id
from storage.records import Held, Hold
from tests.bot.console.scenes import House, read


async def held(house: House, what: Held) -> Hold:
    at = house.clock()
    hold = Hold(new_id("hold", at), house.voice.id, what, at, "64 <b>corrections</b> came today; a usual day has 4.")
    await house.store.holds.place(hold, house.people["ada"].id)
    return hold


async def test_an_admin_reads_why_and_releases_it(house: House):
    hold = await held(house, Held.CORRECTIONS)
    async with house.browser("noor") as noor, house.browser("ada") as ada:
        assert "no two corrections are approved in one go" in read(await noor.page("/review"))
        assert "I have looked" not in await noor.page("/review")
        refused = await noor.post(f"/review/holds/{hold.id}")
        assert "Only an admin can release a hold" in read(refused.text)
        shown = (await ada.get("/review")).text
        assert "64 &lt;b&gt;corrections&lt;/b&gt; came today" in shown
        assert "I have looked: release it" in shown
        await ada.post(f"/review/holds/{hold.id}")
        assert "I have looked" not in await ada.page("/review")
    assert await house.store.holds.open(house.voice.id) == {}


async def test_a_hold_on_marks_says_what_it_does(house: House):
    await held(house, Held.MARKS)
    async with house.browser("mia") as mia:
        assert "marks are not learned from, until an admin has looked." in read(await mia.page("/review"))
