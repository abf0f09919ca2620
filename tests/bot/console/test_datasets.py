"""Dataset versions in the console: the card, every line's sources, what was erased, and what changed between two."""

import re
from dataclasses import replace

from bot import moderation
from bot.moderation import propose_answers
from curation import versions
from curation.as_served import AsServed
from curation.gathering import Press
from curation.imports import Answer
from curation.marks import MarkPolicy
from curation.prices import PRICES
from curation.tariff import Tariff
from storage.records import CorrectionState, DatasetVersion
from tests.bot.console.scenes import House, read
from tests.bot.console.test_review import propose

TWICE = (("Where is my brown parcel now?", "Ahoy! There."), ("Where is my brown parcel now pls?", "Ahoy! There."))
REVISED = "Ahoy! Question 0? Now with rum."


async def frozen(house: House, press: Press | None = None) -> DatasetVersion:
    """A version of all that is approved and marked now, however little."""
    press = press or house.console.workshop.press
    rules = replace(press.rules, minimum_train=1, minimum_held_out=0, marks=MarkPolicy(1, 0.0))
    voice = await house.store.voices.get(house.voice.id)
    return await versions.freeze(
        house.store, voice, replace(press, rules=rules), by=house.people["ada"].id, at=house.clock()
    )


async def approved(house: House, *answers: tuple[str, str]) -> None:
    """Import and approve these."""
    rows = [Answer(n, question, answer) for n, (question, answer) in enumerate(answers, 1)]
    await propose_answers(house.store, house.people["mia"], house.voice, "faq.csv", rows, now=house.clock())
    ids = [each.id for each in await house.store.reviews.waiting(house.voice.id)]
    await house.store.corrections.approve_many(ids, by=house.people["noor"].id, note="", at=house.clock())


async def test_a_dataset_names_the_people_behind_every_line(house: House):
    await house.approve(60)
    async with house.browser("ada") as browser:
        await browser.post("/training")
        run = await house.work()
        first = (await browser.get(f"/datasets/{run.dataset_version_id}")).text
        assert "48 to train on" in read(first).replace("to train on 48", "48 to train on")
        assert "Page 1 of 2" in first
        lines = first.split('id="lines"')[1]
        assert lines.count("Mia") == lines.count("Noor") == 50
        second = (await browser.get(f"/datasets/{run.dataset_version_id}?page=2")).text
        link = re.search(r'href="(/corrections/[^"]+)"', second)
        assert link is not None
        correction = await browser.page(link[1])
        assert "Kept back" in read(second)
        assert re.search(r"an imported file, faq.csv:\d+", correction)
        assert re.search(r"Datasets 21 Nov 2026, 09:\d\d UTC , kept back, line \d+", correction)


async def test_the_card_says_what_is_in_it_and_what_is_not(house: House):
    await approved(house, *TWICE, ("Is it big?", "Ahoy! Ja."))
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        of_reply = await propose(mia, question="Is it red?")
        await noor.post(f"/corrections/{of_reply}/approve")
        version = await frozen(house)
        page = await noor.page(f"/datasets/{version.id}")
    for said in (
        "imported answers 2", "corrections 1", "Not how we sound 1", "Mia 3", "console 1",
        "System prompt the full one, 2 tokens", "1 correction spoken for by another’s line",
        "no conversation stands on both sides", "Left out", version.id,
    ):  # fmt: skip
        assert said in page, said


async def test_off_topic_questions_are_counted_apart(house: House):
    rows = ("Where is my brown parcel now?", "Is the red lamp sold out?", "Can it be mended?", "Who made this coat?")
    await approved(house, *((row, f"Ahoy! That is the answer to “{row}” in the house.") for row in rows))
    press = replace(house.console.workshop.press, as_served=AsServed(None, 500, off_topic=0.5))
    version = await frozen(house, press)
    async with house.browser("ada") as browser:
        page = read(await browser.page(f"/datasets/{version.id}"))
    assert "imported answers 4" in page
    assert "off-topic questions 3" in page
    assert "Besides, 3 off-topic questions to train on: they come with Finetone" in page


