"""What a release rests on and does: how often a held-out set was used, canaries begun and ended, and an admin's own word."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.models import append_deployment, current_deployment, model_of_run
from storage.records import Deployment, DeploymentKind, Model, Purpose, Run, RunState
from storage.run_rows import IS_WANTED, NO_LEASE, advance_run, get_run
from storage.schema import evaluations, runs

SAME_SET = 0.5  # share of its questions from which an earlier evaluation's set counts as the same


_RELEASABLE = (RunState.EVALUATED, RunState.CANARY, RunState.STOPPED)


@uninterrupted
class Releases:
    """The releases of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def uses(self, voice_id: str, run_id: str, correction_ids: Collection[str]) -> int:
        """How many candidates of other runs most of these held-out corrections have judged."""
        statement = (
            select(evaluations.c.samples)
            .join(runs, runs.c.id == evaluations.c.run_id)
            .where(runs.c.voice_id == voice_id, runs.c.id != run_id, runs.c.purpose == Purpose.RETRAIN)
        )
        wanted = frozenset(correction_ids)
        async with self._database.reading() as connection:
            asked = [
                {one["correction_id"] for one in samples} for samples in (await connection.execute(statement)).scalars()
            ]
        return sum(len(wanted & ids) > SAME_SET * len(wanted) for ids in asked)

    async def start_canary(
        self, run: Run, seen_seq: int, share: float, *, by: str, why: str, at: datetime
    ) -> Deployment:
        """Give the run's model `share` of the conversations, if the run is evaluated and deployment `seen_seq` is current.

        Raises RunMoved (a paused or cancelled run begins none), DeploymentMoved and NotFound; then nothing has changed.
        """
        async with self._database.writing() as connection:
            await advance_run(
                connection, run.id, run.epoch, RunState.EVALUATED, RunState.CANARY, at, {}, only_if=IS_WANTED
            )
            canary = await _model(connection, run.id)
            current = await current_deployment(connection, run.voice_id)
            deployment = await append_deployment(
                connection,
                DeploymentKind.CANARY,
                current.model,
                seen_seq=seen_seq,
                by=by,
                why=why,
                at=at,
                canary=canary,
                canary_share=share,
            )
            await record(
                connection, at, by, "canary", canary.id, run_id=run.id, seq=deployment.seq, share=share, why=why
            )
            return deployment

    async def end_canary(self, run: Run, state: RunState, *, by: str, why: str, at: datetime) -> Run:
        """Take the run's canary back and end the run with `state`; the model of before answers everything again.

        Where another deployment is the current one already, only the run ends. Raises RunMoved.
        """
        async with self._database.writing() as connection:
            moved = await advance_run(connection, run.id, run.epoch, RunState.CANARY, state, at, {"end_reason": why})
            current = await current_deployment(connection, run.voice_id)
            if current.canary is not None and current.canary.run_id == run.id:
                deployment = await append_deployment(
                    connection, DeploymentKind.ROLLBACK, current.model, seen_seq=current.seq, by=by, why=why, at=at
                )
                await record(connection, at, by, "rollback", current.model.id, seq=deployment.seq, why=why)
            await record(connection, at, by, f"run_{state.value}", run.id, end_reason=why)
            return moved

    async def overrule(self, run_id: str, seen_seq: int, *, by: str, why: str, at: datetime) -> Deployment | None:
        """Let the model of an evaluated run serve on somebody's word, whatever the verdict; None where its state forbids it.

        Whoever holds the run loses it. Raises NotFound and DeploymentMoved; then nothing has changed.
        """
        is_there = (runs.c.id == run_id) & runs.c.state.in_(_RELEASABLE)
        values = {
            "state": RunState.PROMOTED,
            "epoch": runs.c.epoch + 1,
            "end_reason": why,
            "updated_at": at,
            **NO_LEASE,
        }
        async with self._database.writing() as connection:
            before = await get_run(connection, run_id, lock=True)
            if (await connection.execute(update(runs).where(is_there).values(values))).rowcount == 0:
                return None
            model = await _model(connection, run_id)
            deployment = await append_deployment(
                connection, DeploymentKind.PROMOTION, model, seen_seq=seen_seq, by=by, why=why, at=at
            )
            detail = {"run_id": run_id, "seq": deployment.seq, "state": before.state.value, "why": why}
            await record(connection, at, by, "overrule", model.id, **detail)
            return deployment


async def _model(connection: AsyncConnection, run_id: str) -> Model:
    model = await model_of_run(connection, run_id)
    if model is None:
        raise NotFound("model of run", run_id)
    return model
