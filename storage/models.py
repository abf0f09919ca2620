"""The models that can answer for a voice, and which one did when: deployments are appended, never changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, reading_unit, uninterrupted
from storage.errors import DeploymentMoved, NotFound
from storage.ids import new_id
from storage.prepared import Prepared
from storage.records import Deployment, DeploymentKind, Model, PromptKind, Voice
from storage.rows import is_inserted, row_of
from storage.schema import deployments, models, voices

_canaries = models.alias("canaries")
_DEPLOYMENTS = (
    select(
        deployments,
        *(column.label(f"model_{column.name}") for column in models.c if column.name != "id"),
        *(column.label(f"canary_{column.name}") for column in _canaries.c if column.name != "id"),
    )
    .join(models, models.c.id == deployments.c.model_id)
    .outerjoin(_canaries, _canaries.c.id == deployments.c.canary_id)
)
SERVING = (  # of the voice `served`; more columns may be added
    _DEPLOYMENTS.add_columns(*(column.label(f"voice_{column.name}") for column in voices.c if column.name != "id"))
    .join(voices, voices.c.id == deployments.c.voice_id)
    .where(deployments.c.voice_id == bindparam("served"))
    .order_by(deployments.c.seq.desc())
    .limit(1)
)
_SERVING = Prepared(SERVING)


@uninterrupted
class Models:
    """Models and deployments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure_tuned(
        self,
        voice_id: str,
        run_id: str,
        name: str,
        base_model: str,
        dataset_version_id: str,
        *,
        prompt: PromptKind = PromptKind.FULL,
        shape: str = "",
        at: datetime,
    ) -> Model:
        """Return the model of this run, added under the voice's next number if it is not there yet.

        `prompt` is the kind it was trained with, and is asked with; `shape` that of the prompts it was trained on.
        """
        async with self._database.writing() as connection:
            # Numbers are given out one at a time per voice; the voice's row is the queue.
            lock = select(voices.c.id).where(voices.c.id == voice_id).with_for_update()
            if (await connection.execute(lock)).first() is None:
                raise NotFound("voice", voice_id)
            known = await model_of_run(connection, run_id)
            if known is not None:
                return known
            return await add_model(
                connection,
                voice_id,
                name,
                base_model,
                run_id=run_id,
                dataset_version_id=dataset_version_id,
                prompt=prompt,
                shape=shape,
                at=at,
            )

    async def get(self, model_id: str) -> Model:
        """The model with this id. Raises NotFound."""
        return await self._one(select(models).where(models.c.id == model_id), model_id)

    async def by_name(self, voice_id: str, name: str) -> Model:
        """The voice's newest model that the provider knows by this name. Raises NotFound."""
        statement = select(models).where(models.c.voice_id == voice_id, models.c.name == name)
        return await self._one(statement.order_by(models.c.number.desc()).limit(1), name)

    async def _one(self, statement: Select[Any], sought: str) -> Model:
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                raise NotFound("model", sought)
            return Model(**row)

    async def current(self, voice_id: str) -> Deployment:
        """What serves the voice now. Raises NotFound for an unknown voice."""
        async with self._database.glancing() as connection:
            return await current_deployment(connection, voice_id)

    @reading_unit
    def serving(self, connection: Connection, voice_id: str) -> tuple[Voice, Deployment]:
        """The voice, and what serves it now. Raises NotFound for an unknown voice."""
        row = _SERVING.row(connection, {"served": voice_id})
        if row is None:
            raise NotFound("voice", voice_id)
        return serving_in(row)

    async def deployments(self, voice_id: str, limit: int) -> list[Deployment]:
        """The voice's newest `limit` deployments, newest first."""
        statement = _deployments_of(voice_id).order_by(deployments.c.seq.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [
                _deployment(row, _model_in(row), _canary_in(row))
                for row in (await connection.execute(statement)).mappings()
            ]

    async def serving_at(self, voice_id: str, moment: datetime) -> Deployment | None:
        """What served the voice at `moment`; None before its first deployment."""
        statement = _deployments_of(voice_id).where(deployments.c.since <= moment)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(deployments.c.seq.desc()).limit(1))
            row = rows.mappings().one_or_none()
            return _deployment(row, _model_in(row), _canary_in(row)) if row else None

    async def roll_back(
        self, voice_id: str, seen_seq: int, model_id: str, *, by: str, why: str, at: datetime
    ) -> Deployment:
        """Let `model_id` serve from `at` on, if deployment `seen_seq` is still the current one.

        Raises DeploymentMoved when it is not, NotFound when the voice has no such model.
        """
        async with self._database.writing() as connection:
            statement = select(models).where(models.c.id == model_id, models.c.voice_id == voice_id)
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                raise NotFound("model", model_id)
            deployment = await append_deployment(
                connection, DeploymentKind.ROLLBACK, Model(**row), seen_seq=seen_seq, by=by, why=why, at=at
            )
            await record(connection, at, by, "rollback", model_id, seq=deployment.seq, why=why)
            return deployment

    async def list(self, voice_id: str) -> list[Model]:
        """Every model of the voice, by number."""
        statement = select(models).where(models.c.voice_id == voice_id).order_by(models.c.number)
        async with self._database.reading() as connection:
            return [Model(**row) for row in (await connection.execute(statement)).mappings()]


