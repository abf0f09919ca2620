"""The approvers' card: one per correction, decided on in place, true wherever the decision was made; and what is heard of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot import moderation
from bot.office import board as boards
from bot.office import posting
from bot.slack_app.serve import slack
from storage.records import Actor, Correction, CorrectionState, PostingKind, Right
from tests.bot.slack_app.acting import (
    buttons_of,
    card_in,
    cards_in,
    corrected,
    direct_messages,
    form_of,
    input_of,
    settled,
    whispered,
    words_of,
)
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.place import Message

DECIDING = ["approve", "edit", "reject", "expire"]


async def proposed(shop: Shop, text: str = "It is *almost* there.", **filled: object) -> tuple[Correction, Message]:
    """A correction that the moderator proposed, and its card."""
    _, reply = await shop.asked()
    correction = await corrected(shop, reply, text, **filled)
    return correction, await card_in(shop, shop.workspace.review)


async def card_that_says(shop: Shop, words: str) -> Message:
    return await card_in(shop, shop.workspace.review, lambda card: words in words_of(card))


async def someone(shop: Shop, *rights: Right, name: str = "Noor") -> Actor:
    """Somebody who works in the console."""
    return await shop.store.people.ensure_actor("console", name, name, frozenset(rights), at=shop.clock())


@asynccontextmanager
async def another_process(shop: Shop) -> AsyncIterator[None]:
    """A second process on the same database; nothing is delivered to it."""
    async with slack(shop.program("bot-2"), is_http=True) as running:
        stop = asyncio.Event()
        working = asyncio.create_task(running.board.serve(stop))
        try:
            yield
        finally:
            stop.set()
            await working


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board looks often, and waits for nobody."""
    monkeypatch.setattr(boards, "LOOK_S", 0.02)
    monkeypatch.setattr(posting, "LEFT_AFTER", timedelta(0))
    monkeypatch.setattr(boards, "AGAIN_AFTER", timedelta(0))


async def test_the_card_shows_what_changes_and_why_and_asks_for_a_decision(open_shop: Shop):
    _, card = await proposed(open_shop, reason="tone", note="Be *honest*", scope="everyone")
    assert words_of(card).split("\n")[:3] == [
        "*Correction by moderator* · Not how we sound",
        "*Question*  Where is my parcel?",
        "It is ~on its way.~ *\u2060*\u2060almost\u2060*\u2060 there.*",
    ]
    assert "Note: Be \u2060*\u2060honest\u2060*\u2060" in words_of(card)
    assert "|See the thread>" in words_of(card)
    assert "Every brand here" in words_of(card)
    assert buttons_of(card) == DECIDING
    assert card.text == "Correction by moderator: Waits for approval"


@pytest.mark.parametrize(
    ("action", "state", "whisper", "told"),
    [
        (
            "approve",
            CorrectionState.APPROVED,
            "Approved. It goes into the next dataset.",
            "*approver approved* your correction of “Where is my parcel?”. It goes into the next dataset.",
        ),
        (
            "reject",
            CorrectionState.REJECTED,
            "Rejected. It will not be trained on.",
            "*approver rejected* your correction of “Where is my parcel?”. It will not be trained on. Their note: “Untrue”",
        ),
    ],
)
async def test_a_decision_closes_the_card_in_place_and_its_proposer_hears_once(
    open_shop: Shop, action: str, state: CorrectionState, whisper: str, told: str
):
    there = open_shop.workspace
    correction, card = await proposed(open_shop)
    await there.click(there.approver, card, action)
    if action == "reject":
        form = await form_of(open_shop, there.approver)
        (why,) = [block for block in form["blocks"] if block["type"] == "input"]
        assert (why["label"]["text"], why["optional"]) == ("Why? Who proposed it reads this.", False)
        await there.submit(there.approver, {"note": "Untrue"})
    assert (await whispered(open_shop, there.approver)).text == whisper
    closed = await card_that_says(open_shop, " by approver")
    assert (closed.ts, buttons_of(closed)) == (card.ts, ["mark_critical"] if action == "approve" else [])
    assert (await open_shop.store.corrections.get(correction.id)).state is state
    await there.until(lambda: direct_messages(open_shop, there.moderator))
    await there.click(there.approver, card, action)  # an old window, pressed again
    await settled(open_shop)
    assert await direct_messages(open_shop, there.moderator) == [told]
    assert len(await cards_in(open_shop, there.review)) == 1


