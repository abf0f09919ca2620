"""What the admins are to hear of. Each cause is kept once, by its key; what a platform has told lies in the postings."""

from datetime import datetime

from sqlalchemy import select

from storage.database import Database, uninterrupted
from storage.records import Alarm
from storage.rows import is_inserted, row_of
from storage.schema import alarms


@uninterrupted
class Alarms:
    """The alarms of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_(self, alarm: Alarm) -> bool:
        """Keep it; False where its cause was told before, and then nothing changes."""
        async with self._database.writing() as connection:
            return await is_inserted(connection, alarms, row_of(alarm))

    async def since(self, voice_id: str, moment: datetime) -> list[Alarm]:
        """Those from `moment` on, oldest first."""
        is_recent = (alarms.c.voice_id == voice_id) & (alarms.c.at >= moment)
        async with self._database.reading() as connection:
            rows = await connection.execute(select(alarms).where(is_recent).order_by(alarms.c.at, alarms.c.key))
            return [Alarm(**row) for row in rows.mappings()]
