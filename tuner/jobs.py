"""The queue: durable jobs, each trained by one process at a time, resumed after any crash, proven before they succeed.

The store is the truth. This module starts what the store says should run, reads what the trainer says, and ends jobs.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from tuner.errors import EngineFailed, EngineGone
from tuner.launcher import Launcher, Run
from tuner.paths import Home, write_atomically, write_json
from tuner.records import Delivery, FileRecord, Job, NewEvent, TunedModel
from tuner.starts import Starts
from tuner.store import Store
from tuner.training_file import Row, parse_lines
from tuner.weights import Base

POLL_S = 0.25  # how soon a step is seen; a step takes about a second here
MAX_KILLED_STARTS = 8  # trainers killed in a row without one new step, before the job is given up
MAX_FAILED_STARTS = 2  # the same for trainers that ended by an error of their own, which will repeat itself
NO_SPACE_STATUS = 28  # ENOSPC, the trainer's exit status when the disk is full
PROOF_TRIES = 3  # an adapter under which the engine ends three times in a row cannot be served

# Loads an adapter, and the one it started from where there is one, and says how it moved the model on rows of its own
# training file; see tuner/proof.py.
Prove = Callable[[Path, Path | None, list[Row], str], Awaitable["Proof"]]


@dataclass(frozen=True)
class Proof:
    """Mean log-probability per token of some training answers, in nats, under what the job started from and with its adapter."""

    n_rows: int
    start_logprob: float  # of the base, or of the tuned model whose weights it went on training
    tuned_logprob: float
    mean_change: float  # mean over rows of the absolute difference

    @property
    def is_changed(self) -> bool:
        # llama.cpp repeats itself to about 1e-5 here; an adapter that does nothing stays below a thousandth of a nat.
        return self.mean_change > 1e-3


def new_id(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(12)}"


def message_event(text: str, level: str = "info", now: float | None = None) -> NewEvent:
    return NewEvent(new_id("ftevent-"), int(time.time() if now is None else now), text, level)


def tuned_name(job: Job, organization: str) -> str:
    """`ft:BASE:ORG:SUFFIX:ID`, unique because the job's id is in it and never reused."""
    suffix = re.sub(r"[^A-Za-z0-9._-]+", "-", job.suffix or "")
    return f"ft:{job.base}:{organization}:{suffix}:{job.id.removeprefix('ftjob-')[:8]}"


