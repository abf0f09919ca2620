"""Conversations, their turns and the replies. A question is recorded once and answered once, by constraint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects import postgresql

from storage.audit import record
from storage.database import (
    Database,
    chunks,
    reading_unit,
    relaxed_steps,
    row_of,
    uninterrupted,
    writing_steps,
    writing_unit,
)
from storage.erasing import erase_turns
from storage.errors import NotFound
from storage.ids import new_id
from storage.inbox import KEPT
from storage.models import SERVING, serving_in
from storage.people import actor_in
from storage.postings import intended
from storage.prepared import Prepared, insert_if_new
from storage.records import (
    PROGRAM_ACTOR_ID,
    Actor,
    ChannelMode,
    Conversation,
    Deployment,
    Posting,
    PostingKind,
    Reply,
    Turn,
    TurnState,
    Voice,
)
from storage.schema import actors, channels, conversations, hand_overs, postings, replies, turns

# ---------------------------------------------------------------- what every message and every reply needs, made once

_FIND = Prepared(
    select(conversations).where(
        conversations.c.platform == bindparam("platform"), conversations.c.external_id == bindparam("external_id")
    )
)
_TURN = Prepared(select(turns).where(turns.c.id == bindparam("turn_id")))
_TURN_HELD = Prepared(select(turns).where(turns.c.id == bindparam("turn_id")).with_for_update())
_TURN_OF_KEY = Prepared(select(turns).where(turns.c.platform == bindparam("platform"), turns.c.key == bindparam("key")))
_IN_CONVERSATION = select(turns).where(turns.c.conversation_id == bindparam("conversation_id"))
_FIRST_TURN = Prepared(_IN_CONVERSATION.order_by(turns.c.asked_at, turns.c.id).limit(1))
_ADD_REPLY = Prepared(insert(replies), columns=[column.name for column in replies.c])
_REPLY_TO = Prepared(select(replies).where(replies.c.turn_id == bindparam("turn_id")))

_IS_HANDED_OVER = (
    select(hand_overs.c.id)
    .where(hand_overs.c.conversation_id == turns.c.conversation_id, hand_overs.c.released_at.is_(None))
    .exists()
)
_FATE = Prepared(
    select(turns.c.withdrawn_at.is_not(None).label("is_withdrawn"), _IS_HANDED_OVER.label("is_handed_over")).where(
        turns.c.id == bindparam("turn_id")
    )
)

_HISTORY_OF_ALL = (
    select(turns, *(column.label(f"reply_{column.name}") for column in replies.c))
    .outerjoin(replies, replies.c.turn_id == turns.c.id)
    .where(turns.c.conversation_id == bindparam("conversation_id"))
    .order_by(turns.c.asked_at.desc(), turns.c.id.desc())
    .limit(bindparam("at_most"))
)
_HISTORY = Prepared(_HISTORY_OF_ALL)
_HISTORY_BEFORE = Prepared(
    _HISTORY_OF_ALL.where(
        or_(
            turns.c.asked_at < bindparam("asked_at"),
            and_(turns.c.asked_at == bindparam("asked_at"), turns.c.id < bindparam("turn_id")),
        )
    )
)

_ONE = select(literal(1).label("one")).subquery()
_SITUATION = Prepared(
    select(
        *(column.label(f"speaker_{column.name}") for column in actors.c),
        *(column.label(f"conversation_{column.name}") for column in conversations.c),
        channels.c.mode.label("channel_mode"),
        select(turns.c.asked_by)
        .where(turns.c.conversation_id == conversations.c.id)
        .order_by(turns.c.asked_at, turns.c.id)
        .limit(1)
        .scalar_subquery()
        .label("first_asked_by"),
        select(hand_overs.c.id)
        .where(hand_overs.c.conversation_id == conversations.c.id, hand_overs.c.released_at.is_(None))
        .exists()
        .label("is_handed_over"),
    ).select_from(
        _ONE.outerjoin(
            actors, and_(actors.c.platform == bindparam("platform"), actors.c.external_id == bindparam("speaker"))
        )
        .outerjoin(
            conversations,
            and_(
                conversations.c.platform == bindparam("platform"),
                conversations.c.external_id == bindparam("conversation"),
            ),
        )
        .outerjoin(channels, and_(channels.c.platform == bindparam("platform"), channels.c.place == bindparam("place")))
    )
)

_SERVING_AND_DELETED = Prepared(SERVING.add_columns(KEPT.exists().label("is_deleted")))
_ANSWERED = (
    update(turns)
    .where(turns.c.id == bindparam("turn_id"), turns.c.state == TurnState.ASKED)
    .values(state=TurnState.ANSWERED, lease_owner=bindparam("owner"), lease_until=None)
    .returning(  # of a conversation that is named: SQLite's RETURNING does not look into the table that is changed
        select(hand_overs.c.id)
        .where(hand_overs.c.conversation_id == bindparam("in_conversation"), hand_overs.c.released_at.is_(None))
        .exists()
        .label("is_handed_over")
    )
)
_ANSWER = Prepared(_ANSWERED)


# ---------------------------------------------------------------- for PostgreSQL: several writes in one message to the server


def _values(table: Table) -> list[BindParameter[Any]]:
    """Every column of a new row, as a parameter named after the table and the column."""
    return [bindparam(f"{table.name}_{column.name}", type_=column.type) for column in table.c]


def _named(table: Table, record_of_row: Any) -> dict[str, Any]:
    return {f"{table.name}_{name}": value for name, value in row_of(record_of_row).items()}


def _begin_at_once() -> Select[*tuple[Any, ...]]:
    """A conversation with its first turn; no row comes back where there is either."""
    begun = (
        postgresql.insert(conversations)
        .from_select(list(conversations.c), select(*_values(conversations)))
        .on_conflict_do_nothing()
        .returning(conversations.c.id)
        .cte("begun")
    )
    asked = (
        postgresql.insert(turns)
        .from_select(list(turns.c), select(*_values(turns)).select_from(begun))
        .on_conflict_do_nothing()
        .returning(turns.c.id)
        .cte("asked")
    )
    return select(asked.c.id)


def _answer_at_once() -> Select[*tuple[Any, ...]]:
    """The turn's end, its reply and the intended message; no row comes back where the turn is over."""
    ended = _ANSWERED.cte("ended")
    added = insert(replies).from_select(list(replies.c), select(*_values(replies)).select_from(ended)).cte("added")
    meant = (
        postgresql.insert(postings)
        .from_select(list(postings.c), select(*_values(postings)).select_from(ended).where(~ended.c.is_handed_over))
        .on_conflict_do_nothing()
        .returning(postings.c.id)
        .cte("meant")
    )
    is_new = select(meant.c.id).exists().label("is_new")
    return select(ended.c.is_handed_over, is_new).select_from(ended).add_cte(added)


