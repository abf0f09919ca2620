"""What Finetone adds to a reply in Slack: the real app against a bare Bolt listener with the same model call and the same post.

Beside them runs what remembering alone costs: the bare listener with two rows, the event's before it is acknowledged and the
reply's before it is posted, through the plain drivers on the same kind of database. It is the least that loses nothing in a
crash; it still knows no rights, no conversation and no hand-over, and would answer twice.

Each is served by uvicorn in a process of its own, gets the same signed events over HTTP, asks the same model, which answers
at once, and posts to the same local stand-in for Slack's Web API. A reply is counted when its post arrives there. The rounds
alternate, so a slow minute of the machine hits all; the median of the ratios is what counts.

`--recall` asks instead what looking among approved corrections costs: the same app with and without it, by the processor time
that its process takes for a reply, which other work on the machine changes less than the time that passes.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psutil
from aiohttp import ClientSession, TCPConnector, web
from slack_sdk.signature import SignatureVerifier

from bench import reply_discord
from bench.postgres import postgres_database
from bench.reply_program import SECRET, InstantModel, program
from bench.report import Promise, arguments, finish
from providers.base import Sampling
from storage.records import Message

TEAM, BOT, CHANNEL = "T1", "UBOT", "C1"
USERS = 50
AT_ONCE = 16  # events under way


# ---------------------------------------------------------------- the stand-in for Slack


@dataclass
class WebApi:
    """Answers as Slack's Web API does, at once, and notes when each thread got its post."""

    posted: dict[str, asyncio.Future[float]] = field(default_factory=dict[str, asyncio.Future[float]])
    posts: int = 0
    twice: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        answer: dict[str, Any] = {"ok": True}
        if method == "auth.test":
            answer |= {"team_id": TEAM, "team": "Bench", "user_id": BOT, "bot_id": "B1", "url": "https://bench/"}
        elif method == "users.info":
            answer["user"] = {"id": "U", "name": "cleo", "profile": {"display_name": "Cleo"}}
        elif method == "chat.postMessage":
            body = await request.read()
            sent: dict[str, Any] = (
                json.loads(body) if request.content_type == "application/json" else dict(parse_qsl(body.decode()))
            )
            thread = str(sent.get("thread_ts"))
            waiting = self.posted.get(thread)
            if waiting is not None:
                self.posts += 1
                if waiting.done():
                    self.twice += 1
                else:
                    waiting.set_result(time.perf_counter())
            answer |= {"channel": CHANNEL, "ts": f"{2_000_000_000 + next(self.numbers)}.000001"}
        return web.json_response(answer)


@contextlib.asynccontextmanager
async def web_api() -> AsyncGenerator[tuple[WebApi, str]]:
    """The stand-in, listening; and its address."""
    api = WebApi()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/api/{method}", api.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield api, f"http://{host}:{port}/api/"
    finally:
        await runner.cleanup()


# ---------------------------------------------------------------- the servers


async def serve(kind: str, port: int, api_url: str, database_url: str, folder: Path) -> None:
    """Be the real app, or a listener without it, until told to end."""
    import uvicorn
    from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if kind in ("ours", "without recall"):
        from bot.slack_app.serve import serve_http

        with socket.socket() as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(("127.0.0.1", port))
            bound.listen()
            async with program(api_url, database_url, folder) as made:
                if kind == "without recall":
                    made = replace(made, desk=replace(made.desk, recall=None))
                await serve_http(made, bound, stop)
        return
    async with contextlib.AsyncExitStack() as stack:
        keep = None
        if kind == "two rows":
            keep = await stack.enter_async_context(two_rows(database_url))
        config = uvicorn.Config(
            AsyncSlackRequestHandler(bare(api_url, keep)),  # pyright: ignore
            port=port,
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        await stop.wait()
        server.should_exit = True
        await serving


Keep = Callable[[str, str, str], Awaitable[None]]
"""Makes what is said lie on the disk: in which table, under which key, and what."""


def bare(api_url: str, keep: Keep | None) -> Any:
    """The least that answers: no rights, no second thought, and no memory but what is kept before it goes on."""
    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    app = AsyncApp(client=AsyncWebClient(token="xoxb-bench", base_url=api_url), signing_secret=SECRET)
    model = InstantModel()

    if keep is not None:

        @app.middleware
        async def kept_first(body: dict[str, Any], next: Any) -> None:  # Bolt passes `next` by this name
            await keep("events", body["event_id"], json.dumps(body))
            await next()

    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: Any) -> None:
        question = [Message("system", "Be kind."), Message("user", event["text"])]
        said = "".join([chunk.text async for chunk in model.stream("base", question, Sampling(160))])
        if keep is not None:
            await keep("replies", event["ts"], said)
        await say(text=said, thread_ts=event["ts"])

    return app


