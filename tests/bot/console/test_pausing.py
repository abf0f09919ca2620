"""A run that stands still, in the console: by an admin's button, or because the program needs a person."""

from datetime import datetime

from storage.records import PROGRAM_ACTOR_ID
from tests.bot.console.scenes import House


async def test_an_admin_pauses_and_resumes_a_run_and_it_is_kept_on_record(house: House):
    house.clock.now = datetime.now(house.clock.now.tzinfo)  # the fake vendor stamps its jobs with the wall clock
    await house.approve(12)
    async with house.browser("ada") as browser:
        path = (await browser.post("/training")).headers["location"]
        assert "Pause run" in await browser.page(path)
        assert (await browser.post(f"{path}/pause")).status_code == 303
        page = await browser.page(path)
        assert "Paused. Nothing more is paid for until it is resumed." in page
        assert "Resume run" in page
        assert "Pause run" not in page
        assert (await browser.post(f"{path}/resume")).status_code == 303
        page = await browser.page(path)
        assert "Resumed. It goes on from where it stood." in page
        assert "Nothing more is paid for" not in page
        history = await browser.page("/history")
        assert "paused a training run" in history
        assert "resumed a training run" in history
    assert not (await house.work()).is_open


async def test_only_an_admin_pauses(house: House):
    await house.approve(12)
    async with house.browser("ada") as browser:
        path = (await browser.post("/training")).headers["location"]
    async with house.browser("mia") as browser:
        assert "Pause run" not in await browser.page(path)
        for verb in ("pause", "resume"):
            assert (await browser.post(f"{path}/{verb}")).status_code == 403
    run = await house.store.runs.open_run(house.voice.id)
    assert run is not None
    assert not run.is_paused


async def test_a_run_that_waits_for_a_person_says_what_for(house: House):
    await house.approve(12)
    async with house.browser("ada") as browser:
        path = (await browser.post("/training")).headers["location"]
        run = await house.store.runs.open_run(house.voice.id)
        assert run is not None
        await house.store.runs.pause(run.id, PROGRAM_ACTOR_ID, "Six workers ended over it.", at=house.clock())
        assert "Paused, it waits for a person: Six workers ended over it." in await browser.page(path)
