"""The console in a real browser: the same flows by role and label, and what only a browser can tell.

Chromium is Debian's, driven by Playwright; the provider is the fake, the worker and the server are the real ones.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.answering import pick_up_unanswered
from bot.console.sign_in import one_time_link
from curation.worker import Pace, work
from providers.base import Chunk, Message, Sampling
from providers.fake import FakeProvider
from storage.records import CorrectionState, Opinion
from storage.store import Store
from tests.bot.console.scenes import House, build_house, shop
from tests.bot.console.test_datasets import frozen
from tests.bot.console.test_disputes import contradicting
from tests.chromium import CHROMIUM, FLAGS, needs_chromium

TIMEOUT_MS = 20_000  # for a machine that is busy with other things
PACE = Pace(poll_s=0.3, idle_s=0.1, retry_s=0.3)

pytestmark = needs_chromium


@dataclass
class Patient(FakeProvider):
    """Says one word at a time; with `is_held`, stops after the first until it is let go on."""

    is_held: bool = False
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncIterator[Chunk]:
        async for chunk in super().stream(model, messages, sampling):
            yield chunk
            await (self.let_go.wait() if self.is_held else asyncio.sleep(0.02))


@dataclass
class Site:
    """A served console and what its visitors' browsers complained about."""

    house: House
    base_url: str
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def visit(self, name: str) -> AsyncGenerator[Page]:
        """A window in which `name` is signed in."""
        context = await self.browser.new_context()
        page = await context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", lambda said: self._hear(said.type, said.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        page.on("dialog", lambda dialog: self._hear("error", f"a dialog: {dialog.message}"))
        page.on("request", lambda request: self._see(request.url))
        people = self.house.people
        await page.goto(await one_time_link(self.house.store, people[name], self.base_url, now=datetime.now(UTC)))
        yield page
        await context.close()

    def _hear(self, kind: str, text: str) -> None:
        # A refusal's status is logged by the browser whatever the page makes of it; the tests look at the page.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource: the server responded with"):
            self.complaints.append(text)

    def _see(self, url: str) -> None:
        if urlsplit(url).netloc != urlsplit(self.base_url).netloc:
            self.complaints.append(f"a request to {url}")


