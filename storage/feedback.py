"""What anyone thinks of a reply: one judgement per person and reply, the last one counts."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, func, select

from storage.audit import record
from storage.database import Database, uninterrupted, upsert
from storage.errors import NotFound
from storage.ids import new_id
from storage.records import Feedback, Judgement
from storage.schema import feedback, replies


@uninterrupted
class FeedbackGiven:
    """Everyone's judgements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give(
        self, reply_id: str, actor_id: str, judgement: Judgement, note: str, flagged: bool, *, at: datetime
    ) -> Feedback:
        """Record the actor's judgement of the reply in place of an earlier one. Raises NotFound for an unknown reply."""
        row = {
            "id": new_id("fb", at),
            "reply_id": reply_id,
            "actor_id": actor_id,
            "judgement": judgement,
            "note": note,
            "flagged": flagged,
            "given_at": at,
        }
        is_it = (feedback.c.reply_id == reply_id) & (feedback.c.actor_id == actor_id)
        async with self._database.writing() as connection:
            if (await connection.execute(select(replies.c.id).where(replies.c.id == reply_id))).first() is None:
                raise NotFound("reply", reply_id)
            await upsert(connection, feedback, row, keys=["reply_id", "actor_id"])
            await record(connection, at, actor_id, "feedback", reply_id, judgement=judgement.value, flagged=flagged)
            return Feedback(**(await connection.execute(select(feedback).where(is_it))).mappings().one())

    async def withdraw(self, reply_id: str, actor_id: str, *, at: datetime) -> bool:
        """Take the actor's judgement of the reply back; whether there was one."""
        is_it = (feedback.c.reply_id == reply_id) & (feedback.c.actor_id == actor_id)
        async with self._database.writing() as connection:
            gone = (await connection.execute(delete(feedback).where(is_it).returning(feedback.c.id))).first()
            if gone is None:
                return False
            await record(connection, at, actor_id, "withdraw_feedback", reply_id)
            return True

    async def for_reply(self, reply_id: str) -> list[Feedback]:
        """Every judgement of the reply, oldest first."""
        return (await self.for_replies([reply_id])).get(reply_id, [])

    async def for_replies(self, ids: Iterable[str]) -> dict[str, list[Feedback]]:
        """The judgements of these replies, by reply id, oldest first; a reply without any is left out."""
        wanted = sorted(set(ids))
        found: dict[str, list[Feedback]] = {}
        if not wanted:
            return found
        statement = select(feedback).where(feedback.c.reply_id.in_(wanted))
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(feedback.c.given_at, feedback.c.id))
            for row in rows.mappings():
                found.setdefault(row["reply_id"], []).append(Feedback(**row))
        return found

    async def flagged(self, voice_id: str, limit: int) -> list[Feedback]:
        """The newest `limit` judgements that ask for a moderator, newest first."""
        statement = (
            select(feedback)
            .join(replies, replies.c.id == feedback.c.reply_id)
            .where(replies.c.voice_id == voice_id, feedback.c.flagged.is_(True))
            .order_by(feedback.c.given_at.desc(), feedback.c.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [Feedback(**row) for row in (await connection.execute(statement)).mappings()]

    async def counts(self, voice_id: str) -> dict[Judgement, int]:
        """How often each judgement stands for the voice's replies; every judgement is listed, some with 0."""
        statement = (
            select(feedback.c.judgement, func.count().label("times"))
            .join(replies, replies.c.id == feedback.c.reply_id)
            .where(replies.c.voice_id == voice_id)
            .group_by(feedback.c.judgement)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).mappings()
            return dict.fromkeys(Judgement, 0) | {row["judgement"]: row["times"] for row in rows}

    async def given_by(self, actor_id: str) -> list[Feedback]:
        """Every judgement of one person, oldest first."""
        statement = select(feedback).where(feedback.c.actor_id == actor_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(feedback.c.given_at, feedback.c.id))
            return [Feedback(**row) for row in rows.mappings()]
