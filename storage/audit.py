"""Who did what to which thing, when. Only ever added to, and by each change in the change's own transaction.

So nothing that somebody may ask to have forgotten is written here: what people say lies in the thing that an entry is about.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database, reading_unit, uninterrupted
from storage.prepared import Prepared
from storage.records import AuditEntry
from storage.schema import audit

_VERBS = Prepared(select(audit.c.id, audit.c.verb).order_by(audit.c.id.desc()).limit(bindparam("at_most")))


async def record(
    connection: AsyncConnection, at: datetime, actor_id: str, verb: str, subject: str, **detail: object
) -> None:
    """Append an entry to the transaction of the change it describes."""
    await record_all(connection, [entry(at, actor_id, verb, subject, **detail)])


async def record_all(connection: AsyncConnection, entries: Sequence[Mapping[str, object]]) -> None:
    """Append many entries, in their order."""
    if entries:
        await connection.execute(insert(audit), entries)


def entry(at: datetime, actor_id: str, verb: str, subject: str, **detail: object) -> dict[str, object]:
    """One entry, for `record_all`."""
    return {"at": at, "actor_id": actor_id, "verb": verb, "subject": subject, "detail": detail}


@uninterrupted
class Audit:
    """The history of changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, limit: int, subject: str | None = None) -> list[AuditEntry]:
        """The newest `limit` entries, newest first; with `subject`, only those about that thing."""
        statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if subject is not None:
            statement = statement.where(audit.c.subject == subject)
        async with self._database.reading() as connection:
            return [AuditEntry(**row) for row in (await connection.execute(statement)).mappings()]

    @reading_unit
    def verbs(self, connection: Connection, limit: int) -> dict[int, str]:
        """The newest `limit` entries by their numbers: only the verbs, which tell in a moment what kind of thing changed."""
        return {row["id"]: row["verb"] for row in _VERBS.rows(connection, {"at_most": limit})}

    async def first(self, subject: str, verb: str) -> AuditEntry | None:
        """The oldest entry of this kind about that thing, if there is one."""
        statement = select(audit).where(audit.c.subject == subject, audit.c.verb == verb).order_by(audit.c.id).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            return AuditEntry(**row) if row else None

    async def append(self, actor_id: str, verb: str, subject: str, detail: Mapping[str, Any], *, at: datetime) -> None:
        """Record an act that changed nothing else here, such as an export."""
        async with self._database.writing() as connection:
            await record(connection, at, actor_id, verb, subject, **detail)
