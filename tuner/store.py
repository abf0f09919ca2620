"""What a server remembers: one SQLite file, one method per thing it does, each its own transaction.

Calls are short and may come from any thread; records come out, never rows. A job's progress and the offset it was read
up to are written together, so a line of progress counts once however often the server dies.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuner.records import (
    OPEN,
    Delivery,
    Event,
    FileRecord,
    Job,
    Key,
    NewEvent,
    TunedModel,
    event_of,
    file_of,
    job_of,
    model_of,
)

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL, purpose TEXT NOT NULL,
    bytes INTEGER NOT NULL, created_at INTEGER NOT NULL, deleted_at INTEGER);
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, status TEXT NOT NULL CHECK (status IN
        ('validating_files', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
    paused INTEGER NOT NULL DEFAULT 0, base TEXT NOT NULL, model TEXT NOT NULL, training_file TEXT NOT NULL,
    validation_file TEXT, method TEXT NOT NULL, asked TEXT NOT NULL, recipe TEXT NOT NULL, suffix TEXT,
    seed INTEGER NOT NULL, metadata TEXT, n_examples INTEGER NOT NULL, created_at INTEGER NOT NULL, started_at REAL,
    finished_at INTEGER, estimated_finish INTEGER, trained_tokens INTEGER, fine_tuned_model TEXT, result_file TEXT,
    error TEXT, progress_offset INTEGER NOT NULL DEFAULT 0, last_step INTEGER NOT NULL DEFAULT 0, starts_from TEXT);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL REFERENCES jobs(id),
    created_at INTEGER NOT NULL, level TEXT NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL, data TEXT,
    step INTEGER, UNIQUE (job_id, step));
CREATE TABLE IF NOT EXISTS models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL REFERENCES jobs(id),
    base TEXT NOT NULL, adapter TEXT NOT NULL, step INTEGER NOT NULL, is_checkpoint INTEGER NOT NULL,
    checkpoint_id TEXT UNIQUE, metrics TEXT, created_at INTEGER NOT NULL, deleted_at INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS one_final_model_per_job ON models (job_id) WHERE is_checkpoint = 0;
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, label TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL,
    revoked_at INTEGER);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job_id TEXT NOT NULL, type TEXT NOT NULL,
    created_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, delivered_at INTEGER,
    gave_up_at INTEGER, UNIQUE (job_id, type));
"""

LATER_COLUMNS = {"jobs": {"starts_from": "TEXT"}}  # which the databases of earlier versions do not have


