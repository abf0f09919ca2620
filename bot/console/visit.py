"""One request of somebody who is signed in: who it is, what they sent, and the page or fragment that goes back.

Every route but the sign-in page's takes a Visit, so that nobody gets anything before `enter` has looked at the session and,
for whatever changes something, at the form's token.
"""

import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, Any, cast
from urllib.parse import quote, unquote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData, UploadFile

from bot.console.console import Console, Parts, parts_of
from bot.console.door import FORM_LIMIT
from bot.console.sign_in import NotSignedIn, session_of
from bot.moderation import NotAllowed
from storage.records import Actor, CorrectionState, Right, Session, Voice
from storage.store import Store

CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"
SAID_COOKIE = "finetone_said"  # the sentence of the act before a redirect, shown once

FORM_TOO_OLD = "This page is from an earlier sign-in, so nothing was done. Reload it and try again."


class FormRefused(Exception):
    """A form came without this session's token; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks for what, and with which rights. `fields` is what a form sent; empty when nothing was."""

    request: Request
    parts: Parts
    session: Session
    fields: FormData

    @property
    def console(self) -> Console:
        """The console this is a visit to."""
        return self.parts.console

    @property
    def store(self) -> Store:
        """The console's memory."""
        return self.parts.console.store

    @property
    def actor(self) -> Actor:
        """Who is asking."""
        return self.session.actor

    @property
    def is_in_page(self) -> bool:
        """Whether htmx asks, which wants a fragment; otherwise a browser wants a whole page."""
        return self.request.headers.get("hx-request") == "true"

    def text(self, name: str) -> str:
        """A form's text field; "" when it was not sent."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Every value of a form's field."""
        return [value for value in self.fields.getlist(name) if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """A form's file; None when none was chosen."""
        value = self.fields.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    async def voice(self) -> Voice:
        """The console's voice."""
        return await self.store.voices.get(self.console.voice_id)

    def require_team(self, what: str) -> None:
        """Raise NotAllowed unless the actor holds any right at all; for pages that show what others wrote."""
        if not self.actor.rights:
            raise NotAllowed(f"Only the team can see {what}, and {self.actor.name} is not in it.")

    def fragment(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A piece of a page."""
        common = {"actor": self.actor, "csrf_token": self.session.csrf_token, "may": may(self.actor)}
        html = self.parts.templates.get_template(template).render(**common, **values)
        return HTMLResponse(html, status, headers={"Vary": "HX-Request"})

    async def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page, with its frame: the voice, what serves, how much waits for review."""
        counts = await self.store.corrections.count(self.console.voice_id)
        response = self.fragment(
            template,
            status,
            voice=await self.voice(),
            serving=await self.store.models.current(self.console.voice_id),
            waiting=counts[CorrectionState.PROPOSED],
            path=self.request.url.path,
            said=unquote(self.request.cookies.get(SAID_COOKIE, "")),
            **values,
        )
        if SAID_COOKIE in self.request.cookies:
            response.delete_cookie(SAID_COOKIE)
        return response

    def go(self, url: str, said: str = "") -> Response:
        """Lead the browser to another page, which then shows `said` once."""
        response = RedirectResponse(url, 303)
        if said:
            response.set_cookie(SAID_COOKIE, quote(said), max_age=60, httponly=True, samesite="lax")
        return response


def may(actor: Actor) -> dict[str, bool]:
    """The actor's rights, for templates: `may.moderator`. It decides what is shown, never what is done."""
    return {right.value: actor.has(right) for right in Right} | {"team": bool(actor.rights)}


async def enter(request: Request) -> AsyncGenerator[Visit]:
    """The visit this request is. Raises NotSignedIn, FormRefused and door.BodyTooLarge."""
    parts = parts_of(request)
    session = await session_of(request, parts.console.store, parts.console.now())
    if session is None:
        raise NotSignedIn
    if request.method in ("GET", "HEAD"):
        yield Visit(request, parts, session, FormData())
        return
    async with request.form(max_part_size=FORM_LIMIT) as fields:
        sent = request.headers.get(CSRF_HEADER) or cast(object, fields.get(CSRF_FIELD))
        if not isinstance(sent, str) or not secrets.compare_digest(sent.encode(), session.csrf_token.encode()):
            raise FormRefused(FORM_TOO_OLD)
        yield Visit(request, parts, session, fields)


Here = Annotated[Visit, Depends(enter)]
"""The parameter by which a route takes its visit."""
