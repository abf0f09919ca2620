"""The learning page in a real browser: axe finds nothing, and nothing is wider than a phone; with runs, with none, erased."""

from datetime import UTC, datetime

from playwright.async_api import expect

from tests.bot.console.test_browser import Site, examine, pytestmark, site
from tests.bot.console.test_learning import judge
from tests.storage.scenes import a_reply_to

__all__ = ["pytestmark", "site"]


async def test_the_learning_page_is_read_with_runs_and_with_none(site: Site):
    house = site.house
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/learning")
        await expect(page.get_by_role("heading", name="Nothing was asked yet")).to_be_visible()
        findings = await examine(page, "learning, nothing yet")

        ids = await house.propose(15)
        await house.store.corrections.approve_many(ids, by=house.people["noor"].id, note="", at=house.clock())
        await page.goto(f"{site.base_url}/training")
        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_role("link", name="The whole report")).to_be_visible(timeout=60_000)
        (_, model) = await house.store.models.list(house.voice.id)
        await judge(house, model, ids[:9], ids[9:13], ids[13:])
        thread = await house.store.conversations.ensure(house.voice.id, "cli", "t", at=datetime.now(UTC))
        turn, _ = await house.store.conversations.record_turn(
            thread, "t", "?", house.people["mia"].id, at=house.clock()
        )
        await house.store.conversations.save_reply(a_reply_to(turn, house.clock()), owner="w")

        await page.get_by_role("link", name="Learning").click()
        await expect(page.get_by_role("heading", name="Corrections learned")).to_be_visible()
        await expect(
            page.get_by_role("img", name="Corrections learned, with 95 % intervals. model 1: 9 of 15")
        ).to_be_visible()
        findings += await examine(page, "learning")
    assert findings == []
