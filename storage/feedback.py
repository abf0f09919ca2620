"""What anyone thinks of a reply: one judgement per person and reply, the last one counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.records import CorrectionState, Feedback, Judgement, MarkedReply, Reply, ReplySource, Turn
from storage.rows import chunks, upsert
from storage.schema import corrections, feedback, replies, turns

_LEFT_AS_IT_IS = (CorrectionState.REJECTED, CorrectionState.RETRACTED)  # nothing came of such a correction


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

    async def marked(self, voice_id: str, until: datetime | None = None) -> list[MarkedReply]:
        """The voice's replies that were judged and not corrected, in the order of their ids.

        A notice, a withdrawn question and a reply whose words were taken back are left out; so are judgements after `until`.
        """
        corrected = select(corrections.c.reply_id).where(
            corrections.c.reply_id.is_not(None), corrections.c.state.not_in(_LEFT_AS_IT_IS)
        )
        wanted = (
            select(replies.c.id)
            .join(turns, turns.c.id == replies.c.turn_id)
            .where(
                replies.c.voice_id == voice_id,
                replies.c.source != ReplySource.NOTICE,
                replies.c.text != "",
                replies.c.corrected_text.is_(None),
                turns.c.withdrawn_at.is_(None),
                replies.c.id.not_in(corrected),
            )
        )
        given = select(feedback).where(feedback.c.reply_id.in_(wanted)).order_by(feedback.c.given_at, feedback.c.id)
        if until is not None:
            given = given.where(feedback.c.given_at <= until)
        async with self._database.reading() as connection:
            by_reply: dict[str, list[Feedback]] = {}
            for row in (await connection.execute(given)).mappings():
                by_reply.setdefault(row["reply_id"], []).append(Feedback(**row))
            said = await _said(connection, sorted(by_reply))
        return [MarkedReply(*said[id], tuple(by_reply[id])) for id in sorted(said)]

    async def given_since(self, voice_id: str, since: datetime) -> Sequence[tuple[str, datetime]]:
        """Who judged a reply of the voice since then, and when."""
        statement = (
            select(feedback.c.actor_id, feedback.c.given_at)
            .join(replies, replies.c.id == feedback.c.reply_id)
            .where(replies.c.voice_id == voice_id, feedback.c.given_at >= since)
        )
        async with self._database.reading() as connection:
            return [(by, at) for by, at in (await connection.execute(statement)).all()]

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


async def _said(connection: AsyncConnection, reply_ids: Iterable[str]) -> dict[str, tuple[Turn, Reply]]:
    """The replies and their questions, by reply id."""
    columns = [column.label(f"asked_{column.name}") for column in turns.c]  # a reply has a column turn_id itself
    found: dict[str, tuple[Turn, Reply]] = {}
    for chunk in chunks(list(reply_ids)):
        statement = (
            select(replies, *columns).join(turns, turns.c.id == replies.c.turn_id).where(replies.c.id.in_(chunk))
        )
        for row in (await connection.execute(statement)).mappings():
            turn = Turn(**{column.name: row[f"asked_{column.name}"] for column in turns.c})
            found[row["id"]] = turn, Reply(**{column.name: row[column.name] for column in replies.c})
    return found
