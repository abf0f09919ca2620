"""What a server remembers, as records: files, jobs, their events, models, keys, deliveries; and how each is read from its row.

The columns are tuner/store.py's. Times are unix seconds.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

OPEN = ("validating_files", "queued", "running")  # a job that has not ended


@dataclass(frozen=True)
class FileRecord:
    """An uploaded or produced file; its bytes lie in the home's files folder under its id."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: int  # unix seconds


@dataclass(frozen=True)
class Job:
    """One fine-tuning job."""

    id: str
    status: str
    paused: bool  # asked to rest: stays queued until resumed
    base: str  # name of the base model it trains
    model: str  # the model name the caller asked to tune; an alias stays as they wrote it
    training_file: str
    validation_file: str | None
    method: str  # supervised, dpo or kto
    asked: dict[str, Any]  # hyperparameters as asked, "auto" left out
    recipe: dict[str, Any]  # the numbers it trains with
    suffix: str | None
    seed: int
    metadata: dict[str, str] | None
    n_examples: int
    created_at: int  # unix seconds
    started_at: float | None  # unix seconds
    finished_at: int | None
    estimated_finish: int | None
    trained_tokens: int | None
    fine_tuned_model: str | None
    result_file: str | None
    error: dict[str, Any] | None
    progress_offset: int  # bytes of progress.jsonl already taken in
    last_step: int  # the furthest optimiser step reported
    starts_from: str | None = None  # the tuned model whose weights it goes on training; None: a new adapter of the base


@dataclass(frozen=True)
class Event:
    """Something told of a job."""

    id: str
    job_id: str
    created_at: int
    level: str  # info, warn, error
    type: str  # message, metrics
    message: str
    data: dict[str, Any] | None


@dataclass(frozen=True)
class TunedModel:
    """A servable adapter under its own, never reused name."""

    name: str
    job_id: str
    base: str
    adapter: str  # file name inside the job's folder
    step: int
    is_checkpoint: bool
    checkpoint_id: str | None
    metrics: dict[str, Any] | None
    created_at: int


@dataclass(frozen=True)
class Key:
    """An API key; only its hash is kept."""

    id: str
    label: str
    created_at: int
    revoked_at: int | None


@dataclass(frozen=True)
class Delivery:
    """One webhook to deliver."""

    id: str
    job_id: str
    type: str
    created_at: int
    attempts: int


@dataclass(frozen=True)
class NewEvent:
    """An event about to be written. `step` makes it unique per job, so a resumed job does not report a step twice."""

    id: str
    created_at: int
    message: str
    level: str = "info"
    type: str = "message"
    data: dict[str, Any] | None = field(default=None)
    step: int | None = None


def file_of(row: sqlite3.Row) -> FileRecord:
    """An uploaded or produced file."""
    return FileRecord(row["id"], row["filename"], row["purpose"], row["bytes"], row["created_at"])


def _loaded(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def job_of(row: sqlite3.Row) -> Job:
    """A job."""
    return Job(
        id=row["id"],
        status=row["status"],
        paused=bool(row["paused"]),
        base=row["base"],
        model=row["model"],
        training_file=row["training_file"],
        validation_file=row["validation_file"],
        method=row["method"],
        asked=_loaded(row["asked"]),
        recipe=_loaded(row["recipe"]),
        suffix=row["suffix"],
        seed=row["seed"],
        metadata=_loaded(row["metadata"]),
        n_examples=row["n_examples"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        estimated_finish=row["estimated_finish"],
        trained_tokens=row["trained_tokens"],
        fine_tuned_model=row["fine_tuned_model"],
        result_file=row["result_file"],
        error=_loaded(row["error"]),
        progress_offset=row["progress_offset"],
        last_step=row["last_step"],
        starts_from=row["starts_from"],
    )


def event_of(row: sqlite3.Row) -> Event:
    """What was told of a job."""
    return Event(
        row["id"], row["job_id"], row["created_at"], row["level"], row["type"], row["message"], _loaded(row["data"])
    )


def model_of(row: sqlite3.Row) -> TunedModel:
    """A model or a checkpoint."""
    return TunedModel(
        name=row["name"],
        job_id=row["job_id"],
        base=row["base"],
        adapter=row["adapter"],
        step=row["step"],
        is_checkpoint=bool(row["is_checkpoint"]),
        checkpoint_id=row["checkpoint_id"],
        metrics=_loaded(row["metrics"]),
        created_at=row["created_at"],
    )
