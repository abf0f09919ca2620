"""Blind pairs: two answers to one question, without names, and which one is better."""

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here
from bot.moderation import require
from bot.moderation.comparing import SAID, choose_answer
from bot.reporting import asking_of
from storage.records import Right

router = APIRouter()


@router.get("/training/{run_id}/pairs")
async def next_pair(run_id: str, visit: Here) -> Response:
    """The next pair for this moderator, and how many more are needed."""
    require(visit.actor, Right.MODERATOR, "judge pairs")
    run = await visit.store.runs.get(run_id)
    asking = await asking_of(visit.store, visit.actor, run, visit.console.workshop.recipe.evidence)
    return await visit.page("pairs.html", run=run, asking=asking, sides=SAID)


@router.post("/training/{run_id}/pairs")
async def choose(run_id: str, visit: Here) -> Response:
    """Keep what this moderator found, and show the next pair."""
    outcome = await choose_answer(
        visit.store, visit.actor, run_id, visit.text("sample"), visit.text("side"), now=visit.console.now()
    )
    return visit.go(f"/training/{run_id}/pairs", outcome.said)
