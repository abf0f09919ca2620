"""The second look: who is asked about which decision, what is hidden from them, what follows, and what the numbers say."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from bot.console.second import meaning_of
from curation.agreement import Alpha
from storage.records import CorrectionState, DisputeKind
from storage.store import Store
from tests.bot.console.scenes import Browser, House, build_house, read
from tests.bot.console.test_datasets import frozen
from tests.bot.console.test_review import propose
from tests.conftest import Clock


@pytest.fixture
async def everything(store: Store, clock: Clock) -> House:
    """A house that looks at every decision again."""
    return (await build_house(store, clock)).with_console(second_review=1.0)


@asynccontextmanager
async def at_work(house: House) -> AsyncGenerator[tuple[Browser, Browser, Browser]]:
    """Mia, who proposes, Noor, who approves, and Both, who may do either, each in a browser of their own."""
    async with (
        house.opened(),
        house.browser("mia") as mia,
        house.browser("noor") as noor,
        house.browser("both") as both,
    ):
        yield mia, noor, both


async def decided(
    house: House, mia: Browser, noor: Browser, verb: str = "approve", question: str = "Where is it?"
) -> str:
    correction_id = await propose(mia, question=question)
    await noor.post(f"/corrections/{correction_id}/{verb}", {"note": "Not ours"})
    return correction_id


async def test_who_had_no_part_in_a_decision_is_asked_about_it_without_seeing_it(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        await decided(house, mia, noor, "reject")
        page = await both.page("/review/second")
        assert "1 decision to look at again" in page
        for shown in ("Where is it?", "Dear customer, regarding: Where is it?", "Ahoy! On its way."):
            assert shown in page
        for hidden in ("Not ours", "Rejected", "Noor", "Mia"):
            assert hidden not in page
        assert "Nothing to look at again" in await noor.page("/review/second")  # who decided
        assert (await mia.get("/review/second")).status_code == 403
        assert "Second look 1" in await both.page("/review")
        assert "Second look" not in await mia.page("/review")


async def test_an_opinion_that_agrees_is_thanked_for_and_asked_for_once(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        correction_id = await decided(house, mia, noor)
        said = await both.post("/review/second", {"id": correction_id, "verdict": "approve", "reason": "tone"})
        assert said.headers["location"] == "/review/second"
        page = await both.page("/review/second")
        assert "You and who decided see it the same way." in page
        assert "Nothing to look at again" in page
        (opinion,) = await house.store.reviews.opinions_on(correction_id)
        assert (opinion.is_approval, opinion.reason, opinion.actor_id) == (True, "tone", house.people["both"].id)
    assert await house.store.disputes.open(house.voice.id) == []


async def test_a_doubted_approval_opens_a_dispute(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        correction_id = await decided(house, mia, noor)
        await both.post("/review/second", {"id": correction_id, "verdict": "reject", "reason": "wrong"})
        assert "a dispute is open now" in await both.page("/review")
        (dispute,) = await house.store.disputes.open(house.voice.id)
        assert (dispute.kind, dispute.first, dispute.second) == (DisputeKind.OPINION, correction_id, "")
        assert (await noor.post(f"/corrections/{correction_id}/take-back")).status_code == 403


async def test_a_rejection_that_somebody_would_have_taken_is_listed(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        correction_id = await decided(house, mia, noor, "reject")
        await both.post("/review/second", {"id": correction_id, "verdict": "approve", "reason": "wrong"})
        page = await mia.page("/review/agreement")
        assert "Where is it? Rejected would take it: wrong or misleading Both" in page
    assert await house.store.disputes.open(house.voice.id) == []
    assert (await house.store.corrections.get(correction_id)).state is CorrectionState.REJECTED


async def test_what_is_not_ones_to_look_at_again_is_refused(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        waiting = await propose(mia, question="Is it big?")
        correction_id = await decided(house, mia, noor)
        own = await noor.post("/review/second", {"id": correction_id, "verdict": "approve", "reason": "tone"})
        assert (own.status_code, "had a part in this decision" in own.text) == (403, True)
        undecided = await both.post("/review/second", {"id": waiting, "verdict": "approve", "reason": "tone"})
        assert undecided.status_code == 403
    nothing = house.with_console(second_review=0.0)
    async with nothing.opened(), nothing.browser("both") as both:
        unsampled = await both.post("/review/second", {"id": correction_id, "verdict": "approve", "reason": "tone"})
        assert unsampled.status_code == 403
        assert "Second looks are switched off" in await both.page("/review/second")
    assert await house.store.reviews.opinions(house.voice.id) == []


async def test_the_agreement_page_counts_by_reason_and_by_person(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        assert "Nobody has looked at anything twice yet." in await mia.page("/review/agreement")
        questions = ("Where is it?", "Is it big?", "Is it red?", "Is it new?")
        ids = [await decided(house, mia, noor, question=question) for question in questions[:3]]
        ids.append(await decided(house, mia, noor, "reject", questions[3]))
        await propose(mia, question="Is it mine?")
        for id, verdict, reason in zip(
            ids, ("approve", "approve", "reject", "reject"), ("tone", "tone", "wrong", "wrong"), strict=True
        ):
            await both.post("/review/second", {"id": id, "verdict": verdict, "reason": reason})
        page = read((await mia.get("/review/agreement")).text)
    # verdicts: (a,a) (a,a) (a,r) (r,r): n = 8, 5 approved, 3 rejected; D_o = 2/8, D_e = 2·5·3/(8·7); alpha = 1 - 7/15
    assert "The decision: taken or not 0.53" in page
    # reasons: (t,t) (t,t) (t,w) (t,w): 6 tone, 2 wrong; D_o = 4/8, D_e = 2·6·2/(8·7); alpha = 1 - 7/6
    assert "Not how we sound -0.17" in page
    assert "From 4 only, which is too few to tell" in page
    assert "from 4 second looks" in page
    assert "Mia 5 3 1 75% 0 0" in page
    assert "Noor 0 0 0 3 1" in page


@pytest.mark.parametrize(
    ("value", "units", "said"),
    [
        (None, 0, "Nobody has looked"),
        (None, 3, "Everybody said the same"),
        (1.0, 19, "From 19 only"),
        (0.8, 20, "rely on it."),
        (0.667, 20, "rely on it with care"),
        (0.5, 20, "wants a page in the guidelines"),
        (0.0, 20, "No more agreement than chance"),
        (-0.4, 20, "No more agreement than chance"),
    ],
)
def test_what_an_alpha_means(value: float | None, units: int, said: str):
    assert said in meaning_of(Alpha(value, None, None, units, 2 * units, 0))


async def test_a_doubt_is_settled_on_the_page_of_disputes(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        correction_id = await decided(house, mia, noor)
        await both.post("/review/second", {"id": correction_id, "verdict": "reject", "reason": "wrong"})
        page = await noor.page("/review/disputes")
        assert "Both would not have taken it, and sees in what was said: wrong or misleading." in page
        (dispute,) = await house.store.disputes.open(house.voice.id)
        await noor.post(f"/review/disputes/{dispute.id}", {"settlement": "neither"})
        assert "it is taken out" in await noor.page("/review/disputes")
    assert (await house.store.corrections.get(correction_id)).state is CorrectionState.SUPERSEDED


async def test_a_versions_card_says_how_far_reviewers_agree(everything: House):
    house = everything
    async with at_work(house) as (mia, noor, both):
        for number, reason in enumerate(("tone", "wrong")):
            correction_id = await decided(house, mia, noor, question=f"Is it number {number}?")
            await both.post("/review/second", {"id": correction_id, "verdict": "approve", "reason": reason})
        seen_twice = await frozen(house)
        page = await noor.page(f"/datasets/{seen_twice.id}")
        assert re.search(
            r"Agreement Krippendorff’s alpha -?\d\.\d\d.*, 2 units rated together; by reason and person", page
        )


async def test_a_version_nobody_looked_at_twice_says_nothing_of_agreement(everything: House):
    house = everything
    async with house.opened(), house.browser("mia") as mia, house.browser("noor") as noor:
        await decided(house, mia, noor)
        version = await frozen(house)
        assert "Agreement" not in await noor.page(f"/datasets/{version.id}")