@contextlib.asynccontextmanager
async def two_rows(database_url: str) -> AsyncGenerator[Keep]:
    """Tables of events and of replies, each insert on the disk before it returns; as a first version would have it."""
    tables = [f"CREATE TABLE {name} (key TEXT PRIMARY KEY, content TEXT NOT NULL)" for name in ("events", "replies")]
    if database_url.startswith("sqlite"):
        import aiosqlite

        async with aiosqlite.connect(database_url.partition("///")[2], isolation_level=None) as file:
            for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", *tables):
                await file.execute(statement)

            async def keep_in_file(table: str, key: str, content: str) -> None:
                await file.execute_insert(f"INSERT INTO {table} VALUES (?, ?)", (key, content))

            yield keep_in_file
        return
    import psycopg

    async with contextlib.AsyncExitStack() as stack:
        idle: asyncio.Queue[psycopg.AsyncConnection] = asyncio.Queue()
        for _ in range(8):
            server = database_url.replace("+psycopg", "")
            idle.put_nowait(
                await stack.enter_async_context(await psycopg.AsyncConnection.connect(server, autocommit=True))
            )
        connection = await idle.get()
        for statement in tables:
            await connection.execute(statement)  # type: ignore[arg-type]  # our own words, no input
        idle.put_nowait(connection)

        async def keep_on_server(table: str, key: str, content: str) -> None:
            connection = await idle.get()
            try:
                insert = f"INSERT INTO {table} VALUES (%s, %s)"
                await connection.execute(insert, (key, content))  # type: ignore[arg-type]  # our own words, no input
            finally:
                idle.put_nowait(connection)

        yield keep_on_server


# ---------------------------------------------------------------- driving them


@dataclass(frozen=True)
class Round:
    """What some events at once brought."""

    replies_per_s: float
    latencies_s: list[float]


@dataclass
class Driver:
    """Sends signed mentions and waits for their posts."""

    api: WebApi
    session: ClientSession
    address: str
    verifier: SignatureVerifier = field(default_factory=lambda: SignatureVerifier(SECRET))
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def one(self, *, wait: bool = True) -> float:
        """One question; the seconds until its reply was posted."""
        number = next(self.numbers)
        ts = f"{1_700_000_000 + number}.000100"
        event = {
            "type": "app_mention",
            "user": f"U{number % USERS}",
            "team": TEAM,
            "text": f"<@{BOT}> Where is parcel {number}?",
            "ts": ts,
            "channel": CHANNEL,
        }
        body = json.dumps(
            {
                "type": "event_callback",
                "team_id": TEAM,
                "api_app_id": "A1",
                "event_id": f"Ev{os.getpid()}-{id(self)}-{number}",
                "event": event,
            }
        )
        stamp = str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": self.verifier.generate_signature(timestamp=stamp, body=body) or "",
        }
        posted = self.api.posted[ts] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        async with self.session.post(self.address, data=body, headers=headers) as answer:
            if answer.status != 200:
                raise RuntimeError(f"an event was answered with {answer.status}: {await answer.text()}")
        arrived = await asyncio.wait_for(posted, 60)
        return arrived - began

    async def round(self, n: int, at_once: int = AT_ONCE) -> Round:
        """`n` questions, `at_once` under way."""
        latencies: list[float] = []
        left = iter(range(n))

        async def customer() -> None:
            for _ in left:
                latencies.append(await self.one())

        began = time.perf_counter()
        await asyncio.gather(*(customer() for _ in range(at_once)))
        seconds = time.perf_counter() - began
        self.api.posted.clear()
        return Round(n / seconds, latencies)


@dataclass
class Served:
    """One of the servers, and who drives it."""

    process: asyncio.subprocess.Process
    driver: Driver

    @property
    def memory_mb(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    @property
    def processor_s(self) -> float:
        """Processor time that it has taken so far, of all its threads."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


@contextlib.asynccontextmanager
async def served(kind: str, api: WebApi, api_url: str, database_url: str, folder: Path) -> AsyncGenerator[Served]:
    """Start one server and wait until it answers its first question."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bench.reply", "--serve", kind, str(port), api_url, database_url, str(folder)]
    process = await asyncio.create_subprocess_exec(*command)
    # Connections idle between rounds are given up here before a server gives them up in the middle of a question.
    async with ClientSession(connector=TCPConnector(limit=0, keepalive_timeout=2)) as session:
        driver = Driver(api, session, f"http://127.0.0.1:{port}/slack/events")
        try:
            for _ in range(900):  # a busy machine takes its time to start it
                with contextlib.suppress(OSError):
                    await driver.one()
                    break
                await asyncio.sleep(0.1)
            yield Served(process, driver)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie, in milliseconds."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000


KINDS = ("ours", "two rows", "bare")


@contextlib.asynccontextmanager
async def each_served(
    kinds: Sequence[str], database: str = "sqlite"
) -> AsyncGenerator[tuple[WebApi, dict[str, Served]]]:
    """A server of each kind, each on a database of its own and warm, beside one Web API."""
    async with contextlib.AsyncExitStack() as stack:
        api, api_url = await stack.enter_async_context(web_api())
        servers: dict[str, Served] = {}
        for kind in kinds:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="finetone reply ")))
            url = f"sqlite+aiosqlite:///{folder / 'app.sqlite'}"
            if database == "postgres" and kind != "bare":
                url = await stack.enter_async_context(postgres_database())
            servers[kind] = await stack.enter_async_context(served(kind, api, api_url, url, folder))
        for server in servers.values():
            await server.driver.round(USERS * 2)  # everybody is known, everything is loaded
        yield api, servers


