"""The outermost layer of the HTTP server: keys, sizes and counts, before any handler runs."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi.responses import JSONResponse

from tuner.errors import ApiError
from tuner.http.server import Server
from tuner.keys import is_known

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
    """The outermost layer, plain ASGI so that a streamed token passes it at no cost: keys, sizes, counts."""

    def __init__(self, app: Any, server: Server) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        headers = {name: value for name, value in scope["headers"]}
        if (refusal := await self._refusal(path, headers)) is not None:
            response = JSONResponse(refusal.body(), refusal.status)
            self._count(path, refusal.status)
            await response(scope, receive, send)
            return

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._count(path, message["status"])
            await send(message)

        await self._app(scope, receive, counted)

    def _count(self, path: str, status: int) -> None:
        # Only the first words of a path: ids would make a metric per object.
        label = "/".join(path.split("/")[:4]) if path.startswith("/v1/") else path
        label = label if label in COUNTED else "other"
        self._server.requests[label, status] = self._server.requests.get((label, status), 0) + 1

    async def _refusal(self, path: str, headers: dict[bytes, bytes]) -> ApiError | None:
        length = headers.get(b"content-length", b"0")
        limit = MAX_FILE_BYTES + MAX_BODY_BYTES if path == "/v1/files" else MAX_BODY_BYTES
        if length.isdigit() and int(length) > limit:
            return ApiError(
                413, f"The request is {int(length)} bytes; at most {limit} are accepted.", code="request_too_large"
            )
        if not path.startswith("/v1/"):
            return None
        hashes = await asyncio.to_thread(self._server.store.key_hashes)
        if not hashes:
            return None
        given = headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer ").strip()
        if given and is_known(given, hashes):
            return None
        what = "Incorrect API key provided." if given else "You didn't provide an API key."
        return ApiError(401, f"{what} Create one with: python -m tuner key create --home HOME", code="invalid_api_key")
