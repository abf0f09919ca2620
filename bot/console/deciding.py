"""What is done to a proposal from the queue: looked at, passed over, approved, rejected, reworded, taken back; or many at once.

Each answer is the queue again with the next one open, so that a decision costs one press.
"""

from collections.abc import Awaitable

from fastapi import APIRouter
from fastapi.responses import Response

from bot import moderation, reviewing
from bot.console.queue import ROWS, View
from bot.console.review import Said, queue_page
from bot.console.visit import Here, Visit
from bot.disputing import first_moment
from bot.flags import name_in
from bot.problems import sentence_of
from bot.reviewing import LookedAt, Together
from bot.text import TextRefused
from storage.disputes import blocked
from storage.errors import AlreadyDecided
from storage.records import Correction, CorrectionState

router = APIRouter()


# ---------------------------------------------------------------- looking


@router.post("/review/take")
async def take(visit: Here) -> Response:
    """Begin to look at it, or go on; the line that says who is. A page that had to wait is shown anew."""
    correction_id = visit.text("id")
    now = visit.console.now()
    held = await reviewing.look_at(visit.store, visit.actor, correction_id, now=now)
    is_mine = held.actor_id == visit.actor.id
    if not visit.is_in_page:
        return visit.go(View.of_query(visit.text("view")).opening(correction_id).url)
    people = await visit.store.people.actors([held.actor_id])
    response = visit.fragment(
        "_lock.html",
        id=correction_id,
        is_mine=is_mine,
        who=name_in(people, held.actor_id),
        minutes=reviewing.minutes_left(held, now),
    )
    if is_mine and visit.text("waited"):
        response.headers["HX-Refresh"] = "true"
    return response


@router.post("/review/skip")
async def skip(visit: Here) -> Response:
    """Pass it over: nobody looks at it any more, and the next one is open."""
    await reviewing.leave(visit.store, visit.actor)
    correction_id = visit.text("id")
    view = View.of_query(visit.text("view"))
    said = Said("Passed over.", "/review/back", {"id": correction_id, "view": view.query})
    return await _go_on(visit, view, await _next(visit, view, correction_id), said)


@router.post("/review/back")
async def back(visit: Here) -> Response:
    """To one that was passed over."""
    view = View.of_query(visit.text("view"))
    return await _go_on(visit, view, visit.text("id"), Said())


# ---------------------------------------------------------------- deciding


@router.post("/corrections/{correction_id}/approve")
async def approve(correction_id: str, visit: Here) -> Response:
    """Into the next dataset."""
    console = visit.console
    return await _decide(
        visit,
        correction_id,
        reviewing.approve(
            visit.store,
            visit.actor,
            correction_id,
            team_of_one=console.team_of_one,
            note=visit.text("note"),
            keep=console.keep,
            now=console.now(),
        ),
    )


@router.post("/corrections/{correction_id}/reject")
async def reject(correction_id: str, visit: Here) -> Response:
    """Out of every dataset, for a reason."""
    note, now = visit.text("note"), visit.console.now()
    return await _decide(
        visit, correction_id, reviewing.reject(visit.store, visit.actor, correction_id, note=note, now=now)
    )


@router.post("/corrections/{correction_id}/retract")
async def retract(correction_id: str, visit: Here) -> Response:
    """One's own proposal, taken back."""
    now = visit.console.now()
    return await _decide(visit, correction_id, moderation.retract(visit.store, visit.actor, correction_id, now=now))


@router.post("/corrections/{correction_id}/expire")
async def let_expire(correction_id: str, visit: Here) -> Response:
    """Until which day it holds; an empty one: until somebody says otherwise."""
    expires_at, now = first_moment(visit.text("day")), visit.console.now()
    outcome = await moderation.let_expire(visit.store, visit.actor, correction_id, expires_at, now=now)
    return visit.go(f"/corrections/{correction_id}", outcome.said)


@router.post("/corrections/{correction_id}/critical")
async def set_critical(correction_id: str, visit: Here) -> Response:
    """Whether a model that forgets it is stopped for that alone."""
    is_critical, now = visit.text("critical") == "yes", visit.console.now()
    outcome = await moderation.set_critical(visit.store, visit.actor, correction_id, is_critical, now=now)
    return visit.go(f"/corrections/{correction_id}", outcome.said)


@router.post("/corrections/{correction_id}/take-back")
async def take_back(correction_id: str, visit: Here) -> Response:
    """One's own decision, undone; the correction is open again."""
    outcome = await reviewing.take_back(visit.store, visit.actor, correction_id, now=visit.console.now())
    return await _go_on(visit, View.of_query(visit.text("view")), correction_id, Said(outcome.said))


