"""Our own loopback stub of Discord, REST and gateway, for what simcord lacks: real sockets, and what goes wrong on them.

Ours, not a third party's: what it agrees with is our reading of Discord's documentation, never proof of live Discord. What is
stored, and what Discord refuses of a body, is simcord's backend; discord.py's own HTTP client and gateway run unchanged.
"""

import asyncio
import contextlib
import json
import urllib.parse
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import discord
import simcord
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route
from simcord.http import router

from tests.discord.cast import Cast
from tests.discord.changing import Changing
from tests.discord.clicking import Clicking
from tests.discord.faults import Faults
from tests.discord.feed import Feed
from tests.discord.gateway import Gateway
from tests.discord.rest import Recorder, Request
from tests.discord.talking import Talking
from tests.discord.world import build_world

TOKEN = "token-of-a-test"
API = "/api/v10"
READY_S = 10.0
GUILD_READY_S = 0.02  # discord.py waits two seconds for more guilds; here they come at once
BUCKET = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "1.0"}


class WireEnv:
    """What the verbs ask of simcord's Env, where the bot is at the other end of a socket: nobody knows when it is done."""

    strict_sync = True
    bot = None

    def __init__(self, backend: simcord.Backend) -> None:
        self.backend = backend

    async def settle(self) -> None:
        await asyncio.sleep(0)

    async def _settle_internal(self, **_: Any) -> None:
        await asyncio.sleep(0)

    def _begin_operation(self, label: str) -> None: ...

    def _end_operation(self) -> None: ...

    def _mark_mutation(self) -> None: ...

    def _notify_dispatch_observers(self, interaction: Any) -> None: ...


class WiredGuild(Cast, Talking, Clicking, Changing):
    """The same guild and verbs as Guild's; a test waits for the bot with `until`."""

    def __init__(self, backend: simcord.Backend, recorder: Recorder) -> None:
        feed = Feed(backend)
        super().__init__(WireEnv(backend), build_world(backend))
        self.feed, self.rest = feed, recorder


@dataclass
class Upload:
    """A file of a multipart body, as simcord reads it."""

    filename: str
    fp: BytesIO
    description: str | None = None


class OwnStub:
    """REST and gateway on one loopback port."""

    def __init__(self, recorder: Recorder) -> None:
        self.backend = simcord.Backend()
        self.backend.clock._epoch = datetime.now(UTC)  # interactions expire by the real clock
        self.guild = WiredGuild(self.backend, recorder)
        self.gateway = Gateway(self.backend, TOKEN)
        self.faults = Faults()
        self.rest = recorder
        self.api_url = ""
        self.gateway_url = ""
        self._posted: dict[str, Any] = {}  # what was answered, by nonce

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncGenerator["OwnStub"]:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_route("*", API + "/{path:.*}", self._rest)
        runner = web.AppRunner(app, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            self.api_url = f"http://{host}:{port}{API}"
            self.gateway_url = self.gateway.resume_url = f"ws://{host}:{port}/gateway"
            with self.rest.recording(self.backend):
                yield self
        finally:
            await runner.cleanup()

    @contextlib.contextmanager
    def aimed(self) -> Iterator[None]:
        """discord.py talks to this stub for the length of a block, whatever the app sets meanwhile."""
        api, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = self.api_url, yarl.URL(self.gateway_url)
        try:
            yield
        finally:
            Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = api, gateway

    @contextlib.asynccontextmanager
    async def running(self, client: discord.Client, token: str = TOKEN) -> AsyncIterator[None]:
        """The client logged in and ready, for the length of a block. Raises what ends it: before, in or after the block."""
        client._connection.guild_ready_timeout = GUILD_READY_S
        with self.aimed():
            running = asyncio.create_task(client.start(token))
            try:
                async with asyncio.timeout(READY_S):
                    while not client.is_ready() and not running.done():
                        await asyncio.sleep(0.005)
                if running.done():
                    await running
                yield
            finally:
                await client.close()
                await running

    async def _rest(self, asked: web.Request) -> web.Response:
        method, path = asked.method, urllib.parse.unquote(asked.path.removeprefix(API))
        if path == "/users/@me/guilds":  # which simcord has not
            guilds = [{"id": str(one.id), "name": one.name} for one in self.backend.guilds.values()]
            return _answer(200, guilds if "after" not in asked.query else [])
        if path == "/gateway/bot":
            limits = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
            return _answer(200, {"url": self.gateway_url, "shards": 1, "session_start_limit": limits})
        body, files = await _read(asked)
        fault = self.faults.take(method, path)
        if fault and not fault.after:
            names = [file.filename for file in files]
            self.rest.record(Request(method, path, body, dict(asked.query), names, None, fault.status))
            return _answer(fault.status, fault.body, fault.headers)
        by_token = path.startswith(("/interactions/", "/webhooks/"))
        if not by_token and asked.headers.get("Authorization") != f"Bot {TOKEN}":
            return _answer(401, {"message": "401: Unauthorized", "code": 0})
        try:
            answer = self._ask(method, path, body, files, asked)
        except router.RouteNotImplemented:
            return _answer(404, {"message": "404: Not Found", "code": 0})
        except simcord.BackendError as error:
            return _answer(error.status, error.to_json())
        if path == "/oauth2/applications/@me":  # Discord tells there what the portal grants
            is_granted = self.gateway.approved is None or self.gateway.approved.message_content
            answer = answer | {"flags": 1 << 19 if is_granted else 0}
        return _answer(fault.status, fault.body) if fault else _answer(200, answer, BUCKET)

    def _ask(self, method: str, path: str, body: Any, files: list[Upload], asked: web.Request) -> Any:
        nonce = body.get("nonce") if isinstance(body, dict) and body.get("enforce_nonce") else None
        if nonce in self._posted:  # Discord answers a repeated nonce with the message it has
            self.rest.record(Request(method, path, body, status=200))
            return self._posted[nonce]
        reason = asked.headers.get("X-Audit-Log-Reason")
        reason = urllib.parse.unquote(reason) if reason else None
        query = dict(asked.query)
        answer = router.dispatch(self.backend, method, path, json=body, params=query, files=files, reason=reason)
        if nonce is not None:
            self._posted[nonce] = answer
        if path.endswith("/callback") and query.get("with_response", "").lower() not in ("true", "1"):
            return None
        return answer


async def _read(asked: web.Request) -> tuple[Any, list[Upload]]:
    """A body, its big integers exact, and its files."""
    if asked.content_type != "multipart/form-data":
        text = await asked.text()
        return json.loads(text) if text else None, []
    form = await asked.post()
    body, files = None, []
    for name, value in form.items():
        if isinstance(value, web.FileField):
            files.append(Upload(value.filename, BytesIO(value.file.read())))
        elif name == "payload_json":
            body = json.loads(str(value))
    described = {int(one["id"]): one.get("description") for one in (body or {}).get("attachments") or []}
    for at, file in enumerate(files):
        file.description = described.get(at)
    return body, files


def _answer(status: int, body: Any, headers: dict[str, str] | None = None) -> web.Response:
    if body is None:
        return web.Response(status=204, headers=headers)
    # No charset: discord.py takes a body for JSON only where the type is exactly this.
    return web.Response(body=json.dumps(body).encode(), status=status, headers=headers, content_type="application/json")
