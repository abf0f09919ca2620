"""The report, blind pairs and checks in a real browser: axe finds nothing, and nothing is wider than a phone."""

from playwright.async_api import expect

from storage.records import Right
from tests.bot.console.test_browser import Site, examine, pytestmark, site

__all__ = ["pytestmark", "site"]


async def test_a_moderator_judges_a_pair_reads_the_report_and_sees_the_checks(site: Site):
    house = site.house
    await house.approve(15)
    await house.store.voices.set_checks(
        house.voice.id, {"length": {"most_words": 4}}, by=house.people["ada"].id, at=house.clock()
    )
    assert house.people["ada"].has(Right.MODERATOR)
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/training")
        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_role("link", name="The whole report")).to_be_visible(timeout=60_000)
        run = page.url
        await page.get_by_role("link", name="Judge pairs without names").click()
        await expect(page.get_by_role("heading", name="Which answer is better?")).to_be_visible()
        findings = await examine(page, "pairs")
        await page.get_by_role("button", name="Equally good").click()
        await expect(page.get_by_text("1 pair judged by the team.")).to_be_visible()
        for path in (f"{run}/report", f"{site.base_url}/training/checks"):
            await page.goto(path)
            findings += await examine(page, path)
    assert findings == []
