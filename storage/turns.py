"""The steps of a turn inside one transaction: its conversation found or made, the question recorded, the reply saved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql

from storage.errors import NotFound
from storage.ids import new_id
from storage.prepared import Prepared, insert_if_new
from storage.records import Conversation, Posting, Reply, Turn, TurnState
from storage.rows import row_of
from storage.schema import conversations, hand_overs, postings, replies, turns

# ---------------------------------------------------------------- what every reply needs, made once

_FIND = Prepared(
    select(conversations).where(
        conversations.c.platform == bindparam("platform"), conversations.c.external_id == bindparam("external_id")
    )
)
_TURN = Prepared(select(turns).where(turns.c.id == bindparam("turn_id")))
_TURN_HELD = Prepared(select(turns).where(turns.c.id == bindparam("turn_id")).with_for_update())
_ADD_REPLY = Prepared(insert(replies), columns=[column.name for column in replies.c])
REPLY_TO = Prepared(select(replies).where(replies.c.turn_id == bindparam("turn_id")))

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


# ---------------------------------------------------------------- a question on its way in, and its reply on its way out


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


def conversation_at(connection: Connection, platform: str, external_id: str) -> Conversation | None:
    """The platform's conversation, if it is known."""
    row = _FIND.row(connection, {"platform": platform, "external_id": external_id})
    return Conversation(**row) if row else None


def conversation_ensured(
    connection: Connection, voice_id: str, platform: str, external_id: str, at: datetime
) -> Conversation:
    """The platform's conversation, made under `voice_id` if it is new."""
    new = Conversation(new_id("conv", at), voice_id, platform, external_id, at)
    if insert_if_new(conversations).row(connection, row_of(new)):
        return new
    known = conversation_at(connection, platform, external_id)
    if known is None:
        raise NotFound("conversation", external_id)
    return known


def question_taken(
    connection: Connection, asking: Asking, owner: str, lease_until: datetime, now: datetime
) -> tuple[Conversation, Turn | None]:
    """Record a question, claimed, and its conversation where that is new; no turn where the question is recorded already."""

    def claimed(conversation: Conversation) -> Turn:
        turn = new_turn(conversation, asking.key, asking.question, asking.asked_by, now)
        return replace(turn, lease_owner=owner, lease_until=lease_until, attempts=1)

    if asking.known is None and connection.dialect.name == "postgresql":
        new = Conversation(
            new_id("conv", now), asking.voice_id, asking.platform, asking.conversation_key, created_at=now
        )
        turn = claimed(new)
        if _BEGIN_AT_ONCE.row(connection, _named(conversations, new) | _named(turns, turn)) is not None:
            return new, turn  # else there is such a conversation by now, or such a question
    conversation = asking.known or conversation_ensured(
        connection, asking.voice_id, asking.platform, asking.conversation_key, now
    )
    turn = claimed(conversation)
    return conversation, turn if insert_if_new(turns).row(connection, row_of(turn)) else None


def new_turn(conversation: Conversation, key: str, question: str, asked_by: str, at: datetime) -> Turn:
    """A question that nobody has claimed."""
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


def turn_of(connection: Connection, turn_id: str, *, is_held: bool = False) -> Turn:
    """`is_held` lets nobody else change it before the transaction ends. Raises NotFound."""
    turn = (_TURN_HELD if is_held else _TURN).row(connection, {"turn_id": turn_id})
    if turn is None:
        raise NotFound("turn", turn_id)
    return Turn(**turn)


def ended_by(connection: Connection, reply: Reply, message: Posting, owner: str) -> tuple[bool, bool] | None:
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


def reply_saved(connection: Connection, reply: Reply, owner: str) -> tuple[Reply, bool]:
    """The turn's one reply, and whether it is this one; of a withdrawn question without its words. Raises NotFound."""
    turn = turn_of(connection, reply.turn_id, is_held=True)
    if turn.withdrawn_at is not None:
        reply = replace(reply, text="", corrected_text=None)
    if not insert_if_new(replies).row(connection, row_of(reply)):
        known = REPLY_TO.row(connection, {"turn_id": reply.turn_id})
        if known is None:
            raise NotFound("reply", reply.turn_id)
        return Reply(**known), False
    answered = {"state": TurnState.ANSWERED, "lease_owner": owner, "lease_until": None}
    connection.execute(update(turns).where(turns.c.id == reply.turn_id).values(answered))
    return reply, True


def fate_of(connection: Connection, turn_id: str) -> tuple[bool, bool]:
    """Whether the question was withdrawn, and whether its conversation is in a person's hands. Raises NotFound."""
    row = _FATE.row(connection, {"turn_id": turn_id})
    if row is None:
        raise NotFound("turn", turn_id)
    return bool(row["is_withdrawn"]), bool(row["is_handed_over"])


def history_of(
    connection: Connection, conversation_id: str, before: Turn | None, limit: int
) -> list[tuple[Turn, Reply | None]]:
    """The last `limit` turns asked before `before` (None: of all), oldest first."""
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


def conversation_in(row: Mapping[Any, Any], prefix: str) -> Conversation:
    """The conversation whose columns stand in the row behind this prefix."""
    return Conversation(**{column.name: row[f"{prefix}{column.name}"] for column in conversations.c})
