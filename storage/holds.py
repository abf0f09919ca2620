"""What waits for an admin's look because there is unusually much of it. At most one open per voice and kind."""

from datetime import datetime

from sqlalchemy import select, update

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.records import Held, Hold
from storage.rows import is_inserted, row_of
from storage.schema import holds


@uninterrupted
class Holds:
    """The holds of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(self, hold: Hold, by: str) -> bool:
        """Hold back; False where this kind is held already, which goes on."""
        async with self._database.writing() as connection:
            if not await is_inserted(connection, holds, row_of(hold)):
                return False
            await record(connection, hold.since, by, "hold", hold.id, held=hold.held.value)
            return True

    async def open(self, voice_id: str) -> dict[Held, Hold]:
        """What is held now."""
        is_open = (holds.c.voice_id == voice_id) & holds.c.released_at.is_(None)
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(holds).where(is_open).order_by(holds.c.since))).mappings()
            return {row["held"]: Hold(**row) for row in rows}

    async def last_release(self, voice_id: str, held: Held) -> datetime | None:
        """When this kind was last looked at and released; None if never."""
        statement = select(holds.c.released_at).where(
            holds.c.voice_id == voice_id, holds.c.held == held, holds.c.released_at.is_not(None)
        )
        async with self._database.reading() as connection:
            released = (await connection.execute(statement.order_by(holds.c.released_at.desc()).limit(1))).first()
            return None if released is None else released[0]

    async def release(self, hold_id: str, by: str, *, at: datetime) -> Hold:
        """Let it through; who was first stays. Raises NotFound."""
        async with self._database.writing() as connection:
            is_open = (holds.c.id == hold_id) & holds.c.released_at.is_(None)
            change = update(holds).where(is_open).values(released_at=at, released_by=by)
            if (await connection.execute(change)).rowcount:
                await record(connection, at, by, "release_hold", hold_id)
            row = (await connection.execute(select(holds).where(holds.c.id == hold_id))).mappings().one_or_none()
            if row is None:
                raise NotFound("hold", hold_id)
            return Hold(**row)