# ---------------------------------------------------------------- parts of a transaction, for voices and runs as well


async def add_model(
    connection: AsyncConnection,
    voice_id: str,
    name: str,
    base_model: str,
    *,
    at: datetime,
    run_id: str | None = None,
    dataset_version_id: str | None = None,
    prompt: PromptKind = PromptKind.FULL,
    shape: str = "",
) -> Model:
    """Insert a model under the voice's next number. The caller holds the voice's row."""
    last = select(func.max(models.c.number)).where(models.c.voice_id == voice_id)
    last_number = (await connection.execute(last)).scalar_one()
    model = Model(
        id=new_id("model", at),
        voice_id=voice_id,
        number=0 if last_number is None else last_number + 1,
        name=name,
        base_model=base_model,
        run_id=run_id,
        dataset_version_id=dataset_version_id,
        created_at=at,
        prompt=prompt,
        shape=shape,
    )
    await connection.execute(insert(models).values(row_of(model)))
    return model


async def model_of_run(connection: AsyncConnection, run_id: str) -> Model | None:
    """The model this run made, if it has."""
    row = (await connection.execute(select(models).where(models.c.run_id == run_id))).mappings().one_or_none()
    return Model(**row) if row else None


async def append_deployment(
    connection: AsyncConnection,
    kind: DeploymentKind,
    model: Model,
    *,
    seen_seq: int,
    by: str,
    why: str,
    at: datetime,
    canary: Model | None = None,
    canary_share: float = 0.0,
) -> Deployment:
    """Append a deployment after `seen_seq` (-1: the voice has none yet); its number's uniqueness decides a race.

    `canary` answers `canary_share` of the conversations beside `model`.

    Raises DeploymentMoved with the current one when `seen_seq` is not it any more.
    """
    if seen_seq >= 0:
        current = await current_deployment(connection, model.voice_id)
        if current.seq != seen_seq:
            raise DeploymentMoved(current)
    row: dict[str, Any] = {
        "id": new_id("deploy", at),
        "voice_id": model.voice_id,
        "seq": seen_seq + 1,
        "kind": kind,
        "model_id": model.id,
        "run_id": _run_of(kind, model, canary),
        "since": at,
        "by": by,
        "why": why,
        "canary_id": canary.id if canary else None,
        "canary_share": canary_share,
    }
    if not await is_inserted(connection, deployments, row):
        raise DeploymentMoved(await current_deployment(connection, model.voice_id))
    return _deployment(row, model, canary)


def _run_of(kind: DeploymentKind, model: Model, canary: Model | None) -> str | None:
    """The run that a deployment comes from."""
    if kind is DeploymentKind.CANARY and canary is not None:
        return canary.run_id
    return model.run_id if kind is DeploymentKind.PROMOTION else None


def serving_in(row: Mapping[Any, Any]) -> tuple[Voice, Deployment]:
    """The voice, and what serves it, that a row of `SERVING` holds."""
    voice = Voice(**{column.name: row[f"voice_{column.name}"] for column in voices.c})
    return voice, _deployment(row, _model_in(row), _canary_in(row))


async def current_deployment(connection: AsyncConnection, voice_id: str) -> Deployment:
    """The voice's newest deployment. Raises NotFound."""
    statement = _deployments_of(voice_id).order_by(deployments.c.seq.desc()).limit(1)
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("voice", voice_id)
    return _deployment(row, _model_in(row), _canary_in(row))


def _deployments_of(voice_id: str) -> Select[Any]:
    return _DEPLOYMENTS.where(deployments.c.voice_id == voice_id)


def _model_in(row: Mapping[Any, Any]) -> Model:
    return Model(**{column.name: row[f"model_{column.name}"] for column in models.c})


def _canary_in(row: Mapping[Any, Any]) -> Model | None:
    if row["canary_id"] is None:
        return None
    return Model(**{column.name: row[f"canary_{column.name}"] for column in models.c})


def _deployment(row: Mapping[Any, Any], model: Model, canary: Model | None) -> Deployment:
    return Deployment(
        id=row["id"],
        voice_id=row["voice_id"],
        seq=row["seq"],
        kind=row["kind"],
        model=model,
        run_id=row["run_id"],
        since=row["since"],
        by=row["by"],
        why=row["why"],
        canary=canary,
        canary_share=row["canary_share"],
    )
