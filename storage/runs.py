"""Training runs: one open per voice, moved only by whoever holds the newest epoch, promoted at most once."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, insert_new, is_inserted, row_of, uninterrupted, upsert
from storage.errors import NotFound, RunMoved
from storage.ids import new_id
from storage.models import append_deployment, model_of_run
from storage.records import (
    OPEN_RUN_STATES,
    PROGRAM_ACTOR_ID,
    BesideAnswer,
    Deployment,
    DeploymentKind,
    Evaluation,
    Run,
    RunEvent,
    RunState,
    SampleScore,
    Suite,
    Trigger,
)
from storage.schema import evaluations, run_events, runs, voices

_IS_OPEN = runs.c.state.in_(sorted(OPEN_RUN_STATES))
_NO_LEASE = {"lease_owner": None, "lease_until": None}


@uninterrupted
class Runs:
    """The training runs of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self, voice_id: str, base_model: str, trigger: Trigger, by: str, *, at: datetime
    ) -> tuple[Run, bool]:
        """Open a run for the voice, or join the one that is open; True when it is new. Raises NotFound."""
        new = Run(
            id=new_id("run", at),
            voice_id=voice_id,
            state=RunState.REQUESTED,
            trigger=trigger,
            requested_by=by,
            requested_at=at,
            updated_at=at,
            epoch=0,
            lease_owner=None,
            lease_until=None,
            base_model=base_model,
        )
        while True:
            async with self._database.writing() as connection:
                if (await connection.execute(select(voices.c.id).where(voices.c.id == voice_id))).first() is None:
                    raise NotFound("voice", voice_id)
                if await is_inserted(connection, runs, row_of(new)):
                    detail = {"trigger": trigger.value, "base_model": base_model}
                    await record(connection, at, by, "retrain", new.id, **detail)
                    return new, True
                known = await _open_run(connection, voice_id)
                if known is not None:
                    return known, False
            # The run that was in the way ended between the two statements (PostgreSQL only): ask again.

    async def get(self, run_id: str) -> Run:
        """The run with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _get(connection, run_id)

    async def open_run(self, voice_id: str) -> Run | None:
        """The voice's open run, if it has one."""
        async with self._database.reading() as connection:
            return await _open_run(connection, voice_id)

    async def open_runs(self) -> list[Run]:
        """Every open run, oldest first."""
        statement = select(runs).where(_IS_OPEN).order_by(runs.c.requested_at, runs.c.id)
        async with self._database.reading() as connection:
            return [Run(**row) for row in (await connection.execute(statement)).mappings()]

    async def recent(self, voice_id: str, limit: int) -> list[Run]:
        """The voice's newest `limit` runs, newest first."""
        statement = select(runs).where(runs.c.voice_id == voice_id)
        async with self._database.reading() as connection:
            newest_first = statement.order_by(runs.c.requested_at.desc(), runs.c.id.desc()).limit(limit)
            return [Run(**row) for row in (await connection.execute(newest_first)).mappings()]

    # ------------------------------------------------------------ who holds it

    async def claim(self, run_id: str, owner: str, *, now: datetime, lease_s: float) -> Run | None:
        """Take the run for `lease_s` under a new epoch; None when it is over or somebody else's lease still runs.

        Every claim raises the epoch, the same owner's as well: what was begun under the old one is fenced off.
        """
        is_free = or_(runs.c.lease_until.is_(None), runs.c.lease_until <= now, runs.c.lease_owner == owner)
        lease = {"lease_owner": owner, "lease_until": now + timedelta(seconds=lease_s)}
        change = update(runs).where(runs.c.id == run_id, _IS_OPEN, is_free)
        async with self._database.writing() as connection:
            changed = change.values(epoch=runs.c.epoch + 1, updated_at=now, **lease).returning(*runs.c)
            row = (await connection.execute(changed)).mappings().one_or_none()
            if row is None:
                await _get(connection, run_id)  # raises NotFound
                return None
            return Run(**row)

    async def renew(self, run_id: str, epoch: int, *, now: datetime, lease_s: float) -> Run:
        """Hold the run for `lease_s` more. Raises RunMoved when the epoch is another one, or the run is over."""
        change = update(runs).where(runs.c.id == run_id, runs.c.epoch == epoch, _IS_OPEN)
        async with self._database.writing() as connection:
            changed = change.values(lease_until=now + timedelta(seconds=lease_s)).returning(*runs.c)
            return await _moved(connection, changed, run_id, epoch)

    async def release(self, run_id: str, epoch: int) -> None:
        """Let go of the run; no effect under an old epoch."""
        async with self._database.writing() as connection:
            held = update(runs).where(runs.c.id == run_id, runs.c.epoch == epoch)
            await connection.execute(held.values(_NO_LEASE))

    # ------------------------------------------------------------ where it stands

    async def advance(
        self,
        run_id: str,
        epoch: int,
        from_state: RunState,
        to_state: RunState,
        *,
        at: datetime,
        dataset_version_id: str | None = None,
        training_file_id: str | None = None,
        job_id: str | None = None,
        candidate_name: str | None = None,
        end_reason: str | None = None,
    ) -> Run:
        """Move the run from one state to another (or stay, to save a field), if it is there under this epoch.

        A field that is None keeps its value. An end state releases the lease. Raises RunMoved, with nothing saved, when
        the run is elsewhere. `promoted` is reached by `promote` alone, together with the deployment.
        """
        if to_state is RunState.PROMOTED:
            raise ValueError("a run is promoted by Runs.promote, which appends the deployment in the same transaction")
        given = {
            "dataset_version_id": dataset_version_id,
            "training_file_id": training_file_id,
            "job_id": job_id,
            "candidate_name": candidate_name,
            "end_reason": end_reason,
        }
        fields = {name: value for name, value in given.items() if value is not None}
        async with self._database.writing() as connection:
            run = await _advance(connection, run_id, epoch, from_state, to_state, at, fields)
            if to_state is not from_state:
                await record(connection, at, PROGRAM_ACTOR_ID, f"run_{to_state.value}", run_id, **fields)
            return run

    async def request_cancel(self, run_id: str, by: str, *, at: datetime) -> Run:
        """Ask that the run be cancelled; whoever holds it does so. No effect on one that is over or asked already."""
        is_first = (runs.c.id == run_id) & _IS_OPEN & runs.c.cancel_requested_by.is_(None)
        change = update(runs).where(is_first).values(cancel_requested_by=by, updated_at=at)
        async with self._database.writing() as connection:
            if (await connection.execute(change.returning(runs.c.id))).first() is not None:
                await record(connection, at, by, "cancel", run_id)
            return await _get(connection, run_id)

    async def promote(self, run_id: str, epoch: int, seen_seq: int, *, by: str, why: str, at: datetime) -> Deployment:
        """Let the run's model serve, if the run is evaluated under this epoch and deployment `seen_seq` is current.

        The run's state and the deployment change together. Raises RunMoved, DeploymentMoved with the one that is current
        now, or NotFound when the run has no model; then nothing has changed.
        """
        async with self._database.writing() as connection:
            await _advance(connection, run_id, epoch, RunState.EVALUATED, RunState.PROMOTED, at, {"end_reason": why})
            model = await model_of_run(connection, run_id)
            if model is None:
                raise NotFound("model of run", run_id)
            deployment = await append_deployment(
                connection, DeploymentKind.PROMOTION, model, seen_seq=seen_seq, by=by, why=why, at=at
            )
            await record(connection, at, by, "promote", model.id, run_id=run_id, seq=deployment.seq, why=why)
            return deployment

    # ------------------------------------------------------------ what it told

    async def add_events(self, run_id: str, events: Sequence[RunEvent]) -> int:
        """Keep the events whose key is new to the run; how many were. A number that is not finite is left out."""
        rows = [row_of(replace(event, run_id=run_id, numbers=_finite(event.numbers))) for event in events]
        async with self._database.writing() as connection:
            # One writer per run at a time, so that a poller never sees a later event before an earlier one.
            await _get(connection, run_id, lock=True)
            return len(await insert_new(connection, run_events, rows, key="seq"))

    async def events(self, run_id: str, after: int = 0) -> list[tuple[int, RunEvent]]:
        """The run's events after sequence number `after`, in order, each with its own number: poll from the last one."""
        statement = select(run_events).where(run_events.c.run_id == run_id, run_events.c.seq > after)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(run_events.c.seq))
            return [(row["seq"], _event(row)) for row in rows.mappings()]

    async def save_evaluation(self, evaluation: Evaluation) -> None:
        """Keep the run's evaluation, in place of an earlier one of the same run."""
        async with self._database.writing() as connection:
            await _get(connection, evaluation.run_id)
            await upsert(connection, evaluations, row_of(evaluation), keys=["run_id"])

    async def evaluation(self, run_id: str) -> Evaluation | None:
        """The run's evaluation, if it has got that far."""
        async with self._database.reading() as connection:
            statement = select(evaluations).where(evaluations.c.run_id == run_id)
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                return None
            return _evaluation(row)