@pytest.fixture
async def site(store: Store) -> AsyncIterator[Site]:
    """A console on a free port with its worker; fails the test that made a browser complain."""
    house = await build_house(store, lambda: datetime.now(UTC), team_of_one=True, provider=Patient(script=shop))
    house = house.with_console(second_review=1.0)
    stop = asyncio.Event()
    expect.set_options(timeout=TIMEOUT_MS)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(house.app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        parts = [
            asyncio.create_task(server.serve(sockets=[bound])),
            asyncio.create_task(work(house.console.workshop, "worker", PACE, stop)),
            asyncio.create_task(pick_up_unanswered(house.console.desk, stop, every_s=0.2)),
        ]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            opened = Site(house, f"http://127.0.0.1:{bound.getsockname()[1]}", browser)
            yield opened
            await browser.close()
        stop.set()
        server.should_exit = True
        await asyncio.gather(*parts)
    assert opened.complaints == []


async def ask(page: Page, question: str) -> None:
    await page.get_by_label("Your question").fill(question)
    await page.get_by_role("button", name="Send").click()


async def test_the_whole_story(site: Site):
    async with site.visit("ada") as page:
        await expect(page.get_by_role("heading", name="Ask something a customer would ask")).to_be_visible()
        await ask(page, "Where is my order?")
        await expect(page.get_by_text("Dear customer, regarding: Where is my order?")).to_be_visible()
        await expect(page.get_by_label("Your question")).to_have_value("")
        await expect(page.get_by_role("heading", name="Ask something a customer would ask")).to_be_hidden()

        good = page.get_by_role("button", name="Good", exact=True)
        await good.click()
        await expect(good).to_have_attribute("aria-pressed", "true")
        await expect(good).to_be_focused()
        await good.click()
        await expect(good).to_have_attribute("aria-pressed", "false")

        await page.get_by_role("link", name="Correct").click()
        better = page.get_by_label("What it should have said")
        await expect(better).to_have_value("Dear customer, regarding: Where is my order?")
        await expect(better).to_be_focused()
        await page.get_by_role("button", name="Not right").click()
        await expect(page.get_by_text("A moderator will have a look.")).to_be_visible()
        await better.fill(" ")
        await page.get_by_label("What was wrong with it").select_option("Out of date")
        await page.get_by_role("button", name="Save correction").click()
        await expect(page.get_by_role("alert")).to_have_text(
            "The correction is empty. Write what the reply should have been."
        )
        await expect(page.get_by_label("What was wrong with it")).to_have_value("outdated")
        await better.fill("Ahoy! Where is my order? On its way.")
        await page.get_by_role("button", name="Save correction").click()
        await expect(page.get_by_label("Correction", exact=True)).to_contain_text("On its way.")
        await expect(page.get_by_role("link", name="Review")).to_contain_text("1 waiting")

        await page.get_by_role("link", name="Review").click()
        await page.get_by_role("link", name="Where is my order?").click()
        await expect(page.locator("ins")).to_have_text(["Ahoy!", "On its way."])
        await expect(page.get_by_text("You are looking at this; others see that.")).to_be_visible()
        await page.get_by_text("Edit wording").click()
        await page.get_by_label("What it should have said").fill("Ahoy! Where is my order? On its merry way.")
        await page.get_by_role("button", name="Save wording").click()
        await expect(page.get_by_text("Wording saved.")).to_be_visible()
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(page.get_by_text("Approved. It goes into the next dataset.")).to_be_visible()
        await expect(page.get_by_role("link", name="Review")).not_to_contain_text("waiting")

        await page.get_by_role("link", name="Training", exact=True).click()
        await expect(page.get_by_text("1 approved example, at least 12 needed")).to_be_visible()

        await page.goto(f"{site.base_url}/import")
        rows = "question,answer\n" + "".join(f"Question {n}?,Ahoy! Question {n}?\n" for n in range(14)) + "Nothing,\n"
        await page.get_by_label("file").set_input_files(
            {"name": "faq.csv", "mimeType": "text/csv", "buffer": rows.encode()}
        )
        await page.get_by_role("button", name="Import").click()
        await expect(page.get_by_text("14 proposed, waiting for approval.")).to_be_visible()
        await expect(page.get_by_role("cell", name="its answer is empty")).to_be_visible()
        await page.get_by_role("link", name="To the review list").click()
        await page.get_by_label("Choose all 14").check()
        await page.get_by_role("button", name="Approve together 14").click()
        await page.get_by_role("button", name="Approve 14").click()
        await expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()

        await page.get_by_role("link", name="Training", exact=True).click()
        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_role("heading", name="Model 1 is better")).to_be_visible()
        await expect(page.get_by_role("img", name="Loss curve from step 1 to 3.")).to_be_visible()
        await expect(page.locator("#curve canvas")).to_be_visible()
        await page.get_by_text("The numbers").click()
        await expect(page.get_by_role("row", name="2 1.500")).to_be_visible()

        await page.get_by_role("link", name="Practice").click()
        await expect(page.get_by_text("model 1 serving")).to_be_visible()
        await page.get_by_role("button", name="New conversation").click()
        await ask(page, "Is it big?")
        await expect(page.get_by_text("Ahoy! Is it big?")).to_be_visible()

        await page.get_by_role("link", name="Models").click()
        await page.get_by_role("link", name="Roll back to model 0").click()
        await page.get_by_label("Why").fill("Too salty")
        await page.get_by_role("button", name="Roll back").click()
        await expect(page.get_by_role("heading", name="Model 0 serves")).to_be_visible()
        await page.get_by_role("link", name="Practice").click()
        await ask(page, "Is it red?")
        await expect(page.get_by_text("Dear customer, regarding: Is it red?")).to_be_visible()

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("heading", name="You are signed out.")).to_be_visible()


async def test_a_reload_in_the_middle_of_a_reply_shows_it_once(site: Site):
    provider = site.house.provider
    assert isinstance(provider, Patient)
    provider.is_held = True
    async with site.visit("cleo") as page:
        await ask(page, "Where is it?")
        await expect(page.get_by_text("Dear", exact=True)).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("Dear", exact=True)).to_be_visible()
        provider.let_go.set()
        await expect(page.get_by_role("button", name="Good", exact=True)).to_have_count(1)
        await expect(page.get_by_text("Dear customer, regarding: Where is it?")).to_have_count(1)