class Jobs:
    """Runs the queue of one server, `concurrency` jobs at once."""

    def __init__(
        self,
        store: Store,
        home: Home,
        base: Base,
        launcher: Launcher,
        prove: Prove,
        organization: str,
        concurrency: int,
        on_busy: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """`on_busy` is told when the first job begins and when the last one is over."""
        self._store = store
        self._home = home
        self._base = base
        self._starts = Starts(store, home, base.name)
        self._launcher = launcher
        self._prove = prove
        self._organization = organization
        self._concurrency = concurrency
        self._on_busy = on_busy
        self._runs: dict[str, Run] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    @property
    def running(self) -> list[str]:
        return list(self._tasks)

    def wake(self) -> None:
        """Look at the queue now. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._wake.set)

    async def serve(self) -> None:
        """Work until cancelled; jobs left running by a crash are taken up first."""
        try:
            while True:
                self._wake.clear()
                try:
                    for job in await asyncio.to_thread(self._store.open_jobs):
                        self._consider(job)
                except sqlite3.OperationalError:
                    pass  # the disk is full or busy; the next round tries again
                try:
                    async with asyncio.timeout(5):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            await self.close()

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for run in list(self._runs.values()):
            await run.kill()

    async def stop_training(self, job_id: str) -> None:
        """End the job's process, if it has one, and return when it is gone; the store decides what the job is then."""
        if task := self._tasks.get(job_id):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.wake()

    def _consider(self, job: Job) -> None:
        if job.id in self._tasks or job.paused or len(self._tasks) >= self._concurrency:
            return
        task = self._loop.create_task(self._work(job.id), name=f"job {job.id}")
        self._tasks[job.id] = task
        if len(self._tasks) == 1:
            self._on_busy(True)
        task.add_done_callback(lambda _: self._left(job.id))

    def _left(self, job_id: str) -> None:
        self._tasks.pop(job_id, None)
        if not self._tasks:
            self._on_busy(False)
        self._wake.set()

    async def _work(self, job_id: str) -> None:
        """Bring one job to its end."""
        try:
            await self._begin(job_id)
            await self._train(job_id)
        except OSError as error:
            with suppress(sqlite3.OperationalError):
                await self._fail(
                    job_id, "server_error", f"The server could not run the job: {error.strerror or error}."
                )
        except sqlite3.OperationalError:
            # The store cannot be written (disk full): the job stays where it is and is taken up again.
            await asyncio.sleep(5)

    async def _begin(self, job_id: str) -> None:
        """Move the job on until it runs; one that is over stays over."""
        if (job := await asyncio.to_thread(self._store.job, job_id)) is None:
            return
        if job.status == "validating_files":
            event = message_event("Files validated, moving job to queued state")
            await asyncio.to_thread(self._store.move_job, job_id, "queued", event, ("validating_files",))
            job = await asyncio.to_thread(self._store.job, job_id)
        if job is not None and job.status == "queued":
            event = message_event("Fine-tuning job started" if not job.last_step else "Fine-tuning job continued")
            await asyncio.to_thread(self._store.start_job, job_id, time.time(), event)

    async def _train(self, job_id: str) -> None:
        folder = self._home.jobs / job_id
        folder.mkdir(parents=True, exist_ok=True)
        fruitless = 0
        while True:
            job = await asyncio.to_thread(self._store.job, job_id)
            if job is None or job.status != "running":
                return
            if (end := await asyncio.to_thread(self._take_progress, job)) is not None:
                await self._finish(job, end)
                return
            write_json(folder / "spec.json", self._spec(job))
            reached = job.last_step
            run = self._runs[job_id] = await self._started(folder)
            try:
                status = await self._follow(job_id, run)
            finally:
                await run.kill()
                self._runs.pop(job_id, None)
            job = await asyncio.to_thread(self._store.job, job_id)
            if job is None or job.status != "running":
                return
            if status == NO_SPACE_STATUS:
                await self._fail(
                    job_id, "disk_full", f"The disk of {folder} is full. Free some space and create the job again."
                )
                return
            fruitless = 0 if job.last_step > reached else fruitless + 1
            if fruitless >= (MAX_KILLED_STARTS if status < 0 else MAX_FAILED_STARTS):
                await self._fail(job_id, "training_failed", self._last_words(folder, status, fruitless))
                return
            if status:
                text = f"Training stopped unexpectedly ({_death(status)}) and continues from its last checkpoint"
                await asyncio.to_thread(self._store.add_event, job_id, message_event(text, "warn"))
                if fruitless > 1:
                    await asyncio.sleep(min(5.0, 0.2 * 2**fruitless))

    async def _started(self, folder: Path) -> Run:
        """Start training; if cancelled meanwhile, leave no process behind."""
        starting = asyncio.ensure_future(self._launcher.start(folder))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await (await starting).kill()
            raise

    async def _follow(self, job_id: str, run: Run) -> int:
        """Take in progress until the process ends; its exit status."""
        waiting = asyncio.ensure_future(run.wait())
        try:
            while True:
                done, _ = await asyncio.wait({waiting}, timeout=POLL_S)
                job = await asyncio.to_thread(self._store.job, job_id)
                if job is not None:
                    await asyncio.to_thread(self._take_progress, job)
                if done:
                    return waiting.result()
        finally:
            waiting.cancel()

    def _take_progress(self, job: Job) -> dict[str, Any] | None:
        """Record new lines of the job's progress; the closing line is returned, and left unread for a restarted server."""
        path = self._home.jobs / job.id / "progress.jsonl"
        try:
            with path.open("rb") as stream:
                stream.seek(job.progress_offset)
                content = stream.read()
        except FileNotFoundError:
            return None
        offset, step, finish = job.progress_offset, job.last_step, None
        events: list[NewEvent] = []
        end: dict[str, Any] | None = None
        for raw in content.splitlines(keepends=True):
            if not raw.endswith(b"\n"):
                break  # still being written
            line = _parsed(raw)
            if line is not None and line["kind"] in ("done", "failed"):
                end = line
                break
            offset += len(raw)
            if line is None:
                continue  # the half line of a killed trainer
            if line["kind"] == "message":
                events.append(message_event(line["message"], line["level"], line["at"]))
            elif line["kind"] == "step" and line["step"] > step:
                step = line["step"]
                events.append(_step_event(line))
                finish = _estimated_finish(path, line)
        if offset != job.progress_offset:
            self._store.take_progress(job.id, offset, events, step, finish)
        return end

    async def _finish(self, job: Job, end: dict[str, Any]) -> None:
        if end["kind"] == "failed":
            await self._fail(job.id, end["code"], end["message"])
            return
        folder = self._home.jobs / job.id
        adapter = folder / end["adapter"]
        rows = await asyncio.to_thread(self._rows, job)
        try:
            proof = await self._proven(adapter, self._starts.adapter(job), rows, job.method)
        except EngineFailed as error:
            await self._fail(job.id, "not_servable", f"The trained adapter could not be served: {error}")
            return
        told = (
            f"mean log-probability of {proof.n_rows} training answers: {proof.start_logprob:.3f} before, "
            f"{proof.tuned_logprob:.3f} after"
        )
        if not proof.is_changed:
            await self._fail(
                job.id,
                "not_servable",
                f"The trained adapter does not change the model ({told}). Raise learning_rate_multiplier or n_epochs.",
            )
            return
        models = await asyncio.to_thread(self._models, job, end)
        now = int(time.time())
        content = result_csv(await asyncio.to_thread(self._store.metrics, job.id), job.recipe["n_epochs"])
        result = FileRecord(new_id("file-"), "step_metrics.csv", "fine-tune-results", len(content), now)
        write_atomically(self._home.files / result.id, content)
        name = models[-1].name
        events = [
            message_event(f"Served and checked: {told}"),
            message_event(f"New fine-tuned model created: {name}"),
            message_event("The job has successfully completed"),
        ]
        done = await asyncio.to_thread(
            self._store.succeed_job, job.id, models, end["trained_tokens"], result, events, now
        )
        if done is None:
            (self._home.files / result.id).unlink(missing_ok=True)
            return
        await asyncio.to_thread(self.announce, job.id, "succeeded")
        self.drop_checkpoints(job.id)

    async def _proven(self, adapter: Path, start: Path | None, rows: list[Row], method: str) -> Proof:
        """The proof, asked for again when the engine ends in the middle of it: that is not the adapter's fault, or not yet."""
        for _ in range(PROOF_TRIES - 1):
            with suppress(EngineGone):
                return await self._prove(adapter, start, rows, method)
        return await self._prove(adapter, start, rows, method)

    def _models(self, job: Job, end: dict[str, Any]) -> list[TunedModel]:
        """The checkpoints' models, then the final one."""
        folder = self._home.jobs / job.id
        lines = [_parsed(raw) for raw in (folder / "progress.jsonl").read_bytes().splitlines()]
        checkpoints = {line["step"]: line for line in lines if line is not None and line["kind"] == "checkpoint"}
        name = tuned_name(job, self._organization)
        final = TunedModel(name, job.id, job.base, end["adapter"], end["step"], False, None, None, int(time.time()))
        return [
            *(
                replace(
                    final,
                    name=f"{name}:ckpt-step-{step}",
                    adapter=line["adapter"],
                    step=step,
                    is_checkpoint=True,
                    checkpoint_id=new_id("ftckpt_"),
                    metrics=line["metrics"],
                    created_at=int(line["at"]),
                )
                for step, line in sorted(checkpoints.items())
                if (folder / line["adapter"]).exists()
            ),
            final,
        ]

    async def _fail(self, job_id: str, code: str, message: str) -> None:
        self.drop_checkpoints(job_id)  # first: where the disk is full, this makes the room to say so
        error = {"code": code, "message": message, "param": None}
        event = message_event(f"The job failed: {message}", "error")
        ended = await asyncio.to_thread(self._store.end_job, job_id, "failed", error, event, int(time.time()))
        if ended is not None:
            await asyncio.to_thread(self.announce, job_id, "failed")

    def drop_checkpoints(self, job_id: str) -> None:
        """Remove what only a continued training needs; for jobs that are over."""
        shutil.rmtree(self._home.jobs / job_id / "checkpoints", ignore_errors=True)

    def announce(self, job_id: str, status: str) -> None:
        now = int(time.time())
        self._store.add_delivery(Delivery(new_id("evt_"), job_id, f"fine_tuning.job.{status}", now, 0))

    def _rows(self, job: Job) -> list[Row]:
        return [row for _, row in parse_lines((self._home.files / job.training_file).read_bytes())]

    def _spec(self, job: Job) -> dict[str, Any]:
        start = self._starts.weights(job)
        return {
            "job_id": job.id,
            "base": self._base.document(),
            "method": job.method,
            "training_file": str(self._home.files / job.training_file),
            "validation_file": str(self._home.files / job.validation_file) if job.validation_file else None,
            "recipe": job.recipe,
            "seed": job.seed,
            "starts_from": None if start is None else str(start),
        }

    def _last_words(self, folder: Path, status: int, starts: int) -> str:
        lines = (folder / "trainer.log").read_text(errors="replace").strip().splitlines()
        return f"Training stopped {starts} times without progress ({_death(status)}): {lines[-1] if lines else 'no message'}"


def result_csv(metrics: list[dict[str, Any]], n_epochs: int) -> bytes:
    """The official result file: one line per step, empty cells where nothing was measured.

    Columns: step, train_loss, train_accuracy, valid_loss, valid_mean_token_accuracy
    (https://platform.openai.com/docs/guides/fine-tuning, read 2026-11-21).
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"])
    for data in metrics:
        keys = ("step", "train_loss", "train_mean_token_accuracy", "valid_loss", "valid_mean_token_accuracy")
        writer.writerow([data.get(key, "") for key in keys])
    return text.getvalue().encode()


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return cast(dict[str, Any], line) if isinstance(line, dict) and "kind" in line else None


def _step_event(line: dict[str, Any]) -> NewEvent:
    data = {key: value for key, value in line.items() if key not in ("kind", "at")}
    said = f"Step {line['step']}/{line['total_steps']}: training loss={line['train_loss']:.2f}"
    if "valid_loss" in line:
        said += f", validation loss={line['valid_loss']:.2f}"
    return NewEvent(new_id("ftevent-"), int(line["at"]), said, "info", "metrics", data, line["step"])


def _estimated_finish(path: Path, line: dict[str, Any]) -> int | None:
    """Unix seconds, from the pace of the last ten steps and 3 s for export and proof; None before the second step."""
    steps: list[dict[str, Any]] = []
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 4096))
        for raw in stream.read().splitlines():
            if (step := _parsed(raw)) is not None and step["kind"] == "step":
                steps.append(step)
    recent = [step for step in steps if step["step"] <= line["step"]][-11:]
    if len(recent) < 2 or recent[-1]["step"] <= recent[0]["step"]:
        return None
    pace_s = (recent[-1]["at"] - recent[0]["at"]) / (recent[-1]["step"] - recent[0]["step"])
    return int(line["at"] + pace_s * (line["total_steps"] - line["step"]) + 3)


def _death(status: int) -> str:
    if status == -9:
        return "killed, perhaps for memory"
    return f"signal {-status}" if status < 0 else f"status {status}"
