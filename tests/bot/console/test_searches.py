"""A search for settings in the console: what it would do, its start, its trials, and what it comes to."""

from dataclasses import replace
from datetime import datetime

import pytest

from curation.advancing import advance
from storage.records import Purpose, RecipeKind, Run, RunState
from tests.bot.console.scenes import House


async def to_the_end(house: House) -> Run:
    run = await house.store.runs.open_run(house.voice.id, Purpose.SEARCH)
    assert run is not None
    for number in range(60):
        claimed = await house.store.runs.claim(run.id, f"worker-{number}", now=house.clock(), lease_s=0)
        assert claimed is not None
        run = await advance(house.console.workshop, claimed)
        if not run.is_open:
            return run
        house.clock.advance(1)
    raise AssertionError(run.state)


async def test_a_search_is_reckoned_started_followed_and_ends_with_its_best(house: House):
    house.clock.now = datetime.now(house.clock.now.tzinfo)  # the fake vendor stamps its jobs with the wall clock
    await house.approve(30)
    async with house.browser("ada") as browser:
        assert "Search for settings" in await browser.page("/training")
        page = await browser.page("/training/search?trials=2&minutes=5")
        assert "2 trials in 5 minutes at most, each on" in page
        response = await browser.post("/training/search", {"trials": "2", "minutes": "5", "cost": ""})
        path = response.headers["location"]
        page = await browser.page(path)
        assert "at most 2 trials in 5 minutes" in page
        assert "Pause run" in page
        assert "A search is open." in await browser.page("/training/search")
        run = await to_the_end(house)
        page = await browser.page(path)
    assert run.state is RunState.DONE
    assert run.end_reason in page
    assert "what runs take now" in page
    assert "Validation loss is in nats per token" in page
    assert "Pause run" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("trials=0", "Trials are &#39;0&#39;: give a whole number from 1 to 96"),
        ("minutes=soon", "Minutes are &#39;soon&#39;"),
        ("cost=1", "No price of training base at"),
    ],
)
async def test_caps_that_cannot_be_kept_are_named_and_nothing_starts(house: House, query: str, said: str):
    await house.approve(30)
    async with house.browser("ada") as browser:
        page = await browser.page(f"/training/search?{query}")
        name, value = query.split("=")
        given = {"trials": "2", "minutes": "5", "cost": "", name: value}
        assert (await browser.post("/training/search", given)).status_code == 409
    assert said.replace("&#39;", "'") in page
    assert "Start the search" not in page
    assert await house.store.runs.open_run(house.voice.id, Purpose.SEARCH) is None


async def test_only_an_admin_searches(house: House):
    await house.approve(30)
    async with house.browser("mia") as browser:
        assert "Search for settings" not in await browser.page("/training")
        assert (await browser.post("/training/search", {"trials": "2", "minutes": "5"})).status_code == 403


async def test_the_page_warns_where_runs_train_otherwise(house: House):
    await house.approve(30)
    async with house.browser("ada") as browser:
        assert "FINETONE_RECIPE" not in await browser.page("/training/search")
    workshop = house.console.workshop
    training = replace(workshop.recipe.training, recipe=RecipeKind.SFT_DPO)
    pairs = house.with_console(workshop=replace(workshop, recipe=replace(workshop.recipe, training=training)))
    async with pairs.opened(), pairs.browser("ada") as browser:
        page = await browser.page("/training/search")
    assert "FINETONE_RECIPE is sft_dpo, so runs learn the answers first (sft)" in page
    assert page.index("its settings are for the answers’ job only") < page.index("Start the search")
