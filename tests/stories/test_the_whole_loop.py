"""Ask, correct, approve, retrain, ask again, roll back: in a real browser, on the real model, with real training."""

import json
import re
from importlib import resources

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.stories.conftest import Running

pytestmark = [
    *needs_chromium,
    pytest.mark.real_model,
    pytest.mark.timeout(900),
]
QUESTION = "Do you repair broken umbrellas?"  # not among the lessons
UNSEEN = "How do I contact your pilots?"  # nor near any, so that no fix is shown and the weights alone answer
TRAINED_MS = 600_000  # the longest a run may take on two busy cores
REPLY_MS = 240_000


async def ask(page: Page, question: str) -> str:
    """Type a question as a customer and wait for the whole reply; returns its text and which model wrote it."""
    await page.get_by_role("link", name="Practice").first.click()
    before = await page.get_by_role("article").count()
    await page.get_by_label("Your question").fill(question)
    await page.get_by_role("button", name="Send").click()
    turn = page.get_by_role("article").nth(before)
    await expect(turn.get_by_role("button", name="Good", exact=True)).to_be_visible(timeout=REPLY_MS)
    return await turn.inner_text()


def model_of(turn: str) -> int:
    """Which model's number the turn names."""
    found = re.search(r"model (\d+)", turn)
    assert found is not None, turn
    return int(found.group(1))


async def test_a_correction_reaches_the_model_and_the_model_reaches_the_customer(installation: Running):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(installation.link)

        first = await ask(page, QUESTION)
        assert model_of(first) == 0
        assert "ahoy" not in first.lower()

        # correct it where it was read
        turn = page.get_by_role("article").last
        await turn.get_by_role("link", name="Correct").click()
        await turn.get_by_label("What it should have said").fill(
            "Ahoy friend, umbrellas are beyond us but every nest has a box of spare ones. — the Puffin crew"
        )
        await turn.get_by_role("button", name="Save").click()
        await expect(turn.get_by_label("Correction", exact=True)).to_be_visible()

        # the rest of the answers come from a file
        await page.get_by_role("link", name="Review").first.click()
        await page.get_by_role("link", name="Import answers").click()
        lessons = resources.files("bot.demo").joinpath("puffin.jsonl").read_bytes()
        rows = b"\n".join(lessons.splitlines()[:30]) + b"\n" + json.dumps({"question": "no answer"}).encode() + b"\n"
        await page.get_by_label("File").set_input_files({"name": "faq.jsonl", "mimeType": "text/plain", "buffer": rows})
        await page.get_by_role("button", name="Import").click()
        await expect(page.get_by_text("30 proposed, waiting for approval")).to_be_visible()
        await expect(page.get_by_text("has none of answer, response")).to_be_visible()

        # approve: one by one, then all
        await page.get_by_role("link", name="Review").first.click()
        await expect(page.get_by_role("heading", name="31 corrections to decide")).to_be_visible()
        await page.locator(".queue-row a").first.click()
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(page.get_by_text("Approved. It goes into the next dataset.")).to_be_visible()
        while await page.get_by_role("heading", name="Nothing waits for you").count() == 0:
            await page.goto(f"{installation.base_url}/review")
            if await page.get_by_label(re.compile(r"Choose all \d+")).count():
                await page.get_by_label(re.compile(r"Choose all \d+")).check()
                await page.get_by_role("button", name=re.compile(r"Approve together \d+")).click()
                await page.get_by_role("button", name=re.compile(r"Approve \d+")).click()
                await expect(page.get_by_text(re.compile(r"Approved \d+\."))).to_be_visible()

        # the same question: the moderator's own words, at once and with the weights unchanged
        await page.get_by_role("link", name="Practice").first.click()
        await page.get_by_role("button", name="New conversation").click()
        fixed = await ask(page, QUESTION)
        assert "Ahoy friend, umbrellas are beyond us but every nest has a box of spare ones." in fixed
        assert "uses 1 approved fix, word for word" in fixed

        # retrain, and watch it
        await page.get_by_role("link", name="Training").first.click()
        await page.get_by_role("button", name="Start training").click()
        await expect(page.locator("#curve canvas")).to_be_visible(timeout=TRAINED_MS)
        verdict = page.get_by_role("heading", name=re.compile(r"model 1 is better", re.IGNORECASE))
        await expect(verdict).to_be_visible(timeout=TRAINED_MS)
        if "Not proven" in await verdict.inner_text():  # eight questions prove little: then it takes an admin's word
            await page.get_by_role("link", name="Release it all the same").click()
            await page.get_by_label("Why").fill("It speaks as the crew does.")
            await page.get_by_role("button", name="Release model 1").click()
            await expect(page.get_by_role("heading", name="Model 1 serves")).to_be_visible()

        # a question nobody has corrected, another model, the brand's voice
        await page.get_by_role("link", name="Practice").first.click()
        await page.get_by_role("button", name="New conversation").click()
        second = await ask(page, UNSEEN)
        assert model_of(second) == 1
        assert "approved fix" not in second
        assert "ahoy friend" in second.lower()
        assert "the puffin crew" in second.lower()

        # and back
        await page.get_by_role("link", name="Models").first.click()
        await page.get_by_role("link", name="Roll back to model 0").click()
        await page.get_by_role("button", name="Roll back").click()
        await expect(page.get_by_role("heading", name="Model 0 serves")).to_be_visible()
        await page.get_by_role("link", name="Practice").first.click()
        await page.get_by_role("button", name="New conversation").click()
        third = await ask(page, UNSEEN)
        assert model_of(third) == 0
        assert "ahoy friend" not in third.lower()
        await browser.close()
