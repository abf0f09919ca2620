"""Decisions from the queue: who looks at what, what comes next, what can be undone, and many at once."""

from bot.moderation import propose_answers
from bot.reviewing import LOCK, UNDO_FOR
from curation.imports import Answer
from storage.records import CorrectionState
from tests.bot.console.scenes import IN_PAGE, House, read
from tests.bot.console.test_review import propose


async def state_of(house: House, correction_id: str) -> CorrectionState:
    return (await house.store.corrections.get(correction_id)).state


def open_in(html: str) -> str:
    """The id of the correction that a page has open."""
    return html.split('id="item"')[1].split('data-id="')[1].split('"')[0] if 'id="item"' in html else ""


# ---------------------------------------------------------------- locks


async def test_who_opens_it_has_it_and_the_others_see_who_for_how_long(house: House):
    first, second = await house.propose(2)
    async with house.browser("noor") as noor, house.browser("both") as both:
        mine = await noor.post("/review/take", {"id": first}, headers=IN_PAGE)
        assert "You are looking at this" in mine.text
        assert "Noor is looking at this (5 min)" in await both.page("/review")
        assert "looking at this (" not in await noor.page("/review")
        page = await both.page(f"/review?open={first}")
        assert "You can decide as soon as they are done." in page
        assert "Edit wording" not in page
        theirs = await both.post("/review/take", {"id": first, "waited": "1"}, headers=IN_PAGE)
        assert "Noor is looking at this (5 min)" in read(theirs.text)
        assert "hx-refresh" not in theirs.headers
        await noor.post("/review/take", {"id": second}, headers=IN_PAGE)  # one looks at one thing at a time
        freed = await both.post("/review/take", {"id": first, "waited": "1"}, headers=IN_PAGE)
        assert freed.headers["hx-refresh"] == "true"


async def test_an_open_list_hears_who_began_and_who_is_done(house: House):
    first, second = await house.propose(2)
    async with house.browser("noor") as noor, house.browser("both") as both:
        address = f"/review/looking?ids={first},{second},corr_none"
        assert "/review/looking" in (await both.get("/review")).text
        await noor.post("/review/take", {"id": first}, headers=IN_PAGE)
        seen = (await both.get(address, headers=IN_PAGE)).text
        assert f'id="looking-{first}" hx-swap-oob="true">Noor is looking at this (5 min)</span>' in seen
        assert f'id="looking-{second}" hx-swap-oob="true"></span>' in seen
        await noor.post("/review/skip", {"id": first, "view": ""}, headers=IN_PAGE)
        assert "Noor" not in (await both.get(address, headers=IN_PAGE)).text


async def test_nobody_decides_on_what_another_looks_at_until_the_lock_expires(house: House):
    (first,) = await house.propose(1)
    async with house.browser("noor") as noor, house.browser("both") as both:
        await noor.post("/review/take", {"id": first}, headers=IN_PAGE)
        for verb, fields in (("approve", {}), ("reject", {"note": "No"}), ("revise", {"text": "Ahoy!"})):
            refused = await both.post(f"/corrections/{first}/{verb}", fields)
            assert refused.status_code == 409
            assert "Noor is looking at this and has it for 5 more min" in refused.text
        in_page = await both.post(f"/corrections/{first}/approve", headers=IN_PAGE)
        assert (in_page.status_code, open_in(in_page.text)) == (409, first)
        assert await state_of(house, first) is CorrectionState.PROPOSED
        house.clock.advance(LOCK.total_seconds())
        assert (await both.post(f"/corrections/{first}/approve", headers=IN_PAGE)).status_code == 200


async def test_an_expired_lock_does_not_keep_its_holder_from_deciding(house: House):
    (first,) = await house.propose(1)
    async with house.browser("noor") as noor:
        await noor.post("/review/take", {"id": first}, headers=IN_PAGE)
        house.clock.advance(2 * LOCK.total_seconds())
        assert (await noor.post(f"/corrections/{first}/approve", headers=IN_PAGE)).status_code == 200
    assert await house.store.reviews.held([first], house.clock()) == {}


async def test_a_moderator_who_may_not_decide_cannot_lock_either(house: House):
    (first,) = await house.propose(1, by="both")
    async with house.browser("mia") as mia:
        assert (await mia.post("/review/take", {"id": first}, headers=IN_PAGE)).status_code == 403
        assert "An approver decides on it." in await mia.page(f"/review?open={first}")


# ---------------------------------------------------------------- one after the other


async def test_after_a_decision_the_next_one_is_open_and_behind_the_last_the_one_before(house: House):
    first, second, third = await house.propose(3)
    async with house.browser("noor") as noor:
        view = {"view": f"sort=oldest&open={second}"}
        approved = await noor.post(f"/corrections/{second}/approve", view, headers=IN_PAGE)
        assert open_in(approved.text) == third
        assert approved.headers["hx-push-url"] == f"/review?sort=oldest&open={third}"
        rejected = await noor.post(f"/corrections/{third}/reject", {**view, "note": "Not true"}, headers=IN_PAGE)
        assert open_in(rejected.text) == first
        whole = await noor.post(f"/corrections/{first}/approve", view)
        assert whole.headers["location"] == "/review?sort=oldest"


async def test_passing_over_leaves_it_and_can_be_undone(house: House):
    first, second = await house.propose(2)
    async with house.browser("noor") as noor:
        await noor.post("/review/take", {"id": first}, headers=IN_PAGE)
        passed = await noor.post("/review/skip", {"id": first, "view": f"open={first}"}, headers=IN_PAGE)
        assert open_in(passed.text) == second
        assert 'action="/review/back"' in passed.text
        assert await house.store.reviews.held([first], house.clock()) == {}
        back = await noor.post("/review/back", {"id": first, "view": ""}, headers=IN_PAGE)
        assert open_in(back.text) == first