_BEGIN_AT_ONCE = Prepared(_begin_at_once())
_ANSWER_AT_ONCE = Prepared(_answer_at_once())


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when somebody says something in a conversation."""

    speaker: Actor | None
    conversation: Conversation | None
    first_asked_by: str | None  # actor id; None: nobody has asked anything in it
    is_handed_over: bool
    channel_mode: ChannelMode | None  # None: nothing was set for the channel


@dataclass(frozen=True, slots=True)
class Asking:
    """A question on its way in: the message's key, and of which conversation. `known` is that one where it was read already."""

    voice_id: str  # of a new conversation; an old one keeps its own
    platform: str
    conversation_key: str
    key: str
    question: str
    asked_by: str  # actor id
    deletion_key: str = ""  # of the delivery that would say that the message was deleted
    known: Conversation | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A question that was recorded and claimed, with what its answer rests on."""

    turn: Turn
    is_deleted: bool  # its deletion was faster than the question
    voice: Voice
    deployment: Deployment
    history: list[tuple[Turn, Reply | None]]  # what was asked before, oldest first
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ToPost:
    """A saved reply, and whether anybody still wants it on the platform."""

    reply: Reply
    is_withdrawn: bool
    is_handed_over: bool
    first_part: tuple[Posting, bool] | None  # intended by now, or before (False); None where nobody wants it


@uninterrupted
class Conversations:
    """Conversations, turns and replies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @writing_steps
    def ensure(
        self, connection: Connection, voice_id: str, platform: str, external_id: str, *, at: datetime
    ) -> Conversation:
        """Return the platform's conversation, created under `voice_id` if it is new; an old one keeps its voice."""
        return _ensured(connection, voice_id, platform, external_id, at)

    @reading_unit
    def situation(
        self, connection: Connection, platform: str, *, speaker: str, conversation: str, place: str
    ) -> Situation:
        """What is known about a message, by the platform's ids of who speaks, of the conversation and of the channel."""
        where = {"platform": platform, "speaker": speaker, "conversation": conversation, "place": place}
        row = _SITUATION.row(connection, where)
        assert row is not None  # one row, whatever is known
        return Situation(
            speaker=actor_in(row, "speaker_") if row["speaker_id"] else None,
            conversation=_conversation_in(row, "conversation_") if row["conversation_id"] else None,
            first_asked_by=row["first_asked_by"],
            is_handed_over=bool(row["is_handed_over"]),
            channel_mode=row["channel_mode"],
        )

    @relaxed_steps  # lost, it is taken again from its delivery, which was kept before
    def take_question(
        self, connection: Connection, asking: Asking, *, owner: str, lease_s: float, history: int, now: datetime
    ) -> Taken | None:
        """Record a question as `record_turn` does, claimed by `owner` from the start; None for one that is recorded already.

        With it come the last `history` turns before it, and what serves its voice at this moment.
        """
        conversation, turn = _taken(connection, asking, owner, now + timedelta(seconds=lease_s), now)
        if turn is None:
            return None
        # Looked at when the question can be seen by others: whoever reads of its deletion later withdraws it.
        wanted = {"served": conversation.voice_id, "platform": asking.platform, "event_key": asking.deletion_key}
        serving = _SERVING_AND_DELETED.row(connection, wanted)
        if serving is None:
            raise NotFound("voice", conversation.voice_id)
        before = [] if asking.known is None else _history(connection, conversation.id, turn, history)
        voice, deployment = serving_in(serving)
        is_deleted = bool(serving["is_deleted"])
        return Taken(turn, is_deleted, voice, deployment, before, conversation)

    @writing_steps
    def record_turn(
        self,
        connection: Connection,
        conversation: Conversation,
        key: str,
        question: str,
        asked_by: str,
        *,
        at: datetime,
    ) -> tuple[Turn, bool]:
        """Record a question under the platform's natural key; True when it is new, False for a redelivery.

        A redelivered key returns the turn as it was first recorded, whatever the other arguments say.
        """
        new = _asked(conversation, key, question, asked_by, at)
        if insert_if_new(turns).row(connection, row_of(new)):
            return new, True
        known = _TURN_OF_KEY.row(connection, {"platform": conversation.platform, "key": key})
        if known is None:
            raise NotFound("turn", key)
        return Turn(**known), False

    @writing_steps
    def claim_turn(
        self,
        connection: Connection,
        turn_id: str,
        owner: str,
        *,
        now: datetime,
        lease_s: float,
        takes_over: bool = False,
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
        row = connection.execute(claim).mappings().one_or_none()
        if row is None:
            _turn(connection, turn_id)  # raises NotFound
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

    @writing_unit
    def save_reply(self, connection: Connection, reply: Reply, *, owner: str) -> tuple[Reply, bool]:
        """Save the turn's one reply and mark the turn answered by `owner`; True when it is this one.

        False returns the reply that was saved before: that one is posted, this one is not. A question that was withdrawn
        meanwhile leaves nothing of its reply either.
        """
        return _saved(connection, reply, owner)

    @writing_steps
    def save_reply_to_post(
        self, connection: Connection, reply: Reply, *, owner: str, platform: str, place: str, at: datetime
    ) -> ToPost:
        """`save_reply`, and intend its first message in `place` where it is still wanted; all of one moment."""
        message = Posting(new_id("post", at), platform, PostingKind.REPLY, reply.turn_id, 0, place, None, at)
        ended = _answer(connection, reply, message, owner)
        if ended is None:  # it was answered before, or withdrawn, which ends a turn as well
            reply, _ = _saved(connection, reply, owner)
            is_withdrawn, is_handed_over = _fate(connection, reply.turn_id)
            is_new = False
        else:
            is_withdrawn, (is_handed_over, is_new) = False, ended
        first_part = None
        if not (is_withdrawn or is_handed_over):
            first_part = (message, True) if is_new else intended(connection, message)
        return ToPost(reply, is_withdrawn, is_handed_over, first_part)

    @reading_unit
    def find(self, connection: Connection, platform: str, external_id: str) -> Conversation | None:
        """The platform's conversation, if it is known."""
        return _find(connection, platform, external_id)

    async def get(self, conversation_id: str) -> Conversation:
        """The conversation with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            statement = select(conversations).where(conversations.c.id == conversation_id)
            row = (await connection.execute(statement)).mappings().one_or_none()
            if row is None:
                raise NotFound("conversation", conversation_id)
            return Conversation(**row)

    @reading_unit
    def turn(self, connection: Connection, turn_id: str) -> Turn:
        """The turn with this id. Raises NotFound."""
        return _turn(connection, turn_id)

    @reading_unit
    def fate(self, connection: Connection, turn_id: str) -> tuple[bool, bool]:
        """Whether the question was withdrawn, and whether its conversation is in a person's hands. Raises NotFound."""
        return _fate(connection, turn_id)

    async def reply(self, reply_id: str) -> Reply:
        """The reply with this id. Raises NotFound."""
        async with self._database.glancing() as connection:
            row = (await connection.execute(select(replies).where(replies.c.id == reply_id))).mappings().one_or_none()
            if row is None:
                raise NotFound("reply", reply_id)
            return Reply(**row)

    @reading_unit
    def reply_to(self, connection: Connection, turn_id: str) -> Reply | None:
        """The reply to this turn, if there is one yet."""
        row = _REPLY_TO.row(connection, {"turn_id": turn_id})
        return Reply(**row) if row else None

    @reading_unit
    def history(
        self, connection: Connection, conversation_id: str, *, before: Turn | None, limit: int
    ) -> list[tuple[Turn, Reply | None]]:
        """The last `limit` turns of a conversation asked before `before` (None: of all), oldest first."""
        return _history(connection, conversation_id, before, limit)

    async def recent_turns(self, conversation_id: str, limit: int) -> list[tuple[Turn, Reply | None]]:
        """The last `limit` turns of a conversation, oldest first."""
        return await self.history(conversation_id, before=None, limit=limit)

    @reading_unit
    def find_turn(self, connection: Connection, platform: str, key: str) -> Turn | None:
        """The question that is recorded under the platform's key, if one is."""
        row = _TURN_OF_KEY.row(connection, {"platform": platform, "key": key})
        return Turn(**row) if row else None

    @reading_unit
    def first_turn(self, connection: Connection, conversation_id: str) -> Turn | None:
        """The question a conversation began with."""
        row = _FIRST_TURN.row(connection, {"conversation_id": conversation_id})
        return Turn(**row) if row else None

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

    async def many(self, ids: Iterable[str]) -> list[Conversation]:
        """These conversations, in no particular order; an unknown id is left out."""
        found: list[Conversation] = []
        async with self._database.reading() as connection:
            for chunk in chunks(sorted(set(ids))):
                rows = await connection.execute(select(conversations).where(conversations.c.id.in_(chunk)))
                found += [Conversation(**row) for row in rows.mappings()]
        return found

    async def spent(self, voice_id: str, since: datetime) -> tuple[int, int, int]:
        """How many replies models gave for the voice since then, and the tokens they read and wrote."""
        statement = select(
            func.count().label("n_replies"),
            func.coalesce(func.sum(replies.c.prompt_tokens), 0).label("n_read"),
            func.coalesce(func.sum(replies.c.completion_tokens), 0).label("n_written"),
        ).where(replies.c.voice_id == voice_id, replies.c.created_at >= since, replies.c.model_name.is_not(None))
        async with self._database.reading() as connection:
            row = (await connection.execute(statement)).mappings().one()
            return int(row["n_replies"]), int(row["n_read"]), int(row["n_written"])

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
            # Wherever it stands it is behind this edit, also while an earlier one is being shown.
            behind = new_id("edit", at)
            await connection.execute(update(postings).where(is_it).values(shown=behind))
            await record(connection, at, by, "edit_reply", reply_id)
            return Reply(**row)

    async def cut_reply(self, reply_id: str, text: str) -> Reply:
        """The reply ended where somebody stopped it, before its last words were shown; they are kept nowhere. Raises NotFound."""
        cut = update(replies).where(replies.c.id == reply_id).values(text=text)
        async with self._database.writing() as connection:
            row = (await connection.execute(cut.returning(*replies.c))).mappings().one_or_none()
            if row is None:
                raise NotFound("reply", reply_id)
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
        async with self._database.writing() as connection:
            row = (await connection.execute(select(turns).where(is_it).with_for_update())).mappings().one_or_none()
            if row is None:
                return None
            ids, _ = await erase_turns(connection, [row["id"]], at)
            await record(connection, at, row["asked_by"], "withdraw_question", row["id"], corrections=ids)
            return replace(Turn(**row), question="", withdrawn_at=at, state=TurnState.ANSWERED, lease_until=None)

    async def withdraw_all(self, platform: str, beginning: str, *, at: datetime) -> int:
        """Withdraw every question whose key has this beginning, as `withdraw_question` does; how many.

        Messages of ours in places with this beginning are out of reach: none of them is taken off the platform any more.
        """
        is_it = turns.c.key.startswith(beginning, autoescape=True) & turns.c.withdrawn_at.is_(None)
        is_ours = postings.c.place.startswith(beginning, autoescape=True) & postings.c.removed_at.is_(None)
        async with self._database.writing() as connection:
            found = await connection.execute(select(turns.c.id).where(turns.c.platform == platform, is_it))
            ids = sorted(found.scalars())
            for chunk in chunks(ids):
                await erase_turns(connection, chunk, at)
            gone = update(postings).where(postings.c.platform == platform, is_ours).values(removed_at=at)
            await connection.execute(gone)
            await record(
                connection, at, PROGRAM_ACTOR_ID, "withdraw_all", beginning, platform=platform, questions=len(ids)
            )
            return len(ids)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(turns.c.lease_until.is_(None), turns.c.lease_until <= now)


# ---------------------------------------------------------------- parts of a unit


def _find(connection: Connection, platform: str, external_id: str) -> Conversation | None:
    row = _FIND.row(connection, {"platform": platform, "external_id": external_id})
    return Conversation(**row) if row else None


def _ensured(connection: Connection, voice_id: str, platform: str, external_id: str, at: datetime) -> Conversation:
    new = Conversation(new_id("conv", at), voice_id, platform, external_id, at)
    if insert_if_new(conversations).row(connection, row_of(new)):
        return new
    known = _find(connection, platform, external_id)
    if known is None:
        raise NotFound("conversation", external_id)
    return known


def _taken(
    connection: Connection, asking: Asking, owner: str, lease_until: datetime, now: datetime
) -> tuple[Conversation, Turn | None]:
    """Record a question, claimed, and its conversation where that is new; no turn where the question is recorded already."""

    def claimed(conversation: Conversation) -> Turn:
        turn = _asked(conversation, asking.key, asking.question, asking.asked_by, now)
        return replace(turn, lease_owner=owner, lease_until=lease_until, attempts=1)

    if asking.known is None and connection.dialect.name == "postgresql":
        new = Conversation(
            new_id("conv", now), asking.voice_id, asking.platform, asking.conversation_key, created_at=now
        )
        turn = claimed(new)
        if _BEGIN_AT_ONCE.row(connection, _named(conversations, new) | _named(turns, turn)) is not None:
            return new, turn  # else there is such a conversation by now, or such a question
    conversation = asking.known or _ensured(connection, asking.voice_id, asking.platform, asking.conversation_key, now)
    turn = claimed(conversation)
    return conversation, turn if insert_if_new(turns).row(connection, row_of(turn)) else None


def _asked(conversation: Conversation, key: str, question: str, asked_by: str, at: datetime) -> Turn:
    return Turn(
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


def _turn(connection: Connection, turn_id: str, *, is_held: bool = False) -> Turn:
    """`is_held` lets nobody else change it before the transaction ends. Raises NotFound."""
    turn = (_TURN_HELD if is_held else _TURN).row(connection, {"turn_id": turn_id})
    if turn is None:
        raise NotFound("turn", turn_id)
    return Turn(**turn)


def _answer(connection: Connection, reply: Reply, message: Posting, owner: str) -> tuple[bool, bool] | None:
    """End a turn by its reply, and intend the message unless a person has the conversation: whether one has, and whether
    the message is intended by this. None, and nothing is done, where the turn is over.
    """
    mine = {"turn_id": reply.turn_id, "in_conversation": reply.conversation_id, "owner": owner}
    if connection.dialect.name == "postgresql":
        ended = _ANSWER_AT_ONCE.row(connection, mine | _named(replies, reply) | _named(postings, message))
        return None if ended is None else (ended["is_handed_over"], ended["is_new"])
    ended = _ANSWER.row(connection, mine)
    if ended is None:
        return None
    _ADD_REPLY.row(connection, row_of(reply))
    if ended["is_handed_over"]:
        return True, False
    return False, insert_if_new(postings).row(connection, row_of(message)) is not None


def _saved(connection: Connection, reply: Reply, owner: str) -> tuple[Reply, bool]:
    turn = _turn(connection, reply.turn_id, is_held=True)
    if turn.withdrawn_at is not None:
        reply = replace(reply, text="", corrected_text=None)
    if not insert_if_new(replies).row(connection, row_of(reply)):
        known = _REPLY_TO.row(connection, {"turn_id": reply.turn_id})
        if known is None:
            raise NotFound("reply", reply.turn_id)
        return Reply(**known), False
    answered = {"state": TurnState.ANSWERED, "lease_owner": owner, "lease_until": None}
    connection.execute(update(turns).where(turns.c.id == reply.turn_id).values(answered))
    return reply, True


def _fate(connection: Connection, turn_id: str) -> tuple[bool, bool]:
    row = _FATE.row(connection, {"turn_id": turn_id})
    if row is None:
        raise NotFound("turn", turn_id)
    return bool(row["is_withdrawn"]), bool(row["is_handed_over"])


def _history(
    connection: Connection, conversation_id: str, before: Turn | None, limit: int
) -> list[tuple[Turn, Reply | None]]:
    wanted: dict[str, Any] = {"conversation_id": conversation_id, "at_most": limit}
    if before is None:
        rows = _HISTORY.rows(connection, wanted)
    else:
        wanted |= {"asked_at": before.asked_at, "turn_id": before.id}
        rows = _HISTORY_BEFORE.rows(connection, wanted)
    found = [(_turn_in(row), _reply_in(row, "reply_") if row["reply_id"] else None) for row in rows]
    return found[::-1]


def _turn_in(row: Mapping[Any, Any]) -> Turn:
    return Turn(**{column.name: row[column.name] for column in turns.c})


def _reply_in(row: Mapping[Any, Any], prefix: str) -> Reply:
    return Reply(**{column.name: row[f"{prefix}{column.name}"] for column in replies.c})


def _conversation_in(row: Mapping[Any, Any], prefix: str) -> Conversation:
    return Conversation(**{column.name: row[f"{prefix}{column.name}"] for column in conversations.c})
