"""Conversations, their turns and the replies. A question is recorded once and answered once, by constraint."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from storage.audit import record
from storage.database import Database, reading_unit, relaxed_steps, uninterrupted, writing_steps, writing_unit
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
from storage.rows import chunks, row_of
from storage.schema import actors, channels, conversations, hand_overs, postings, replies, turns
from storage.turns import (
    REPLY_TO,
    Asking,
    conversation_at,
    conversation_ensured,
    conversation_in,
    ended_by,
    fate_of,
    history_of,
    new_turn,
    question_taken,
    reply_saved,
    turn_of,
)

# ---------------------------------------------------------------- what every message and every reply needs, made once

_TURN_OF_KEY = Prepared(select(turns).where(turns.c.platform == bindparam("platform"), turns.c.key == bindparam("key")))
_IN_CONVERSATION = select(turns).where(turns.c.conversation_id == bindparam("conversation_id"))
_FIRST_TURN = Prepared(_IN_CONVERSATION.order_by(turns.c.asked_at, turns.c.id).limit(1))

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


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when somebody says something in a conversation."""

    speaker: Actor | None
    conversation: Conversation | None
    first_asked_by: str | None  # actor id; None: nobody has asked anything in it
    is_handed_over: bool
    channel_mode: ChannelMode | None  # None: nothing was set for the channel


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
        return conversation_ensured(connection, voice_id, platform, external_id, at)

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
            conversation=conversation_in(row, "conversation_") if row["conversation_id"] else None,
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
        conversation, turn = question_taken(connection, asking, owner, now + timedelta(seconds=lease_s), now)
        if turn is None:
            return None
        # Looked at when the question can be seen by others: whoever reads of its deletion later withdraws it.
        wanted = {"served": conversation.voice_id, "platform": asking.platform, "event_key": asking.deletion_key}
        serving = _SERVING_AND_DELETED.row(connection, wanted)
        if serving is None:
            raise NotFound("voice", conversation.voice_id)
        before = [] if asking.known is None else history_of(connection, conversation.id, turn, history)
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
        new = new_turn(conversation, key, question, asked_by, at)
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
            turn_of(connection, turn_id)  # raises NotFound
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
        return reply_saved(connection, reply, owner)

    @writing_steps
    def save_reply_to_post(
        self, connection: Connection, reply: Reply, *, owner: str, platform: str, place: str, at: datetime
    ) -> ToPost:
        """`save_reply`, and intend its first message in `place` where it is still wanted; all of one moment."""
        message = Posting(new_id("post", at), platform, PostingKind.REPLY, reply.turn_id, 0, place, None, at)
        ended = ended_by(connection, reply, message, owner)
        if ended is None:  # it was answered before, or withdrawn, which ends a turn as well
            reply, _ = reply_saved(connection, reply, owner)
            is_withdrawn, is_handed_over = fate_of(connection, reply.turn_id)
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
        return conversation_at(connection, platform, external_id)

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
        return turn_of(connection, turn_id)

    @reading_unit
    def fate(self, connection: Connection, turn_id: str) -> tuple[bool, bool]:
        """Whether the question was withdrawn, and whether its conversation is in a person's hands. Raises NotFound."""
        return fate_of(connection, turn_id)

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
        row = REPLY_TO.row(connection, {"turn_id": turn_id})
        return Reply(**row) if row else None

    @reading_unit
    def history(
        self, connection: Connection, conversation_id: str, *, before: Turn | None, limit: int
    ) -> list[tuple[Turn, Reply | None]]:
        """The last `limit` turns of a conversation asked before `before` (None: of all), oldest first."""
        return history_of(connection, conversation_id, before, limit)

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
