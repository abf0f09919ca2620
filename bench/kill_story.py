"""Kill -9 anywhere: the story of README's first page, with every process of it killed at random moments.

A person's browser asks, corrects, approves, retrains, asks again and rolls back, reloading whenever a page does not come.
Meanwhile a hand kills one process after another: the program (console and worker), the tuner, its engine, the training
process; on PostgreSQL console and worker apart. What counts at the end is what the rows and the tuner's own ledger say.
"""

import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.person import Person
from bench.postgres import postgres_database
from bench.report import Promise, arguments, finish
from storage.records import CorrectionState, DeploymentKind, RunState
from storage.store import open_store

LESSONS = Path(__file__).parent.parent / "bot" / "demo" / "puffin.jsonl"
PATIENCE_S = 1_500.0  # for the whole story, kills included
QUESTIONS = ("Where is my parcel?", "Is there a puffin in my box?", "Is there a puffin in my box?")


# ---------------------------------------------------------------- the processes


@dataclass
class Part:
    """A process we start, and start again whenever it is gone."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    starts: int = 0

    async def keep(self, stop: asyncio.Event) -> None:
        """Run until `stop`, restarting at once, as a service manager does."""
        while not stop.is_set():
            with self.log.open("ab") as log:
                self.process = await asyncio.create_subprocess_exec(
                    *self.command, env=os.environ | self.environment, stdout=log, stderr=log
                )
            self.starts += 1
            done, _ = await asyncio.wait(
                [asyncio.create_task(self.process.wait()), asyncio.create_task(stop.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
            del done
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    def links(self) -> list[str]:
        """Every sign-in link this part has printed so far."""
        return re.findall(r"http://127\.0\.0\.1:\d+/sign-in\?token=\S+", self.log.read_text(errors="replace"))


def victims(parts: list[Part]) -> dict[str, list[psutil.Process]]:
    """Every process of the installation that is alive, by kind."""
    found: dict[str, list[psutil.Process]] = {}
    for part in parts:
        if part.process is None or part.process.returncode is not None:
            continue
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(part.process.pid)
            found.setdefault(part.name, []).append(root)
            for child in root.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    found.setdefault(kind(child), []).append(child)
    found.pop("other", None)
    return found


def kind(process: psutil.Process) -> str:
    """Which of the tuner's processes this is, by its command line."""
    line = " ".join(process.cmdline())
    for mark, name in (("tuner serve", "tuner"), ("tuner.llama_process", "engine"), ("tuner train", "trainer")):
        if mark in line:
            return name
    return "other"


# ---------------------------------------------------------------- the story


