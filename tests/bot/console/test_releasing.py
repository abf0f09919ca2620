"""Releasing a model on one's own word and ending a canary, in a real browser."""

import asyncio
from dataclasses import replace

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, ViewportSize, expect

from curation import requesting
from curation.advancing import advance
from storage.records import RunState
from tests.bot.console import test_browser
from tests.bot.console.test_browser import Site, site
from tests.chromium import needs_chromium
from tests.conftest import JUDGED

__all__ = ["site"]
pytestmark = needs_chromium
NARROW = ViewportSize(width=390, height=800)


async def is_accessible(page: Page) -> None:
    found = await Axe().run(page)  # pyright: ignore[reportUnknownMemberType]
    assert found.violations_count == 0, found.generate_report()


async def test_a_model_that_is_not_proven_is_released_with_a_reason(site: Site):
    house = site.house
    house.provider.script = lambda model, messages: "I cannot help."
    await house.approve(12)
    async with site.visit("ada") as page:
        await page.get_by_role("link", name="Training").first.click()
        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_role("heading", name="Not proven that model 1 is better")).to_be_visible()
        await is_accessible(page)
        await page.get_by_role("link", name="Release it all the same").click()
        await page.get_by_role("button", name="Release model 1").click()  # without a reason: the browser says so
        await expect(page.get_by_role("heading", name="Release model 1 on your word?")).to_be_visible()
        await is_accessible(page)
        await page.get_by_label("Why").fill("We read all of its answers.")
        await page.get_by_role("button", name="Release model 1").click()
        await expect(page.get_by_role("heading", name="Model 1 serves")).to_be_visible()
        await expect(page.get_by_text("Model 1 serves everything now, on your word.")).to_be_visible()
        shown = page.get_by_text("Released by Ada, whatever the verdict: We read all of its answers.")
        await expect(shown.first).to_be_visible()


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker beside the console does nothing: what a run does, the test does."""

    async def idle(workshop: object, owner: str, pace: object, stop: asyncio.Event) -> None:
        await stop.wait()

    monkeypatch.setattr(test_browser, "work", idle)


async def test_a_canary_is_taken_back_on_a_narrow_screen(no_worker: None, site: Site):
    house, store, at = site.house, site.house.store, site.house.clock
    recipe = replace(house.console.workshop.recipe, evidence=replace(JUDGED, candidate_share=0.25))
    workshop = replace(house.console.workshop, recipe=recipe)
    await house.approve(15)
    run, _ = await requesting.request(workshop, house.voice, by=house.people["ada"].id)
    claimed = await store.runs.claim(run.id, "worker", now=at(), lease_s=600)
    assert claimed is not None
    while claimed.state is not RunState.CANARY:
        claimed = await advance(workshop, claimed)
    async with site.visit("ada") as page:
        await page.set_viewport_size(NARROW)
        await page.goto(f"{site.base_url}/models")
        await expect(page.get_by_text("Model 1 is tried on 25 % of the conversations.")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        await is_accessible(page)
        await page.get_by_role("link", name="Take model 1 back").click()
        await expect(page.get_by_role("heading", name="Take model 1 back?")).to_be_visible()
        await page.get_by_role("button", name="Roll back").click()
        await expect(page.get_by_text("Model 0 serves now.")).to_be_visible()
        await expect(page.get_by_text("is tried on")).to_have_count(0)
