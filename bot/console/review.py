"""The review list: what waits for approval and the one that is looked at, what was flagged, what became of the rest."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from bot.console import guidelines
from bot.console.queue import NOTHING_FOUND, ROWS, Findings, Slice, View
from bot.console.visit import Here, Visit
from bot.diff import Piece, word_diff
from bot.flags import name_in, open_flags
from bot.readings import ASKED_AS, readings
from bot.reviewing import UNDO_FOR, alone_because, minutes_left
from bot.second_looks import second_looks
from bot.wording import NO_LONGER, REASONS, SCOPES, WHY_REJECTED
from curation.cleaning import told
from storage.disputes import blocked
from storage.records import Actor, Assignment, Correction, CorrectionState, DatasetLine, LearnedAnswer, Model, Right
from storage.reviews import Waiting

PER_PAGE = 20  # of those that are decided

_LISTS = {
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


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One line of the queue."""

    waiting: Waiting
    by: str
    times_asked: int
    looking: str  # "Mia is looking at this (4 min)"; "" for nobody else
    has_hint: bool
    is_odd: bool  # it may speak to a model
    alone_because: str  # why it cannot be approved together with others; "" where it can


@dataclass(frozen=True, slots=True)
class ShownItem:
    """The one that is looked at."""

    shown: ShownCorrection
    looking: str  # somebody else who is at it; "" where one may decide
    times_asked: int | None  # None: not counted yet
    personal: str  # what would be taken out of it, and what may be in it
    oddities: Sequence[str]  # sentences: where it may speak to a model
    has_hint: bool
    before: str  # correction ids of the queue's neighbours, "" for none
    after: str


@dataclass(frozen=True, slots=True)
class Said:
    """What was just done, shown above the next one, and the form that undoes it."""

    text: str = ""
    undo: str = ""  # where the form is sent; "" where nothing can be undone
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: str = ""  # of a wording that was refused
    typed: str = ""


@router.get("/review")
async def review_list(visit: Here, show: str = "waiting", page: int = 1) -> Response:
    """The queue, the next one first; or one page of what is decided, newest first."""
    visit.require_team("the review list")
    if show not in _LISTS:
        return await queue_page(visit, View.of(visit.request.query_params))
    counts = await visit.store.corrections.count(visit.console.voice_id)
    total = sum(counts[state] for state in _LISTS[show])
    pages = max(1, ceil(total / PER_PAGE))
    page = min(max(page, 1), pages)
    return await visit.page(
        "decided.html",
        **await frame_values(visit, show),
        total=total,
        page_number=page,
        pages=pages,
        corrections=await shown_corrections(visit, await _slice(visit, show, total, page)),
    )


async def _slice(visit: Visit, show: str, total: int, page: int) -> list[Correction]:
    """The page's corrections. The store lists oldest first, so newest first is read from the end."""
    voice_id, states = visit.console.voice_id, _LISTS[show]
    first = (page - 1) * PER_PAGE
    offset = max(0, total - first - PER_PAGE)
    limit = total - first - offset
    found = await visit.store.corrections.list(voice_id, states, limit=limit, offset=offset) if limit > 0 else []
    return found[::-1]


async def frame_values(visit: Visit, show: str) -> dict[str, Any]:
    """What the tabs of every review page show."""
    counts = await visit.store.corrections.count(visit.console.voice_id)
    tabs = {name: sum(counts[state] for state in states) for name, states in _LISTS.items()}
    disputes = await visit.store.disputes.open(visit.console.voice_id)
    tabs |= {"waiting": counts[CorrectionState.PROPOSED], "disputes": len(disputes)}
    if visit.actor.has(Right.APPROVER):
        share, now = visit.console.second_review, visit.console.now()
        voice_id = visit.console.voice_id
        tabs["second"] = len(await second_looks(visit.store, visit.actor, voice_id, share=share, now=now))
    return {"show": show, "counts": tabs}


@router.get("/review/waiting")
async def waiting_count(visit: Here) -> Response:
    """The menu's number, which the page asks for again after each decision."""
    counts = await visit.store.corrections.count(visit.console.voice_id)
    return visit.fragment("_waiting.html", waiting=counts[CorrectionState.PROPOSED])


@router.get("/review/looking")
async def who_is_looking(visit: Here, ids: str = "") -> Response:
    """Who looks at the rows of a page now; the page asks again and again while it is open."""
    visit.require_team("the review list")
    wanted = ids.split(",")[:ROWS]
    held = await visit.store.reviews.held(wanted, visit.console.now())
    people = await visit.store.people.actors(each.actor_id for each in held.values())
    return visit.fragment("_looking.html", rows=[(id, _looking(visit, held.get(id), people)) for id in wanted if id])


@router.get("/corrections/{correction_id}")
async def one_correction(correction_id: str, visit: Here) -> Response:
    """One correction with its whole lineage: conversation, people, moments, datasets."""
    visit.require_team("corrections")
    correction = await visit.store.corrections.get(correction_id)
    lines: list[DatasetLine] = await visit.store.datasets.versions_with(correction_id)
    versions = [(line, await visit.store.datasets.get(line.version_id)) for line in lines]
    reply = await visit.store.conversations.reply(correction.reply_id) if correction.reply_id else None
    decided_at = correction.decided_at
    asked_model, asked = await _asked_last(visit, correction_id)
    return await visit.page(
        "correction.html",
        shown=(await shown_corrections(visit, [correction]))[0],
        versions=versions,
        turn_id=reply.turn_id if reply is not None else None,
        scopes=SCOPES,
        asked_as=ASKED_AS,
        no_longer=NO_LONGER,
        is_over=correction.expires_at is not None and correction.expires_at <= visit.console.now(),
        readings=await readings(visit.store, correction_id),
        asked_model=asked_model,
        asked=asked,
        can_be_critical=visit.actor.has(Right.APPROVER) and correction.state is CorrectionState.APPROVED,
        can_expire=visit.actor.has(Right.APPROVER)
        and correction.state in (CorrectionState.PROPOSED, CorrectionState.APPROVED),
        can_take_back=correction.decided_by == visit.actor.id
        and correction.state in (CorrectionState.APPROVED, CorrectionState.REJECTED)
        and decided_at is not None
        and visit.console.now() - decided_at < UNDO_FOR
        and not lines,
    )


