"""A dispute's card in Slack's review channel: one per dispute, voted on in place, true wherever it was settled."""

from bot import disputing, moderation
from curation.imports import Answer
from storage.records import Actor, CorrectionState, Dispute, Right, Settlement
from tests.bot.slack_app.acting import buttons_of, card_in, cards_in, whispered, words_of
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message

BUTTONS = ["settle_first", "settle_second", "settle_both", "settle_neither", "settle_on"]
FIRST, SECOND = "We refund within 5 days.", "We refund within 14 days, <!channel>."


async def contradicting(
    shop: Shop, question: str = "How long do *returns* take?", first: str = FIRST, second: str = SECOND
) -> tuple[Actor, Dispute, Message]:
    """Two approved answers that cannot both be right, and the card that asks which."""
    ann = await shop.store.people.ensure_actor("console", "ann", "Ann", frozenset(Right), at=shop.clock())
    rows = [Answer(n, question, text) for n, text in enumerate((first, second))]
    await moderation.propose_answers(shop.store, ann, shop.voice, "faq.csv", rows, now=shop.clock())
    for each in await shop.store.corrections.list(shop.voice.id, [CorrectionState.PROPOSED], limit=9):
        await moderation.approve(shop.store, ann, each.id, team_of_one=True, now=shop.clock())
    (dispute,) = await shop.store.disputes.open(shop.voice.id)
    assert shop.running is not None
    shop.running.board.wake()
    return ann, dispute, await card_in(shop, shop.workspace.review)


async def card_that_says(shop: Shop, words: str) -> Message:
    assert shop.running is not None
    shop.running.board.wake()
    return await card_in(shop, shop.workspace.review, lambda card: words in words_of(card))


async def test_the_card_shows_both_with_who_and_when_and_what_differs(open_shop: Shop):
    _, _, card = await contradicting(open_shop)
    said = words_of(card).replace("\u2060", "")
    assert said.startswith("*Two answers to one question*\n*Question*  How long do *returns* take?")
    assert "*The older* · Ann, approved by Ann, 21 Nov 2026" in said
    assert FIRST in said
    assert "We refund within 14 days, &lt;!\u200dchannel&gt;." in said
    assert "They differ in a number (5 day and 14 day)" in said
    assert buttons_of(card) == BUTTONS


async def test_a_press_settles_it_and_a_second_one_hears_who_did(open_shop: Shop):
    there = open_shop.workspace
    _, dispute, card = await contradicting(open_shop)
    await there.click(there.approver, card, "settle_first")
    said = "Settled: the older answer holds, and the newer one is superseded from now on."
    assert (await whispered(open_shop, there.approver)).text == said
    closed = await card_that_says(open_shop, f"*{said}* approver")
    assert buttons_of(closed) == []
    await there.click(there.approver, card, "settle_both")  # on a screen that still shows the buttons
    assert (
        "approver was faster, and settled it on 21 November at" in (await whispered(open_shop, there.approver, 2)).text
    )
    assert (await open_shop.store.disputes.get(dispute.id)).settlement is Settlement.FIRST
    assert len(await cards_in(open_shop, there.review)) == 1


async def test_what_the_console_settled_is_closed_here_as_well(open_shop: Shop):
    ann, dispute, _ = await contradicting(open_shop)
    await disputing.settle(open_shop.store, ann, dispute.id, Settlement.NEITHER, now=open_shop.clock())
    assert buttons_of(await card_that_says(open_shop, "neither holds")) == []


async def test_votes_stand_on_the_card_until_enough_agree(shop: Shop):
    async with shop.serving(dispute_votes=2):
        there = shop.workspace
        ann, dispute, card = await contradicting(shop)
        await there.click(there.approver, card, "settle_both")
        assert "1 of 2 approvers say so" in (await whispered(shop, there.approver)).text
        shown = await card_that_says(shop, "2 votes for the same settle it. So far approver: both are right.")
        assert buttons_of(shown) == BUTTONS
        await disputing.settle(shop.store, ann, dispute.id, Settlement.BOTH, votes=2, now=shop.clock())
        assert buttons_of(await card_that_says(shop, "both can be right")) == []


async def test_a_dispute_that_came_to_nothing_says_so(open_shop: Shop):
    ann, dispute, _ = await contradicting(open_shop)
    row = Answer(3, "How long do *returns* take?", "We refund within 30 days.")
    await moderation.propose_answers(open_shop.store, ann, open_shop.voice, "faq.csv", [row], now=open_shop.clock())
    (third,) = await open_shop.store.corrections.list(open_shop.voice.id, [CorrectionState.PROPOSED], limit=9)
    await moderation.approve(open_shop.store, ann, third.id, team_of_one=True, now=open_shop.clock())
    with_first = next(
        each for each in await open_shop.store.disputes.open(open_shop.voice.id) if each.second == third.id
    )
    await disputing.settle(open_shop.store, ann, with_first.id, Settlement.SECOND, now=open_shop.clock())
    assert with_first.first in (dispute.first, dispute.second)
    assert buttons_of(await card_that_says(open_shop, "*No longer open:*")) == []