@dataclass
class Story:
    """The acts, each harmless to repeat; `told` keeps what the person saw."""

    person: Person
    store_url: str
    told: list[str] = field(default_factory=list)

    async def play(self) -> None:
        """Ask, correct, approve, teach the rest by a file, retrain, ask again, roll back, ask a third time."""
        conversation, first_key = str(uuid.uuid4()), str(uuid.uuid4())
        first = await self.ask(conversation, first_key, QUESTIONS[0])
        await self.correct(first)
        await self.teach()
        await self.approve_everything()
        await self.retrain()
        await self.ask(str(uuid.uuid4()), str(uuid.uuid4()), QUESTIONS[1])
        await self.roll_back()
        await self.ask(str(uuid.uuid4()), str(uuid.uuid4()), QUESTIONS[2])

    def tell(self, what: str) -> None:
        """Say how far the story is."""
        self.told.append(what)
        print(f"  {what}", flush=True)

    async def ask(self, conversation: str, key: str, question: str) -> str:
        """Send one question (again after a crash, under the same key) and wait for its reply."""

        async def sent() -> bool | None:
            page = await self.person.page("/")
            if page is None:
                return None
            fields = {"text": question, "key": key, "conversation": conversation}
            return (await self.person.post("/ask", page, fields)).status_code in (200, 303) or None

        await self.person.until(sent)

        async def answered() -> str | None:
            async with await open_store(self.store_url) as store:
                voice = (await store.voices.all())[0]
                found = await store.conversations.ensure(voice.id, "console", conversation, at=now())
                ((_, reply),) = await store.conversations.recent_turns(found.id, 1)
                return None if reply is None else f"{reply.model_name}: {reply.text}\n{reply.id}"

        reply, reply_id = (await self.person.until(answered)).rsplit("\n", 1)
        self.tell(f"asked “{question}”, got {reply[:110]!r}")
        return reply_id

    async def correct(self, reply_id: str) -> None:
        """Correct the reply; after a crash the same form is sent again."""

        async def sent() -> bool | None:
            page = await self.person.page(f"/replies/{reply_id}/correct")
            if page is None:
                return None
            fields = {"text": "Ahoy friend, it is on the move. — the Puffin crew", "reason": "tone", "note": ""}
            response = await self.person.post(f"/replies/{reply_id}/correct", page, fields)
            return response.status_code in (200, 303) or None

        await self.person.until(sent)
        self.tell("corrected the reply")

    async def teach(self) -> None:
        """Import the courier's other answers."""

        async def sent() -> bool | None:
            page = await self.person.page("/import")
            if page is None:
                return None
            files = {"file": ("puffin.jsonl", LESSONS.read_bytes())}
            return (await self.person.post("/import", page, {}, files=files)).status_code == 200 or None

        await self.person.until(sent)
        self.tell("imported the other answers")

    async def approve_everything(self) -> None:
        """Press “approve all shown” until nothing waits."""

        async def sent() -> bool | None:
            page = await self.person.page("/review")
            if page is None:
                return None
            shown = re.findall(r'name="correction" value="([^"]+)"', page)
            if not shown:
                return True
            await self.person.post("/review/approve-shown", page, {"correction": shown})
            return None

        await self.person.until(sent)
        self.tell("approved everything")

    async def retrain(self) -> None:
        """Start a run unless one was started, and wait for its end."""

        async def sent() -> bool | None:
            async with await open_store(self.store_url) as store:
                if await store.runs.recent((await store.voices.all())[0].id, limit=1):
                    return True
            page = await self.person.page("/training")
            if page is not None:
                await self.person.post("/training", page, {})
            return None

        await self.person.until(sent)
        self.tell("started a training run")

        async def ended() -> str | None:
            async with await open_store(self.store_url) as store:
                (run,) = await store.runs.recent((await store.voices.all())[0].id, limit=5)
                return None if run.is_open else f"{run.state}: {run.end_reason}"

        self.tell(f"the run ended {await self.person.until(ended)}")

    async def roll_back(self) -> None:
        """Go back, unless that has happened already."""

        async def sent() -> bool | None:
            async with await open_store(self.store_url) as store:
                current = await store.models.current((await store.voices.all())[0].id)
            if current.kind is DeploymentKind.ROLLBACK:
                return True
            page = await self.person.page("/models/roll-back")
            target = re.search(r'name="to" value="(\d+)"', page or "")
            if page is not None and target is not None:
                await self.person.post("/models/roll-back", page, {"to": target.group(1), "why": "the story says so"})
            return None

        await self.person.until(sent)
        self.tell("rolled back")


# ---------------------------------------------------------------- the installation


def now() -> Any:
    """The wall clock."""
    from bot.program import utc_now

    return utc_now()


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def installation(folder: Path, store_url: str, port: int) -> list[Part]:
    """The processes a service manager would keep alive: one program on SQLite, three on PostgreSQL."""
    environment = {
        "FINETONE_DATA_DIR": str(folder / "data"),
        "FINETONE_CONSOLE_PORT": str(port),
        "FINETONE_EPOCHS": "3",
    }
    finetone = str(Path(sys.executable).parent / "finetone")
    if store_url.startswith("sqlite"):
        return [Part("program", [finetone, "run"], environment, folder / "program.log")]
    tuner_port = free_port()
    environment |= {"FINETONE_DATABASE_URL": store_url, "FINETONE_API_URL": f"http://127.0.0.1:{tuner_port}/v1"}
    serve = [sys.executable, "-m", "tuner", "serve", "--home", str(folder / "tuner"), "--port", str(tuner_port)]
    return [
        Part("tuner", serve, {}, folder / "tuner.log"),
        Part("console", [finetone, "console"], environment, folder / "console.log"),
        Part("worker", [finetone, "worker"], environment, folder / "worker.log"),
    ]


