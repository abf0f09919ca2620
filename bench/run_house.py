"""What bench/kill.py kills things in: a database of its own, voices with approved corrections, and workers as processes."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.postgres import postgres_database
from bench.vendor import BASE
from storage.ids import new_id
from storage.records import (
    PROGRAM_ACTOR_ID,
    Correction,
    CorrectionState,
    DeploymentKind,
    Judgement,
    RecipeKind,
    Run,
    RunState,
    Trigger,
)
from storage.store import Store, open_store

CORRECTIONS = 12  # of each voice: ten to train on, two to judge by


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def answer(model: str, messages: list[dict[str, str]]) -> str:
    """The base knows nothing; a tuned model has learned the approved answers."""
    asked = messages[-1]["content"]
    if model == BASE or not asked.startswith("Question"):
        return "I cannot help with that."
    return asked.replace("Question", "Answer").replace("?", ".")


@contextlib.asynccontextmanager
async def database_of(kind: str) -> AsyncGenerator[str]:
    """The URL of an empty database of this kind, "sqlite" or "postgres"."""
    if kind == "postgres":
        async with postgres_database() as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="finetone kill ") as folder:
        yield f"sqlite+aiosqlite:///{folder}/app.sqlite"


@dataclass
class House:
    """The voices and their runs."""

    store: Store
    recipe: RecipeKind = RecipeKind.SFT  # of the runs asked for from now on
    run_ids: list[str] = field(default_factory=list[str])

    async def request(self) -> Run:
        """A run of a new voice that has something to learn."""
        store, at = self.store, utc_now()
        voice = await store.voices.ensure(f"voice-{len(self.run_ids)}", "Be kind.", BASE, at=at)
        for number in range(CORRECTIONS):
            made = Correction(
                id=new_id("corr", at),
                voice_id=voice.id,
                reply_id=None,
                conversation_id=None,
                origin=f"import:bench:{number}",
                key=f"key_{number}",
                history=(),
                question=f"Question {number}?",
                served_text="I cannot help with that.",
                corrected_text=f"Answer {number}.",
                reason=Judgement.TONE,
                note="",
                state=CorrectionState.PROPOSED,
                proposed_by=PROGRAM_ACTOR_ID,
                proposed_at=at,
            )
            kept, _ = await store.corrections.propose(made)
            await store.corrections.decide(kept.id, CorrectionState.APPROVED, PROGRAM_ACTOR_ID, "", at=at)
        run, _ = await store.runs.request(voice.id, BASE, Trigger.SCHEDULE, PROGRAM_ACTOR_ID, at=at, recipe=self.recipe)
        self.run_ids.append(run.id)
        return run

    async def until_over(self, patience_s: float) -> None:
        """Wait until no run is open."""
        async with asyncio.timeout(patience_s):
            while await self.store.runs.open_runs():
                await asyncio.sleep(0.1)

    async def count(self) -> dict[str, int]:
        """What the rows say: runs and their steps, those promoted, promotions of their voices, and warnings of a second job."""
        runs = [await self.store.runs.get(run_id) for run_id in self.run_ids]
        for run in runs:
            if run.state is not RunState.PROMOTED:
                print(f"  {run.id} is {run.state}: {run.end_reason} {run.paused_why}", flush=True)
        promotions = alerts = 0
        for run in runs:
            history = await self.store.models.deployments(run.voice_id, limit=100)
            promotions += sum(deployment.kind is DeploymentKind.PROMOTION for deployment in history)
            alerts += sum("second training job" in event.text for _, event in await self.store.runs.events(run.id))
        promoted = sum(run.state is RunState.PROMOTED for run in runs)
        steps = sum(run.step for run in runs)
        return {"runs": len(runs), "steps": steps, "promoted": promoted, "promotions": promotions, "alerts": alerts}


@contextlib.asynccontextmanager
async def house_on(database_url: str) -> AsyncGenerator[House]:
    """A house on this database."""
    async with await open_store(database_url) as store:
        yield House(store)


@dataclass
class Worker:
    """One worker process."""

    owner: str
    process: asyncio.subprocess.Process

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()

    def freeze(self) -> None:
        """Stop the process where it is."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)


@dataclass
class Workers:
    """The workers on one database and vendor; all are killed at the end."""

    database_url: str
    vendor_url: str
    options: tuple[str, ...] = ()
    alive: list[Worker] = field(default_factory=list[Worker])
    log: Path | None = None

    async def start(self, owner: str, *options: str) -> Worker:
        """A worker that has begun to work."""
        command = [sys.executable, "-m", "bench.run_worker", "--database", self.database_url]
        command += ["--vendor", self.vendor_url, "--owner", owner, *self.options, *options]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        worker = Worker(owner, process)
        self.alive.append(worker)
        if process.stdout is None or await process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"worker {owner} ended before it worked; run `{' '.join(command)}` to see why")
        return worker

    async def end(self, worker: Worker) -> None:
        """Kill one, and wait until it is gone."""
        self.alive.remove(worker)
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.process.wait()


@contextlib.asynccontextmanager
async def workers_on(database_url: str, vendor_url: str, *options: str) -> AsyncGenerator[Workers]:
    """Workers for the time of a block."""
    made = Workers(database_url, vendor_url, options)
    try:
        yield made
    finally:
        for worker in list(made.alive):
            await made.end(worker)
