"""The learning page: what each run taught and forgot, what it took, and when the next one pays; with runs, with none, erased."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from bot.moderation import release_model
from curation.prices import Item, Price, PriceKey, Unit
from curation.recalling import Recall
from curation.tariff import Tariff
from storage.records import CorrectionState, Learned, LearnedVerdict, Model
from tests.bot.console.scenes import IN_PAGE, House
from tests.storage.scenes import a_reply_to

WORSE = "Twenty answers to look at first."


async def run_once(house: House) -> Model:
    """A run to its end, and its model serving: on its evidence, or on the admin's word."""
    async with house.browser("ada") as browser:
        await browser.post("/training")
    run = await house.work()
    model = next(m for m in await house.store.models.list(house.voice.id) if m.run_id == run.id)
    if (await house.store.models.current(house.voice.id)).model.id != model.id:
        await release_model(house.store, house.people["ada"], house.voice, WORSE, run_id=run.id, now=house.clock())
    return model


async def judge(
    house: House, model: Model, learned: Sequence[str], not_yet: Sequence[str] = (), over: Sequence[str] = ()
):
    """What the check of a run's model found."""
    told = {LearnedVerdict.LEARNED: learned, LearnedVerdict.NOT_YET: not_yet, LearnedVerdict.OVER_GENERALISED: over}
    for verdict, ids in told.items():
        for id in ids:
            knows = verdict is not LearnedVerdict.NOT_YET
            found = Learned(
                id, model.id, model.run_id or "", verdict, knows, True, 0.5, None, 2, 2, 1, 0, house.clock()
            )
            await house.store.learned.add(found, [])


async def corrected_for_cleo(house: House) -> str:
    """A customer's question, a moderator's correction of the reply, and its approval; the correction's id."""
    async with house.browser("cleo") as cleo:
        reply_id = await cleo.reply_to("Is my green canoe mended?")
    async with house.browser("mia") as mia:
        fields = {"text": "Ahoy! It leaves the dock on Friday.", "reason": "wrong", "note": ""}
        await mia.post(f"/replies/{reply_id}/correct", fields, headers=IN_PAGE)
    (made,) = await house.store.corrections.for_reply(reply_id)
    await house.store.corrections.approve_many([made.id], by=house.people["noor"].id, note="", at=house.clock())
    return made.id


async def replied(house: House, model_name: str, prompt_tokens: int, fix_ids: tuple[str, ...]) -> None:
    """A reply of this model with these fixes in its prompt."""
    store, now, key = house.store, house.clock(), f"{model_name} {prompt_tokens}"
    thread = await store.conversations.ensure(house.voice.id, "cli", key, at=now)
    turn, _ = await store.conversations.record_turn(thread, key, "Where?", house.people["mia"].id, at=now)
    reply = replace(a_reply_to(turn, now), model_name=model_name, prompt_tokens=prompt_tokens, fix_ids=fix_ids)
    await store.conversations.save_reply(reply, owner="w")


async def three_runs(house: House) -> tuple[list[str], str]:
    """Twenty answers and one of cleo's, three runs, a model that forgot two, and replies; the ids, and cleo's."""
    ids = await house.propose(20)
    began = house.clock()
    for number, id in enumerate(ids):
        at = began + timedelta(seconds=24 * number)
        await house.store.corrections.decide(id, CorrectionState.APPROVED, house.people["noor"].id, "", at=at)
    of_cleo = await corrected_for_cleo(house)
    await replied(house, "base", 400, (ids[17], ids[18]))
    await judge(house, await run_once(house), [*ids[:8], of_cleo], ids[8:18], ids[18:])
    await house.approve(2, first=50)
    await judge(house, await run_once(house), ids[2:14], [*ids[:2], of_cleo, *ids[14:18]], ids[18:])
    await house.approve(2, first=60)
    await judge(house, await run_once(house), [*ids[:17], of_cleo], ids[17:])
    serving = (await house.store.models.current(house.voice.id)).model.name
    for tokens, fixes in ((90, (ids[19],)), (70, ())):
        await replied(house, serving, tokens, fixes)
    return ids, of_cleo


def a_price(amount: str) -> Price:
    return Price(Decimal(amount), Unit.MILLION_TOKENS, "USD", "https://example.com", date(2026, 11, 22))


def priced(house: House) -> House:
    prices = {
        PriceKey("shop", "base", Item.TRAINING): a_price("3"),
        PriceKey("shop", "base", Item.INPUT): a_price("0.5"),
    }
    desk = replace(house.console.desk, recall=Recall(house.store))
    workshop = replace(house.console.workshop, tariff=Tariff("shop", prices=prices))
    return house.with_console(desk=desk, workshop=workshop)


