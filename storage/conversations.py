"""Conversations, their turns and the replies. A question is recorded once and answered once, by constraint."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, is_inserted, row_of, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.records import Conversation, Reply, Turn, TurnState
from storage.schema import conversations, replies, turns


@uninterrupted
class Conversations:
    """Conversations, turns and replies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, voice_id: str, platform: str, external_id: str, *, at: datetime) -> Conversation:
        """Return the platform's conversation, created under `voice_id` if it is new; an old one keeps its voice."""
        async with self._database.reading() as connection:
            known = await _find(connection, platform, external_id)
        if known is not None:
            return known
        async with self._database.writing() as connection:
            new = Conversation(new_id("conv", at), voice_id, platform, external_id, at)
            if await is_inserted(connection, conversations, row_of(new)):
                return new
            known = await _find(connection, platform, external_id)
            if known is None:
                raise NotFound("conversation", external_id)
            return known

    async def record_turn(
        self, conversation: Conversation, key: str, question: str, asked_by: str, *, at: datetime
    ) -> tuple[Turn, bool]:
        """Record a question under the platform's natural key; True when it is new, False for a redelivery.

        A redelivered key returns the turn as it was first recorded, whatever the other arguments say.
        """
        new = Turn(
            id=new_id("turn", at),
            conversation_id=conversation.id,
            voice_id=conversation.voice_id,
            platform=conversation.platform,
            key=key,
            question=question,
            asked_by=asked_by,
            asked_at=at,
            state=TurnState.ASKED,
            lease_owner=None,
            lease_until=None,
            attempts=0,
        )
        async with self._database.writing() as connection:
            if await is_inserted(connection, turns, row_of(new)):
                return new, True
            statement = select(turns).where(turns.c.platform == conversation.platform, turns.c.key == key)
            return Turn(**(await connection.execute(statement)).mappings().one()), False

    async def claim_turn(self, turn_id: str, owner: str, *, now: datetime, lease_s: float) -> Turn | None:
        """Take the turn to answer it within `lease_s`; None when it is answered or somebody else's lease still runs.

        The same owner may claim again, which extends the lease. Each claim counts as an attempt.
        """
        claim = (
            update(turns)
            .where(
                turns.c.id == turn_id,
                turns.c.state == TurnState.ASKED,
                or_(_is_free(now), turns.c.lease_owner == owner),
            )
            .values(lease_owner=owner, lease_until=now + timedelta(seconds=lease_s), attempts=turns.c.attempts + 1)
            .returning(*turns.c)
        )
        async with self._database.writing() as connection:
            row = (await connection.execute(claim)).mappings().one_or_none()
            if row is None:
                await _turn(connection, turn_id)  # raises NotFound
                return None
            return Turn(**row)

    async def release_turns(self, owner: str) -> int:
        """Free the open turns that `owner` claimed in an earlier life, without waiting for their leases; how many.

        Only for a name that one process at a time can carry: a second one at work under it would be cut off.
        """
        held = and_(turns.c.state == TurnState.ASKED, turns.c.lease_owner == owner, turns.c.lease_until.is_not(None))
        async with self._database.writing() as connection:
            return (await connection.execute(update(turns).where(held).values(lease_until=None))).rowcount

    async def unanswered(self, now: datetime) -> list[Turn]:
        """Turns that wait for an answer and that nobody is working on, oldest first."""
        statement = select(turns).where(turns.c.state == TurnState.ASKED, _is_free(now))
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(turns.c.asked_at, turns.c.id))
            return [Turn(**row) for row in rows.mappings()]

    async def save_reply(self, reply: Reply, *, owner: str) -> tuple[Reply, bool]:
        """Save the turn's one reply and mark the turn answered by `owner`; True when it is this one.

        False returns the reply that was saved before: that one is posted, this one is not.
        """
        async with self._database.writing() as connection:
            await _turn(connection, reply.turn_id)
            if not await is_inserted(connection, replies, row_of(reply)):
                statement = select(replies).where(replies.c.turn_id == reply.turn_id)
                return Reply(**(await connection.execute(statement)).mappings().one()), False
            answered = {"state": TurnState.ANSWERED, "lease_owner": owner, "lease_until": None}
            await connection.execute(update(turns).where(turns.c.id == reply.turn_id).values(answered))
            return reply, True

    async def turn(self, turn_id: str) -> Turn:
        """The turn with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _turn(connection, turn_id)

    async def reply(self, reply_id: str) -> Reply:
        """The reply with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(replies).where(replies.c.id == reply_id))).mappings().one_or_none()
            if row is None:
                raise NotFound("reply", reply_id)
            return Reply(**row)

    async def reply_to(self, turn_id: str) -> Reply | None:
        """The reply to this turn, if there is one yet."""
        async with self._database.reading() as connection:
            statement = select(replies).where(replies.c.turn_id == turn_id)
            row = (await connection.execute(statement)).mappings().one_or_none()
            return Reply(**row) if row else None

    async def history(
        self, conversation_id: str, *, before: Turn | None, limit: int
    ) -> list[tuple[Turn, Reply | None]]:
        """The last `limit` turns of a conversation asked before `before` (None: of all), oldest first."""
        condition = turns.c.conversation_id == conversation_id
        if before is not None:
            is_same_moment = and_(turns.c.asked_at == before.asked_at, turns.c.id < before.id)
            condition &= or_(turns.c.asked_at < before.asked_at, is_same_moment)
        newest_first = (turns.c.asked_at.desc(), turns.c.id.desc())
        async with self._database.reading() as connection:
            rows = await connection.execute(select(turns).where(condition).order_by(*newest_first).limit(limit))
            found = [Turn(**row) for row in rows.mappings()]
            by_turn = await _replies_to(connection, found)
        return [(turn, by_turn.get(turn.id)) for turn in reversed(found)]

    async def recent_turns(self, conversation_id: str, limit: int) -> list[tuple[Turn, Reply | None]]:
        """The last `limit` turns of a conversation, oldest first."""
        return await self.history(conversation_id, before=None, limit=limit)

    async def edit_reply(self, reply_id: str, corrected_text: str, by: str, *, at: datetime) -> Reply:
        """Note what the posted reply was changed to; `text` keeps what the model said. Raises NotFound."""
        edit = update(replies).where(replies.c.id == reply_id).values(corrected_text=corrected_text)
        async with self._database.writing() as connection:
            row = (await connection.execute(edit.returning(*replies.c))).mappings().one_or_none()
            if row is None:
                raise NotFound("reply", reply_id)
            await record(connection, at, by, "edit_reply", reply_id)
            return Reply(**row)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(turns.c.lease_until.is_(None), turns.c.lease_until <= now)


async def _find(connection: AsyncConnection, platform: str, external_id: str) -> Conversation | None:
    is_it = and_(conversations.c.platform == platform, conversations.c.external_id == external_id)
    row = (await connection.execute(select(conversations).where(is_it))).mappings().one_or_none()
    return Conversation(**row) if row else None


async def _turn(connection: AsyncConnection, turn_id: str) -> Turn:
    row = (await connection.execute(select(turns).where(turns.c.id == turn_id))).mappings().one_or_none()
    if row is None:
        raise NotFound("turn", turn_id)
    return Turn(**row)


async def _replies_to(connection: AsyncConnection, asked: list[Turn]) -> Mapping[str, Reply]:
    if not asked:
        return {}
    rows = await connection.execute(select(replies).where(replies.c.turn_id.in_([turn.id for turn in asked])))
    return {row["turn_id"]: Reply(**row) for row in rows.mappings()}
