"""The review list: what waits, what was flagged, and decisions that are taken once."""

import pytest

from storage.records import CorrectionState
from storage.store import Store
from tests.bot.console.scenes import IN_PAGE, Browser, House, build_house, read
from tests.conftest import Clock


async def propose(browser: Browser, text: str = "Ahoy! On its way.", question: str = "Where is it?") -> str:
    """Ask, correct, and return the correction's id."""
    reply_id = await browser.reply_to(question)
    response = await browser.post(f"/replies/{reply_id}/correct", {"text": text, "reason": "tone", "note": "Too stiff"})
    assert response.status_code == 303
    store: Store = browser.client._transport.app.state.parts.console.store
    return (await store.corrections.for_reply(reply_id))[-1].id


async def test_a_correction_waits_with_its_diff_and_is_approved(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia, "Dear customer, it is on its way.")
        assert "1 correction to decide" in await noor.page("/review")
        page = (await noor.get(f"/review?open={correction_id}")).text
        assert "<del>regarding: Where is it?</del> <ins>it is on its way.</ins>" in page
        assert "Too stiff" in page
        assert "Not how we sound" in page
        decided = await noor.post(f"/corrections/{correction_id}/approve", {"note": "Lovely"}, headers=IN_PAGE)
        assert "Approved. It goes into the next dataset." in decided.text
        assert decided.headers["hx-trigger"] == "review-changed"
        assert "Nothing waits for you" in await noor.page("/review")
        assert "1 correction" in await noor.page("/review?show=approved")
        assert "Lovely" in await mia.page(f"/corrections/{correction_id}")


async def test_the_menu_counts_what_waits(house: House):
    await house.propose(3)
    async with house.browser("noor") as browser:
        assert "Review 3 waiting" in await browser.page("/")
        assert "3 waiting" in read((await browser.get("/review/waiting", headers=IN_PAGE)).text)


async def test_what_is_rejected_is_on_record_and_nowhere_else(house: House):
    async with house.browser("both") as both, house.browser("mia") as mia:
        correction_id = await propose(mia)
        response = await both.post(f"/corrections/{correction_id}/reject", {"note": "Not true"})
        assert response.headers["location"] == "/review"
        assert "Rejected. It will not be trained on." in await both.page("/review")
        assert "Rejected. It will" not in await both.page("/review")
        assert "Not true" in await both.page("/review?show=rejected")