async def kill_at_random(
    parts: list[Part], kills: int, mean_s: float, dice: random.Random, counts: Counter[str]
) -> None:
    """Kill `kills` processes, one at a time; each kind gets its turn before one is killed again."""
    began = time.monotonic()
    while counts.total() < kills:
        await asyncio.sleep(dice.uniform(1.0, 2 * mean_s - 1.0))
        alive = victims(parts)
        if not alive:
            continue
        fewest = min(counts[name] for name in alive)
        name = dice.choice(sorted(name for name in alive if counts[name] == fewest))
        with contextlib.suppress(psutil.NoSuchProcess):
            dice.choice(alive[name]).send_signal(signal.SIGKILL)
            counts[name] += 1
            print(f"  ✝ {name} killed at {time.monotonic() - began:.0f} s", flush=True)


async def one_story(database: str, kills: int, mean_s: float, seed: int) -> dict[str, Any]:
    """Play one story under `kills` kills and count what is left of it."""
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="finetone kill ")))
        if database == "postgres":
            store_url = await stack.enter_async_context(postgres_database())
        else:
            store_url = f"sqlite+aiosqlite:///{folder / 'data' / 'app.sqlite'}"
        port = free_port()
        parts = installation(folder, store_url, port)
        stop, counts = asyncio.Event(), Counter[str]()
        keepers = [asyncio.create_task(part.keep(stop)) for part in parts]
        talker = parts[0] if len(parts) == 1 else parts[1]
        story = Story(Person(f"http://127.0.0.1:{port}", talker.links), store_url)
        killer = asyncio.create_task(kill_at_random(parts, kills, mean_s, random.Random(seed), counts))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await story.play()
        finally:
            killer.cancel()
            stop.set()
            await asyncio.gather(*keepers, killer, return_exceptions=True)
            await story.person.client.aclose()
        row = await count(store_url) | {"jobs": paid_jobs(folder)}
    return {
        "database": database,
        "seed": seed,
        "seconds": round(time.monotonic() - began),
        **row,
        "kills": dict(counts),
    }


async def count(store_url: str) -> dict[str, Any]:
    """What the rows say."""
    async with await open_store(store_url) as store:
        voice = (await store.voices.all())[0]
        runs = await store.runs.recent(voice.id, limit=100)
        history = await store.models.deployments(voice.id, limit=100)
        corrections = await store.corrections.count(voice.id)
        unanswered = await store.conversations.unanswered(now())
    return {
        "runs": len(runs),
        "promoted": sum(run.state is RunState.PROMOTED for run in runs),
        "deployments": [str(deployment.kind) for deployment in reversed(history)],
        "approved": corrections.get(CorrectionState.APPROVED, 0),
        "unanswered": len(unanswered),
        **await rows_of(store_url, "turns", "replies"),
    }


async def rows_of(store_url: str, *tables: str) -> dict[str, int]:
    """How many rows each table holds, asked past our own storage."""
    engine = create_async_engine(store_url)
    try:
        async with engine.connect() as connection:
            return {
                table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
                for table in tables
            }
    finally:
        await engine.dispose()


def paid_jobs(folder: Path) -> int:
    """How many training jobs the tuner itself remembers, whatever our own rows say."""
    (ledger,) = folder.rglob("tuner.sqlite")
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        return connection.execute("SELECT count(*) FROM jobs").fetchone()[0]


def main() -> None:
    """Play the stories and hold them to the promises."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--every", type=float, default=18.0, help="seconds between two kills, on average")
    parser.add_argument("--stories", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    kills = 3 if chosen.quick else chosen.kills
    rows = [
        asyncio.run(one_story(chosen.database, kills, chosen.every, chosen.seed + i)) for i in range(chosen.stories)
    ]
    expected = ["first", "promotion", "rollback"]
    promises = [
        Promise(
            "stories that finished with one promoted run",
            sum(r["runs"] == r["promoted"] == 1 for r in rows),
            len(rows),
            "higher",
        ),
        Promise("training jobs per story, at most", max(r["jobs"] for r in rows), 1, "lower"),
        Promise(
            "stories with one promotion and one roll back",
            sum(r["deployments"] == expected for r in rows),
            len(rows),
            "higher",
        ),
        Promise(
            "stories with three questions and one reply to each",
            sum(r["turns"] == r["replies"] == len(QUESTIONS) for r in rows),
            len(rows),
            "higher",
        ),
        Promise("questions left unanswered", sum(r["unanswered"] for r in rows), 0, "lower"),
        Promise("corrections beyond or short of the 49 made", max(abs(r["approved"] - 49) for r in rows), 0, "lower"),
        Promise("kills", sum(sum(r["kills"].values()) for r in rows), kills * len(rows), "higher"),
    ]
    finish("kill_story", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