async def test_the_run_is_watched_while_it_moves_and_can_be_cancelled(site: Site):
    await site.house.approve(12)
    site.house.provider.hidden_models |= {f"ft:base:local:puffin-1:{n}" for n in range(9)}  # trained, never servable
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/training")
        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_text("Training run started.")).to_be_visible()
        await expect(page.get_by_text("3 of 3 steps")).to_be_visible()
        await expect(page.locator("#curve canvas")).to_be_visible()
        await expect(page.get_by_text("is trained; waiting until it can be asked")).to_be_visible()
        await page.get_by_role("button", name="Cancel run").click()
        await expect(page.get_by_text("Cancelled by Ada.")).to_be_visible()
        await expect(page.get_by_role("button", name="Cancel run")).to_have_count(0)


async def test_hostile_words_do_nothing(site: Site):
    hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
    async with site.visit("ada") as page:
        await ask(page, hostile)
        await expect(page.get_by_text(f"Dear customer, regarding: {hostile}")).to_be_visible()
        await page.get_by_role("link", name="Correct").click()
        await page.get_by_label("What it should have said").fill(f"Ahoy {hostile}")
        await page.get_by_role("button", name="Save correction").click()
        await expect(page.get_by_label("Correction", exact=True)).to_contain_text(f"Ahoy {hostile}")
        await page.get_by_role("link", name="Review").click()
        await page.get_by_role("link", name=hostile).click()
        await expect(page.get_by_role("heading", name=hostile)).to_be_visible()


async def test_what_is_too_long_stays_in_the_box(site: Site):
    text = "x" * 1024 * 1024
    async with site.visit("cleo") as page:
        await ask(page, text)
        await expect(page.get_by_role("alert")).to_contain_text("has 1,048,576 characters; at most 8,000 are taken")
        await expect(page.get_by_label("Your question")).to_have_value(text)
        await ask(page, "Where is it?")
        await expect(page.get_by_text("Dear customer, regarding: Where is it?")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_the_keyboard_is_enough(site: Site):
    async with site.visit("ada") as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("main")).to_be_focused()
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="New conversation")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(page.get_by_label("Your question")).to_be_focused()
        await page.keyboard.press("End")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("Please!")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Where is my order?\nPlease!")).to_have_count(2)


async def settled(page: Page) -> None:
    """Wait until a key decides on what has just come up."""
    await expect(page.locator("#queue[data-ready]")).to_have_count(1)


async def test_a_queue_is_worked_through_by_keys_alone(site: Site):
    house = site.house
    ids = await house.propose(6)
    states: dict[str, CorrectionState] = {}
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/review?sort=oldest")
        opened = page.locator("#item-q")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await page.keyboard.press("a")  # nothing works while the keys are explained
        await page.keyboard.press("Escape")
        await page.keyboard.press("j")
        await expect(opened).to_have_text("Question 0?")
        await expect(opened).to_be_focused()
        await settled(page)
        await page.keyboard.press("ArrowDown")
        await expect(opened).to_have_text("Question 1?")
        await settled(page)
        await page.keyboard.press("k")
        await expect(opened).to_have_text("Question 0?")
        await settled(page)
        await page.keyboard.press("a")
        await page.keyboard.press("a")  # once too often: the next one has not been read
        await expect(opened).to_have_text("Question 1?")
        await settled(page)
        await page.keyboard.press("r")
        reason = page.get_by_label("Why? Who proposed it reads this.")
        await expect(reason).to_be_focused()
        await page.keyboard.type("just a rude answer")
        await expect(reason).to_have_value("just a rude answer")
        await page.keyboard.press("Enter")
        await expect(opened).to_have_text("Question 2?")
        await settled(page)
        await page.keyboard.press("u")
        await expect(opened).to_have_text("Question 1?")
        await expect(page.get_by_text("Taken back. It waits again.")).to_be_visible()
        await settled(page)
        await page.keyboard.press("s")
        await expect(opened).to_have_text("Question 2?")
        await settled(page)
        await page.keyboard.press("e")
        await expect(page.get_by_label("What it should have said")).to_be_focused()
        await page.keyboard.press("End")
        await page.keyboard.type(" Anchors aweigh!")
        await page.keyboard.press("Control+Enter")
        await expect(page.get_by_text("Wording saved.")).to_be_visible()
        await settled(page)
        await page.keyboard.press("x")
        await expect(page.get_by_role("button", name="Approve together 1")).to_be_enabled()
        await page.keyboard.press("/")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await page.keyboard.type("question 5")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="1 of 5 corrections to decide")).to_be_visible()
        await expect(page).to_have_url(f"{site.base_url}/review?q=question+5&sort=oldest")
        for id in ids:
            states[id] = (await house.store.corrections.get(id)).state
        assert (await house.store.corrections.get(ids[2])).corrected_text.endswith("Anchors aweigh!")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Keys").click()
        await page.get_by_label("Use these keys").uncheck()
        await page.get_by_role("button", name="Close").click()
        await page.keyboard.press("j")
        await expect(opened).to_have_count(0)
    assert list(states.values()) == [CorrectionState.APPROVED, *[CorrectionState.PROPOSED] * 5]