async def compare(database: str, pairs: int, n: int) -> tuple[dict[str, Any], list[Promise]]:
    """Alternate rounds of all on one kind of database: throughput with many at once, added time with one after the other."""
    async with each_served(KINDS, database) as (api, servers):
        rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
        alone: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for pair in range(pairs):
            for kind in KINDS if pair % 2 else reversed(KINDS):
                rates[kind].append((await servers[kind].driver.round(n)).replies_per_s)
                alone[kind] += (await servers[kind].driver.round(n // 4, at_once=1)).latencies_s
        added_ms = quantile(alone["ours"], 0.5) - quantile(alone["bare"], 0.5)
        row: dict[str, Any] = {"database": database}
        for kind in KINDS:
            row |= {
                f"{kind} replies/s": round(statistics.median(rates[kind])),
                f"{kind} p50 ms": round(quantile(alone[kind], 0.5), 1),
                f"{kind} p99 ms": round(quantile(alone[kind], 0.99), 1),
                f"{kind} MB": round(servers[kind].memory_mb),
            }
        row["two rows against bare"] = round(_ratio(rates["two rows"], rates["bare"]), 2)
        row["ours against two rows"] = round(_ratio(rates["ours"], rates["two rows"]), 2)
        row["posted twice"] = api.twice
    ratio = _ratio(rates["ours"], rates["bare"])
    return row, [
        Promise(f"throughput against the bare listener, {database}", round(ratio, 2), 0.6, "higher"),
        Promise(f"added at p50, ms, {database}", round(added_ms, 1), 10, "lower"),
        Promise(f"replies posted twice, {database}", api.twice, 0, "lower"),
    ]


def _ratio(ones: list[float], others: list[float]) -> float:
    """The median over the rounds."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


RECALL_COST = 1.05  # processor time of a reply with recall against one without, at the most


async def recall_cost(pairs: int, n: int) -> tuple[dict[str, Any], Promise]:
    """Rounds of the same app with and without recall, alternating: processor time of a reply, and the median of the ratios."""
    kinds = ("ours", "without recall")
    async with each_served(kinds) as (_, servers):
        took: dict[str, list[float]] = {kind: [] for kind in kinds}
        for pair in range(pairs):
            for kind in kinds if pair % 2 else reversed(kinds):
                before = servers[kind].processor_s
                await servers[kind].driver.round(n)
                took[kind].append((servers[kind].processor_s - before) / n)
    row: dict[str, Any] = {
        f"{kind} processor ms a reply": round(statistics.median(took[kind]) * 1000, 2) for kind in kinds
    }
    ratios = sorted(one / other for one, other in zip(took["ours"], took["without recall"], strict=True))
    row["ratios"] = [round(ratio, 3) for ratio in ratios]
    ratio = round(statistics.median(ratios), 3)
    return row, Promise("processor time with recall against without", ratio, RECALL_COST, "lower")


async def endure(n: int) -> tuple[dict[str, Any], Promise]:
    """Memory over `n` messages: what it grows between the first tenth and the end."""
    async with each_served(("ours",)) as (_, servers):
        ours = servers["ours"]
        await ours.driver.round(n // 10)
        early = ours.memory_mb
        for _ in range(9):
            await ours.driver.round(n // 10)
        late = ours.memory_mb
    row = {"messages": n, "MB after a tenth": round(early, 1), "MB at the end": round(late, 1)}
    return row, Promise(f"memory grown over {n} messages, share", round(late / early - 1, 3), 0.1, "lower")


async def measure(quick: bool, databases: Sequence[str]) -> tuple[list[dict[str, Any]], list[Promise]]:
    """Both databases, then the long run."""
    rows: list[dict[str, Any]] = []
    promises: list[Promise] = []
    for database in databases:
        row, kept = await compare(database, *((3, 100) if quick else (9, 400)))
        rows.append(row)
        promises += kept
    row, flat = await endure(1_000 if quick else 20_000)
    return [*rows, row], [*promises, flat]


def main() -> None:
    """Measure, print, exit; or be one of the servers."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--discord", action="store_true", help="measure Discord instead of Slack")
    parser.add_argument("--recall", action="store_true", help="measure what recall costs instead")
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        kind, port, api_url, database_url, folder = chosen.serve
        asyncio.run(serve(kind, int(port), api_url, database_url, Path(folder)))
        return
    if chosen.recall:
        row, cost = asyncio.run(recall_cost(*((4, 100) if chosen.quick else (12, 300))))
        finish("reply --recall", [cost], [row], chosen.json)
        return
    if chosen.discord:
        row, kept = asyncio.run(reply_discord.compare(*((3, 100) if chosen.quick else (9, 400))))
        finish("reply --discord", kept, [row], chosen.json)
        return
    rows, promises = asyncio.run(measure(chosen.quick, chosen.database or ["sqlite", "postgres"]))
    finish("reply", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
