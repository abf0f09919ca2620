"""Slack's side of Socket Mode: a stub of ours, because the emulator has none. It gives out a WebSocket and delivers over it.

What it agrees with is our reading of docs.slack.dev/apis/events-api/using-socket-mode (2026-11-21), never proof of live Slack.
Every other Web API call is passed on to the wire.
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

import httpx
from aiohttp import WSMsgType, web

from tests.slack.delivery import Answer, Courier, Delivery
from tests.slack.envelopes import Body
from tests.slack.loopback import loopback_client
from tests.slack.own_stub import refusal

APP_TOKEN = "xapp-1-A0FINETONE-of-a-test"
PATIENCE_S = 10.0


class Sockets(Courier):
    """A courier that delivers over the newest connection; `api_url` is what the app is given as its Web API."""

    def __init__(self, upstream: str) -> None:
        super().__init__("", "")
        self.api_url = ""
        self._upstream = upstream
        self._socket: web.WebSocketResponse | None = None
        self._connected = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def connected(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._connected.wait()

    async def drop(self) -> None:
        """Slack closes connections every few hours, and says so before; the app is to open another."""
        assert self._socket is not None
        self._connected.clear()
        await self._socket.send_json({"type": "disconnect", "reason": "refresh_requested"})

    async def post(self, body: Body, *, retry_num: int | None, age_s: float, secret: str | None) -> Answer:
        started, envelope_id = time.monotonic(), str(uuid.uuid4())
        self._waiting[envelope_id] = asyncio.get_running_loop().create_future()
        assert self._socket is not None
        await self._socket.send_json({"envelope_id": envelope_id, "accepts_response_payload": True, **_said(body)})
        async with asyncio.timeout(PATIENCE_S):
            acknowledged = await self._waiting[envelope_id]
        text = json.dumps(acknowledged["payload"]) if acknowledged.get("payload") else ""
        answer = Answer(200, text, httpx.Headers(), time.monotonic() - started)
        self.deliveries.append(Delivery(body, answer))
        return answer

    async def _call(self, request: web.Request) -> web.Response:
        if request.match_info["method"] == "apps.connections.open":
            if request.headers.get("Authorization") != f"Bearer {APP_TOKEN}":
                return web.json_response(refusal("invalid_auth"))
            return web.json_response({"ok": True, "url": f"ws://{request.host}/link"})
        headers = {name: value for name, value in request.headers.items() if name in ("Authorization", "Content-Type")}
        async with loopback_client() as http:
            answered = await http.request(
                request.method,
                f"{self._upstream}{request.match_info['method']}",
                content=await request.read(),
                params=dict(request.query),
                headers=headers,
            )
        kept = {"x-oauth-scopes": answered.headers["x-oauth-scopes"]} if "x-oauth-scopes" in answered.headers else {}
        return web.Response(
            status=answered.status_code, body=answered.content, content_type="application/json", headers=kept
        )

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self._socket = socket
        self._connected.set()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                acknowledged = json.loads(message.data)
                if waiting := self._waiting.pop(acknowledged.get("envelope_id", ""), None):
                    waiting.set_result(acknowledged)
        return socket

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncGenerator["Sockets"]:
        """Listen on a free loopback port for the length of a block."""
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link", self._link)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.api_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
            yield self
        finally:
            await runner.cleanup()


def _said(body: Body) -> dict[str, Any]:
    """A body as Socket Mode wraps it."""
    if body.content_type == "application/json":
        return {"type": "events_api", "payload": json.loads(body.text)}
    fields = dict(parse_qsl(body.text, keep_blank_values=True))
    if "payload" in fields:
        return {"type": "interactive", "payload": json.loads(fields["payload"])}
    return {"type": "slash_commands", "payload": fields}
