"""A hold is released by an admin, from the review list that it stands above."""

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here
from bot.holding import release

router = APIRouter()


@router.post("/review/holds/{hold_id}")
async def release_hold(hold_id: str, visit: Here) -> Response:
    """Let through what was held back."""
    outcome = await release(visit.store, visit.actor, hold_id, now=visit.console.now())
    return visit.go("/review", outcome.said)
