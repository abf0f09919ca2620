"""Promotions and roll backs under load: three processes on PostgreSQL answer all the while, and every reply is its model's own.

The vendor answers with the model's name, so that a row which names another model than its text does is seen. A swap has
reached a process when it has given its first reply by the new model; what counts is the last of the three, from the moment
before the deployment was appended, so the reply's own time is in it.
"""

import asyncio
import contextlib
import json
import math
import re
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.postgres import postgres_database
from bench.report import Promise, arguments, finish
from bench.vendor import BASE, Vendor, listening
from curation import promotion
from storage.records import PROGRAM_ACTOR_ID, DatasetVersion, ReplySource, Right, RunState, Trigger, Voice
from storage.store import Store, open_store

PROCESSES = 3
PATIENCE_S = 60.0
PAUSE_S = 0.5  # between two swaps, once every process serves the new model
MODEL = re.compile(r"I am (\S+) indeed")
ANSWERED_BY_MODEL = (ReplySource.TUNED, ReplySource.BASE)


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def answer(model: str, _: list[dict[str, str]]) -> str:
    """Every model says its own name."""
    return f"I am {model} indeed"


# ---------------------------------------------------------------- the processes


@dataclass
class Server:
    """A serving process and what it has said."""

    process: asyncio.subprocess.Process
    replies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    errors: list[str] = field(default_factory=list[str])

    async def read(self) -> None:
        """Note each line."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            said = json.loads(line)
            if "error" in said:
                self.errors.append(said["error"])
            elif "asked" in said:
                self.replies.append(said)

    def reached(self, model: str, since: float) -> float | None:
        """When the first reply by this model came after `since`; None while there was none."""
        for said in reversed(self.replies):
            if said["answered"] < since:
                break
            if said["model"] == model:
                first = said["answered"]
                return min(
                    r["answered"] for r in self.replies if r["model"] == model and since <= r["answered"] <= first
                )
        return None


@contextlib.asynccontextmanager
async def servers(database_url: str, vendor_url: str) -> AsyncGenerator[list[Server]]:
    """Three processes that answer, until the block ends."""
    made: list[Server] = []
    for number in range(PROCESSES):
        command = [sys.executable, "-m", "bench.swap_server", "--database", database_url, "--vendor", vendor_url]
        process = await asyncio.create_subprocess_exec(
            *command, "--name", f"server-{number}", stdout=asyncio.subprocess.PIPE
        )
        made.append(Server(process))
    readers = [asyncio.create_task(server.read()) for server in made]
    try:
        yield made
    finally:
        for server in made:
            server.process.terminate()
        await asyncio.gather(*(server.process.wait() for server in made), *readers)


# ---------------------------------------------------------------- the models


async def an_evaluated_run(store: Store, voice: Voice, number: int) -> tuple[str, int, str]:
    """A run that waits for its promotion: its id, its epoch and its model's name."""
    at = utc_now()
    run, _ = await store.runs.request(voice.id, BASE, Trigger.PERSON, PROGRAM_ACTOR_ID, at=at)
    claimed = await store.runs.claim(run.id, "bench", now=at, lease_s=PATIENCE_S)
    assert claimed is not None
    version = DatasetVersion(f"ds_of_{run.id}", voice.id, at, PROGRAM_ACTOR_ID, 1, 1, 10, {})
    await store.datasets.freeze(version, {}, [], {}, at=at)
    run = await store.runs.advance(
        run.id, claimed.epoch, claimed.state, RunState.FROZEN, at=at, dataset_version_id=version.id
    )
    for state in (RunState.SUBMITTED, RunState.TRAINING, RunState.SERVABLE, RunState.EVALUATED):
        run = await store.runs.advance(run.id, run.epoch, run.state, state, at=at)
    name = f"ft:base:bench:{number}"
    await store.models.ensure_tuned(voice.id, run.id, name, BASE, version.id, at=at)
    return run.id, run.epoch, name


