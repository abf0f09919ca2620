"""The console's door, around everything else: which requests come in at all, what every response says to the browser.

Plain ASGI, so that a stream passes through untouched. Nothing here knows who is asking; that is visit.py's.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})  # another name that leads here is DNS rebinding
FORM_LIMIT = 4 * 1024 * 1024  # bytes; a text of 1 MB that is too long still gets its sentence, also percent-encoded
UPLOAD_LIMIT = 66 * 1024 * 1024  # bytes; curation.imports.FILE_LIMIT and the form around it
UPLOADS = frozenset({"/import"})
DRAIN_LIMIT = 256 * 1024 * 1024  # bytes read and dropped, so that a browser that is still sending sees the answer

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none", ""})  # "none": typed by the person; "": not a browser, or an old one

WRONG_HOST = "This console answers on this machine only, as 127.0.0.1 or localhost. Open it under one of these names."
CROSS_SITE = "This came from another site, so nothing was done. Open the console itself and try again there."

Problem = Callable[[Scope, int, str], Response]
"""Makes the page that says what is wrong: (scope, status, sentence)."""


class BodyTooLarge(Exception):
    """More was sent than the console takes; the message says how much that is."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"That is more than {limit // (1024 * 1024)} MB, the most that is taken here. Send less at once."
        )


class Door:
    """Lets in what comes from this console's own pages on this machine; adds the headers; answers for what broke."""

    def __init__(self, app: ASGIApp, problem: Problem) -> None:
        self._app = app
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                is_static = scope["path"].startswith("/static/")
                headers.setdefault("Cache-Control", "no-cache" if is_static else "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refusal = _refusal(scope["method"], headers)
        if refusal is not None:
            await self._problem(scope, *refusal)(scope, receive, send_with_headers)
            return
        limit = UPLOAD_LIMIT if scope["path"] in UPLOADS else FORM_LIMIT
        try:
            await self._app(scope, _limited(receive, limit), send_with_headers)
        except ClientDisconnect:
            log.debug("%s: the browser went away", scope["path"])
        except (
            Exception
        ):  # the adapter's outermost handler: whatever broke, the person gets a sentence and we the trace
            number = secrets.token_hex(4)
            log.exception("request %s: %s %s broke", number, scope["method"], scope["path"])
            if not has_started:
                sentence = (
                    f"Something of ours broke. The log names it under {number}; nothing you wrote was half-saved."
                )
                await self._problem(scope, 500, sentence)(scope, receive, send_with_headers)


def _refusal(method: str, headers: Headers) -> tuple[int, str] | None:
    """Why a request may not come in, as status and sentence; None when it may."""
    if _host(headers) not in HOSTS:
        return 421, WRONG_HOST
    if method not in _SAFE_METHODS and headers.get("sec-fetch-site", "") not in _OWN_SITES:
        return 403, CROSS_SITE
    return None


def _host(headers: Headers) -> str:
    """The host name a browser asked for, without its port; "" when it cannot be read."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _limited(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    """Count the body as it comes in. Raises BodyTooLarge, after reading the rest of it away."""
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken <= limit:
            return message
        while message["type"] == "http.request" and message.get("more_body") and taken < DRAIN_LIMIT:
            message = await receive()
            taken += len(message.get("body", b""))
        raise BodyTooLarge(limit)

    return receive_limited