async def _asked_last(visit: Visit, correction_id: str) -> tuple[Model | None, list[LearnedAnswer]]:
    """The last model that was judged on it, what that was asked, and said; None and nothing where none was."""
    found = await visit.store.learned.of_correction(correction_id)
    if not found:
        return None, []
    model_id = found[0].model_id
    return await visit.store.models.get(model_id), await visit.store.learned.answers(correction_id, model_id)


# ---------------------------------------------------------------- the queue


async def queue_page(visit: Visit, view: View, said: Said | None = None, status: int = 200) -> HTMLResponse:
    """The queue as the view shows it: the whole page, or for htmx its moving part with the address it now has."""
    found = await visit.parts.queue.read(view)
    item = await _item(visit, found)
    shown_view = found.view if item is not None else found.view.opening("")
    values = {
        "slice": found,
        "view": shown_view,
        "rows": await _rows(visit, found),
        "item": item,
        "just": said or Said(),
        "people": await visit.store.people.actors(found.facets.moderators),
        "reasons": REASONS,
        "why_rejected": WHY_REJECTED,
        "guidelines": await asyncio.to_thread(guidelines.read, visit.console.guidelines),
        **await frame_values(visit, "waiting"),
    }
    if visit.is_in_page and "hx-history-restore-request" not in visit.request.headers:
        response = visit.fragment("_queue.html", status, **values)
        response.headers["HX-Push-Url"] = shown_view.url
        return response
    flags = await open_flags(visit.store, visit.console.voice_id) if view == View() else []
    holds = (await visit.store.holds.open(visit.console.voice_id)).values()
    return await visit.page("review.html", status, flags=flags, holds=list(holds), **values)


async def _rows(visit: Visit, found: Slice) -> list[ShownRow]:
    ids = [row.id for row in found.rows]
    held = await visit.store.reviews.held(ids, visit.console.now())
    personal = await visit.parts.queue.findings(ids)
    disputed = blocked(await visit.store.disputes.open(visit.console.voice_id))
    wanted = {row.proposed_by for row in found.rows} | {each.actor_id for each in held.values()}
    people = await visit.store.people.actors(wanted)
    return [
        ShownRow(
            row,
            name_in(people, row.proposed_by),
            found.times_asked.get(row.id, 0),
            _looking(visit, held.get(row.id), people),
            _has_hint(personal, row.id),
            bool(personal.get(row.id, NOTHING_FOUND).oddities),
            alone_because(
                row,
                visit.actor,
                people,
                held.get(row.id),
                has_hint=_has_hint(personal, row.id),
                is_odd=bool(personal.get(row.id, NOTHING_FOUND).oddities),
                is_disputed=row.id in disputed,
                team_of_one=visit.console.team_of_one,
            ),
        )
        for row in found.rows
    ]


async def _item(visit: Visit, found: Slice) -> ShownItem | None:
    """The one the view opens; None where it opens none, or one that was never there."""
    id = found.view.open_id
    correction = next(iter(await visit.store.corrections.many([id])), None) if id else None
    if correction is None:
        return None
    held = (await visit.store.reviews.held([id], visit.console.now())).get(id)
    people = await visit.store.people.actors([held.actor_id] if held is not None else [])
    personal = await visit.parts.queue.findings([id])
    before, after = found.beside(id)
    one = personal.get(id, NOTHING_FOUND)
    return ShownItem(
        (await shown_corrections(visit, [correction]))[0],
        _looking(visit, held, people),
        found.times_asked.get(id),
        _will_go(one),
        one.oddities,
        _has_hint(personal, id),
        before,
        after,
    )


def _looking(visit: Visit, held: Assignment | None, people: Mapping[str, Actor]) -> str:
    if held is None or held.actor_id == visit.actor.id:
        return ""
    return f"{name_in(people, held.actor_id)} is looking at this ({minutes_left(held, visit.console.now())} min)"


def _has_hint(personal: Mapping[str, Findings], correction_id: str) -> bool:
    return correction_id in personal and bool(personal[correction_id].hints)


def _will_go(found: Findings) -> str:
    """What approval takes out, and what it leaves for a person to look at."""
    said = told(found.taken_out, {}).replace(" were taken out of it", " go when it is approved")
    said = said.replace(" was taken out of it", " goes when it is approved")
    return f"{said} {told({}, found.hints)}".strip()


# ---------------------------------------------------------------- parts


async def shown_corrections(visit: Visit, corrections: Sequence[Correction]) -> list[ShownCorrection]:
    """These corrections as a page shows them to this reader."""
    ids = {each for c in corrections for each in (c.proposed_by, c.decided_by) if each}
    people = await visit.store.people.actors(ids)
    return [_with_names(visit, correction, people) for correction in corrections]


def _with_names(visit: Visit, correction: Correction, people: Mapping[str, Actor]) -> ShownCorrection:
    is_own = correction.proposed_by == visit.actor.id
    return ShownCorrection(
        correction,
        name_in(people, correction.proposed_by),
        name_in(people, correction.decided_by),
        word_diff(correction.served_text, correction.corrected_text) if correction.served_text is not None else (),
        is_own and not visit.console.team_of_one,
        is_own,
    )
