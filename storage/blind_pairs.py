"""What moderators found of two answers without knowing whose they were. Kept with who chose, and where each answer stood."""

from sqlalchemy import select

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.records import PairVote
from storage.rows import is_inserted, row_of
from storage.schema import pair_votes, runs


@uninterrupted
class BlindPairs:
    """The choices of every run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def choose(self, vote: PairVote) -> bool:
        """Keep a person's choice; False where an earlier one of theirs on the same pair stands, as evidence has to."""
        async with self._database.writing() as connection:
            if not await is_inserted(connection, pair_votes, row_of(vote)):
                return False
            detail = {"sample_id": vote.sample_id, "preference": vote.preference.value}
            await record(connection, vote.given_at, vote.actor_id, "judge_pair", vote.run_id, **detail)
            return True

    async def of_run(self, run_id: str) -> list[PairVote]:
        """The choices on a run's pairs, oldest first."""
        statement = select(pair_votes).where(pair_votes.c.run_id == run_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(pair_votes.c.given_at, pair_votes.c.actor_id))
            return [PairVote(**row) for row in rows.mappings()]

    async def of_voice(self, voice_id: str) -> list[PairVote]:
        """The choices on the pairs of all runs of a voice, oldest first."""
        statement = select(pair_votes).join(runs, runs.c.id == pair_votes.c.run_id).where(runs.c.voice_id == voice_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(pair_votes.c.given_at, pair_votes.c.actor_id))
            return [PairVote(**row) for row in rows.mappings()]