async def test_a_decision_in_the_console_closes_the_card_and_is_heard_with_its_note(open_shop: Shop):
    there = open_shop.workspace
    correction, card = await proposed(open_shop)
    noor = await someone(open_shop, Right.APPROVER, name="*Noor* <!here>")
    note = "Not true <https://evil.example|here> <!channel>"
    await moderation.reject(open_shop.store, noor, correction.id, note=note, now=open_shop.clock())
    closed = await card_that_says(open_shop, "*Rejected* by \u2060*\u2060Noor\u2060*\u2060 &lt;!\u200dhere&gt;")
    assert closed.ts == card.ts
    (told,) = await there.until(lambda: direct_messages(open_shop, there.moderator))
    assert "Their note: “Not true" in told
    assert "<" not in told


async def test_an_approved_card_says_what_is_critical_wherever_that_was_said(open_shop: Shop):
    there = open_shop.workspace
    correction, card = await proposed(open_shop)
    await there.click(there.approver, card, "approve")
    await there.click(there.approver, await card_that_says(open_shop, "*Approved*"), "mark_critical")
    marked = await card_that_says(open_shop, "*Approved* by approver · critical")
    assert (marked.ts, buttons_of(marked)) == (card.ts, ["unmark_critical"])
    assert (await open_shop.store.corrections.get(correction.id)).is_critical
    noor = await someone(open_shop, Right.APPROVER)
    await moderation.set_critical(open_shop.store, noor, correction.id, False, now=open_shop.clock())
    again = await card_in(open_shop, there.review, lambda one: "· critical" not in words_of(one))
    assert buttons_of(again) == ["mark_critical"]


async def test_a_rejection_says_why_to_who_proposed_it(open_shop: Shop):
    there = open_shop.workspace
    correction, card = await proposed(open_shop)
    await there.click(there.approver, card, "reject")
    form = await form_of(open_shop, there.approver)
    assert "Where is my parcel?" in str(form)
    await there.submit(there.approver, {"note": "We never promise <!here> a day."})
    assert (await whispered(open_shop, there.approver)).text == "Rejected. It will not be trained on."
    (told,) = await there.until(lambda: direct_messages(open_shop, there.moderator))
    assert told.endswith("It will not be trained on. Their note: “We never promise &lt;!\u200dhere&gt; a day.”")
    assert (await open_shop.store.corrections.get(correction.id)).decision_note == "We never promise <!here> a day."
    assert there.open_view(there.approver) is None


async def test_the_second_to_decide_hears_who_was_faster(open_shop: Shop):
    there = open_shop.workspace
    _, card = await proposed(open_shop)
    await there.click(there.approver, card, "approve")
    await whispered(open_shop, there.approver)
    await there.click(there.admin, card, "reject")
    assert (await whispered(open_shop, there.admin)).text.startswith(
        "approver was faster: this correction was approved"
    )


