"""Conversations in a person's hands: asked for, taken, released. While one is open the bot is silent there."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, reading_unit, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.prepared import Prepared
from storage.records import HandOver
from storage.rows import is_inserted, row_of
from storage.schema import hand_overs

_OPEN = select(hand_overs).where(
    hand_overs.c.conversation_id == bindparam("conversation_id"), hand_overs.c.released_at.is_(None)
)
_OPEN_NOW = Prepared(_OPEN)


@uninterrupted
class HandOvers:
    """Hand-overs, at most one open per conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self, conversation_id: str, reason: str, by: str, *, taken_by: str | None = None, at: datetime
    ) -> tuple[HandOver, bool]:
        """Put the conversation into a person's hands; False returns the one that is open already.

        `taken_by` is for a person who simply began to answer.
        """
        new = HandOver(
            new_id("hand", at), conversation_id, reason, by, at, taken_by, at if taken_by is not None else None
        )
        async with self._database.writing() as connection:
            if await is_inserted(connection, hand_overs, row_of(new)):
                await record(connection, at, by, "ask_hand_over", new.id, conversation=conversation_id)
                return new, True
            known = await _open(connection, conversation_id)
            if known is None:
                raise NotFound("hand-over", conversation_id)
            return known, False

    @reading_unit
    def open(self, connection: Connection, conversation_id: str) -> HandOver | None:
        """The conversation's open hand-over, if there is one."""
        row = _OPEN_NOW.row(connection, {"conversation_id": conversation_id})
        return HandOver(**row) if row else None

    async def all_open(self) -> list[HandOver]:
        """Every open hand-over, oldest first."""
        statement = select(hand_overs).where(hand_overs.c.released_at.is_(None)).order_by(hand_overs.c.asked_at)
        async with self._database.reading() as connection:
            return [HandOver(**row) for row in (await connection.execute(statement)).mappings()]

    async def get(self, hand_over_id: str) -> HandOver:
        """The hand-over with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _get(connection, hand_over_id)

    async def take(self, hand_over_id: str, by: str, *, at: datetime) -> HandOver:
        """Somebody looks after it; who was first stays. Raises NotFound."""
        is_free = (hand_overs.c.id == hand_over_id) & hand_overs.c.taken_by.is_(None)
        change = update(hand_overs).where(is_free, hand_overs.c.released_at.is_(None))
        async with self._database.writing() as connection:
            if (await connection.execute(change.values(taken_by=by, taken_at=at))).rowcount:
                await record(connection, at, by, "take_hand_over", hand_over_id)
            return await _get(connection, hand_over_id)

    async def release(self, hand_over_id: str, by: str, *, at: datetime) -> HandOver:
        """Give the conversation back to the bot; who was first stays. Raises NotFound."""
        is_open = (hand_overs.c.id == hand_over_id) & hand_overs.c.released_at.is_(None)
        async with self._database.writing() as connection:
            change = update(hand_overs).where(is_open).values(released_by=by, released_at=at)
            if (await connection.execute(change)).rowcount:
                await record(connection, at, by, "release_hand_over", hand_over_id)
            return await _get(connection, hand_over_id)


async def _open(connection: AsyncConnection, conversation_id: str) -> HandOver | None:
    row = (await connection.execute(_OPEN, {"conversation_id": conversation_id})).mappings().one_or_none()
    return HandOver(**row) if row else None


async def _get(connection: AsyncConnection, hand_over_id: str) -> HandOver:
    row = (await connection.execute(select(hand_overs).where(hand_overs.c.id == hand_over_id))).mappings().one_or_none()
    if row is None:
        raise NotFound("hand-over", hand_over_id)
    return HandOver(**row)
