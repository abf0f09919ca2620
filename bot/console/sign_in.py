"""Signing in by a one-time link, and the session behind the cookie. What a browser holds is never stored, only its hash."""

import hashlib
import secrets
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from bot.console.console import parts_of
from storage.records import Actor, Session
from storage.store import Store

LINK_LASTS = timedelta(minutes=15)
SESSION_LASTS = timedelta(days=30)

NEED_A_LINK = "You are not signed in."
LINK_IS_SPENT = "This link has been used or is older than 15 minutes."

router = APIRouter()


class NotSignedIn(Exception):
    """Nobody is signed in in this browser; the sign-in page says how to get a link."""


async def one_time_link(store: Store, actor: Actor, base_url: str, *, now: datetime) -> str:
    """A link that signs `actor` in, once, within 15 minutes. `base_url` is where the console answers."""
    token = secrets.token_urlsafe(32)
    await store.people.add_login_token(_hash(token), actor.id, now + LINK_LASTS)
    return f"{base_url.rstrip('/')}/sign-in?token={token}"


async def session_of(request: Request, store: Store, now: datetime) -> Session | None:
    """Whose browser this is; None when nobody is signed in."""
    cookie = request.cookies.get(_cookie_name(request), "")
    return await store.people.session(_hash(cookie), now) if cookie else None


def _cookie_name(request: Request) -> str:
    """Browsers share cookies between the ports of a host, so that two consoles would sign each other out."""
    return f"finetone_session_{request.url.port or 80}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@router.get("/sign-in")
async def sign_in(request: Request, token: str = "") -> Response:
    """Redeem a link, or say how to get one."""
    console = parts_of(request).console
    now = console.now()
    if token:
        session_id = secrets.token_urlsafe(32)
        session = await console.store.people.redeem_login_token(
            _hash(token),
            session_id_hash=_hash(session_id),
            csrf_token=secrets.token_urlsafe(32),
            now=now,
            expires_at=now + SESSION_LASTS,
        )
        if session is not None:
            response = RedirectResponse("/", 303)
            response.set_cookie(
                _cookie_name(request),
                session_id,
                max_age=int(SESSION_LASTS.total_seconds()),
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
            return response
    if await session_of(request, console.store, now) is not None:
        return RedirectResponse("/", 303)  # the link was pressed twice, or the page was open in another tab
    return _sign_in_page(request, LINK_IS_SPENT if token else NEED_A_LINK, 403 if token else 200)


@router.get("/signed-out")
async def signed_out(request: Request) -> Response:
    """Where signing out leads."""
    return _sign_in_page(request, "You are signed out.", 200)


def _sign_in_page(request: Request, sentence: str, status: int) -> HTMLResponse:
    template = parts_of(request).templates.get_template("sign_in.html")
    return HTMLResponse(template.render(sentence=sentence), status)


def forget_cookie(request: Request, response: Response) -> None:
    """Take the session's cookie out of the browser."""
    response.delete_cookie(_cookie_name(request))