async def test_a_rejection_says_why(house: House):
    (first,) = await house.propose(1)
    async with house.browser("noor") as noor:
        silent = await noor.post(f"/corrections/{first}/reject", {"note": " "})
        assert silent.status_code == 422
        assert "Say in a few words why it is not taken" in silent.text
    assert await state_of(house, first) is CorrectionState.PROPOSED


async def test_a_decision_is_taken_back_for_ten_minutes_by_who_took_it(house: House):
    first, second = await house.propose(2)
    async with house.browser("noor") as noor, house.browser("both") as both:
        approved = await noor.post(f"/corrections/{first}/approve", headers=IN_PAGE)
        assert f'action="/corrections/{first}/take-back"' in approved.text
        stranger = await both.post(f"/corrections/{first}/take-back")
        assert stranger.status_code == 403
        assert "That decision stands" in stranger.text
        assert "Take the decision back" in await noor.page(f"/corrections/{first}")
        assert "Take the decision back" not in await both.page(f"/corrections/{first}")
        taken = await noor.post(f"/corrections/{first}/take-back", {"view": ""}, headers=IN_PAGE)
        assert "Taken back. It waits again." in taken.text
        assert open_in(taken.text) == first
        assert await state_of(house, first) is CorrectionState.PROPOSED
        await noor.post(f"/corrections/{second}/reject", {"note": "No"}, headers=IN_PAGE)
        house.clock.advance(UNDO_FOR.total_seconds())
        assert (await noor.post(f"/corrections/{second}/take-back")).status_code == 403
        assert "Take the decision back" not in await noor.page(f"/corrections/{second}")
    assert await state_of(house, second) is CorrectionState.REJECTED


async def test_new_wording_is_saved_shown_and_undone(house: House):
    (first,) = await house.propose(1)
    async with house.browser("noor") as noor:
        saved = await noor.post(f"/corrections/{first}/revise", {"text": "Ahoy there!", "view": ""}, headers=IN_PAGE)
        assert "Wording saved." in saved.text
        assert open_in(saved.text) == first
        assert 'name="text" value="Ahoy! Question 0?"' in saved.text
        await noor.post(f"/corrections/{first}/revise", {"text": "Ahoy! Question 0?"}, headers=IN_PAGE)
    assert (await house.store.corrections.get(first)).corrected_text == "Ahoy! Question 0?"


# ---------------------------------------------------------------- many together


async def test_what_is_chosen_is_asked_about_and_then_approved(house: House):
    ids = await house.propose(5)
    async with house.browser("noor") as noor:
        assert "Choose all 5" in await noor.page("/review")
        asked = await noor.post("/review/together", {"correction": ids[:3]})
        assert "Approve 3 corrections together?" in read(asked.text)
        assert await state_of(house, ids[0]) is CorrectionState.PROPOSED
        done = await noor.post("/review/approve-shown", {"correction": ids[:3], "view": "sort=oldest"})
        assert done.headers["location"] == "/review?sort=oldest"
        assert "Approved 3." in await noor.page("/review")
    counts = await house.store.corrections.count(house.voice.id)
    assert (counts[CorrectionState.APPROVED], counts[CorrectionState.PROPOSED]) == (3, 2)


async def test_what_wants_a_look_of_its_own_is_not_approved_with_others(house: House):
    answers = [
        Answer(1, "Where are you?", "Ahoy! Visit us at 12 Baker Street, London."),
        Answer(2, "Do you ship?", "Ahoy! We do."),
    ]
    await propose_answers(house.store, house.people["mia"], house.voice, "faq.csv", answers, now=house.clock())
    hint, fine = [each.id for each in await house.store.reviews.waiting(house.voice.id)]
    (own,) = await house.propose(1, by="both")
    (watched,) = await house.propose(1, first=1)
    async with house.browser("mia") as mia, house.browser("noor") as noor, house.browser("both") as both:
        of_moderator, of_approver = await propose(mia), await propose(both, question="Is it big?")
        await noor.post("/review/take", {"id": watched}, headers=IN_PAGE)
        everything = [hint, fine, own, watched, of_moderator, of_approver]
        page = (await both.get("/review")).text
        assert [id for id in everything if f'name="correction" value="{id}"' in page] == [fine]
        page = (await noor.get("/review")).text
        assert [id for id in everything if f'name="correction" value="{id}"' in page] == [
            fine,
            own,
            watched,
            of_approver,
        ]
        asked = read((await both.post("/review/together", {"correction": everything})).text)
        for why in (
            "it may hold personal data", "you wrote it yourself", "Noor is looking at it", "whoever wrote it is not an approver",
        ):  # fmt: skip
            assert why in asked
        await both.post("/review/approve-shown", {"correction": everything})
        assert "Approved 1. Left to be looked at one by one: 5, because" in await both.page("/review")
    assert await state_of(house, fine) is CorrectionState.APPROVED
    assert {await state_of(house, id) for id in everything if id != fine} == {CorrectionState.PROPOSED}


async def test_a_moderator_approves_nothing_together(house: House):
    ids = await house.propose(2)
    async with house.browser("mia") as mia:
        assert "Approve together" not in await mia.page("/review")
        assert (await mia.post("/review/approve-shown", {"correction": ids})).status_code == 403