@router.post("/corrections/{correction_id}/revise")
async def revise(correction_id: str, visit: Here) -> Response:
    """Other words, before a decision; a refusal keeps what was typed."""
    text, view = visit.text("text"), View.of_query(visit.text("view"))
    before = await visit.store.corrections.get(correction_id)
    try:
        outcome = await reviewing.revise(visit.store, visit.actor, correction_id, text, now=visit.console.now())
    except TextRefused as refused:
        return await queue_page(visit, view.opening(correction_id), Said(problem=str(refused), typed=text), 422)
    undo = f"/corrections/{correction_id}/revise"
    said = Said(outcome.said, undo, {"text": before.corrected_text, "view": view.query})
    return await _go_on(visit, view, correction_id, said)


async def _decide(visit: Visit, correction_id: str, decision: Awaitable[moderation.Outcome[Correction]]) -> Response:
    """The next one, and above it what became of this one; also when somebody else was faster or is looking at it."""
    view = View.of_query(visit.text("view"))
    next_id = await _next(visit, view, correction_id) if visit.is_in_page or visit.text("view") else ""
    try:
        outcome = await decision
    except AlreadyDecided as late:
        if not visit.is_in_page:
            raise
        return await queue_page(visit, view.opening(next_id), Said(await sentence_of(visit.store, late)), 409)
    except LookedAt as looked_at:
        if not visit.is_in_page:
            raise
        return await queue_page(visit, view.opening(correction_id), Said(str(looked_at)), 409)
    undo = "" if outcome.record.state is CorrectionState.RETRACTED else f"/corrections/{correction_id}/take-back"
    return await _go_on(visit, view, next_id, Said(outcome.said, undo, {"view": view.query}))


async def _next(visit: Visit, view: View, correction_id: str) -> str:
    """The one to look at after this one: the next in the queue, and behind the last the one before."""
    found = await visit.parts.queue.read(view)
    before, after = found.beside(correction_id)
    return after or before


async def _go_on(visit: Visit, view: View, next_id: str, said: Said) -> Response:
    """To the queue with this one open."""
    if not visit.is_in_page:
        return visit.go(view.opening(next_id).url if visit.text("view") else "/review", said.text)
    response = await queue_page(visit, view.opening(next_id), said)
    response.headers["HX-Trigger"] = "review-changed"
    return response


# ---------------------------------------------------------------- many together


@router.post("/review/together")
async def confirm_together(visit: Here) -> Response:
    """Ask before many are approved at once: how many, which, and which have to be looked at one by one."""
    together = await _together(visit)
    people = await visit.store.people.actors(correction.proposed_by for correction in together.chosen)
    return await visit.page(
        "together.html",
        together=together,
        by={id: person.name for id, person in people.items()},
        back=View.of_query(visit.text("view")).opening("").url,
    )


@router.post("/review/approve-shown")
async def approve_shown(visit: Here) -> Response:
    """Approve what was chosen; what was decided meanwhile, or may not go together, stays as it is."""
    outcome = await reviewing.approve_together(
        visit.store,
        visit.actor,
        await _together(visit),
        team_of_one=visit.console.team_of_one,
        keep=visit.console.keep,
        now=visit.console.now(),
    )
    return visit.go(View.of_query(visit.text("view")).opening("").url, outcome.said)


async def _together(visit: Visit) -> Together:
    """What of the chosen rows may be approved together."""
    chosen = await visit.store.corrections.many(visit.texts("correction")[:ROWS])
    ids = [correction.id for correction in chosen]
    held = await visit.store.reviews.held(ids, visit.console.now())
    findings = await visit.parts.queue.findings(ids)
    disputed = blocked(await visit.store.disputes.open(visit.console.voice_id))
    people = await visit.store.people.actors({*(c.proposed_by for c in chosen), *(a.actor_id for a in held.values())})
    found = [
        (
            correction,
            reviewing.alone_because(
                correction,
                visit.actor,
                people,
                held.get(correction.id),
                has_hint=bool(findings[correction.id].hints) if correction.id in findings else True,
                is_odd=bool(findings[correction.id].oddities) if correction.id in findings else True,
                is_disputed=correction.id in disputed,
                team_of_one=visit.console.team_of_one,
            ),
        )
        for correction in sorted(chosen, key=lambda each: (each.proposed_at, each.id))
        if correction.state is CorrectionState.PROPOSED
    ]
    return Together([each for each, why in found if not why], [(each, why) for each, why in found if why])
