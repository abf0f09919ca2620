"""A dispute's card in Discord's review channel: one per dispute, voted on in place, true wherever it was settled."""

from bot import disputing, moderation
from curation.imports import Answer
from storage.records import Actor, CorrectionState, Dispute, Right, Settlement
from tests.bot.discord_app.acting import card_in, told, until_said
from tests.bot.discord_app.conftest import Shop
from tests.discord.place import Message

LABELS = ["The older holds", "The newer holds", "Both are right", "Neither", "From a day on…"]


async def contradicting(shop: Shop) -> tuple[Actor, Dispute, Message]:
    """Two approved answers that cannot both be right, and the card that asks which."""
    ann = await shop.store.people.ensure_actor("console", "ann", "Ann", frozenset(Right), at=shop.clock())
    rows = [Answer(n, "How long do *returns* take?", f"We refund within {n} days, @everyone.") for n in (5, 14)]
    await moderation.propose_answers(shop.store, ann, shop.voice, "faq.csv", rows, now=shop.clock())
    for each in await shop.store.corrections.list(shop.voice.id, [CorrectionState.PROPOSED], limit=9):
        await moderation.approve(shop.store, ann, each.id, team_of_one=True, now=shop.clock())
    (dispute,) = await shop.store.disputes.open(shop.voice.id)
    shop.running.app.parts.wake_board()
    return ann, dispute, await card_in(shop, shop.guild.review)


async def test_the_card_shows_both_with_who_and_when_and_what_differs(open_shop: Shop):
    _, _, card = await contradicting(open_shop)
    assert card.shown.startswith("**Two answers to one question**\n**Question**  How long do \\*returns\\* take?")
    assert "**The older** · Ann, approved by Ann, 21 Nov 2026" in card.shown
    assert "We refund within 14 days, @\u200deveryone." in card.shown
    assert "-# They differ in a number (5 day and 14 day)" in card.shown
    assert card.labels == LABELS


async def test_a_press_settles_it_and_closes_the_card(open_shop: Shop):
    there = open_shop.guild
    _, dispute, card = await contradicting(open_shop)
    await there.click(there.approver, card, label="Neither")
    said = "Settled: neither holds, and none of them is used or trained on any more."
    assert told(open_shop, there.approver) == said
    closed = await until_said(open_shop, card, f"**{said}** approver")
    assert closed.labels == []
    assert (await open_shop.store.disputes.get(dispute.id)).settlement is Settlement.NEITHER
    assert len(there.said_by_bot(there.review)) == 1


async def test_what_the_console_settled_is_closed_here_as_well(open_shop: Shop):
    ann, dispute, card = await contradicting(open_shop)
    await disputing.settle(open_shop.store, ann, dispute.id, Settlement.BOTH, now=open_shop.clock())
    assert (await until_said(open_shop, card, "both can be right")).labels == []


async def test_a_day_that_is_none_is_said_and_nothing_is_settled(open_shop: Shop):
    there = open_shop.guild
    _, dispute, card = await contradicting(open_shop)
    await there.click(there.approver, card, label="From a day on…")
    await there.submit(there.approver, {"settlement": "first", "day": "tomorrow"})
    assert told(open_shop, there.approver) == "“tomorrow” is no date. Write it as 2026-12-01."
    assert (await open_shop.store.disputes.get(dispute.id)).settled_at is None
