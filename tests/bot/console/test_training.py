"""Training in the console: what a run would do, its start, its progress, what it proved, and the way back."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.console.training import curve, progress
from curation.advancing import advance
from curation.recipes import Training
from providers.base import ErrorKind
from providers.fake import FakeProvider
from providers.quirks import TUNER
from storage.records import CorrectionState, RecipeKind, Run, RunEvent, RunState, Trigger
from storage.store import Store
from tests.bot.console.scenes import House, build_house, read
from tests.conftest import JUDGED, Clock
from tests.curation.test_selecting import correction

ANY_COUNT = replace(TUNER, minimum_examples=1)


async def run_of(house: House) -> Run:
    run = await house.store.runs.open_run(house.voice.id)
    assert run is not None
    return run


async def step(house: House) -> Run:
    """One step of the worker."""
    claimed = await house.store.runs.claim((await run_of(house)).id, "worker", now=house.clock(), lease_s=60)
    assert claimed is not None
    return await advance(house.console.workshop, claimed)


async def test_too_few_examples_are_counted_and_nothing_can_be_started(house: House):
    await house.approve(3)
    await house.propose(2, first=3)
    async with house.browser("ada") as browser:
        page = await browser.page("/training")
        assert "3 approved examples, at least 12 needed" in page
        assert "2 corrections still wait for approval" in page
        assert "Start training" not in page
        response = await browser.post("/training")
    assert response.status_code == 409
    assert "3 approved examples, at least 12 needed" in response.text


async def test_the_preview_says_what_a_run_would_do(house: House):
    await house.approve(15)
    await house.approve(1, first=0)
    async with house.browser("ada") as browser:
        page = await browser.page("/training")
    assert re.search(r"to train on 12 kept back to judge by 3", page)
    assert "counted by words" in page
    assert "not known until a first run has been measured here" in page
    assert "Cost not known: no price of training base is known here" in page
    assert "Start training" in page


async def test_a_second_start_joins_the_open_run(house: House):
    await house.approve(12)
    async with house.browser("ada") as browser:
        first, second = await asyncio.gather(browser.post("/training"), browser.post("/training"))
        assert first.headers["location"] == second.headers["location"]
        page = await browser.page("/training")
        assert "A run is open. Follow it" in page
        assert "Start training" not in page
    assert len(await house.store.runs.recent(house.voice.id, 10)) == 1


async def test_a_run_is_followed_to_its_promotion(house: House):
    await house.approve(15)
    async with house.browser("ada") as browser:
        path = (await browser.post("/training")).headers["location"]
        begun = (await browser.get(path)).text
        assert 'hx-trigger="every 1s"' in begun
        assert "Cancel run" in begun
        await step(house)  # freeze
        await step(house)  # submit
        await step(house)  # first poll
        await step(house)  # second poll
        numbers = (await browser.get(f"{path}/numbers")).json()
        assert numbers == {"is_open": True, "steps": [1, 2], "train_loss": [3.0, 1.5], "valid_loss": [None, None]}
        moving = (await browser.get(f"{path}/progress")).text
        assert "2 of 3 steps" in moving
        seen = re.search(r"seen=(\d+)&amp;state=(\w+)|seen=(\d+)&state=(\w+)", moving)
        assert seen is not None
        query = seen[0].replace("&amp;", "&")
        assert (await browser.get(f"{path}/progress?{query}")).status_code == 204
        run = await house.work()
        assert run.state is RunState.PROMOTED
        over = await browser.get(f"{path}/progress?{query}")
        assert (over.status_code, over.headers["hx-refresh"]) == (204, "true")
        page = (await browser.get(path)).text
        text = read(page)
        assert "Model 1 is better" in text
        assert "Nearness to the approved answers: 1.000 against" in text
        assert "They show here once you have judged your 3 pairs" in text
        async with house.browser("mia") as mia:  # who wrote the approved answers, so that she judges no pair
            assert "Dear customer, regarding: Question" in await mia.page(path)
        assert "Cancel run" not in text
        assert "every 1s" not in page
        assert "it won 3 of 3 decisive pairs" in text
        assert "evidence: better on the held-out questions" in text
        overview = await browser.page("/training")
        assert "Model 1 was trained on exactly these 12 examples." in overview
        assert "model 1 serving" in overview
        assert run.id not in text + overview


async def test_a_measured_run_tells_how_long_the_next_takes(house: House):
    await house.approve(15)
    async with house.browser("ada") as browser:
        await browser.post("/training")
        await house.work()
        await house.approve(2, first=100)
        page = await browser.page("/training")
    assert re.search(r"about (\d+ (second|minute)s?|[\d.]+ hours), from the last run here", page)


async def test_a_candidate_that_is_not_better_is_said_to_be_so(store: Store, clock: Clock):
    provider = FakeProvider(script=lambda model, messages: "I cannot help.")
    async with (await build_house(store, clock, provider=provider)).opened() as house, house.browser("ada") as browser:
        await house.approve(12)
        path = (await browser.post("/training")).headers["location"]
        assert (await house.work()).state is RunState.STOPPED
        text = await browser.page(path)
        assert "Not proven that model 1 is better" in text
        assert "Stopped" in text
        assert "model 0 serving" in text
        assert "Release it all the same" in text


async def test_an_admin_releases_on_the_own_word_with_a_reason(store: Store, clock: Clock):
    provider = FakeProvider(script=lambda model, messages: "I cannot help.")
    async with (await build_house(store, clock, provider=provider)).opened() as house:
        await house.approve(12)
        async with house.browser("ada") as ada, house.browser("mia") as mia:
            path = (await ada.post("/training")).headers["location"]
            assert (await ada.get(f"{path}/release")).status_code == 409  # nothing was compared yet
            await house.work()
            assert "Release it all the same" not in await mia.page(path)
            assert (await mia.get(f"{path}/release")).status_code == 403
            assert (await mia.post(f"{path}/release", {"why": "Me."})).status_code == 403
            asked = await ada.page(f"{path}/release")
            assert "Release model 1 on your word?" in asked
            assert "so nothing is proven" in asked
            assert (await ada.post(f"{path}/release", {"why": " "})).status_code == 409
            done = await ada.post(f"{path}/release", {"why": "We read them."})
            assert done.headers["location"].startswith("/models")
            assert "Released by Ada, whatever the verdict: We read them." in await ada.page("/models")
            assert (await ada.post(f"{path}/release", {"why": "Again."})).status_code == 409


async def test_a_canary_is_shown_with_both_ways_to_end_it(store: Store, clock: Clock):
    house = await build_house(store, clock)
    recipe = replace(house.console.workshop.recipe, evidence=replace(JUDGED, candidate_share=0.25))
    house.console = replace(house.console, workshop=replace(house.console.workshop, recipe=recipe))
    async with house.opened(), house.browser("ada") as ada:
        await house.approve(15)
        path = (await ada.post("/training")).headers["location"]
        while (await step(house)).state is not RunState.CANARY:
            pass
        page = await ada.page(path)
        assert "Model 1 is better" in page
        assert "It answers 25% of the conversations from now on." in page
        assert "End the canary: serve everything" in page
        models = await ada.page("/models")
        assert "Model 0 serves" in models
        assert "Model 1 is tried on 25 % of the conversations." in models
        assert "model 0, model 1 on 25 % Canary: a share of the conversations" in models
        back = await ada.page("/models/roll-back")
        assert "Take model 1 back?" in back
        assert "model 0 answers every question from now on" in back
        asked = await ada.page(f"{path}/release")
        assert "It answers 25 % of the conversations now." in asked
        await ada.post("/models/roll-back", {"to": "", "why": ""})
        assert (await step(house)).state is RunState.STOPPED
        assert "The canary was ended: Rolled back by Ada." in await ada.page(path)


async def test_a_run_is_cancelled_by_an_admin_only(house: House):
    await house.approve(12)
    async with house.browser("ada") as ada, house.browser("mia") as mia:
        path = (await ada.post("/training")).headers["location"]
        assert "Cancel run" not in await mia.page(path)
        assert (await mia.post(f"{path}/cancel")).status_code == 403
        assert (await ada.post(f"{path}/cancel")).headers["location"] == path
        assert "Cancelling. The training job is stopped at the provider first." in await ada.page(path)
        await house.work()
        assert "Cancelled by Ada." in await ada.page(path)
        again = await ada.post(f"{path}/cancel")
        assert again.headers["location"] == path
        assert "That run is already over: cancelled." in await ada.page(path)


async def test_only_an_admin_starts(house: House):
    await house.approve(12)
    async with house.browser("both") as browser:
        assert "An admin can start it." in await browser.page("/training")
        response = await browser.post("/training")
    assert response.status_code == 403
    assert "Only an admin can start a training run, and Both is not one." in response.text


# ---------------------------------------------------------------- the models


async def test_the_way_there_and_back(house: House):
    await house.approve(12)
    async with house.browser("ada") as browser:
        assert "there is nothing to roll back to" in await browser.page("/models")
        await browser.post("/training")
        await house.work()
        house.provider.fail_next("model_names", ErrorKind.UNREACHABLE, times=99)
        house.provider.fail_next("stream", ErrorKind.UNREACHABLE, times=99)
        page = await browser.page("/models")
        assert "Model 1 serves" in page
        assert "Roll back to model 0" in page
        confirm = await browser.page("/models/roll-back")
        assert "Serve model 0 again?" in confirm
        response = await browser.post("/models/roll-back", {"to": "0", "why": "Too salty"})
        assert response.headers["location"] == "/models"
        page = await browser.page("/models")
        assert "Model 0 serves now." in page
        assert "by Ada : “Too salty”" in page
        assert "Serve model 1 again" in page
        await browser.post("/models/roll-back", {"to": "1"})
        assert "Rolled back by Ada." in await browser.page("/models")
        history = await browser.page("/history")
        assert "rolled back to an earlier model Too salty" in history
        assert "promoted a model" in history


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("", "Model 0 was the first to serve, so there is nothing before it"),
        ("0", "Model 0 is the one that serves now."),
        ("7", "Model 7 has never served"),
    ],
)
async def test_what_cannot_be_gone_back_to_is_a_sentence(house: House, to: str, sentence: str):
    async with house.browser("ada") as browser:
        response = await browser.post("/models/roll-back", {"to": to})
        assert response.status_code == 409
        assert sentence in response.text
        assert (await browser.get(f"/models/roll-back{f'?to={to}' if to else ''}")).status_code == 409


async def test_only_an_admin_rolls_back(house: House):
    async with house.browser("both") as browser:
        assert (await browser.post("/models/roll-back", {"to": "0"})).status_code == 403
        assert (await browser.get("/models/roll-back")).status_code == 403


# ---------------------------------------------------------------- progress and curve

AT = datetime(2026, 11, 21, tzinfo=UTC)
RUN = Run("run_1", "voice_1", RunState.TRAINING, Trigger.PERSON, "actor_1", AT, AT, 1, None, None, "base", "ds_1")


def event(**numbers: float) -> RunEvent:
    return RunEvent("run_1", "k", AT, "info", "", numbers)


@pytest.mark.parametrize(
    ("run", "stage"),
    [
        (replace(RUN, state=RunState.REQUESTED, dataset_version_id=None), 0),
        (replace(RUN, state=RunState.FROZEN), 1),
        (RUN, 1),
        (replace(RUN, state=RunState.SERVABLE), 2),
        (replace(RUN, state=RunState.EVALUATED), 3),
        (replace(RUN, state=RunState.PROMOTED, candidate_name="m"), 4),
        (replace(RUN, state=RunState.STOPPED, candidate_name="m"), 4),
        (replace(RUN, state=RunState.FAILED), 1),
        (replace(RUN, state=RunState.FAILED, candidate_name="m"), 2),
        (replace(RUN, state=RunState.CANCELLED, dataset_version_id=None), 0),
    ],
    ids=lambda value: value.state.value if isinstance(value, Run) else "",
)
def test_a_run_is_at_a_stage(run: Run, stage: int):
    assert progress(run, []).stage == stage


def test_progress_is_counted_by_the_newest_event_of_its_stage():
    events = [
        event(step=1, total_steps=9),
        event(step=4, total_steps=9, seconds_left=30),
        event(evaluated=2, to_evaluate=3),
    ]
    training, comparing = progress(RUN, events), progress(replace(RUN, state=RunState.SERVABLE), events)
    assert (training.done, training.total, training.what, training.seconds_left) == (4, 9, "steps", 30)
    assert (comparing.done, comparing.total, comparing.what) == (2, 3, "held-out questions")
    assert progress(RUN, []).total == 0


def test_the_steps_of_a_second_job_follow_those_of_the_first():
    first = [event(job=1, step=step, total_steps=2, train_loss=3.0 - step) for step in (1, 2)]
    second = [event(job=2, step=step, total_steps=3, train_loss=0.7) for step in (1, 2)]
    shown = curve(list(enumerate([*first, *second])))
    assert shown == {"steps": [1, 2, 3, 4], "train_loss": [2.0, 1.0, 0.7, 0.7], "valid_loss": [None] * 4}
    two = replace(RUN, recipe=RecipeKind.SFT_DPO)
    assert (progress(two, first).done, progress(two, first).total) == (2, 2)
    assert progress(replace(two, step=2), first).total == 0, "the second has not begun"
    assert progress(replace(two, step=2), [*first, *second]).total == 3


async def test_the_page_says_at_which_of_two_steps_a_run_is(house: House):
    recipe = replace(house.console.workshop.recipe, training=Training(RecipeKind.SFT_DPO))
    house = house.with_console(workshop=replace(house.console.workshop, recipe=recipe, vendor=ANY_COUNT))
    for number in range(15):
        changed = {"voice_id": house.voice.id, "reply_id": None, "conversation_id": None}
        state = {"state": CorrectionState.PROPOSED, "proposed_by": house.people["mia"].id, "origin": f"old:{number}"}
        made, _ = await house.store.corrections.propose(correction(number, **changed, **state))
        await house.store.corrections.approve_many([made.id], by=house.people["noor"].id, note="", at=house.clock())
    async with house.browser("ada") as browser:
        overview = await browser.page("/training")
        assert re.search(r"in two jobs: [\d,]+ per pass by sft, then [\d,]+ by dpo, counted by words", overview)
        path = (await browser.post("/training")).headers["location"]
        for _ in range(3):
            await step(house)
        assert "Training, step 1 of 2 1 of 3 updates of the weights" in await browser.page(path)
        while (await step(house)).step == 1:
            pass
        assert "Dataset frozen, step 2 of 2" in await browser.page(path)


def test_the_curve_is_in_step_order_and_has_gaps():
    events = [
        event(step=2, train_loss=1.0),
        event(step=1, train_loss=2.0),
        event(step=2, valid_loss=1.5),
        event(seconds=3),
    ]
    assert curve(list(enumerate(events))) == {"steps": [1, 2], "train_loss": [2.0, 1.0], "valid_loss": [None, 1.5]}
    assert curve([]) == {"steps": [], "train_loss": [], "valid_loss": []}
