"""Our messages on the platforms: which of them shows what. Intended before it is sent, so that none is sent twice."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, exists, or_, select, update

from storage.database import Database, reading_unit, uninterrupted, writing_steps, writing_unit
from storage.errors import NotFound
from storage.ids import new_id
from storage.prepared import Prepared, insert_if_new
from storage.records import CorrectionState, Posting, PostingKind, ReplySource
from storage.rows import row_of
from storage.schema import actors, corrections, disputes, feedback, hand_overs, postings, replies, turns

_INTENDED = Prepared(
    select(postings).where(
        postings.c.platform == bindparam("platform"),
        postings.c.kind == bindparam("kind"),
        postings.c.subject == bindparam("subject"),
        postings.c.part == bindparam("part"),
    )
)
_LANDING = update(postings).where(postings.c.id == bindparam("posting_id")).values(message_key=bindparam("to_key"))
_LANDED = Prepared(_LANDING.returning(*postings.c))
_LANDED_ELSEWHERE = Prepared(_LANDING.values(place=bindparam("there")).returning(*postings.c))
_WITHDRAWN = Prepared(select(turns.c.id).where(turns.c.id == bindparam("turn_id"), turns.c.withdrawn_at.is_not(None)))
_OF = Prepared(
    select(postings)
    .where(postings.c.kind == bindparam("kind"), postings.c.subject == bindparam("subject"))
    .order_by(postings.c.platform, postings.c.part)
)

EDITED = "edited"  # `shown` of a reply's message that shows the words it was last changed to
LAST = "last"  # `shown` of a message that shows how it ended and will not change again


@uninterrupted
class Postings:
    """Messages of ours, by what they show and by where they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @writing_unit
    def intend(
        self,
        connection: Connection,
        platform: str,
        kind: PostingKind,
        subject: str,
        part: int,
        place: str,
        *,
        at: datetime,
    ) -> tuple[Posting, bool]:
        """Say that a message is about to be sent; False returns the one that was intended, or landed, before."""
        return intended(connection, Posting(new_id("post", at), platform, kind, subject, part, place, None, at))

    @writing_steps
    def landed(self, connection: Connection, posting_id: str, message_key: str, *, place: str | None = None) -> Posting:
        """The platform has the message under this key, in `place` where only sending showed which. Raises NotFound."""
        return _landed(connection, posting_id, message_key, place)

    @writing_steps
    def landed_in_turn(self, connection: Connection, posting_id: str, message_key: str, turn_id: str) -> bool:
        """`landed`, for a part of a turn's reply; and whether the question is withdrawn, so that the message has to go.

        Two steps, in this order: whoever withdraws it after the second finds the message.
        """
        _landed(connection, posting_id, message_key, None)
        return _WITHDRAWN.row(connection, {"turn_id": turn_id}) is not None

    async def shows(self, posting_id: str, shown: str) -> None:
        """The message now shows this state."""
        change = update(postings).where(postings.c.id == posting_id).values(shown=shown)
        async with self._database.writing() as connection:
            await connection.execute(change)

    async def advance(self, posting_id: str, before: str, after: str) -> bool:
        """Move what the message shows from one state to the next; False when it was not in that state (any more)."""
        is_it = (postings.c.id == posting_id) & (postings.c.shown == before)
        async with self._database.writing() as connection:
            return bool((await connection.execute(update(postings).where(is_it).values(shown=after))).rowcount)

    async def removed(self, posting_id: str, *, at: datetime) -> None:
        """The message is no longer on the platform."""
        change = update(postings).where(postings.c.id == posting_id, postings.c.removed_at.is_(None))
        async with self._database.writing() as connection:
            await connection.execute(change.values(removed_at=at))

    async def dropped(self, posting_id: str) -> None:
        """There is no such message, and it may be intended anew."""
        async with self._database.writing() as connection:
            await connection.execute(delete(postings).where(postings.c.id == posting_id))

    async def at(self, platform: str, place: str, message_key: str) -> Posting | None:
        """What the platform's message is to us; None when it is not ours."""
        is_it = (
            (postings.c.platform == platform) & (postings.c.place == place) & (postings.c.message_key == message_key)
        )
        async with self._database.glancing() as connection:
            row = (await connection.execute(select(postings).where(is_it))).mappings().one_or_none()
            return Posting(**row) if row else None

    async def standing(self, platform: str, kind: PostingKind, limit: int) -> list[Posting]:
        """The newest `limit` messages of a kind that are on the platform and do not show their last state, newest first."""
        is_there = (
            (postings.c.platform == platform)
            & (postings.c.kind == kind)
            & postings.c.message_key.is_not(None)
            & postings.c.removed_at.is_(None)
            & (postings.c.shown != LAST)
        )
        statement = select(postings).where(is_there).order_by(postings.c.created_at.desc(), postings.c.id.desc())
        async with self._database.reading() as connection:
            return [Posting(**row) for row in (await connection.execute(statement.limit(limit))).mappings()]

    async def decided_reviews(self, platform: str, limit: int) -> list[Posting]:
        """Cards on the platform that still ask for a decision which was made, oldest first."""
        statement = (
            select(postings)
            .join(corrections, corrections.c.id == postings.c.subject)
            .where(
                postings.c.platform == platform,
                postings.c.kind == PostingKind.REVIEW,
                postings.c.message_key.is_not(None),
                postings.c.removed_at.is_(None),
                postings.c.shown != LAST,
                corrections.c.state != CorrectionState.PROPOSED,
            )
            .order_by(postings.c.created_at, postings.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [Posting(**row) for row in (await connection.execute(statement)).mappings()]

    async def unshown_proposals(self, platform: str, voice_id: str, limit: int) -> list[str]:
        """Corrections of replies that wait for a decision and have no card on the platform, oldest first; their ids."""
        has_card = (
            select(postings.c.id)
            .where(
                postings.c.platform == platform,
                postings.c.kind == PostingKind.REVIEW,
                postings.c.subject == corrections.c.id,
                postings.c.message_key.is_not(None),
            )
            .exists()
        )
        statement = (
            select(corrections.c.id)
            .where(
                corrections.c.voice_id == voice_id,
                corrections.c.state == CorrectionState.PROPOSED,
                corrections.c.reply_id.is_not(None),
                ~has_card,
            )
            .order_by(corrections.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    async def unshown(self, platform: str, kind: PostingKind, ids: Collection[str]) -> list[str]:
        """Those of these subjects that have no card of this kind on the platform, in the order given."""
        has_card = select(postings.c.subject).where(
            postings.c.platform == platform,
            postings.c.kind == kind,
            postings.c.subject.in_(ids),
            postings.c.message_key.is_not(None),
        )
        async with self._database.reading() as connection:
            shown = set((await connection.execute(has_card)).scalars())
            return [id for id in ids if id not in shown]

    async def untold_decisions(self, platform: str, voice_id: str, since: datetime, limit: int) -> list[str]:
        """Corrections proposed on the platform, decided by somebody else after `since`, whose proposer was not told; their ids.

        The oldest decision first.
        """
        is_told = (
            select(postings.c.id)
            .where(
                postings.c.platform == platform,
                postings.c.kind == PostingKind.NOTICE,
                postings.c.subject == corrections.c.id,
            )
            .exists()
        )
        statement = (
            select(corrections.c.id)
            .join(actors, actors.c.id == corrections.c.proposed_by)
            .where(
                corrections.c.voice_id == voice_id,
                actors.c.platform == platform,
                corrections.c.decided_at > since,
                corrections.c.decided_by != corrections.c.proposed_by,
                corrections.c.state != CorrectionState.ERASED,
                ~is_told,
            )
            .order_by(corrections.c.decided_at, corrections.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    async def unshown_edits(self, platform: str, limit: int) -> list[Posting]:
        """First parts of replies on the platform that a moderator has changed since, and that still show the old words."""
        statement = (
            select(postings)
            .join(replies, replies.c.turn_id == postings.c.subject)
            .where(
                postings.c.platform == platform,
                postings.c.kind == PostingKind.REPLY,
                postings.c.part == 0,
                postings.c.shown != EDITED,
                postings.c.message_key.is_not(None),
                postings.c.removed_at.is_(None),
                replies.c.corrected_text.is_not(None),
            )
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [Posting(**row) for row in (await connection.execute(statement)).mappings()]

    async def to_remove(self, platform: str, limit: int) -> list[Posting]:
        """Messages on the platform that carry words which were withdrawn or erased since, oldest first."""
        is_withdrawn = exists().where(turns.c.id == postings.c.subject, turns.c.withdrawn_at.is_not(None))
        is_erased = exists().where(
            corrections.c.id == postings.c.subject, corrections.c.state == CorrectionState.ERASED
        )
        is_forgotten = or_(
            postings.c.kind.in_((PostingKind.REPLY, PostingKind.DRAFT)) & is_withdrawn,
            postings.c.kind.in_((PostingKind.REVIEW, PostingKind.NOTICE)) & is_erased,
            (postings.c.kind == PostingKind.DOUBT)
            & exists().where(
                replies.c.id == postings.c.subject, turns.c.id == replies.c.turn_id, turns.c.withdrawn_at.is_not(None)
            ),
            (postings.c.kind == PostingKind.DISPUTE) & ~exists().where(disputes.c.id == postings.c.subject),
        )
        statement = (
            select(postings)
            .where(
                postings.c.platform == platform,
                postings.c.message_key.is_not(None),
                postings.c.removed_at.is_(None),
                is_forgotten,
            )
            .order_by(postings.c.created_at, postings.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [Posting(**row) for row in (await connection.execute(statement)).mappings()]

    async def silent_conversations(
        self, platform: str, voice_id: str, since: datetime, until: datetime, limit: int
    ) -> list[str]:
        """Conversations that fell silent after a reply which was given in [since, until) and stands on the platform; their ids.

        Neither asked on, nor judged, nor ever in a person's hands, nor followed up before. The longest silence first.
        """
        later = turns.alias()
        is_asked_on = exists().where(
            later.c.conversation_id == turns.c.conversation_id,
            or_(
                later.c.asked_at > turns.c.asked_at, and_(later.c.asked_at == turns.c.asked_at, later.c.id > turns.c.id)
            ),
        )
        has_card = exists().where(
            postings.c.kind == PostingKind.FOLLOW_UP, postings.c.subject == turns.c.conversation_id
        )
        is_handed_over = exists().where(hand_overs.c.conversation_id == turns.c.conversation_id)
        stands = exists().where(
            postings.c.platform == platform,
            postings.c.kind == PostingKind.REPLY,
            postings.c.subject == turns.c.id,
            postings.c.message_key.is_not(None),
            postings.c.removed_at.is_(None),
        )
        statement = (
            select(turns.c.conversation_id)
            .join(replies, replies.c.turn_id == turns.c.id)
            .where(
                turns.c.platform == platform,
                replies.c.voice_id == voice_id,
                replies.c.created_at >= since,
                replies.c.created_at < until,
                replies.c.source != ReplySource.NOTICE,
                turns.c.withdrawn_at.is_(None),
                ~is_asked_on,
                ~exists().where(feedback.c.reply_id == replies.c.id),
                ~is_handed_over,
                ~has_card,
                stands,
            )
            .order_by(replies.c.created_at, replies.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    @reading_unit
    def of(self, connection: Connection, kind: PostingKind, subject: str) -> list[Posting]:
        """Every message that shows this, in the order of its parts."""
        return [Posting(**row) for row in _OF.rows(connection, {"kind": kind, "subject": subject})]


def intended(connection: Connection, new: Posting) -> tuple[Posting, bool]:
    """Part of a unit: `Postings.intend`."""
    if insert_if_new(postings).row(connection, row_of(new)):
        return new, True
    is_it = {"platform": new.platform, "kind": new.kind, "subject": new.subject, "part": new.part}
    known = _INTENDED.row(connection, is_it)
    if known is None:
        raise NotFound("posting", new.subject)
    return Posting(**known), False


def _landed(connection: Connection, posting_id: str, message_key: str, place: str | None) -> Posting:
    told = {"posting_id": posting_id, "to_key": message_key, "there": place}
    row = (_LANDED if place is None else _LANDED_ELSEWHERE).row(connection, told)
    if row is None:
        raise NotFound("posting", posting_id)
    return Posting(**row)