async def test_of_two_approvers_the_second_hears_who_was_faster(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor, house.browser("both") as both:
        correction_id = await propose(mia)
        await noor.post(f"/corrections/{correction_id}/approve", {"note": "Fine by me"}, headers=IN_PAGE)
        no = {"note": "No"}
        in_page = await both.post(f"/corrections/{correction_id}/reject", no, headers=IN_PAGE)
        whole = await both.post(f"/corrections/{correction_id}/reject", no)
    for late in (in_page, whole):
        assert late.status_code == 409
        assert "Noor was faster: this correction was approved on 21 November" in late.text
        assert "Fine by me" in late.text
    assert (await house.store.corrections.get(correction_id)).state is CorrectionState.APPROVED


async def test_the_same_decision_pressed_twice_is_one(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia)
        for _ in range(2):
            response = await noor.post(f"/corrections/{correction_id}/approve", headers=IN_PAGE)
            assert response.status_code == 200
            assert "Approved." in response.text


async def test_nobody_approves_their_own_words_in_a_team(house: House):
    async with house.browser("both") as both:
        correction_id = await propose(both)
        assert "You wrote this, so somebody else decides." in await both.page(f"/review?open={correction_id}")
        response = await both.post(f"/corrections/{correction_id}/approve")
        assert response.status_code == 403
        assert "somebody else has to approve it" in response.text
        retracted = await both.post(f"/corrections/{correction_id}/retract", headers=IN_PAGE)
        assert "Retracted." in retracted.text


async def test_a_team_of_one_does(store: Store, clock: Clock):
    async with (await build_house(store, clock, team_of_one=True)).opened() as house, house.browser("both") as both:
        correction_id = await propose(both)
        assert "Approve a" in await both.page(f"/review?open={correction_id}")
        assert (await both.post(f"/corrections/{correction_id}/approve", headers=IN_PAGE)).status_code == 200


@pytest.mark.parametrize("verb", ["approve", "reject", "revise"])
async def test_a_moderator_cannot_decide(house: House, verb: str):
    async with house.browser("mia") as mia:
        correction_id = await propose(mia)
        assert "/approve" not in (await mia.get(f"/review?open={correction_id}")).text
        response = await mia.post(f"/corrections/{correction_id}/{verb}", {"text": "x", "note": "x"})
    assert response.status_code == 403
    assert "Only an approver can" in response.text


async def test_a_day_may_be_named_until_which_a_correction_holds(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia)
        await noor.post(f"/corrections/{correction_id}/approve")
        page = f"/corrections/{correction_id}"
        assert "Everywhere this brand answers" in await noor.page(page)
        assert 'type="date"' in (await noor.get(page)).text
        saved = await noor.post(f"{page}/expire", {"day": "2999-12-01"})
        assert saved.headers["location"] == page
        assert (
            "It holds until 1 December 2999; from that day on it is neither shown nor trained on."
            in await noor.page(page)
        )
        assert 'value="2999-12-01"' in (await noor.get(page)).text
        assert "Holds until 1 December 2999" in await mia.page(page)
        assert 'type="date"' not in (await mia.get(page)).text
        assert (await mia.post(f"{page}/expire", {"day": ""})).status_code == 403
        for wrong in ("2020-01-01", "soon"):
            assert (await noor.post(f"{page}/expire", {"day": wrong})).status_code == 403
        await house.store.corrections.let_expire(
            correction_id, house.clock(), house.people["noor"].id, at=house.clock()
        )
        assert "its time is over: it is neither shown nor trained on" in await mia.page(page)


async def test_the_wording_can_be_changed_before_a_decision(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        correction_id = await propose(mia)
        empty = await noor.post(f"/corrections/{correction_id}/revise", {"text": " "}, headers=IN_PAGE)
        assert empty.status_code == 422
        assert "The correction is empty." in empty.text
        saved = await noor.post(f"/corrections/{correction_id}/revise", {"text": "Ahoy there!"}, headers=IN_PAGE)
        assert "Wording saved." in saved.text
        assert "Ahoy there!" in await noor.page(f"/review?open={correction_id}")


async def test_thousands_are_read_page_by_page(house: House):
    ids = await house.propose(10_000)
    async with house.browser("noor") as noor:
        last = (await noor.get("/review?page=200")).text
        assert f'id="row-{ids[-1]}"' in last
        assert "Page 200 of 200" in last
        assert "Page 200 of 200" in await noor.page("/review?page=9999")
        await house.store.corrections.approve_many(ids[:30], by=house.people["noor"].id, note="", at=house.clock())
        newest_first = (await noor.get("/review?show=approved")).text
        assert f'id="{ids[29]}"' in newest_first
        assert f'id="{ids[0]}"' not in newest_first
        assert f'id="{ids[0]}"' in (await noor.get("/review?show=approved&page=2")).text


async def test_a_flagged_reply_waits_until_a_moderator_has_looked(house: House):
    async with house.browser("cleo") as cleo, house.browser("mia") as mia:
        first, second = await cleo.reply_to("Where is it?"), await cleo.reply_to("Is it big?")
        for reply_id in (first, second):
            await cleo.post(f"/replies/{reply_id}/feedback", {"judgement": "wrong"})
        assert "2 replies flagged for a moderator" in await mia.page("/review")
        back = await mia.post(f"/replies/{first}/feedback", {"judgement": "good", "back": "/review"})
        assert back.headers["location"] == "/review"
        assert "1 reply flagged for a moderator" in await mia.page("/review")
        form = await mia.get(f"/replies/{second}/correct?back=/review")
        assert 'name="back" value="/review"' in form.text
        corrected = await mia.post(
            f"/replies/{second}/correct", {"text": "Ahoy! It is.", "reason": "tone", "back": "/review"}
        )
        assert corrected.headers["location"] == "/review"
        assert "flagged for a moderator" not in await mia.page("/review")


async def test_a_form_leads_back_to_our_own_pages_only(house: House):
    async with house.browser("mia") as mia:
        reply_id = await mia.reply_to("Where is it?")
        response = await mia.post(
            f"/replies/{reply_id}/feedback", {"judgement": "good", "back": "https://evil.example"}
        )
    assert response.headers["location"].startswith("/#turn-")


async def test_hostile_words_stay_words_in_the_list(house: House):
    async with house.browser("mia") as mia, house.browser("noor") as noor:
        await propose(mia, "<img src=x onerror=alert(1)>", "<script>alert(2)</script>")
        correction = (await house.store.reviews.waiting(house.voice.id))[0]
        page = (await noor.get(f"/review?open={correction.id}")).text
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
