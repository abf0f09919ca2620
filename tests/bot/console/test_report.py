"""The report of a run, blind pairs, and what answers keep to, in the console."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.console.checks import shown
from curation.checks import declared
from curation.suites import read_cases
from providers.base import Message
from providers.fake import FakeProvider
from storage.records import Preference, Run, Suite
from storage.store import Store
from tests.bot.console.scenes import House, build_house, field_of, read
from tests.conftest import Clock

CASES = read_cases('{"id": "sum", "question": "What is 2 + 3?", "any_of": ["5"]}', "own.jsonl", Suite.GENERAL)


def hostile(model: str, messages: Sequence[Message]) -> str:
    question = messages[-1].content
    return f"Dear customer, regarding: {question}" if model == "base" else f"Ahoy! <b>{question}</b>"


async def a_compared_run(house: House) -> Run:
    """A run with fifteen answers that mia proposed, one case and a check."""
    await house.approve(15)
    await house.store.voices.set_checks(
        house.voice.id, {"length": {"most_words": 4}}, by=house.people["ada"].id, at=house.clock()
    )
    async with house.browser("ada") as browser:
        await browser.post("/training")
    return await house.work()


@pytest.fixture
async def compared(store: Store, clock: Clock) -> tuple[House, Run]:
    built = await build_house(store, clock, provider=FakeProvider(script=hostile))
    workshop = replace(built.console.workshop, recipe=replace(built.console.workshop.recipe, cases=CASES))
    house = built.with_console(workshop=workshop)
    async with house.opened():
        return house, await a_compared_run(house)


async def test_the_report_shows_what_was_measured(compared: tuple[House, Run]):
    house, run = compared
    async with house.browser("mia") as browser:
        html = (await browser.get(f"/training/{run.id}/report")).text
    text = read(html)
    assert "Base model with the full prompt" not in text
    for said in (
        "Model 1, the new model",
        "The base model with examples shown",
        "General suite 1 0.000 0.000 0.000",
        "Length 0 of 3 0 of 3 0 of 3 3 of 3",
        "Nobody has judged a pair yet.",
        "What improved most",
        "The five worst answers",
        "step 1",
    ):
        assert said in text, said
    assert html.count("<svg") == 3
    assert "<b>Question" not in html


async def test_the_run_page_keeps_to_the_held_out_questions_and_leads_to_the_report(compared: tuple[House, Run]):
    house, run = compared
    async with house.browser("mia") as browser:
        html = (await browser.get(f"/training/{run.id}")).text
    assert "What is 2 + 3?" not in html
    assert f'href="/training/{run.id}/report"' in html


async def test_the_report_as_a_file(compared: tuple[House, Run]):
    house, run = compared
    async with house.browser("mia") as browser:
        response = await browser.get(f"/training/{run.id}/report.md")
    assert response.headers["content-disposition"] == f'attachment; filename="report-{run.id}.md"'
    assert response.text.startswith("# Model 1 ")
    assert response.text.count("data:image/svg+xml;base64,") == 3


async def test_a_run_without_a_comparison_says_so_and_customers_see_none(house: House, compared: tuple[House, Run]):
    other, run = compared
    async with other.browser("cleo") as browser:
        assert (await browser.get(f"/training/{run.id}/report")).status_code == 403
        assert (await browser.get(f"/training/{run.id}/pairs")).status_code == 403
    await other.approve(3, first=50)
    async with other.browser("ada") as browser:
        path = (await browser.post("/training")).headers["location"]
        response = await browser.get(f"{path}/report")
    assert response.status_code == 409
    assert "Nothing was compared in this run; it is not that far yet." in read(response.text)


# ---------------------------------------------------------------- blind pairs


async def test_who_has_pairs_left_to_judge_sees_no_answer_beside_a_models_name(compared: tuple[House, Run]):
    house, run = compared
    evaluation = await house.store.runs.evaluation(run.id)
    assert evaluation is not None
    ids = [each.correction_id for each in evaluation.samples if each.suite is Suite.TARGET]
    pages = [f"/training/{run.id}", f"/training/{run.id}/report", f"/training/{run.id}/report.md"]
    async with house.browser("both") as both, house.browser("mia") as mia:
        before = [(await both.get(page)).text for page in pages]
        for page in before:
            assert "Ahoy!" not in page
            assert "3 pairs" in read(page)
        for page in pages:  # mia wrote the approved answers, so she judges none
            assert "Ahoy!" in (await mia.get(page)).text
        for id in ids:
            await both.post(f"/training/{run.id}/pairs", {"sample": id, "side": "same"})
        for page in pages:
            assert "Ahoy!" in (await both.get(page)).text


async def test_a_moderator_chooses_without_names_until_nothing_is_left(compared: tuple[House, Run]):
    house, run = compared
    path = f"/training/{run.id}/pairs"
    async with house.browser("noor") as noor, house.browser("both") as both:
        assert (await noor.get(path)).status_code == 403  # an approver alone moderates nothing
        for left in (3, 2, 1):
            html = (await both.get(path)).text
            assert f"{left} pair{'s' * (left > 1)} left for you" in read(html)
            assert (
                "model 0" not in read(html.split('<article class="card item pair"')[1].split("</article>")[0]).lower()
            )
            first = re.search(r'<p class="label">A</p><p class="text" dir="auto">([^<]*)', html)
            assert first is not None
            side = "a" if first[1].startswith("Ahoy!") else "b"
            await both.post(path, {"sample": field_of(html, "sample"), "side": side})
        done = await both.page(path)
    assert "Nothing left for you here" in done
    assert "3 pairs judged by the team." in done
    votes = await house.store.blind_pairs.of_run(run.id)
    assert {(vote.actor_id, vote.preference) for vote in votes} == {(house.people["both"].id, Preference.CANDIDATE)}


async def test_nobody_judges_their_own_correction_or_anything_else(compared: tuple[House, Run]):
    house, run = compared
    path = f"/training/{run.id}/pairs"
    evaluation = await house.store.runs.evaluation(run.id)
    assert evaluation is not None
    async with house.browser("mia") as mia, house.browser("both") as both:
        assert "Nothing left for you here" in await mia.page(path)
        own = await mia.post(path, {"sample": evaluation.samples[0].correction_id, "side": "a"})
        assert own.status_code == 403
        assert "Mia wrote the approved answer to this question" in read(own.text)
        assert (await both.post(path, {"sample": "sum", "side": "a"})).status_code == 404
        wrong = await both.post(path, {"sample": evaluation.samples[0].correction_id, "side": "up"})
        assert "“up” is no choice here" in read(wrong.text)
    assert await house.store.blind_pairs.of_run(run.id) == []


async def test_before_the_first_choice_it_is_said_how_many_are_needed_at_least(compared: tuple[House, Run]):
    house, run = compared
    async with house.browser("both") as browser:
        assert re.search(
            r"At least \d+ pairs in which one model is preferred", await browser.page(f"/training/{run.id}/pairs")
        )


# ---------------------------------------------------------------- checks


async def test_an_admin_declares_checks_and_everybody_reads_them(house: House):
    wanted: dict[str, object] = {
        "language": "de",
        "most_words": "80",
        "required": "Your Puffin crew\n\n",
        "forbidden": "guarantee\ncheap",
        "style": ["no_emoji", "formal"],
        "json_schema": "",
    }
    async with house.browser("ada") as ada, house.browser("mia") as mia:
        response = await ada.post("/training/checks", wanted)
        assert response.headers["location"] == "/training/checks"
        assert "From the next comparison on every answer is checked: language, length, required, forbidden, style." in (
            await ada.page("/training/checks")
        )
        assert 'value="no_emoji" checked' in (await mia.get("/training/checks")).text
        assert "guarantee\ncheap" in (await mia.get("/training/checks")).text
        assert (await mia.post("/training/checks", wanted)).status_code == 403
    assert await house.store.voices.checks(house.voice.id) == {
        "language": "de",
        "length": {"most_words": 80},
        "required": ["Your Puffin crew"],
        "forbidden": ["guarantee", "cheap"],
        "style": ["no_emoji", "formal"],
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"most_words": "many"}, "Most words is “many”, which is no whole number."),
        ({"least_words": "9", "most_words": "3"}, "No answer has at least 9 and at most 3 words."),
        ({"json_schema": "{"}, "The JSON schema is not JSON"),
        ({"json_schema": '{"type": "thing"}'}, "The JSON schema is itself wrong"),
    ],
)
async def test_what_cannot_be_used_comes_back_with_what_was_typed(house: House, fields: dict[str, object], said: str):
    async with house.browser("ada") as browser:
        response = await browser.post("/training/checks", {**fields, "forbidden": "kept as typed"})
    assert response.status_code == 422
    assert said in read(response.text)
    assert "kept as typed" in response.text
    assert await house.store.voices.checks(house.voice.id) == {}


def test_a_form_shows_what_was_declared():
    checks = {"length": {"least_words": 0}, "json_schema": {"type": "object"}}
    declared(checks)
    assert shown(checks)["least_words"] == "0"
    assert '"type": "object"' in shown(checks)["json_schema"]
