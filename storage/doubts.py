"""Replies that moderators are asked about, because models disagree on them; at most so many a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select

from storage.audit import entry, record_all
from storage.database import Database, uninterrupted
from storage.records import PROGRAM_ACTOR_ID, AskedOnce, Doubt, ReplySource
from storage.rows import insert_new, row_of
from storage.schema import corrections, doubts, feedback, replies, turns, voices

DAY = timedelta(days=1)


@uninterrupted
class Doubts:
    """The doubts of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def asked_since(self, voice_id: str, since: datetime, limit: int) -> list[AskedOnce]:
        """First questions of conversations whose reply nobody judged or corrected, the newest `limit`, oldest first."""
        earlier = turns.alias()
        is_first = ~exists().where(earlier.c.conversation_id == turns.c.conversation_id, earlier.c.id < turns.c.id)
        statement = (
            select(replies.c.id.label("reply_id"), turns.c.question, turns.c.asked_by)
            .join(turns, turns.c.id == replies.c.turn_id)
            .where(
                replies.c.voice_id == voice_id,
                replies.c.created_at >= since,
                replies.c.source != ReplySource.NOTICE,
                turns.c.withdrawn_at.is_(None),
                is_first,
                ~exists().where(feedback.c.reply_id == replies.c.id),
                ~exists().where(corrections.c.reply_id == replies.c.id),
            )
            .order_by(replies.c.created_at.desc(), replies.c.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [AskedOnce(**row) for row in reversed((await connection.execute(statement)).mappings().all())]

    async def chosen_since(self, voice_id: str, since: datetime) -> list[tuple[Doubt, str]]:
        """What moderators were asked about since then, oldest first, each with the question; "" where it was withdrawn."""
        statement = (
            select(doubts, turns.c.question)
            .join(replies, replies.c.id == doubts.c.reply_id)
            .join(turns, turns.c.id == replies.c.turn_id)
            .where(doubts.c.voice_id == voice_id, doubts.c.chosen_at >= since)
            .order_by(doubts.c.chosen_at, doubts.c.reply_id)
        )
        async with self._database.reading() as connection:
            rows = [dict(row) for row in (await connection.execute(statement)).mappings()]
        return [(Doubt(**row), question) for row in rows if (question := row.pop("question")) is not None]

    async def choose(self, found: Sequence[Doubt], a_day: int) -> list[Doubt]:
        """Save the first of these that fit into `a_day` of the last 24 hours; those that are new. Two workers take turns."""
        if not found:
            return []
        voice_id, at = found[0].voice_id, found[0].chosen_at
        async with self._database.writing() as connection:
            await connection.execute(select(voices.c.id).where(voices.c.id == voice_id).with_for_update())
            is_of_today = (doubts.c.voice_id == voice_id) & (doubts.c.chosen_at > at - DAY)
            taken = (await connection.execute(select(func.count()).where(is_of_today))).scalar_one()
            room = found[: max(0, a_day - taken)]
            new_ids = set(await insert_new(connection, doubts, [row_of(each) for each in room], key="reply_id"))
            new = [each for each in room if each.reply_id in new_ids]
            await record_all(connection, [entry(at, PROGRAM_ACTOR_ID, "ask", each.reply_id) for each in new])
            return new
