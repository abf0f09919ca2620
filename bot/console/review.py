"""The review list: what waits for approval, what was flagged, what became of the rest."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from math import ceil

from fastapi import APIRouter
from fastapi.responses import Response

from bot import moderation
from bot.console.visit import Here, Visit
from bot.diff import Piece, word_diff
from bot.flags import name_in, open_flags
from bot.problems import sentence_of
from bot.text import TextRefused
from storage.errors import AlreadyDecided
from storage.records import Actor, Correction, CorrectionState, DatasetLine

PER_PAGE = 20

_LISTS = {
    "waiting": (CorrectionState.PROPOSED,),
    "approved": (CorrectionState.APPROVED,),
    "rejected": (CorrectionState.REJECTED, CorrectionState.RETRACTED, CorrectionState.SUPERSEDED),
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownCorrection:
    """A correction with its people's names, its diff, and whether this reader may decide on it."""

    correction: Correction
    proposed_by: str
    decided_by: str
    diff: Sequence[Piece]  # empty for an imported answer, which corrects nothing
    needs_another: bool  # proposed by the reader, in a team of more than one
    is_own: bool


@router.get("/review")
async def review_list(visit: Here, show: str = "waiting", page: int = 1) -> Response:
    """One page of the list: those that wait oldest first, those decided newest first."""
    visit.require_team("the review list")
    show = show if show in _LISTS else "waiting"
    counts = await visit.store.corrections.count(visit.console.voice_id)
    total = sum(counts[state] for state in _LISTS[show])
    pages = max(1, ceil(total / PER_PAGE))
    page = min(max(page, 1), pages)
    return await visit.page(
        "review.html",
        show=show,
        total=total,
        page_number=page,
        pages=pages,
        counts={name: sum(counts[state] for state in states) for name, states in _LISTS.items()},
        corrections=await _shown(visit, await _slice(visit, show, total, page)),
        flags=await open_flags(visit.store, visit.console.voice_id) if show == "waiting" and page == 1 else [],
    )


async def _slice(visit: Visit, show: str, total: int, page: int) -> list[Correction]:
    """The page's corrections. The store lists oldest first, so newest first is read from the end."""
    voice_id, states = visit.console.voice_id, _LISTS[show]
    first = (page - 1) * PER_PAGE
    if show == "waiting":
        return await visit.store.corrections.list(voice_id, states, limit=PER_PAGE, offset=first)
    offset = max(0, total - first - PER_PAGE)
    limit = total - first - offset
    found = await visit.store.corrections.list(voice_id, states, limit=limit, offset=offset) if limit > 0 else []
    return found[::-1]


@router.get("/review/waiting")
async def waiting_count(visit: Here) -> Response:
    """The menu's number, which the page asks for again after each decision."""
    counts = await visit.store.corrections.count(visit.console.voice_id)
    return visit.fragment("_waiting.html", waiting=counts[CorrectionState.PROPOSED])


@router.get("/corrections/{correction_id}")
async def one_correction(correction_id: str, visit: Here) -> Response:
    """One correction with its whole lineage: conversation, people, moments, datasets."""
    visit.require_team("corrections")
    correction = await visit.store.corrections.get(correction_id)
    lines: list[DatasetLine] = await visit.store.datasets.versions_with(correction_id)
    versions = [(line, await visit.store.datasets.get(line.version_id)) for line in lines]
    reply = await visit.store.conversations.reply(correction.reply_id) if correction.reply_id else None
    return await visit.page(
        "correction.html",
        shown=(await _shown(visit, [correction]))[0],
        versions=versions,
        turn_id=reply.turn_id if reply is not None else None,
    )


# ---------------------------------------------------------------- deciding


@router.post("/corrections/{correction_id}/approve")
async def approve(correction_id: str, visit: Here) -> Response:
    """Into the next dataset."""
    team_of_one, now = visit.console.team_of_one, visit.console.now()
    note = visit.text("note")
    return await _decide(
        visit,
        moderation.approve(
            visit.store,
            visit.actor,
            correction_id,
            team_of_one=team_of_one,
            note=note,
            keep=visit.console.keep,
            now=now,
        ),
    )


@router.post("/corrections/{correction_id}/reject")
async def reject(correction_id: str, visit: Here) -> Response:
    """Out of every dataset."""
    note, now = visit.text("note"), visit.console.now()
    return await _decide(visit, moderation.reject(visit.store, visit.actor, correction_id, note=note, now=now))


@router.post("/corrections/{correction_id}/retract")
async def retract(correction_id: str, visit: Here) -> Response:
    """One's own proposal, taken back."""
    now = visit.console.now()
    return await _decide(visit, moderation.retract(visit.store, visit.actor, correction_id, now=now))


@router.post("/corrections/{correction_id}/revise")
async def revise(correction_id: str, visit: Here) -> Response:
    """Other words, before a decision; a refusal keeps what was typed."""
    text = visit.text("text")
    try:
        outcome = await moderation.revise(visit.store, visit.actor, correction_id, text, now=visit.console.now())
    except TextRefused as refused:
        shown = (await _shown(visit, [await visit.store.corrections.get(correction_id)]))[0]
        values = {"shown": shown, "problem": str(refused), "typed": text}
        if visit.is_in_page:
            return visit.fragment("_correction.html", 422, **values)
        return await visit.page("correction.html", 422, versions=[], turn_id=None, **values)
    if not visit.is_in_page:
        return visit.go("/review", outcome.said)
    shown = (await _shown(visit, [outcome.record]))[0]
    return visit.fragment("_correction.html", shown=shown, said=outcome.said)


@router.post("/review/approve-shown")
async def approve_shown(visit: Here) -> Response:
    """Every correction that the page showed; those decided meanwhile stay as they are."""
    corrections = [await visit.store.corrections.get(each) for each in visit.texts("correction")[:PER_PAGE]]
    outcome = await moderation.approve_all(
        visit.store,
        visit.actor,
        corrections,
        team_of_one=visit.console.team_of_one,
        keep=visit.console.keep,
        now=visit.console.now(),
    )
    return visit.go("/review", outcome.said)


async def _decide(visit: Visit, decision: Awaitable[moderation.Outcome[Correction]]) -> Response:
    """What became of the correction, in its place in the list; also when somebody else was faster."""
    try:
        outcome = await decision
    except AlreadyDecided as late:
        if not visit.is_in_page:
            raise
        correction, said, status = late.correction, await sentence_of(visit.store, late), 409
    else:
        correction, said, status = outcome.record, outcome.said, 200
    if not visit.is_in_page:
        return visit.go("/review", said)
    response = visit.fragment("_decided.html", status, correction=correction, said=said)
    response.headers["HX-Trigger"] = "review-changed"
    return response


# ---------------------------------------------------------------- parts


async def _shown(visit: Visit, corrections: Sequence[Correction]) -> list[ShownCorrection]:
    ids = {each for c in corrections for each in (c.proposed_by, c.decided_by) if each}
    people = await visit.store.people.actors(ids)
    return [_with_names(visit, correction, people) for correction in corrections]


def _with_names(visit: Visit, correction: Correction, people: dict[str, Actor]) -> ShownCorrection:
    is_own = correction.proposed_by == visit.actor.id
    return ShownCorrection(
        correction,
        name_in(people, correction.proposed_by),
        name_in(people, correction.decided_by),
        word_diff(correction.served_text, correction.corrected_text) if correction.served_text is not None else (),
        is_own and not visit.console.team_of_one,
        is_own,
    )
