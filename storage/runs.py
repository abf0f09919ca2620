"""Training runs: one open per voice and purpose, moved only by whoever holds the newest epoch, promoted at most once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, or_, select, update

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.models import append_deployment, model_of_run
from storage.records import (
    PROGRAM_ACTOR_ID,
    Deployment,
    DeploymentKind,
    Evaluation,
    Purpose,
    RecipeKind,
    Run,
    RunEvent,
    RunState,
    RunStep,
    Trigger,
)
from storage.rows import insert_new, is_inserted, row_of, upsert
from storage.run_rows import (
    IS_OPEN,
    IS_WANTED,
    MAY_GO_ON,
    NO_JOB,
    NO_LEASE,
    advance_run,
    evaluation_of,
    event_of,
    find_open_run,
    finite,
    get_run,
    lease_of,
    moved,
)
from storage.schema import evaluations, run_events, run_steps, runs, voices


@uninterrupted
class Runs:
    """The training runs of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self,
        voice_id: str,
        base_model: str,
        trigger: Trigger,
        by: str,
        *,
        at: datetime,
        purpose: Purpose = Purpose.RETRAIN,
        plan: Mapping[str, Any] | None = None,
        recipe: RecipeKind | None = None,
    ) -> tuple[Run, bool]:
        """Open a run for the voice, or join the one of this purpose that is open; True when it is new. Raises NotFound."""
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
            purpose=purpose,
            plan=plan or {},
            recipe=recipe,
        )
        while True:
            async with self._database.writing() as connection:
                if (await connection.execute(select(voices.c.id).where(voices.c.id == voice_id))).first() is None:
                    raise NotFound("voice", voice_id)
                if await is_inserted(connection, runs, row_of(new)):
                    detail = {"trigger": trigger.value, "base_model": base_model}
                    await record(connection, at, by, purpose.value, new.id, **detail)
                    return new, True
                known = await find_open_run(connection, voice_id, purpose)
                if known is not None:
                    return known, False
            # The run that was in the way ended between the two statements (PostgreSQL only): ask again.

    async def get(self, run_id: str) -> Run:
        """The run with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await get_run(connection, run_id)

    async def open_run(self, voice_id: str, purpose: Purpose = Purpose.RETRAIN) -> Run | None:
        """The voice's open run of this purpose, if it has one."""
        async with self._database.reading() as connection:
            return await find_open_run(connection, voice_id, purpose)

    async def open_runs(self) -> list[Run]:
        """Every open run, oldest first."""
        statement = select(runs).where(IS_OPEN).order_by(runs.c.requested_at, runs.c.id)
        async with self._database.reading() as connection:
            return [Run(**row) for row in (await connection.execute(statement)).mappings()]

    async def recent(self, voice_id: str, limit: int, purposes: Collection[Purpose] = (Purpose.RETRAIN,)) -> list[Run]:
        """The voice's newest `limit` runs of these purposes, newest first."""
        statement = select(runs).where(runs.c.voice_id == voice_id, runs.c.purpose.in_(sorted(purposes)))
        async with self._database.reading() as connection:
            newest_first = statement.order_by(runs.c.requested_at.desc(), runs.c.id.desc()).limit(limit)
            return [Run(**row) for row in (await connection.execute(newest_first)).mappings()]

    async def has_run_on(self, voice_id: str, base_model: str, *, since: datetime) -> bool:
        """Whether a retrain of the voice on this base was asked for at `since` or later, whatever became of it."""
        is_one = (runs.c.voice_id == voice_id) & (runs.c.base_model == base_model) & (runs.c.requested_at >= since)
        is_one &= runs.c.purpose == Purpose.RETRAIN
        async with self._database.reading() as connection:
            return (await connection.execute(select(runs.c.id).where(is_one).limit(1))).first() is not None

    # ------------------------------------------------------------ who holds it

    async def claim(self, run_id: str, owner: str, *, now: datetime, lease_s: float) -> Run | None:
        """Take the run for `lease_s` under a new epoch; None when it is over, paused, or somebody else's lease still runs.

        Every claim raises the epoch, the same owner's as well: what was begun under the old one is fenced off. A lease that
        nobody let go of counts as a takeover. Leases run on PostgreSQL's clock where there is one, so that the clocks of
        several machines need not agree.
        """
        async with self._database.writing() as connection:
            clock, until = lease_of(connection, now, lease_s)
            is_free = or_(runs.c.lease_until.is_(None), runs.c.lease_until <= clock, runs.c.lease_owner == owner)
            change = update(runs).where(runs.c.id == run_id, IS_OPEN, is_free, MAY_GO_ON)
            values = {
                "epoch": runs.c.epoch + 1,
                "updated_at": now,
                "lease_owner": owner,
                "lease_until": until,
                "takeovers": runs.c.takeovers + case((runs.c.lease_owner.is_(None), 0), else_=1),
            }
            row = (await connection.execute(change.values(values).returning(*runs.c))).mappings().one_or_none()
            if row is None:
                await get_run(connection, run_id)  # raises NotFound
                return None
            return Run(**row)

    async def renew(self, run_id: str, epoch: int, *, now: datetime, lease_s: float) -> Run:
        """Hold the run for `lease_s` more. Raises RunMoved when the epoch is another one, or the run is over."""
        change = update(runs).where(runs.c.id == run_id, runs.c.epoch == epoch, IS_OPEN)
        async with self._database.writing() as connection:
            _, until = lease_of(connection, now, lease_s)
            return await moved(connection, change.values(lease_until=until).returning(*runs.c), run_id, epoch)

    async def release(self, run_id: str, epoch: int) -> None:
        """Let go of the run, which its holder has outlived; no effect under an old epoch."""
        async with self._database.writing() as connection:
            held = update(runs).where(runs.c.id == run_id, runs.c.epoch == epoch)
            await connection.execute(held.values(NO_LEASE))

    # ------------------------------------------------------------ standing still

    async def pause(self, run_id: str, by: str, why: str, *, at: datetime) -> Run:
        """Let the run stand still where it is until `resume`. No effect on one that is over, paused or being cancelled, nor on
        a canary, which has to be watched.
        """
        may_pause = (runs.c.id == run_id) & IS_OPEN & IS_WANTED & (runs.c.state != RunState.CANARY)
        change = update(runs).where(may_pause).values(paused_by=by, paused_why=why, updated_at=at)
        async with self._database.writing() as connection:
            if (await connection.execute(change.returning(runs.c.id))).first() is not None:
                await record(connection, at, by, "pause", run_id, why=why)
            return await get_run(connection, run_id)

    async def resume(self, run_id: str, by: str, *, at: datetime) -> Run:
        """Let a paused run go on from where it stood. No effect on one that is over or not paused."""
        is_paused = (runs.c.id == run_id) & IS_OPEN & runs.c.paused_by.is_not(None)
        values: dict[str, Any] = {"paused_by": None, "paused_why": "", "takeovers": 0, "updated_at": at}
        async with self._database.writing() as connection:
            change = update(runs).where(is_paused).values(values).returning(runs.c.id)
            if (await connection.execute(change)).first() is not None:
                await record(connection, at, by, "resume", run_id)
            return await get_run(connection, run_id)

    # ------------------------------------------------------------ before money is spent

    async def intend(self, run_id: str, epoch: int, *, at: datetime) -> Run:
        """Save that a training job is asked for now. Raises RunMoved when somebody else holds the run, paused or cancelled it."""
        is_held = (runs.c.id == run_id) & (runs.c.epoch == epoch) & IS_OPEN & IS_WANTED & runs.c.job_id.is_(None)
        change = update(runs).where(is_held).values(creates=runs.c.creates + 1, create_tried_at=at, updated_at=at)
        async with self._database.writing() as connection:
            return await moved(connection, change.returning(*runs.c), run_id, epoch)

    async def answered(self, run_id: str, epoch: int, *, creates: int, tried_at: datetime | None, at: datetime) -> Run:
        """Save what is known of the job that was asked for: `tried_at` None where the vendor said no. Raises RunMoved."""
        held = update(runs).where(runs.c.id == run_id, runs.c.epoch == epoch, IS_OPEN)
        change = held.values(creates=creates, create_tried_at=tried_at, updated_at=at)
        async with self._database.writing() as connection:
            return await moved(connection, change.returning(*runs.c), run_id, epoch)

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
            run = await advance_run(connection, run_id, epoch, from_state, to_state, at, fields)
            if to_state is not from_state:
                await record(connection, at, PROGRAM_ACTOR_ID, f"run_{to_state.value}", run_id, **fields)
            return run

    async def plan_on(self, run: Run, plan: Mapping[str, Any], *, at: datetime, is_next_job: bool = False) -> Run:
        """Keep how far a search or drill is in its plan; `is_next_job`: its job is over, and the next may be asked for.

        Raises RunMoved when somebody else holds the run, or it is over.
        """
        held = update(runs).where(runs.c.id == run.id, runs.c.epoch == run.epoch, IS_OPEN)
        values: dict[str, Any] = {"plan": plan, "updated_at": at}
        if is_next_job:
            values |= NO_JOB
        async with self._database.writing() as connection:
            return await moved(connection, held.values(values).returning(*runs.c), run.id, run.epoch)

    async def next_step(self, run: Run, over: RunStep, *, at: datetime) -> Run:
        """Keep the job that is over and let the next one be asked for: the run is frozen again, one step further.

        Both in one transaction, so that a crash leaves either this job or the next. Raises RunMoved where the run is elsewhere.
        """
        is_here = (runs.c.id == run.id) & (runs.c.epoch == run.epoch) & (runs.c.state == run.state)
        is_here &= (runs.c.step == over.step) & IS_OPEN
        values: dict[str, Any] = {**NO_JOB, "step": over.step + 1, "state": RunState.FROZEN, "updated_at": at}
        async with self._database.writing() as connection:
            change = update(runs).where(is_here).values(**values, takeovers=0)
            now = await moved(connection, change.returning(*runs.c), run.id, run.epoch)
            await connection.execute(insert(run_steps).values(row_of(over)))
            detail = {"step": over.step, "job_id": over.job_id, "model_name": over.model_name}
            await record(connection, at, PROGRAM_ACTOR_ID, "run_step", run.id, **detail)
            return now

    async def steps(self, run_id: str) -> list[RunStep]:
        """The jobs of the run that are over and that a later one goes on from, in order."""
        statement = select(run_steps).where(run_steps.c.run_id == run_id).order_by(run_steps.c.step)
        async with self._database.reading() as connection:
            return [RunStep(**row) for row in (await connection.execute(statement)).mappings()]

    async def request_cancel(self, run_id: str, by: str, *, at: datetime) -> Run:
        """Ask that the run be cancelled; whoever holds it does so. No effect on one that is over or asked already."""
        is_first = (runs.c.id == run_id) & IS_OPEN & runs.c.cancel_requested_by.is_(None)
        change = update(runs).where(is_first).values(cancel_requested_by=by, updated_at=at)
        async with self._database.writing() as connection:
            if (await connection.execute(change.returning(runs.c.id))).first() is not None:
                await record(connection, at, by, "cancel", run_id)
            return await get_run(connection, run_id)

    async def promote(
        self,
        run_id: str,
        epoch: int,
        seen_seq: int,
        *,
        by: str,
        why: str,
        at: datetime,
        from_state: RunState = RunState.EVALUATED,
    ) -> Deployment:
        """Let the run's model serve all, if the run is in `from_state` under this epoch and deployment `seen_seq` is current.

        The run's state and the deployment change together. Raises RunMoved (a paused or cancelled run is not promoted),
        DeploymentMoved with the one that is current now, or NotFound when the run has no model; then nothing has changed.
        """
        async with self._database.writing() as connection:
            fields = {"end_reason": why}
            await advance_run(connection, run_id, epoch, from_state, RunState.PROMOTED, at, fields, only_if=IS_WANTED)
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
        rows = [row_of(replace(event, run_id=run_id, numbers=finite(event.numbers))) for event in events]
        async with self._database.writing() as connection:
            # One writer per run at a time, so that a poller never sees a later event before an earlier one.
            await get_run(connection, run_id, lock=True)
            return len(await insert_new(connection, run_events, rows, key="seq"))

    async def events(self, run_id: str, after: int = 0) -> list[tuple[int, RunEvent]]:
        """The run's events after sequence number `after`, in order, each with its own number: poll from the last one."""
        statement = select(run_events).where(run_events.c.run_id == run_id, run_events.c.seq > after)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(run_events.c.seq))
            return [(row["seq"], event_of(row)) for row in rows.mappings()]

    async def save_evaluation(self, evaluation: Evaluation) -> None:
        """Keep the run's evaluation, in place of an earlier one of the same run."""
        async with self._database.writing() as connection:
            await get_run(connection, evaluation.run_id)
            await upsert(connection, evaluations, row_of(evaluation), keys=["run_id"])

    async def evaluation(self, run_id: str) -> Evaluation | None:
        """The run's evaluation, if it has got that far."""
        async with self._database.reading() as connection:
            statement = select(evaluations).where(evaluations.c.run_id == run_id)
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                return None
            return evaluation_of(row)
