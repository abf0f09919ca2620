"""Parts of a transaction about runs: find one, move it if its guard holds, and records of its rows."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.errors import NotFound, RunMoved
from storage.records import (
    OPEN_RUN_STATES,
    BesideAnswer,
    Evaluation,
    Evidence,
    Purpose,
    Run,
    RunEvent,
    RunState,
    SampleScore,
    Suite,
)
from storage.schema import runs

IS_OPEN = runs.c.state.in_(sorted(OPEN_RUN_STATES))
IS_WANTED = runs.c.paused_by.is_(None) & runs.c.cancel_requested_by.is_(None)
MAY_GO_ON = or_(runs.c.paused_by.is_(None), runs.c.cancel_requested_by.is_not(None))
NO_JOB: dict[str, Any] = {"training_file_id": None, "job_id": None, "creates": 0, "create_tried_at": None}
NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_until": None, "takeovers": 0}


def lease_of(connection: AsyncConnection, now: datetime, lease_s: float) -> tuple[Any, Any]:
    """The moment now and a lease's end: by PostgreSQL's own clock; on SQLite, which has one process, by that process's."""
    length = timedelta(seconds=lease_s)
    if connection.dialect.name == "postgresql":
        clock = func.clock_timestamp(type_=DateTime(timezone=True))
        return clock, clock + length
    return now, now + length


async def get_run(connection: AsyncConnection, run_id: str, *, lock: bool = False) -> Run:
    statement = select(runs).where(runs.c.id == run_id)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("run", run_id)
    return Run(**row)


async def find_open_run(connection: AsyncConnection, voice_id: str, purpose: Purpose) -> Run | None:
    statement = select(runs).where(runs.c.voice_id == voice_id, runs.c.purpose == purpose, IS_OPEN)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Run(**row) if row else None


async def advance_run(
    connection: AsyncConnection,
    run_id: str,
    epoch: int,
    from_state: RunState,
    to_state: RunState,
    at: datetime,
    fields: Mapping[str, str],
    only_if: ColumnElement[bool] | None = None,
) -> Run:
    """Move the run if it is there under this epoch. Raises RunMoved."""
    values: dict[str, Any] = {**fields, "state": to_state, "updated_at": at}
    if to_state is not from_state:
        values["takeovers"] = 0
    if to_state not in OPEN_RUN_STATES:
        values |= NO_LEASE
    is_there = (runs.c.id == run_id) & (runs.c.epoch == epoch) & (runs.c.state == from_state) & IS_OPEN
    if only_if is not None:
        is_there &= only_if
    return await moved(connection, update(runs).where(is_there).values(values).returning(*runs.c), run_id, epoch)


async def moved(connection: AsyncConnection, change: Any, run_id: str, epoch: int) -> Run:
    """Carry out a guarded change of one run. Raises RunMoved when its guard did not hold."""
    row = (await connection.execute(change)).mappings().one_or_none()
    if row is None:
        raise RunMoved(await get_run(connection, run_id), epoch)
    return Run(**row)


def finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """What JSON can hold: the loss of a run that diverged is not a number."""
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def evaluation_of(row: Mapping[Any, Any]) -> Evaluation:
    fields: dict[str, Any] = {**row, "samples": tuple(map(sample_of, row["samples"]))}
    fields["evidence"] = tuple(Evidence(**found) for found in row["evidence"])
    return Evaluation(**fields)


def event_of(row: Mapping[Any, Any]) -> RunEvent:
    return RunEvent(row["run_id"], row["key"], row["at"], row["level"], row["text"], row["numbers"])


def sample_of(row: Mapping[str, Any]) -> SampleScore:
    beside = tuple(BesideAnswer(**answer) for answer in row.get("beside", ()))
    fields: dict[str, Any] = {**row, "beside": beside, "suite": Suite(row.get("suite", Suite.TARGET))}
    return SampleScore(**fields)
