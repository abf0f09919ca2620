"""What Finetone adds to a reply in Discord: the shipped client against a bare `on_message` listener of the same library.

Both run in a process of their own, are told of the same messages by a gateway on loopback, so through discord.py's own
websocket and parser, ask the same model, which answers at once, and reply over REST to the same stand-in. A reply is counted when
it arrives there. `python -m bench.reply --discord` runs it.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from bench.reply_program import InstantModel, program
from bench.report import Promise

TOKEN = "bench.token.of-nobody"
BOT, GUILD, CHANNEL, APP = "900000000000000001", "900000000000000002", "900000000000000003", "900000000000000004"
FIRST_ID = 1_000_000_000_000_000_000
SINCE = "2026-01-01T00:00:00.000000+00:00"
USERS = 50
AT_ONCE = 16
READY_S = 30.0
EVERYTHING = str((1 << 50) - 1)  # every permission
DISPATCH, HEARTBEAT, IDENTIFY, HELLO, HEARTBEAT_ACK = 0, 1, 2, 10, 11


def user(id: str, *, is_bot: bool = False) -> dict[str, Any]:
    return {
        "id": id,
        "username": f"u{id[-4:]}",
        "discriminator": "0",
        "avatar": None,
        "global_name": None,
        "bot": is_bot,
    }


def member() -> dict[str, Any]:
    return {"roles": [], "joined_at": SINCE, "deaf": False, "mute": False, "nick": None, "avatar": None, "flags": 0}


def answered(content: Any) -> web.Response:
    """JSON under exactly the type that discord.py looks for, without a charset."""
    return web.Response(body=json.dumps(content).encode(), headers={"content-type": "application/json"})


@dataclass
class Discord:
    """A gateway with one guild and one channel, and the REST that a reply needs."""

    replied: dict[str, asyncio.Future[float]] = field(default_factory=dict[str, asyncio.Future[float]])
    replies: int = 0
    twice: int = 0
    ids: Any = field(default_factory=lambda: itertools.count(FIRST_ID))
    sockets: list[web.WebSocketResponse] = field(default_factory=list[web.WebSocketResponse])
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    _told: int = 0

    @property
    def _ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    async def gateway(self, request: web.Request) -> web.WebSocketResponse:
        """HELLO, IDENTIFY, READY and the guild; then whatever `say` dispatches."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": 41_250}})
        async for message in socket:
            frame = json.loads(message.data)
            if frame["op"] == HEARTBEAT:
                await socket.send_json({"op": HEARTBEAT_ACK})
            elif frame["op"] == IDENTIFY:
                self.sockets.append(socket)
                await self._dispatch("READY", self._ready())
                await self._dispatch("GUILD_CREATE", self._guild())
                self.ready.set()
        return socket

    async def _dispatch(self, name: str, data: dict[str, Any]) -> None:
        self._told += 1
        await self.sockets[-1].send_str(json.dumps({"op": DISPATCH, "t": name, "s": self._told, "d": data}))

    def _ready(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": user(BOT, is_bot=True),
            "guilds": [{"id": GUILD, "unavailable": True}],
            "session_id": "bench",
            "resume_gateway_url": f"{self._ws_url}/gateway",
            "application": {"id": APP, "flags": 0},
            "shard": [0, 1],
        }

    def _guild(self) -> dict[str, Any]:
        everyone = {"id": GUILD, "name": "@everyone", "permissions": EVERYTHING, "position": 0, "color": 0}
        everyone |= {"hoist": False, "managed": False, "mentionable": False, "flags": 0}
        channel = {"id": CHANNEL, "type": 0, "name": "support", "position": 0, "permission_overwrites": []}
        return {
            "id": GUILD,
            "name": "Bench",
            "owner_id": "1",
            "member_count": 2,
            "large": False,
            "roles": [everyone],
            "channels": [channel],
            "members": [{"user": user(BOT, is_bot=True), **member()}],
            **{name: [] for name in ("threads", "emojis", "stickers", "presences", "voice_states", "features")},
        }

    async def rest(self, request: web.Request) -> web.Response:
        """Only what the two clients ask."""
        path, method = request.match_info["path"], request.method
        if path.endswith("/messages") and method == "POST":
            return answered(self._message_sent(await self._body(request)))
        if path == "users/@me":
            return answered(user(BOT, is_bot=True))
        if path.endswith("applications/@me"):
            told = {"id": APP, "name": "Bench", "description": "", "icon": None, "verify_key": "", "flags": 0}
            return answered({**told, "bot_public": True, "bot_require_code_grant": False, "owner": user("1")})
        if path == "gateway/bot":
            limits = {"total": 1000, "remaining": 1000, "reset_after": 1, "max_concurrency": 1}
            return answered({"url": f"{self._ws_url}/gateway", "shards": 1, "session_start_limit": limits})
        if path.endswith("/messages") or path.endswith("/commands"):
            return answered([])
        return web.Response(status=204)  # typing

    async def _body(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return json.loads(await request.read())
        return json.loads((await request.post())["payload_json"])  # pyright: ignore[reportArgumentType]

    def _message_sent(self, body: dict[str, Any]) -> dict[str, Any]:
        reference: dict[str, Any] = body.get("message_reference") or {}
        about = str(reference.get("message_id", ""))
        waiting = self.replied.get(about)
        if waiting is not None:
            self.replies += 1
            if waiting.done():
                self.twice += 1
            else:
                waiting.set_result(time.perf_counter())
        return message(str(next(self.ids)), user(BOT, is_bot=True), str(body.get("content", "")), [])

    async def ask(self) -> float:
        """One question by mention; the seconds until its reply arrived."""
        id = str(next(self.ids))
        asker = user(f"80000000000000{int(id) % USERS:04}")
        mentioned = [{**user(BOT, is_bot=True), "member": member()}]
        asked = message(id, asker, f"<@{BOT}> Where is parcel {id}?", mentioned)
        replied = self.replied[id] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self._dispatch("MESSAGE_CREATE", {**asked, "guild_id": GUILD, "member": member()})
        arrived = await asyncio.wait_for(replied, 60)
        return arrived - began

    async def round(self, n: int, at_once: int = AT_ONCE) -> tuple[float, list[float]]:
        """`n` questions, `at_once` under way: replies a second, and the seconds of each."""
        seconds: list[float] = []
        left = iter(range(n))

        async def customer() -> None:
            for _ in left:
                seconds.append(await self.ask())

        began = time.perf_counter()
        await asyncio.gather(*(customer() for _ in range(at_once)))
        lasted = time.perf_counter() - began
        self.replied.clear()
        return n / lasted, seconds


def message(id: str, author: dict[str, Any], content: str, mentions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": id,
        "channel_id": CHANNEL,
        "author": author,
        "content": content,
        "timestamp": SINCE,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": mentions,
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "pinned": False,
        "type": 0,
    }


# ---------------------------------------------------------------- the two clients


async def serve(kind: str, url: str, database_url: str, folder: Path) -> None:
    """Be the shipped client, or the bare one, until told to end."""
    from pydantic import SecretStr

    from bot.discord_app.serve import aim, serve_discord
    from storage.records import ThreadMode

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    more: dict[str, Any] = {
        "discord_token": SecretStr(TOKEN),
        "discord_api_url": f"{url}/api/v10",
        "discord_gateway_url": url.replace("http", "ws", 1) + "/gateway",
        "discord_thread_mode": ThreadMode.CHANNEL,
    }
    async with program("http://127.0.0.1:9/", database_url, folder, **more) as made:
        if kind == "ours":
            await serve_discord(made, stop, pause=None)  # people are waited for; the bench measures the bot
            return
        aim(made.settings)
    client = bare()
    running = asyncio.create_task(client.start(TOKEN))
    await stop.wait()
    await client.close()
    await running


def bare() -> Any:
    """The least that answers: no memory, no rights, no second thought."""
    import discord

    from providers.base import Sampling
    from storage.records import Message

    model = InstantModel()

    class Bare(discord.Client):
        async def on_message(self, asked: discord.Message) -> None:
            if asked.author.bot or self.user not in asked.mentions:
                return
            question = [Message("system", "Be kind."), Message("user", asked.content)]
            said = "".join([chunk.text async for chunk in model.stream("base", question, Sampling(160))])
            await asked.reply(said, mention_author=False)

    wanted = discord.Intents.default()
    wanted.message_content = True
    return Bare(intents=wanted, allowed_mentions=discord.AllowedMentions.none(), max_messages=None)


@contextlib.asynccontextmanager
async def served(kind: str, database_url: str, folder: Path) -> AsyncGenerator[tuple[Discord, psutil.Process]]:
    """One client at the end of its own stand-in, ready."""
    there = Discord()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_get("/gateway", there.gateway)
    app.router.add_route("*", "/api/v10/{path:.*}", there.rest)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    there.url = f"http://{host}:{port}"
    command = [sys.executable, "-m", "bench.reply_discord", kind, there.url, database_url, str(folder)]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await asyncio.wait_for(there.ready.wait(), READY_S)
        await asyncio.sleep(3.0)  # discord.py waits two seconds for further guilds before it is ready
        yield there, psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await runner.cleanup()


async def compare(pairs: int, n: int) -> tuple[dict[str, Any], list[Promise]]:
    """Alternate rounds of both: throughput with many at once, added time with one after the other."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="finetone reply ")))
        url = f"sqlite+aiosqlite:///{folder / 'app.sqlite'}"
        clients = {kind: await stack.enter_async_context(served(kind, url, folder)) for kind in ("ours", "bare")}
        rates: dict[str, list[float]] = {kind: [] for kind in clients}
        alone: dict[str, list[float]] = {kind: [] for kind in clients}
        for there, _ in clients.values():
            await there.round(USERS * 2)  # everybody is known, everything is loaded
        for pair in range(pairs):
            for kind, (there, _) in sorted(clients.items(), reverse=bool(pair % 2)):
                rates[kind].append((await there.round(n))[0])
                alone[kind] += (await there.round(n // 4, at_once=1))[1]
        twice = sum(there.twice for there, _ in clients.values())
        p50 = {kind: statistics.median(seconds) * 1000 for kind, seconds in alone.items()}
        row = {
            "platform": "discord, sqlite",
            "ours replies/s": round(statistics.median(rates["ours"])),
            "bare replies/s": round(statistics.median(rates["bare"])),
            "ours p50 ms": round(p50["ours"], 1),
            "bare p50 ms": round(p50["bare"], 1),
            "ours MB": round(clients["ours"][1].memory_info().rss / 1e6),
            "bare MB": round(clients["bare"][1].memory_info().rss / 1e6),
            "posted twice": twice,
        }
    ratio = statistics.median(ours / theirs for ours, theirs in zip(rates["ours"], rates["bare"], strict=True))
    return row, [
        Promise("throughput against the bare on_message listener", round(ratio, 2), 0.6, "higher"),
        Promise("added at p50, ms, discord", round(p50["ours"] - p50["bare"], 1), 10, "lower"),
        Promise("replies posted twice, discord", twice, 0, "lower"),
    ]


if __name__ == "__main__":
    os.environ.pop("FINETONE_DISCORD_TOKEN", None)
    which, address, database, where = sys.argv[1:]
    asyncio.run(serve(which, address, database, Path(where)))