async def test_the_card_reckons_what_it_would_cost(house: House):
    await approved(house, ("Where is it?", "Ahoy! There."))
    workshop = replace(house.console.workshop, tariff=Tariff("openai", prices=PRICES))
    priced = house.with_console(workshop=workshop, cost_targets=(("openai", "gpt-4o-mini"),))
    version = await frozen(house)
    async with priced.opened(), priced.browser("noor") as noor:
        page = await noor.page(f"/datasets/{version.id}")
    assert "openai base unknown" in page
    assert "openai gpt-4o-mini less than $0.01 no traffic yet" in page


async def test_a_line_names_all_its_sources_also_a_reply_that_was_only_marked(house: House):
    await approved(house, *TWICE)
    async with house.browser("mia") as mia, house.browser("cleo") as cleo, house.browser("noor") as noor:
        good, wrong = await cleo.reply_to("Is it big?"), await cleo.reply_to("Is it red?")
        await mia.post(f"/replies/{good}/feedback", {"judgement": "good"})
        await mia.post(f"/replies/{wrong}/feedback", {"judgement": "wrong"})
        version = await frozen(house)
        html = (await noor.get(f"/datasets/{version.id}")).text
    page = read(html)
    assert "speaks for 1 more" in page
    assert "Dear customer, regarding: Is it big? a model’s words, marked as good by Mia" in page
    assert "What not to say, 1 Is it red?" in page
    assert "marked as not right by Mia" in page
    turn_id = (await house.store.conversations.reply(good)).turn_id
    assert f'href="/turns/{turn_id}"' in html


async def test_what_was_erased_is_marked_on_the_version_and_its_model(house: House):
    await house.approve(12)
    async with house.browser("ada") as ada, house.browser("cleo") as cleo, house.browser("mia") as mia:
        reply_id = await cleo.reply_to("Where do I live?")
        await mia.post(f"/replies/{reply_id}/correct", {"text": "Ahoy! At sea.", "reason": "tone"})
        (waiting,) = await house.store.reviews.waiting(house.voice.id)
        await ada.post(f"/corrections/{waiting.id}/approve")
        await ada.post("/training")
        run = await house.work()
        assert run.dataset_version_id is not None
        assert "partly erased" not in await ada.page("/datasets")
        await moderation.forget_person(house.store, house.people["ada"], house.people["cleo"], now=house.clock())
        assert "partly erased" in await ada.page("/datasets")
        assert "partly erased" in await ada.page("/models")
        page = await ada.page(f"/datasets/{run.dataset_version_id}")
        assert "because somebody asked to be forgotten" in page
        assert "Where do I live?" not in page
        await house.approve(1, first=50)
        newer = await frozen(house)
        refused = await ada.get(f"/datasets/{newer.id}/diff?before={run.dataset_version_id}")
        assert refused.status_code == 409


async def test_what_changed_between_two_versions_is_shown_line_by_line(house: House):
    await house.approve(3)
    before = await frozen(house)
    first = min(await house.store.corrections.approved(house.voice.id), key=lambda each: each.question)
    await approved(house, (first.question, REVISED), ("Is it new?", "Ahoy! It is."))
    after = await frozen(house)
    async with house.browser("noor") as noor:
        html = (await noor.get(f"/datasets/{after.id}/diff?before={before.id}")).text
        assert "1 added" in read(html).replace("added 1", "1 added")
        assert "<ins>Ahoy! It is.</ins>" in html
        assert "<ins>Now with rum.</ins>" in html
        same = await noor.page(f"/datasets/{after.id}/diff?before={after.id}")
        assert "Nothing: their lines are the same." in same
        assert "to the newest" in await noor.page("/datasets")
        assert (await noor.get(f"/datasets/{after.id}/diff?before=ds_none")).status_code == 404


async def test_only_the_team_sees_datasets(house: House):
    await house.approve(1)
    version = await frozen(house)
    assert (await house.store.corrections.count(house.voice.id))[CorrectionState.APPROVED] == 1
    async with house.browser("cleo") as cleo, house.browser("mia") as mia:
        for path in ("/datasets", f"/datasets/{version.id}", f"/datasets/{version.id}/diff?before={version.id}"):
            assert (await cleo.get(path)).status_code == 403
            assert (await mia.get(path)).status_code == 200
        assert (await mia.get("/datasets/ds_none")).status_code == 404
