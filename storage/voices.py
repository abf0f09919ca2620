"""Brands: a system prompt and a base model. A voice is never without a model that serves it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.models import add_model, append_deployment
from storage.records import PROGRAM_ACTOR_ID, DeploymentKind, Voice
from storage.rows import is_inserted, row_of, upsert
from storage.schema import models, voice_checks, voices


@uninterrupted
class Voices:
    """The brands."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(
        self, name: str, system_prompt: str, base_model: str, *, short_prompt: str = "", at: datetime
    ) -> Voice:
        """Return the voice of this name, created or brought up to date.

        A new voice comes with its base model (number 0), deployed. Another prompt is taken over and audited. Another base
        model is added to the voice's models, for later runs; what serves stays as it is.
        """
        async with self._database.reading() as connection:
            known = await _by_name(connection, name)
        wanted = (system_prompt, base_model, short_prompt)
        if known is not None and (known.system_prompt, known.base_model, known.short_prompt) == wanted:
            return known
        async with self._database.writing() as connection:
            new = Voice(new_id("voice", at), name, system_prompt, base_model, at, short_prompt)
            if await is_inserted(connection, voices, row_of(new)):
                await _deploy_base_model(connection, new)
                return new
            before = await _by_name(connection, name, lock=True)
            if before is None:
                raise NotFound("voice", name)
            return await _update(connection, before, replace(new, id=before.id, created_at=before.created_at), at)

    async def get(self, voice_id: str) -> Voice:
        """The voice with this id. Raises NotFound."""
        async with self._database.glancing() as connection:
            row = (await connection.execute(select(voices).where(voices.c.id == voice_id))).mappings().one_or_none()
            if row is None:
                raise NotFound("voice", voice_id)
            return Voice(**row)

    async def by_name(self, name: str) -> Voice:
        """The voice of this name. Raises NotFound."""
        async with self._database.reading() as connection:
            found = await _by_name(connection, name)
            if found is None:
                raise NotFound("voice", name)
            return found

    async def checks(self, voice_id: str) -> Mapping[str, Any]:
        """What every answer of the voice has to keep to, as `curation.checks` declares it; {} where nobody said."""
        statement = select(voice_checks.c.checks).where(voice_checks.c.voice_id == voice_id)
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).scalar_one_or_none() or {}

    async def set_checks(self, voice_id: str, checks: Mapping[str, Any], *, by: str, at: datetime) -> None:
        """Let these checks hold from the next evaluation on, in place of those before; {}: none. They are not read here."""
        row = {"voice_id": voice_id, "checks": checks, "set_by": by, "set_at": at}
        async with self._database.writing() as connection:
            if (await connection.execute(select(voices.c.id).where(voices.c.id == voice_id))).first() is None:
                raise NotFound("voice", voice_id)
            await upsert(connection, voice_checks, row, keys=["voice_id"])
            await record(connection, at, by, "set_checks", voice_id, checks=checks)

    async def all(self) -> list[Voice]:
        """Every voice, by name."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(voices).order_by(voices.c.name))
            return [Voice(**row) for row in rows.mappings()]


async def _by_name(connection: AsyncConnection, name: str, *, lock: bool = False) -> Voice | None:
    statement = select(voices).where(voices.c.name == name)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    return Voice(**row) if row else None


async def _deploy_base_model(connection: AsyncConnection, voice: Voice) -> None:
    model = await add_model(connection, voice.id, voice.base_model, voice.base_model, at=voice.created_at)
    await append_deployment(
        connection,
        DeploymentKind.FIRST,
        model,
        seen_seq=-1,
        by=PROGRAM_ACTOR_ID,
        why="The voice began with its base model.",
        at=voice.created_at,
    )
    detail = {"name": voice.name, "system_prompt": voice.system_prompt, "base_model": voice.base_model}
    await record(connection, voice.created_at, PROGRAM_ACTOR_ID, "set_voice", voice.id, **detail)


async def _update(connection: AsyncConnection, before: Voice, after: Voice, at: datetime) -> Voice:
    if after == before:
        return before
    changes = {
        "system_prompt": after.system_prompt,
        "base_model": after.base_model,
        "short_prompt": after.short_prompt,
    }
    await connection.execute(update(voices).where(voices.c.id == before.id).values(changes))
    await record(connection, at, PROGRAM_ACTOR_ID, "set_voice", before.id, **changes)
    base_model = after.base_model
    if base_model != before.base_model:
        is_base = (models.c.voice_id == before.id) & (models.c.name == base_model) & models.c.run_id.is_(None)
        if (await connection.execute(select(models.c.id).where(is_base))).first() is None:
            await add_model(connection, before.id, base_model, base_model, at=at)
    return after