async def test_nobody_approves_their_own_in_a_team_of_more_than_one(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.shortcut(there.approver, reply, "ft_correct")
    await form_of(open_shop, there.approver)
    await there.submit(there.approver, {"text": "Mine <!channel>"})
    card = await card_in(open_shop, there.review)
    await there.click(there.approver, card, "approve")
    said = (await whispered(open_shop, there.approver, 2)).text
    assert said.startswith("approver proposed “Mine &lt;!\u200dchannel&gt;”, so somebody else has to approve it.")
    assert buttons_of(await card_in(open_shop, there.review)) == DECIDING


async def test_a_team_of_one_approves_its_own_and_is_not_told_what_it_did(shop: Shop):
    there = shop.workspace
    shop.settings["slack_approvers"] = there.moderator.user_id
    async with shop.serving(team_of_one=True):
        _, card = await proposed(shop)
        await there.click(there.moderator, card, "approve")
        await card_that_says(shop, "*Approved* by moderator")
        assert await direct_messages(shop, there.moderator) == []


async def test_an_edit_changes_the_words_on_the_card_before_they_are_approved(open_shop: Shop):
    there = open_shop.workspace
    correction, card = await proposed(open_shop)
    await there.click(there.approver, card, "edit")
    form = await form_of(open_shop, there.approver)
    assert input_of(form, "text")["initial_value"] == "It is *almost* there."
    await there.submit(there.approver, {"text": "It is here."})
    edited = await card_that_says(open_shop, "*here.*")
    assert (edited.ts, buttons_of(edited)) == (card.ts, DECIDING)
    assert (await whispered(open_shop, there.approver)).text == "Wording saved."
    await there.click(there.approver, edited, "approve")
    await card_that_says(open_shop, "*Approved*")
    assert (await open_shop.store.corrections.get(correction.id)).corrected_text == "It is here."


async def test_a_posted_reply_that_was_changed_follows_the_approvers_wording(open_shop: Shop):
    there = open_shop.workspace
    question, reply = await open_shop.asked()
    await corrected(open_shop, reply, "It is almost there.", also=["edit_posted", "for_training"])
    card = await card_in(open_shop, there.review)
    await there.click(there.approver, card, "edit")
    await form_of(open_shop, there.approver)
    await there.submit(there.approver, {"text": "It is here."})
    said = await whispered(open_shop, there.approver)
    assert said.text == "Wording saved, and the posted reply is changed to it."

    async def followed() -> bool:
        return "It is here." in words_of(await open_shop.reply_to(question))

    await there.until(followed)
    assert len(await there.replies(question)) == 1


async def test_what_is_taken_back_is_closed_without_telling_who_did_it(open_shop: Shop):
    there = open_shop.workspace
    await proposed(open_shop)
    await there.click(there.moderator, await whispered(open_shop, there.moderator), "take_back")
    assert buttons_of(await card_that_says(open_shop, "*Retracted* by moderator")) == []
    assert await direct_messages(open_shop, there.moderator) == []


async def test_a_card_survives_a_restart_and_a_decision_made_meanwhile(shop: Shop):
    there = shop.workspace
    async with shop.serving("bot-1"):
        correction, card = await proposed(shop)
    noor = await someone(shop, Right.APPROVER)
    await moderation.approve(shop.store, noor, correction.id, team_of_one=False, now=shop.clock())
    async with shop.serving("bot-2"):
        closed = await card_that_says(shop, "*Approved* by Noor")
        assert closed.ts == card.ts
        await there.until(lambda: direct_messages(shop, there.moderator))
    assert len(await cards_in(shop, there.review)) == 1


@pytest.mark.usefixtures("impatient")
async def test_two_processes_post_one_card_and_tell_once(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    there = shop.workspace
    monkeypatch.setattr(posting, "LEFT_AFTER", timedelta(days=1))  # the clock runs fast
    async with shop.serving("bot-1"), another_process(shop):
        for number in range(3):
            _, reply = await shop.asked()
            await corrected(shop, reply, f"Ahoy {number}")
        cards = await there.until(lambda: three_cards(shop))
        for card in cards:
            await there.click(there.approver, card, "approve")
        await there.until(lambda: three_notices(shop))
        await asyncio.sleep(0.1)  # several looks of both
        corrections = [card for card in await cards_in(shop, there.review) if "Correction by" in words_of(card)]
        assert len(corrections) == 3  # they contradict each other, which is asked about on cards of its own
        assert len(await direct_messages(shop, there.moderator)) == 3


async def nothing_is_behind(shop: Shop) -> bool:
    return not await shop.store.postings.standing("slack", PostingKind.REVIEW, 9)


async def three_cards(shop: Shop) -> list[Message]:
    cards = await cards_in(shop, shop.workspace.review)
    return cards if len(cards) == 3 else []


async def three_notices(shop: Shop) -> bool:
    return len(await direct_messages(shop, shop.workspace.moderator)) == 3


@pytest.mark.usefixtures("impatient")
async def test_a_card_whose_sending_was_never_answered_is_found_again(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    there.wire.faults.cut("chat.postMessage", after=True)
    await corrected(open_shop, reply, "Ahoy")
    card = await card_in(open_shop, there.review)
    await there.until(lambda: there.wire.calls_of("conversations.history"))
    await there.click(there.approver, card, "approve")
    assert (await card_that_says(open_shop, "*Approved*")).ts == card.ts
    assert len(await cards_in(open_shop, there.review)) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_card_that_slack_refuses_holds_up_no_other_and_waits(open_shop: Shop, monkeypatch: pytest.MonkeyPatch):
    there = open_shop.workspace
    monkeypatch.setattr(boards, "AGAIN_AFTER", timedelta(days=1))
    _, reply = await open_shop.asked()
    there.wire.faults.refuse("chat.postMessage", "invalid_blocks")
    await corrected(open_shop, reply, "First")
    await corrected(open_shop, reply, "Second")
    await card_that_says(open_shop, "Second")
    assert len(await cards_in(open_shop, there.review)) == 1
    open_shop.clock.advance(2 * 86_400)
    await card_that_says(open_shop, "First")
    assert len(await cards_in(open_shop, there.review)) == 2
    assert there.wire.calls_of("conversations.history") == []  # what was refused need not be looked for


async def test_what_people_write_does_nothing_on_a_card(open_shop: Shop):
    there = open_shop.workspace
    hostile = "<!channel> <@U1> @everyone *x* _y_ ~z~ `c` <https://evil.example|bank> https://evil.example/a"
    _, reply = await open_shop.asked(f"say {hostile}")
    await corrected(open_shop, reply, f"No: {hostile} and more", note=hostile)
    card = await card_in(open_shop, there.review)
    shown = words_of(card).replace(next(line for line in words_of(card).split("\n") if "See the thread" in line), "")
    assert "<" not in shown
    assert "https://" not in shown
    assert "@everyone" not in shown
    assert "*x*" not in shown
    assert "\u2060*\u2060x\u2060*\u2060" in shown
    assert "https:\u2060//evil.example/a" in shown  # an approver sees where a link would lead


async def test_a_deleted_card_is_not_posted_again(open_shop: Shop):
    there = open_shop.workspace
    correction, card = await proposed(open_shop)
    await there.api("chat.delete", there.bot_token, channel=there.review.id, ts=card.ts)
    noor = await someone(open_shop, Right.APPROVER)
    await moderation.approve(open_shop.store, noor, correction.id, team_of_one=False, now=open_shop.clock())
    await there.until(lambda: direct_messages(open_shop, there.moderator))
    await there.until(lambda: nothing_is_behind(open_shop))
    assert await cards_in(open_shop, there.review) == []
    assert correction.served_text == ANSWER


async def test_a_decision_is_heard_of_where_there_is_no_review_channel(shop: Shop):
    there = shop.workspace
    async with shop.serving(slack_review_channel=""):
        _, reply = await shop.asked()
        correction = await corrected(shop, reply, "Ahoy")
        noor = await someone(shop, Right.APPROVER)
        await moderation.approve(shop.store, noor, correction.id, team_of_one=False, now=shop.clock())
        (told,) = await there.until(lambda: direct_messages(shop, there.moderator))
        assert told.startswith("*Noor approved* your correction")


async def test_old_decisions_are_no_news(shop: Shop):
    there = shop.workspace
    async with shop.serving("bot-1"):
        correction, _ = await proposed(shop)
    noor = await someone(shop, Right.APPROVER)
    then = shop.clock() - timedelta(days=3)
    await moderation.approve(shop.store, noor, correction.id, team_of_one=False, now=then)
    async with shop.serving("bot-2"):
        await card_that_says(shop, "*Approved* by Noor")
        assert await direct_messages(shop, there.moderator) == []
