"""Conversations, their turns and the replies. A question is recorded once and answered once, by constraint."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, is_inserted, row_of, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.records import Conversation, CorrectionState, PostingKind, Reply, Turn, TurnState
from storage.schema import conversations, corrections, hand_overs, postings, replies, turns


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

    async def claim_turn(
        self, turn_id: str, owner: str, *, now: datetime, lease_s: float, takes_over: bool = False
    ) -> Turn | None:
        """Take the turn to answer it within `lease_s`; None when it is answered or somebody else's lease still runs.

        The same owner may claim again, which extends the lease; `takes_over` is for who knows that the other one is gone.
        Each claim counts as an attempt.
        """
        may_claim = true() if takes_over else or_(_is_free(now), turns.c.lease_owner == owner)
        claim = (
            update(turns)
            .where(turns.c.id == turn_id, turns.c.state == TurnState.ASKED, may_claim)
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

        False returns the reply that was saved before: that one is posted, this one is not. A question that was withdrawn
        meanwhile leaves nothing of its reply either.
        """
        async with self._database.writing() as connection:
            turn = await _turn(connection, reply.turn_id, is_held=True)
            if turn.withdrawn_at is not None:
                reply = replace(reply, text="", corrected_text=None)
            if not await is_inserted(connection, replies, row_of(reply)):
                statement = select(replies).where(replies.c.turn_id == reply.turn_id)
                return Reply(**(await connection.execute(statement)).mappings().one()), False
            answered = {"state": TurnState.ANSWERED, "lease_owner": owner, "lease_until": None}
            await connection.execute(update(turns).where(turns.c.id == reply.turn_id).values(answered))
            return reply, True

    async def find(self, platform: str, external_id: str) -> Conversation | None:
        """The platform's conversation, if it is known."""
        async with self._database.glancing() as connection:
            return await _find(connection, platform, external_id)

    async def get(self, conversation_id: str) -> Conversation:
        """The conversation with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            statement = select(conversations).where(conversations.c.id == conversation_id)
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                raise NotFound("conversation", conversation_id)
            return Conversation(**row)

    async def turn(self, turn_id: str) -> Turn:
        """The turn with this id. Raises NotFound."""
        async with self._database.glancing() as connection:
            return await _turn(connection, turn_id)

    async def fate(self, turn_id: str) -> tuple[bool, bool]:
        """Whether the question was withdrawn, and whether its conversation is in a person's hands. Raises NotFound."""
        is_open = (
            select(hand_overs.c.id)
            .where(hand_overs.c.conversation_id == turns.c.conversation_id, hand_overs.c.released_at.is_(None))
            .exists()
        )
        statement = select(turns.c.withdrawn_at.is_not(None), is_open).where(turns.c.id == turn_id)
        async with self._database.glancing() as connection:
            row = (await connection.execute(statement)).one_or_none()
            if row is None:
                raise NotFound("turn", turn_id)
            return bool(row[0]), bool(row[1])

    async def reply(self, reply_id: str) -> Reply:
        """The reply with this id. Raises NotFound."""
        async with self._database.glancing() as connection:
            row = (await connection.execute(select(replies).where(replies.c.id == reply_id))).mappings().one_or_none()
            if row is None:
                raise NotFound("reply", reply_id)
            return Reply(**row)

    async def reply_to(self, turn_id: str) -> Reply | None:
        """The reply to this turn, if there is one yet."""
        async with self._database.glancing() as connection:
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

    async def find_turn(self, platform: str, key: str) -> Turn | None:
        """The question that is recorded under the platform's key, if one is."""
        statement = select(turns).where(turns.c.platform == platform, turns.c.key == key)
        async with self._database.glancing() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            return Turn(**row) if row else None

    async def first_turn(self, conversation_id: str) -> Turn | None:
        """The question a conversation began with."""
        statement = select(turns).where(turns.c.conversation_id == conversation_id)
        async with self._database.glancing() as connection:
            row = (await connection.execute(statement.order_by(turns.c.asked_at, turns.c.id).limit(1))).mappings()
            first = row.one_or_none()
            return Turn(**first) if first else None

    async def last_reply(self, conversation_id: str, before_key: str) -> Reply | None:
        """The newest reply of a conversation to a question whose key sorts before `before_key`."""
        statement = (
            select(replies)
            .join(turns, turns.c.id == replies.c.turn_id)
            .where(turns.c.conversation_id == conversation_id, turns.c.key < before_key)
            .order_by(turns.c.key.desc())
            .limit(1)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            return Reply(**row) if row else None

    async def asked_by(self, actor_id: str) -> list[Turn]:
        """Every question of one person that still stands, oldest first."""
        statement = select(turns).where(turns.c.asked_by == actor_id, turns.c.withdrawn_at.is_(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(turns.c.asked_at, turns.c.id))
            return [Turn(**row) for row in rows.mappings()]

    async def edit_reply(self, reply_id: str, corrected_text: str, by: str, *, at: datetime) -> Reply:
        """Note what the posted reply was changed to; `text` keeps what the model said. Raises NotFound."""
        edit = update(replies).where(replies.c.id == reply_id).values(corrected_text=corrected_text)
        async with self._database.writing() as connection:
            row = (await connection.execute(edit.returning(*replies.c))).mappings().one_or_none()
            if row is None:
                raise NotFound("reply", reply_id)
            is_it = (postings.c.kind == PostingKind.REPLY) & (postings.c.subject == row["turn_id"])
            await connection.execute(
                update(postings).where(is_it).values(shown="")
            )  # wherever it stands, it is behind now
            await record(connection, at, by, "edit_reply", reply_id)
            return Reply(**row)

    async def edit_question(self, platform: str, key: str, question: str, *, at: datetime) -> Turn | None:
        """The customer changed a question: an unanswered one is answered as it is now. None when it is not recorded."""
        is_it = (turns.c.platform == platform) & (turns.c.key == key) & turns.c.withdrawn_at.is_(None)
        change = update(turns).where(is_it).values(question=question, edited_at=at).returning(*turns.c)
        async with self._database.writing() as connection:
            row = (await connection.execute(change)).mappings().one_or_none()
            return Turn(**row) if row else None

    async def withdraw_question(self, platform: str, key: str, *, at: datetime) -> Turn | None:
        """The customer deleted a question: its words, the reply's, and corrections of it leave every future dataset.

        An unanswered one will not be answered. None when it is not recorded or was withdrawn before.
        """
        is_it = (turns.c.platform == platform) & (turns.c.key == key) & turns.c.withdrawn_at.is_(None)
        emptied = {"question": "", "withdrawn_at": at, "state": TurnState.ANSWERED, "lease_until": None}
        async with self._database.writing() as connection:
            row = (await connection.execute(update(turns).where(is_it).values(emptied).returning(*turns.c))).mappings()
            turn = row.one_or_none()
            if turn is None:
                return None
            of_turn = select(replies.c.id).where(replies.c.turn_id == turn["id"])
            await connection.execute(
                update(replies).where(replies.c.turn_id == turn["id"]).values(text="", corrected_text=None)
            )
            erased = (
                update(corrections)
                .where(corrections.c.reply_id.in_(of_turn))
                .values(
                    state=CorrectionState.ERASED,
                    history=[],
                    question="",
                    served_text="",
                    corrected_text="",
                    note="",
                    decision_note="",
                )
            )
            ids = (await connection.execute(erased.returning(corrections.c.id))).scalars().all()
            await record(connection, at, turn["asked_by"], "withdraw_question", turn["id"], corrections=list(ids))
            return Turn(**turn)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(turns.c.lease_until.is_(None), turns.c.lease_until <= now)


async def _find(connection: AsyncConnection, platform: str, external_id: str) -> Conversation | None:
    is_it = and_(conversations.c.platform == platform, conversations.c.external_id == external_id)
    row = (await connection.execute(select(conversations).where(is_it))).mappings().one_or_none()
    return Conversation(**row) if row else None


async def _turn(connection: AsyncConnection, turn_id: str, *, is_held: bool = False) -> Turn:
    """`is_held` lets nobody else change it before the transaction ends. Raises NotFound."""
    statement = select(turns).where(turns.c.id == turn_id)
    row = (await connection.execute(statement.with_for_update() if is_held else statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("turn", turn_id)
    return Turn(**row)


async def _replies_to(connection: AsyncConnection, asked: list[Turn]) -> Mapping[str, Reply]:
    if not asked:
        return {}
    rows = await connection.execute(select(replies).where(replies.c.turn_id.in_([turn.id for turn in asked])))
    return {row["turn_id"]: Reply(**row) for row in rows.mappings()}