@dataclass
class Swaps:
    """The swaps made so far, and how long each took to reach every process, in seconds."""

    store: Store
    voice: Voice
    running: list[Server]
    reached_s: list[float] = field(default_factory=list[float])

    async def promote(self, number: int) -> None:
        """Serve a new model."""
        run_id, epoch, name = await an_evaluated_run(self.store, self.voice, number)
        current = await self.store.models.current(self.voice.id)
        began = time.time()
        await self.store.runs.promote(
            run_id, epoch, current.seq, by=PROGRAM_ACTOR_ID, why="the bench says so", at=utc_now()
        )
        await self.spread(name, began)

    async def roll_back(self) -> None:
        """Serve the model before."""
        admin = await self.store.people.ensure_actor("bench", "admin", "Admin", frozenset(Right), at=utc_now())
        began = time.time()
        back = await promotion.roll_back(
            self.store, self.voice.id, by=admin, why="the bench says so", at=utc_now(), to_number=0
        )
        await self.spread(back.model.name, began)

    async def spread(self, model: str, began: float) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for server in self.running:
                while server.reached(model, began) is None:
                    await asyncio.sleep(0.01)
        self.reached_s.append(max(server.reached(model, began) or 0.0 for server in self.running) - began)
        await asyncio.sleep(PAUSE_S)


# ---------------------------------------------------------------- the count


async def wrong_rows(database_url: str) -> tuple[int, int]:
    """How many replies the rows hold, and how many name another model than their text, or another than their deployment."""
    engine = create_async_engine(database_url)
    statement = (
        "SELECT r.text, r.model_name, m.name FROM replies r LEFT JOIN deployments d ON d.id = r.deployment_id "
        "LEFT JOIN models m ON m.id = d.model_id"
    )
    try:
        async with engine.connect() as connection:
            rows = (await connection.execute(text(statement))).all()
    finally:
        await engine.dispose()
    wrong = 0
    for said, named, deployed in rows:
        found = MODEL.search(said)
        wrong += found is None or not found[1] == named == deployed
    return len(rows), wrong


async def play(times: int) -> dict[str, Any]:
    """Swap under load and count."""
    async with (
        postgres_database() as url,
        listening(Vendor(answer, delay_s=0.02)) as vendor_url,
        await open_store(url) as store,
    ):
        voice = await store.voices.ensure("swap", "Be kind.", BASE, at=utc_now())
        async with servers(url, vendor_url) as running:
            swaps = Swaps(store, voice, running)
            await swaps.spread(BASE, 0.0)  # all are up
            swaps.reached_s.clear()
            began = time.time()
            for number in range(1, times + 1):
                await swaps.promote(number)
                await swaps.roll_back()
            seconds = time.time() - began
        replies = [reply for server in running for reply in server.replies]
        unanswered = [reply for reply in replies if reply["source"] not in ANSWERED_BY_MODEL]
        errors = [error for server in running for error in server.errors] + unanswered
        for error in errors[:5]:
            print(f"  {error}", flush=True)
        rows, wrong = await wrong_rows(url)
    reached = sorted(swaps.reached_s)
    during = sum(began <= reply["answered"] <= began + seconds for reply in replies)
    return {
        "swaps": len(reached),
        "replies": rows,
        "told": len(replies),
        "replies/s": round(during / seconds, 1),
        "errors": len(errors),
        "misattributed": wrong,
        "median s": round(reached[len(reached) // 2], 3),
        "p99 s": round(reached[math.ceil(0.99 * len(reached)) - 1], 3),
    }


def main() -> None:
    """Swap and hold it to the promises."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--times", type=int, default=10, help="promotions, each rolled back")
    chosen = parser.parse_args()
    times = 3 if chosen.quick else chosen.times
    row = asyncio.run(play(times))
    promises = [
        Promise("promotions and roll backs", row["swaps"], 2 * times, "higher"),
        Promise("errors", row["errors"], 0, "lower"),
        Promise("replies whose row names another model than their text", row["misattributed"], 0, "lower"),
        Promise("replies that were given and not kept", row["told"] - row["replies"], 0, "lower"),
        Promise("seconds until every process serves the new model, p99", row["p99 s"], 1.0, "lower"),
    ]
    finish("swap", promises, [row], chosen.json)


if __name__ == "__main__":
    main()
