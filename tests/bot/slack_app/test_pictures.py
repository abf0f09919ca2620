"""The pictures of docs/slack.md are what the app really sends, drawn: FINETONE_PICTURES=docs/images makes them anew.

FINETONE_PICTURES=docs/images python -m pytest tests/bot/slack_app/test_pictures.py
"""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from storage.records import ChannelMode, ChannelRules
from tests.bot.slack_app.commanding import posted, settled, stocked, typed, until_said, working
from tests.bot.slack_app.conftest import Shop
from tests.bot.slack_app.test_disputes import contradicting
from tests.bot.slack_app.test_doubts import doubted
from tests.chromium import CHROMIUM, FLAGS, needs_chromium
from tests.slack import pictures

pytestmark = needs_chromium

LIMIT_BYTES = 150_000
QUESTION = "Hi! My parcel was meant to be here on Friday. Where is it?"
ANSWER = (
    "Your parcel has left our warehouse. You can follow it with the number in your **shipping mail**.\n\n"
    "Is there anything else I can help you with?"
)
BETTER = (
    "Ahoy! Your parcel has left our nest, and the storm makes it a day late. You can follow it with the number in your "
    "**shipping mail**; if that says nothing new by Wednesday, tell us and we send another.\n\n— the Puffin crew"
)


async def save(browser: Browser, folder: Path, name: str, body: str, width: int = 760) -> None:
    """Take a picture of what was drawn."""
    tab = await browser.new_page(viewport={"width": width, "height": 200}, device_scale_factor=1.5)
    await tab.set_content(pictures.page(body, width))
    file = folder / f"slack-{name}.png"
    await tab.screenshot(path=file, full_page=True)
    await tab.close()
    assert 5_000 < file.stat().st_size < LIMIT_BYTES, name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go: docs/images when asked for, else nowhere that lasts."""
    return Path(os.environ.get("FINETONE_PICTURES") or tmp_path).resolve()


async def test_what_people_see_can_be_drawn(shop: Shop, folder: Path):
    there = shop.workspace
    await stocked(shop)
    learned = shop.provider.script
    shop.provider.script = lambda model, messages: (
        ANSWER if messages[-1].content == QUESTION else learned(model, messages)
    )
    async with shop.serving(), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        question, reply = await shop.asked(QUESTION)
        asked = pictures.message("Ines", [], text=question.text, is_bot=False)
        await save(browser, folder, "reply", asked + pictures.message("Finetone", reply.blocks))

        await there.shortcut(there.moderator, reply, "ft_correct")
        form = await there.until(lambda: there.open_view(there.moderator))
        await save(browser, folder, "correct", pictures.modal(form), 600)
        await there.submit(there.moderator, {"text": BETTER, "note": "Says why, and sounds like us."})
        [card] = await there.until(lambda: there.channel_messages(there.review))
        await save(browser, folder, "review", pictures.message("Finetone", card.blocks))

        preview = await typed(shop, there.admin, "/retrain")
        await there.click(there.admin, posted(there.support, preview), "start_retrain")
        dm = await there.dm(there.admin)
        [following] = await there.until(lambda: there.channel_messages(dm))
        await there.open_home(there.admin)
        await settled(shop)
        async with working(shop):
            done = await until_said(shop, following, "Promoted")
        before = pictures.message("Finetone", preview["blocks"], seen_by_you_only=True)
        await save(browser, folder, "retrain", before + pictures.message("Finetone", done.blocks))

        there.wire.usergroups.names = {"S0PARTNERS": "partners"}
        rules = ChannelRules(
            asking_roles=("S0PARTNERS",), opening_hours="Mon-Fri 09:00-17:30", time_zone="Europe/Berlin", daily_cap=200
        )
        place = f"{there.team.team_id}/{there.support.id}"
        await shop.store.channels.set(
            "slack", place, ChannelMode.MENTION, True, "actor_finetone", rules=rules, at=shop.clock()
        )
        await there.click(
            there.admin, posted(there.support, await typed(shop, there.admin, "/finetone channel")), "open_channel"
        )
        form = await there.until(lambda: there.open_view(there.admin))
        await save(browser, folder, "channel", pictures.modal(form), 600)

        await there.open_home(there.approver)
        await settled(shop)
        view = there.home(there.approver)
        assert view is not None
        await save(browser, folder, "home", pictures.home("Finetone", view))
        await browser.close()


async def test_the_cards_that_ask_the_team_can_be_drawn(shop: Shop, folder: Path):
    async with shop.serving(asking_hours="always"), async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _, _, dispute = await contradicting(
            shop, "Can I send a gift back?", "Of course, within 14 days.", "Of course, within 30 days."
        )
        await save(browser, folder, "dispute", pictures.message("Finetone", dispute.blocks))
        shop.provider.script = lambda *_: "We ship to every island that has a post office."
        _, doubt = await doubted(shop, "Do you ship to the Faroe Islands?")
        await save(browser, folder, "doubt", pictures.message("Finetone", doubt.blocks))
        await browser.close()


def test_a_block_that_cannot_be_drawn_is_an_error_and_not_a_gap():
    with pytest.raises(pictures.NotDrawable, match="carousel"):
        pictures.drawn([{"type": "carousel"}])


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("*a* ~b~ `c`", "<b>a</b> <s>b</s> <code>c</code>"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("&lt;script&gt;", "&lt;script&gt;"),
        ("<https://x.y|See it>", '<a href="#">See it</a>'),
    ],
)
def test_slacks_markup_is_drawn_as_slack_shows_it(text: str, drawn: str):
    assert pictures.mrkdwn(text) == drawn
