"""Signing out: of this browser only."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from bot.console.practice import CONVERSATION_COOKIE
from bot.console.sign_in import forget_cookie
from bot.console.visit import Here

router = APIRouter()


@router.post("/sign-out")
async def sign_out(visit: Here) -> Response:
    """End the session; the cookie is worth nothing from now on."""
    await visit.store.people.end_session(visit.session.id)
    response = RedirectResponse("/signed-out", 303)
    forget_cookie(visit.request, response)
    response.delete_cookie(CONVERSATION_COOKIE)
    return response