class Store:
    """The server's memory. Raises sqlite3.OperationalError when the disk is full; nothing is half written then."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        # FULL: a job that was acknowledged is on disk, also after a power cut.
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.executescript(SCHEMA)
        self._add_later_columns()

    def _add_later_columns(self) -> None:
        with self._transaction() as db:
            for table, columns in LATER_COLUMNS.items():
                known = {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
                for name in columns.keys() - known:
                    db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _all(self, sql: str, values: Iterable[object] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, tuple(values)).fetchall()

    def _one(self, sql: str, values: Iterable[object] = ()) -> sqlite3.Row | None:
        rows = self._all(sql, values)
        return rows[0] if rows else None

    # Files

    def add_file(self, record: FileRecord) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO files (id, filename, purpose, bytes, created_at) VALUES (?, ?, ?, ?, ?)",
                (record.id, record.filename, record.purpose, record.bytes, record.created_at),
            )

    def file(self, file_id: str) -> FileRecord | None:
        row = self._one("SELECT * FROM files WHERE id = ? AND deleted_at IS NULL", (file_id,))
        return file_of(row) if row else None

    def files(
        self, purpose: str | None, after: str | None, limit: int, newest_first: bool
    ) -> tuple[list[FileRecord], bool]:
        """A page of files, and whether more follow."""
        direction, before = ("DESC", "<") if newest_first else ("ASC", ">")
        rows = self._all(
            "SELECT * FROM files WHERE deleted_at IS NULL AND (? IS NULL OR purpose = ?) "
            f"AND (? IS NULL OR seq {before} (SELECT seq FROM files WHERE id = ?)) ORDER BY seq {direction} LIMIT ?",
            (purpose, purpose, after, after, limit + 1),
        )
        return [file_of(row) for row in rows[:limit]], len(rows) > limit

    def delete_file(self, file_id: str, now: int) -> bool:
        with self._transaction() as db:
            done = db.execute(
                "UPDATE files SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (now, file_id)
            ).rowcount
        return bool(done)

    # Jobs

    def add_job(self, job: Job, event: NewEvent) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO jobs (id, status, base, model, training_file, validation_file, method, asked, recipe, suffix, "
                "seed, metadata, n_examples, created_at, estimated_finish, starts_from) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    job.id,
                    job.status,
                    job.base,
                    job.model,
                    job.training_file,
                    job.validation_file,
                    job.method,
                    json.dumps(job.asked),
                    json.dumps(job.recipe),
                    job.suffix,
                    job.seed,
                    None if job.metadata is None else json.dumps(job.metadata),
                    job.n_examples,
                    job.created_at,
                    job.estimated_finish,
                    job.starts_from,
                ),
            )
            _add_event(db, job.id, event)

    def job(self, job_id: str) -> Job | None:
        row = self._one("SELECT * FROM jobs WHERE id = ?", (job_id,))
        return job_of(row) if row else None

    def jobs(self, after: str | None, limit: int, metadata: dict[str, str] | None) -> tuple[list[Job], bool]:
        """A page of jobs, newest first, holding all of `metadata`; and whether more follow."""
        clauses = ["(? IS NULL OR seq < (SELECT seq FROM jobs WHERE id = ?))"]
        values: list[object] = [after, after]
        for key, value in (metadata or {}).items():
            clauses.append("EXISTS (SELECT 1 FROM json_each(jobs.metadata) m WHERE m.key = ? AND m.value = ?)")
            values += [key, value]
        rows = self._all(
            f"SELECT * FROM jobs WHERE {' AND '.join(clauses)} ORDER BY seq DESC LIMIT ?", [*values, limit + 1]
        )
        return [job_of(row) for row in rows[:limit]], len(rows) > limit

    def job_counts(self) -> dict[str, int]:
        """How many jobs have each status; a status that none has is left out."""
        return {row["status"]: row["n"] for row in self._all("SELECT status, COUNT(*) AS n FROM jobs GROUP BY status")}

    def open_jobs(self) -> list[Job]:
        """Jobs that are not at an end, oldest first."""
        return [job_of(row) for row in self._all(f"SELECT * FROM jobs WHERE status IN {OPEN} ORDER BY seq")]

    def move_job(self, job_id: str, to: str, event: NewEvent, only_from: tuple[str, ...]) -> Job | None:
        """Change a job's status if it still is one of `only_from`; None where it is not (someone was faster)."""
        marks = ",".join("?" * len(only_from))
        with self._transaction() as db:
            moved = db.execute(
                f"UPDATE jobs SET status = ?, paused = 0 WHERE id = ? AND status IN ({marks})", (to, job_id, *only_from)
            ).rowcount
            if not moved:
                return None
            _add_event(db, job_id, event)
        return self.job(job_id)

    def pause_job(self, job_id: str, paused: bool, event: NewEvent) -> Job | None:
        """Set a job to rest (back in the queue, not started) or let it go on; None if it is at an end."""
        with self._transaction() as db:
            moved = db.execute(
                f"UPDATE jobs SET paused = ?, status = CASE status WHEN 'running' THEN 'queued' ELSE status END "
                f"WHERE id = ? AND status IN {OPEN} AND paused != ?",
                (paused, job_id, paused),
            ).rowcount
            if not moved:
                return None
            _add_event(db, job_id, event)
        return self.job(job_id)

    def start_job(self, job_id: str, now: float, event: NewEvent) -> bool:
        """From queued to running; False if it is no longer queued."""
        with self._transaction() as db:
            moved = db.execute(
                "UPDATE jobs SET status = 'running', started_at = COALESCE(started_at, ?) "
                "WHERE id = ? AND status = 'queued' AND paused = 0",
                (now, job_id),
            ).rowcount
            if moved:
                _add_event(db, job_id, event)
        return bool(moved)

    def take_progress(self, job_id: str, offset: int, events: list[NewEvent], step: int, finish: int | None) -> None:
        """Record the events read from a job's progress file up to byte `offset`, once."""
        with self._transaction() as db:
            db.execute(
                "UPDATE jobs SET progress_offset = ?, last_step = MAX(last_step, ?), "
                "estimated_finish = COALESCE(?, estimated_finish) WHERE id = ?",
                (offset, step, finish, job_id),
            )
            for event in events:
                _add_event(db, job_id, event)

    def end_job(self, job_id: str, status: str, error: dict[str, Any], event: NewEvent, now: int) -> Job | None:
        """Fail or cancel a job that is not at an end yet; None where it is."""
        with self._transaction() as db:
            moved = db.execute(
                f"UPDATE jobs SET status = ?, finished_at = ?, error = ?, estimated_finish = NULL, paused = 0 "
                f"WHERE id = ? AND status IN {OPEN}",
                (status, now, json.dumps(error) if error else None, job_id),
            ).rowcount
            if not moved:
                return None
            _add_event(db, job_id, event)
        return self.job(job_id)

    def succeed_job(
        self,
        job_id: str,
        models: list[TunedModel],
        trained_tokens: int,
        result: FileRecord,
        events: list[NewEvent],
        now: int,
    ) -> Job | None:
        """Make a running job's models known and the job succeeded, all at once; None if it is not running any more."""
        final = next(model for model in models if not model.is_checkpoint)
        with self._transaction() as db:
            moved = db.execute(
                "UPDATE jobs SET status = 'succeeded', finished_at = ?, estimated_finish = NULL, trained_tokens = ?, "
                "fine_tuned_model = ?, result_file = ? WHERE id = ? AND status = 'running'",
                (now, trained_tokens, final.name, result.id, job_id),
            ).rowcount
            if not moved:
                return None
            for model in models:
                db.execute(
                    "INSERT INTO models (name, job_id, base, adapter, step, is_checkpoint, checkpoint_id, metrics, created_at) "
                    "VALUES (?,?,?,?,?,?,?,?,?)",
                    (
                        model.name,
                        job_id,
                        model.base,
                        model.adapter,
                        model.step,
                        model.is_checkpoint,
                        model.checkpoint_id,
                        json.dumps(model.metrics),
                        model.created_at,
                    ),
                )
            db.execute(
                "INSERT INTO files (id, filename, purpose, bytes, created_at) VALUES (?, ?, ?, ?, ?)",
                (result.id, result.filename, result.purpose, result.bytes, result.created_at),
            )
            for event in events:
                _add_event(db, job_id, event)
        return self.job(job_id)

    def pace(self) -> float | None:
        """Tokens per second the last successful job trained with, start-up included; None before the first."""
        row = self._one(
            "SELECT trained_tokens / MAX(1.0, finished_at - started_at) AS pace FROM jobs "
            "WHERE status = 'succeeded' AND started_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1"
        )
        return float(row["pace"]) if row else None

    # Events

    def add_event(self, job_id: str, event: NewEvent) -> None:
        with self._transaction() as db:
            _add_event(db, job_id, event)

    def events(self, job_id: str, after: str | None, limit: int) -> tuple[list[Event], bool]:
        """A page of a job's events, newest first, and whether more follow."""
        rows = self._all(
            "SELECT * FROM events WHERE job_id = ? AND (? IS NULL OR seq < (SELECT seq FROM events WHERE id = ?)) "
            "ORDER BY seq DESC LIMIT ?",
            (job_id, after, after, limit + 1),
        )
        return [event_of(row) for row in rows[:limit]], len(rows) > limit

    def metrics(self, job_id: str) -> list[dict[str, Any]]:
        """The data of a job's metrics events in order of step."""
        rows = self._all("SELECT data FROM events WHERE job_id = ? AND step IS NOT NULL ORDER BY step", (job_id,))
        return [json.loads(row["data"]) for row in rows]

    # Models

    def model(self, name: str, *, deleted: bool = False) -> TunedModel | None:
        """The tuned model of this name; with `deleted`, also one that is no longer served."""
        row = self._one("SELECT * FROM models WHERE name = ? AND (? OR deleted_at IS NULL)", (name, deleted))
        return model_of(row) if row else None

    def models(self) -> list[TunedModel]:
        """Servable tuned models, checkpoints too, oldest first."""
        return [model_of(row) for row in self._all("SELECT * FROM models WHERE deleted_at IS NULL ORDER BY seq")]

    def checkpoints(self, job_id: str, after: str | None, limit: int) -> tuple[list[TunedModel], bool]:
        """A page of a job's checkpoints, latest step first, and whether more follow."""
        rows = self._all(
            "SELECT * FROM models WHERE job_id = ? AND is_checkpoint = 1 AND deleted_at IS NULL "
            "AND (? IS NULL OR step < (SELECT step FROM models WHERE checkpoint_id = ?)) ORDER BY step DESC LIMIT ?",
            (job_id, after, after, limit + 1),
        )
        return [model_of(row) for row in rows[:limit]], len(rows) > limit

    def delete_model(self, name: str, now: int) -> bool:
        with self._transaction() as db:
            done = db.execute(
                "UPDATE models SET deleted_at = ? WHERE name = ? AND deleted_at IS NULL", (now, name)
            ).rowcount
        return bool(done)

    # Keys

    def add_key(self, key: Key, sha256: str) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO keys (id, label, sha256, created_at) VALUES (?, ?, ?, ?)",
                (key.id, key.label, sha256, key.created_at),
            )

    def key_hashes(self) -> list[str]:
        return [row["sha256"] for row in self._all("SELECT sha256 FROM keys WHERE revoked_at IS NULL")]

    def api_keys(self) -> list[Key]:
        rows = self._all("SELECT * FROM keys ORDER BY created_at")
        return [Key(row["id"], row["label"], row["created_at"], row["revoked_at"]) for row in rows]

    def revoke_key(self, key_id: str, now: int) -> bool:
        with self._transaction() as db:
            done = db.execute(
                "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (now, key_id)
            ).rowcount
        return bool(done)

    # Webhook deliveries

    def add_delivery(self, delivery: Delivery) -> None:
        """Note a webhook to deliver; the same job and type is noted once."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO deliveries (id, job_id, type, created_at, next_at) VALUES (?, ?, ?, ?, ?)",
                (delivery.id, delivery.job_id, delivery.type, delivery.created_at, delivery.created_at),
            )

    def due_deliveries(self, now: float) -> list[Delivery]:
        rows = self._all(
            "SELECT * FROM deliveries WHERE delivered_at IS NULL AND gave_up_at IS NULL AND next_at <= ? ORDER BY seq",
            (now,),
        )
        return [Delivery(r["id"], r["job_id"], r["type"], r["created_at"], r["attempts"]) for r in rows]

    def note_delivery(self, delivery_id: str, delivered_at: int | None, next_at: float | None, now: int) -> None:
        """Record one attempt: delivered, to be tried again at `next_at`, or (both None) given up."""
        gave_up = now if delivered_at is None and next_at is None else None
        with self._transaction() as db:
            db.execute(
                "UPDATE deliveries SET attempts = attempts + 1, delivered_at = ?, next_at = COALESCE(?, next_at), "
                "gave_up_at = ? WHERE id = ?",
                (delivered_at, next_at, gave_up, delivery_id),
            )


def _add_event(db: sqlite3.Connection, job_id: str, event: NewEvent) -> None:
    db.execute(
        "INSERT OR IGNORE INTO events (id, job_id, created_at, level, type, message, data, step) VALUES (?,?,?,?,?,?,?,?)",
        (
            event.id,
            job_id,
            event.created_at,
            event.level,
            event.type,
            event.message,
            None if event.data is None else json.dumps(event.data),
            event.step,
        ),
    )