async def test_a_lock_is_seen_by_the_others_and_kept_while_the_page_is_open(site: Site):
    (correction_id,) = await site.house.propose(1)
    async with site.visit("noor") as noor, site.visit("both") as both:
        await noor.goto(f"{site.base_url}/review?open={correction_id}")
        await expect(noor.get_by_text("You are looking at this")).to_be_visible()
        await both.goto(f"{site.base_url}/review?open={correction_id}")
        await expect(both.get_by_role("status")).to_contain_text("Noor is looking at this (5 min)")
        await expect(both.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        await noor.get_by_role("button", name="Pass over").click()
        await expect(noor.get_by_text("You are looking at this")).to_have_count(0)
        await both.reload()
        await expect(both.get_by_role("button", name="Approve", exact=True)).to_be_visible()


async def test_no_page_has_an_accessibility_finding(site: Site):
    house = site.house
    await house.approve(12)
    async with site.visit("ada") as page:
        await page.goto(f"{site.base_url}/training")
        await page.get_by_role("button", name="Start training").click()
        await expect(page.get_by_role("heading", name="Model 1 is better")).to_be_visible()
        run = urlsplit(page.url).path
        await page.goto(site.base_url)
        await ask(page, "Where is it?")
        await expect(page.get_by_role("button", name="Good", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Not right").click()
        await page.get_by_role("link", name="Correct").click()
        await expect(page.get_by_label("What it should have said")).to_be_visible()
        findings = await examine(page, "the correction form")
        flagged = await page.get_by_role("link", name="Correct").get_attribute("href")
        waiting = (await house.propose(22, first=50))[0]
        await contradicting(house)
        noor = house.people["noor"].id
        again = next(each for each in await house.store.corrections.approved(house.voice.id) if each.decided_by == noor)
        await house.store.reviews.give(Opinion(again.id, house.people["both"].id, True, again.reason, house.clock()))
        older = (await frozen(house)).id
        await house.approve(1, first=90)
        await frozen(house)
        dataset = (await house.store.datasets.list(house.voice.id, 1))[0].id
        correction = (await house.store.corrections.approved(house.voice.id))[0].id
        paths = [
            "/",
            flagged,
            "/review",
            f"/review?open={waiting}&hint=0&q=Question",
            "/review?show=approved",
            f"/corrections/{correction}",
            "/import",
            "/training",
        ]
        paths += [
            run,
            "/datasets",
            f"/datasets/{dataset}",
            f"/datasets/{dataset}/diff?before={older}",
            "/models",
            "/review/second",
            "/review/agreement",
            "/review/voice",
            "/review/disputes",
            "/models/roll-back",
            "/history",
            "/no-such-page",
            "/signed-out",
        ]
        for path in paths:
            await page.goto(f"{site.base_url}{path}")
            findings += await examine(page, str(path))
    assert findings == []


SCHEMES = {"light": {"resultTypes": ["violations"]}, "dark": {"runOnly": ["color-contrast"]}}  # only colours differ


async def examine(page: Page, name: str) -> list[str]:
    """What axe-core finds, light and dark, and whether the page is wider than a phone."""
    found: list[str] = []
    for scheme, options in SCHEMES.items():
        await page.emulate_media(color_scheme=scheme)
        results = await Axe().run(page, options=options)
        found += [f"{name}, {scheme}: {line}" for line in results.generate_snapshot().splitlines()]
    await page.set_viewport_size({"width": 400, "height": 800})
    wider = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if wider > 0:
        found.append(f"{name}: {wider} px wider than a phone")
    await page.set_viewport_size({"width": 1280, "height": 860})
    return found