async def test_each_run_is_told_with_what_it_taught_and_what_it_forgot(house: House):
    await three_runs(house)
    async with house.browser("mia") as browser:
        html = (await browser.get("/learning")).text
        page = await browser.page("/learning")
    for said in (
        "model 1 21 9 24% to 63% 10 2 9 0",
        "model 2 21 12 37% to 76% 7 2 6 3",
        "model 3 21 18 65% to 95% 3 0 3 0",
        "Model 2: 6 taught, 3 forgotten",
        "model 3 2 50% 80",
    ):
        assert said in page
    assert "Is my green canoe mended?" in page
    assert re.search(r'aria-label="Corrections learned, with 95 % intervals\. model 1: 9 of 21, 24% to 63%; ', html)
    assert '<a href="/learning" aria-current="page">Learning</a>' in html


async def test_what_it_took_and_when_the_next_run_pays_are_reckoned_from_rows(house: House):
    house = priced(house)
    async with house.opened():
        await three_runs(house)
        await house.approve(2, first=70)
        async with house.browser("mia") as browser:
            page = await browser.page("/learning")
    assert re.search(r"3 runs read [\d,]+ tokens in all passes: (less than )?\$0\.01 at the prices known today", page)
    assert "for each of the 18 learned corrections." in page
    # Nineteen gaps of 24 seconds; of 27 decisions and 18 that model 3 learned.
    assert (
        "27 decisions at about 24 seconds, the median between two that one person made within 10 minutes: 0.6 minutes"
        in page
    )
    assert "2 approved corrections are new to the serving model, and 9 in force are not in its weights" in page
    assert re.search(r"In 30 days they took \d+ tokens of prompts", page)
    assert "the share that the newest judged model learned (65% to 95%)" in page


async def test_before_anything_was_judged_it_says_what_will_appear(house: House):
    async with house.browser("mia") as browser:
        page = await browser.page("/learning")
    assert "No model was asked yet what it learned. The first run that ends says it here." in page
    assert "Nothing was trained yet." in page
    assert "How long moderators took is not known: that takes 5 decisions" in page
    assert "No run may start now. 0 approved examples, at least 12 needed" in page


async def test_a_forgotten_persons_question_is_named_nowhere_and_the_counts_stay(house: House):
    _, of_cleo = await three_runs(house)
    await house.store.erasures.erase_person(house.people["cleo"], by=house.people["ada"].id, at=house.clock())
    async with house.browser("mia") as browser:
        html = (await browser.get("/learning")).text
        written = (await browser.get("/learning.md")).text
    assert "canoe" not in html + written
    assert f'<a href="/corrections/{of_cleo}">(erased)</a>' in html
    assert "(erased)" in written
    assert "| 1 | 21 | 9 | 24% to 63% | 10 | 2 | 9 | 0 |" in written


async def test_the_markdown_says_the_same(house: House):
    await three_runs(house)
    async with house.browser("mia") as browser:
        response = await browser.get("/learning.md")
    assert response.headers["content-disposition"] == 'attachment; filename="learning.md"'
    assert response.text.startswith("# What puffin learned\n")
    assert "![learned share](data:image/svg+xml;base64," in response.text
    assert "- taught: Question 0?; " in response.text
    assert "and 4 more" in response.text


async def test_where_corrections_were_scored_the_page_says_how_much_likelier_they_are(house: House):
    ids = await house.propose(20)
    await house.store.corrections.approve_many(ids, by=house.people["noor"].id, note="", at=house.clock())
    first = await run_once(house)
    await judge(house, first, ids[:2])
    async with house.browser("mia") as browser:
        before = await browser.page("/learning")
        await house.approve(2, first=50)
        second = await run_once(house)
        for id, log_margin in zip(ids, (0.5, 1.25, None), strict=False):
            found = Learned(
                *(id, second.id, second.run_id or "", LearnedVerdict.LEARNED, True, True, 0.5, log_margin),
                *(1, 1, 1, 0, house.clock()),
            )
            await house.store.learned.add(found, [])
        page = await browser.page("/learning")
        written = (await browser.get("/learning.md")).text
    assert "Likelier" not in before
    assert "model 1 2 2 34% to 100% 0 0 2 0 –" in page
    assert "model 2 3 3 44% to 100% 0 0 1 0 +0.88" in page
    assert "No verdict rests on it." in page
    assert "| forgot | likelier |" in written
    assert "| 2 | 3 | 3 | 44% to 100% | 0 | 0 | 1 | 0 | +0.88 |" in written


async def test_only_the_team_sees_what_was_learned(house: House):
    async with house.browser("cleo") as browser:
        assert (await browser.get("/learning")).status_code == 403
        assert (await browser.get("/learning.md")).status_code == 403
