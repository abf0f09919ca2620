"""Disputes in the console: both sides with what differs, settled once, by an approver."""

from datetime import UTC, datetime

from bot import moderation
from bot.moderation import propose_answers
from curation.imports import Answer
from storage.records import Correction, CorrectionState, Dispute
from tests.bot.console.scenes import House, read


async def contradicting(house: House) -> tuple[Dispute, Correction, Correction]:
    """Two approved answers that cannot both be right."""
    question = "How long do returns take?"
    answers = [Answer(n, question, f"We refund within {days} days.") for n, days in ((1, 5), (2, 14))]
    await propose_answers(house.store, house.people["mia"], house.voice, "faq.csv", answers, now=house.clock())
    proposed = await house.store.corrections.list(house.voice.id, [CorrectionState.PROPOSED], limit=100)
    waiting = [each for each in proposed if each.question == question]
    for each in waiting:
        noor = house.people["noor"]
        await moderation.approve(house.store, noor, each.id, team_of_one=False, now=house.clock())
    (dispute,) = await house.store.disputes.open(house.voice.id)
    return dispute, waiting[0], waiting[1]


async def test_both_answers_stand_side_by_side_with_what_differs(house: House):
    _, older, newer = await contradicting(house)
    async with house.browser("noor") as noor:
        html = (await noor.get("/review/disputes")).text
        assert "1 open dispute" in read(html)
        assert "They differ in a number" in read(html)
        assert "We refund within <del" in html
        assert "<ins>14 </ins>" in html
        assert f"/corrections/{older.id}" in html
        assert f"/corrections/{newer.id}" in html
        assert "Disputes 1" in await noor.page("/review")


async def test_who_loses_is_superseded_and_the_dispute_is_gone(house: House):
    dispute, older, newer = await contradicting(house)
    async with house.browser("noor") as noor, house.browser("both") as both:
        settled = await noor.post(f"/review/disputes/{dispute.id}", {"settlement": "second"})
        assert settled.headers["location"] == "/review/disputes"
        page = await noor.page("/review/disputes")
        assert "the newer answer holds" in page
        assert "Nothing is in dispute" in page
        late = await both.post(f"/review/disputes/{dispute.id}", {"settlement": "first"})
        assert late.status_code == 409
    assert (await house.store.corrections.get(older.id)).superseded_by == newer.id
    assert (await house.store.corrections.get(newer.id)).state is CorrectionState.APPROVED


async def test_only_an_approver_settles_and_only_as_its_kind_allows(house: House):
    dispute, *_ = await contradicting(house)
    async with house.browser("mia") as mia, house.browser("noor") as noor, house.browser("cleo") as cleo:
        assert "An approver settles it." in await mia.page("/review/disputes")
        assert (await mia.post(f"/review/disputes/{dispute.id}", {"settlement": "both"})).status_code == 403
        assert (await noor.post(f"/review/disputes/{dispute.id}", {"settlement": "mine"})).status_code == 403
        dated = {"settlement": "both", "day": "2999-12-01"}
        assert (await noor.post(f"/review/disputes/{dispute.id}", dated)).status_code == 403
        assert (await noor.post("/review/disputes/disp_none", {"settlement": "both"})).status_code == 404
        assert (await cleo.get("/review/disputes")).status_code == 403
    assert await house.store.disputes.open(house.voice.id) == [dispute]


async def test_a_day_may_be_named_from_which_the_winner_holds(house: House):
    dispute, older, newer = await contradicting(house)
    async with house.browser("noor") as noor:
        assert 'type="date"' in (await noor.get("/review/disputes")).text
        await noor.post(f"/review/disputes/{dispute.id}", {"settlement": "second", "day": "2999-12-01"})
        said = "Settled: the newer answer holds from 1 December 2999 on, and the older one until then."
        assert said in await noor.page("/review/disputes")
    day = datetime(2999, 12, 1, tzinfo=UTC)
    assert (await house.store.corrections.get(older.id)).expires_at == day
    assert (await house.store.corrections.get(newer.id)).holds_from == day
