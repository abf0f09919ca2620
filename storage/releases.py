"""What a release rests on and does: how often a held-out set was used, canaries begun and ended, and an admin's own word."""

from collections.abc import Collection

from sqlalchemy import select

from storage.database import Database, uninterrupted
from storage.schema import evaluations, runs

SAME_SET = 0.5  # share of its questions from which an earlier evaluation's set counts as the same


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
            .where(runs.c.voice_id == voice_id, runs.c.id != run_id)
        )
        wanted = frozenset(correction_ids)
        async with self._database.reading() as connection:
            asked = [
                {one["correction_id"] for one in samples} for samples in (await connection.execute(statement)).scalars()
            ]
        return sum(len(wanted & ids) > SAME_SET * len(wanted) for ids in asked)
