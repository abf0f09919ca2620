"""The workspaces that installed the app, each with its sealed token; who can unseal it is not this package's business."""

from datetime import datetime

from sqlalchemy import delete, select

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.records import PROGRAM_ACTOR_ID, Installation
from storage.rows import row_of, upsert
from storage.schema import installations


@uninterrupted
class Installations:
    """One row per platform and workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, platform: str, team: str, sealed: str, *, at: datetime) -> None:
        """Keep a workspace's installation, in place of an earlier one."""
        row = row_of(Installation(platform, team, sealed, at))
        async with self._database.writing() as connection:
            await upsert(connection, installations, row, keys=["platform", "team"])
            await record(connection, at, PROGRAM_ACTOR_ID, "install", team, platform=platform)

    async def get(self, platform: str, team: str) -> Installation | None:
        """The workspace's installation; None where there is none (any more)."""
        statement = select(installations).where(installations.c.platform == platform, installations.c.team == team)
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            return Installation(**row) if row else None

    async def remove(self, platform: str, team: str, *, at: datetime) -> bool:
        """Forget the workspace's token; whether there was one."""
        gone = delete(installations).where(installations.c.platform == platform, installations.c.team == team)
        async with self._database.writing() as connection:
            if not (await connection.execute(gone)).rowcount:
                return False
            await record(connection, at, PROGRAM_ACTOR_ID, "uninstall", team, platform=platform)
            return True

    async def list(self, platform: str) -> list[Installation]:
        """Every workspace of the platform, the newest last."""
        statement = select(installations).where(installations.c.platform == platform)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(installations.c.installed_at, installations.c.team))
            return [Installation(**row) for row in rows.mappings()]
