"""A search for settings begun in the console: what it would do within these caps, and its start. Its run is under Training."""

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here, Visit
from bot.moderation import require, start_search
from curation.dataset import TooFewExamples
from curation.search import USUAL_CAPS, Caps, SearchRefused, caps_of
from curation.searching import Preview, preview_search
from curation.shutdowns import BaseDies
from storage.records import Purpose, Right

router = APIRouter()

WHAT = "search for settings"


@router.get("/training/search")
async def ask(visit: Here, trials: str = "", minutes: str = "", cost: str = "") -> Response:
    """The caps to choose, and what a search within them would do."""
    require(visit.actor, Right.ADMIN, WHAT)
    given = (trials or USUAL_CAPS[0], minutes or USUAL_CAPS[1], cost.strip() or USUAL_CAPS[2])
    preview, refusal = await _preview(visit, given)
    open_run = await visit.store.runs.open_run(visit.console.voice_id, Purpose.SEARCH)
    return await visit.page("search.html", given=given, preview=preview, refusal=refusal, open_run=open_run)


async def _preview(visit: Visit, given: tuple[str, str, str]) -> tuple[Preview | None, str]:
    try:
        return await preview_search(visit.console.workshop, await visit.voice(), caps_of(*given)), ""
    except (SearchRefused, TooFewExamples, BaseDies) as refused:
        return None, str(refused)


@router.post("/training/search")
async def start(visit: Here) -> Response:
    """Start a search, or join the open one."""
    outcome = await start_search(visit.console.workshop, visit.actor, await visit.voice(), _caps(visit))
    return visit.go(f"/training/{outcome.record.id}", outcome.said)


def _caps(visit: Visit) -> Caps:
    """Raises SearchRefused."""
    return caps_of(visit.text("trials"), visit.text("minutes"), visit.text("cost").strip())