# ---------------------------------------------------------------- parts of a transaction


async def _get(connection: AsyncConnection, run_id: str, *, lock: bool = False) -> Run:
    statement = select(runs).where(runs.c.id == run_id)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("run", run_id)
    return Run(**row)


async def _open_run(connection: AsyncConnection, voice_id: str) -> Run | None:
    statement = select(runs).where(runs.c.voice_id == voice_id, _IS_OPEN)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Run(**row) if row else None


async def _advance(
    connection: AsyncConnection,
    run_id: str,
    epoch: int,
    from_state: RunState,
    to_state: RunState,
    at: datetime,
    fields: Mapping[str, str],
) -> Run:
    values: dict[str, Any] = {**fields, "state": to_state, "updated_at": at}
    if to_state not in OPEN_RUN_STATES:
        values |= _NO_LEASE
    is_there = (runs.c.id == run_id) & (runs.c.epoch == epoch) & (runs.c.state == from_state) & _IS_OPEN
    return await _moved(connection, update(runs).where(is_there).values(values).returning(*runs.c), run_id, epoch)


async def _moved(connection: AsyncConnection, change: Any, run_id: str, epoch: int) -> Run:
    """Carry out a guarded change of one run. Raises RunMoved when its guard did not hold."""
    row = (await connection.execute(change)).mappings().one_or_none()
    if row is None:
        raise RunMoved(await _get(connection, run_id), epoch)
    return Run(**row)


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """What JSON can hold: the loss of a run that diverged is not a number."""
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def _evaluation(row: Mapping[Any, Any]) -> Evaluation:
    fields: dict[str, Any] = {**row, "samples": tuple(map(_sample, row["samples"]))}
    return Evaluation(**fields)


def _event(row: Mapping[Any, Any]) -> RunEvent:
    return RunEvent(row["run_id"], row["key"], row["at"], row["level"], row["text"], row["numbers"])


def _sample(row: Mapping[str, Any]) -> SampleScore:
    beside = tuple(BesideAnswer(**answer) for answer in row.get("beside", ()))
    fields: dict[str, Any] = {**row, "beside": beside, "suite": Suite(row.get("suite", Suite.TARGET))}
    return SampleScore(**fields)
