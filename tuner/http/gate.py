"""The outermost layer of the HTTP server: keys, rates, sizes and counts, before any handler runs."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tuner.errors import ApiError
from tuner.http.server import Server
from tuner.keys import is_known, key_hash

MAX_FILE_BYTES = 512 * 1024 * 1024  # the official limit per file
MAX_BODY_BYTES = 16 * 1024 * 1024  # of a JSON request

COUNTED = (
    "/v1/files",
    "/v1/fine_tuning/jobs",
    "/v1/models",
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/healthz",
    "/metrics",
)


class Gate:
    """The outermost layer, plain ASGI so that a streamed token passes it at no cost: keys, rates, sizes, counts."""

    def __init__(self, app: Any, server: Server) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = {name: value for name, value in scope["headers"]}
        caller, refusal = await self._known(path, headers, scope)
        allowance = self._server.limiter.spend(caller) if refusal is None and path.startswith("/v1/") else None
        if allowance is not None and allowance.wait_s:
            refusal = ApiError(
                429,
                f"Rate limit reached: {allowance.limit} requests per minute. Please try again in {allowance.wait_s:.1f}s.",
                "requests",
                code="rate_limit_exceeded",
            )
        limit = MAX_FILE_BYTES + MAX_BODY_BYTES if path == "/v1/files" else MAX_BODY_BYTES
        said = headers.get(b"content-length", b"0")
        refusal = refusal or _too_large(int(said) if said.isdigit() else 0, limit)
        more = allowance.headers() if allowance is not None else []
        received = 0

        async def measured() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if (too_large := _too_large(received, limit)) is not None:  # one that did not say its length
                raise HTTPException(too_large.status, too_large.message)
            return message

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._count(path, message["status"])
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        if refusal is not None:
            await JSONResponse(refusal.body(), refusal.status)(scope, receive, counted)
            return
        await self._app(scope, measured, counted)

    def _count(self, path: str, status: int) -> None:
        # Only the first words of a path: ids would make a metric per object.
        label = "/".join(path.split("/")[:4]) if path.startswith("/v1/") else path
        label = label if label in COUNTED else "other"
        self._server.requests[label, status] = self._server.requests.get((label, status), 0) + 1

    async def _known(self, path: str, headers: dict[bytes, bytes], scope: Any) -> tuple[str, ApiError | None]:
        """Who asks, as the limiter tells callers apart: by key, or by address where none is asked for; or the refusal."""
        address = str((scope.get("client") or ("unknown",))[0])
        if not path.startswith("/v1/"):
            return address, None
        hashes = await asyncio.to_thread(self._server.store.key_hashes)
        if not hashes:
            return address, None
        given = headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ").strip()
        if given and is_known(given, hashes):
            return key_hash(given), None
        what = "Incorrect API key provided." if given else "You didn't provide an API key."
        return address, ApiError(
            401, f"{what} Create one with: python -m tuner key create --home HOME", code="invalid_api_key"
        )


def _too_large(n_bytes: int, limit: int) -> ApiError | None:
    if n_bytes <= limit:
        return None
    return ApiError(413, f"The request is {n_bytes} bytes; at most {limit} are accepted.", code="request_too_large")
