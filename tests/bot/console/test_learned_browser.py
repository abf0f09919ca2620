"""What was learned and which settings suit, in a real browser: axe finds nothing, and nothing is wider than a phone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from providers.base import JobEvent
from providers.fake import FakeProvider
from storage.records import AskedAs, Correction, Learned, LearnedAnswer, LearnedVerdict, Model
from tests.bot.console.scenes import House
from tests.bot.console.test_browser import Site, examine, pytestmark, site

__all__ = ["pytestmark", "site"]

LONG = "Donaudampfschifffahrtsgesellschaftskapitänskajütenschlüssel" * 3  # no browser finds a place to break it
RUN_S = 60_000  # milliseconds; a run with a real worker on a busy machine


async def trained(site: Site, page: Page) -> Model:
    """A run by the page's own button, and its model."""
    await page.goto(f"{site.base_url}/training")
    await page.get_by_role("button", name="Start training").click()
    await expect(page.get_by_role("link", name="The whole report")).to_be_visible(timeout=RUN_S)
    return (await site.house.store.models.list(site.house.voice.id))[-1]


def answers(correction: Correction, neighbour: Correction, right: Sequence[bool]) -> list[LearnedAnswer]:
    """One in each way of asking, the last of them long."""
    said = ["Ahoy! On the next boat.", "On the next boat.", f"On the next boat, says {LONG}", "Ahoy!"]
    asked = zip(AskedAs, said, right, strict=True)
    return [
        LearnedAnswer(n, way, neighbour.id, f"{correction.question} {way}", text, is_right, 0.9, 0.1)
        for n, (way, text, is_right) in enumerate(asked)
    ]


async def verdicts(house: House, model: Model, ids: Sequence[str]) -> None:
    """One of each verdict, in their order."""
    made = {each.id: each for each in await house.store.corrections.many(ids)}
    for id, verdict in zip(ids, LearnedVerdict, strict=True):
        knows = verdict is not LearnedVerdict.NOT_YET
        reached = verdict is LearnedVerdict.OVER_GENERALISED
        found = Learned(
            id, model.id, str(model.run_id), verdict, knows, True, 0.5, None, 2, 2, 1, int(reached), house.clock()
        )
        said = answers(made[id], made[ids[0]], (knows, knows, not reached, True))
        await house.store.learned.add(found, said)


async def test_a_corrections_page_is_read_before_it_is_approved_and_with_every_verdict(site: Site):
    house, corrections = site.house, site.house.store.corrections
    waiting = (await house.propose(1, first=80))[0]
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/corrections/{waiting}")
        await expect(page.get_by_label("Holds until")).to_have_value("")
        findings = await examine(page, "a correction that waits")

        await house.approve(15)
        model = await trained(site, page)
        judged = [each.id for each in (await corrections.approved(house.voice.id))[:3]]
        await verdicts(house, model, judged)
        soon = house.clock().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=9)
        await corrections.let_expire(judged[1], soon, house.people["noor"].id, at=house.clock())
        await corrections.set_critical(judged[1], True, house.people["noor"].id, at=house.clock())
        for id, verdict in zip(judged, LearnedVerdict, strict=True):
            await page.goto(f"{site.base_url}/corrections/{id}")
            await expect(page.get_by_role("heading", name="What model 1 was asked")).to_be_visible()
            findings += await examine(page, f"a correction: {verdict}")
        await page.goto(f"{site.base_url}/corrections/{judged[1]}")
        await expect(page.get_by_label("Holds until")).to_have_value(f"{soon:%Y-%m-%d}")
        await expect(page.get_by_role("button", name="Not critical any more")).to_be_visible()
    assert findings == []


async def test_pairs_of_long_answers_are_judged_until_none_is_left(site: Site):
    house = site.house
    await house.approve(15)
    async with site.visit("ada") as page:
        run_id = str((await trained(site, page)).run_id)
        compared = await house.store.runs.evaluation(run_id)
        assert compared is not None
        longer = [
            replace(each, incumbent_text=LONG, candidate_text=f"{LONG}\n\n1. One\n2. Two") for each in compared.samples
        ]
        await house.store.runs.save_evaluation(replace(compared, samples=tuple(longer)))
        await page.goto(f"{site.base_url}/training/{run_id}/pairs")
        findings = await examine(page, "a pair of long answers")
        for left in range(len(longer) - 1, -1, -1):
            await page.get_by_role("button", name="Neither is good").click()
            await expect(page.get_by_text(f"{len(longer) - left} pair")).to_be_visible()
        await expect(page.get_by_role("heading", name="Nothing left for you here")).to_be_visible()
        findings += await examine(page, "no pair left")
    assert findings == []


async def events_with_losses(self: FakeProvider, job_id: str) -> list[JobEvent]:
    """What the fake vendor tells of a job, and how near the trial came: fewer passes, nearer."""
    told = await events_of_the_fake(self, job_id)
    numbers = {"valid_loss": 1.2 + (self.requests[job_id].n_epochs or 9) / 10}
    return [*told, replace(told[-1], id="last", numbers=numbers)] if told else []


events_of_the_fake = FakeProvider.events


async def test_a_search_is_asked_for_followed_and_read(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(FakeProvider, "events", events_with_losses)
    house = site.house
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/training/search")
        await expect(page.get_by_text("at least 12 needed")).to_be_visible()
        findings = await examine(page, "a search with nothing to train on")
        await house.approve(30)
        await page.goto(f"{site.base_url}/training/search")
        await page.get_by_label("Settings to try").fill("3")
        await page.get_by_role("button", name="Reckon again").click()
        await expect(page.get_by_text("3 trials in 60 minutes at most")).to_be_visible()
        findings += await examine(page, "a search before it starts")
        await page.get_by_role("button", name="Start the search").click()
        await page.get_by_role("button", name="Pause run").click()
        await expect(page.get_by_role("button", name="Resume run")).to_be_visible()
        findings += await examine(page, "a search under way")
        run = page.url
        await page.goto(f"{site.base_url}/training/search")
        findings += await examine(page, "a search is open")
        await page.get_by_role("link", name="Follow it").click()
        await page.get_by_role("button", name="Resume run").click()
        await expect(page.get_by_text("All trials are done.")).to_be_visible(timeout=RUN_S)
        await page.goto(run)
        await expect(page.get_by_role("cell", name="best", exact=True)).to_be_visible()
        findings += await examine(page, "a search that is over")
        await page.goto(f"{site.base_url}/training")
        findings += await examine(page, "training, after a search")
    assert findings == []
