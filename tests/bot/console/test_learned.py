"""A correction's page says what models made of it, and an approver may say that no model may forget it."""

from tests.bot.console.scenes import House
from tests.bot.console.test_review import propose
from tests.bot.taught import model_that_learned


async def test_the_page_shows_each_models_verdict_and_what_was_said(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia)
        await noor.post(f"/corrections/{correction_id}/approve")
        page = f"/corrections/{correction_id}"
        assert "Learned" not in await mia.page(page)
        correction = await house.store.corrections.get(correction_id)
        said = {correction: "On the <b>next</b> boat."}
        await model_that_learned(house.store, house.voice, said, house.people["noor"].id, house.clock())
        shown = await mia.page(page)
        assert "Learned ✓ by model 1: right with no fix in its prompt, in 2 of 2 other wordings as well." in shown
        assert "likel" not in shown  # this model's vendor scores nothing
        assert "With no fix" in shown
        assert "&lt;b&gt;next" in (await mia.get(page)).text


async def test_the_page_says_how_much_likelier_the_correction_is_than_what_was_said(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia)
        await noor.post(f"/corrections/{correction_id}/approve")
        correction = await house.store.corrections.get(correction_id)
        said, by = {correction: "On the next boat."}, house.people["noor"].id
        for log_margin in (-0.312, 1.25):
            await model_that_learned(house.store, house.voice, said, by, house.clock(), log_margin=log_margin)
        shown = await mia.page(f"/corrections/{correction_id}")
    assert "by model 1: right with no fix in its prompt, in 2 of 2 other wordings as well; it finds the" in shown
    assert "it finds the correction 0.31 nats a token less likely than what the bot had said." in shown
    assert "it finds the correction 1.25 nats a token likelier than what the bot had said." in shown


async def test_an_approver_says_what_is_critical_and_nobody_else(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia)
        page = f"/corrections/{correction_id}"
        refused = await noor.post(f"{page}/critical", {"critical": "yes"})
        assert "only an approved correction can be critical" in refused.text
        await noor.post(f"{page}/approve")
        assert (await mia.post(f"{page}/critical", {"critical": "yes"})).status_code == 403
        assert "Mark as critical" not in (await mia.get(page)).text
        await noor.post(f"{page}/critical", {"critical": "yes"})
        assert "Once learned, a new model that forgets it is stopped for that alone." in await mia.page(page)
        assert (await house.store.corrections.get(correction_id)).is_critical
        listed = await mia.page("/review?show=approved")
        assert "Approved by Noor critical" in listed
        await noor.post(f"{page}/critical", {"critical": "no"})
        assert not (await house.store.corrections.get(correction_id)).is_critical
