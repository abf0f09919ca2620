"""Who is looking at which correction, and what second reviewers think of decisions.

A lock is one row per correction, so that of two who take it at once one gets it; it is somebody else's to take once it has
expired. It says who is at work and never decides anything: a decision is held by the correction's own state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import entry, record, record_all
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.records import Assignment, CorrectionState, Judgement, Opinion
from storage.rows import chunks, row_of, upsert
from storage.schema import assignments, conversations, corrections, dataset_lines, disputes, opinions, replies, turns

_DECIDED = (CorrectionState.APPROVED, CorrectionState.REJECTED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a list of proposals is sorted and searched by; of ten thousand, the whole corrections would be too much."""

    id: str
    question: str
    corrected_text: str
    reason: Judgement
    origin: str
    proposed_by: str  # actor id
    proposed_at: datetime
    platform: str | None  # of the conversation; None for an imported answer
    place: str | None  # the platform's key of the conversation

    @property
    def is_imported(self) -> bool:
        """Whether it came from a file, and so corrects nothing that was said."""
        return self.origin.startswith("import:")


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that a second reviewer may look at."""

    id: str
    state: CorrectionState  # approved or rejected
    proposed_by: str
    decided_by: str
    decided_at: datetime
    reason: Judgement
    is_imported: bool


@uninterrupted
class Reviews:
    """Locks and second opinions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # ------------------------------------------------------------ the queue

    async def waiting(self, voice_id: str) -> list[Waiting]:
        """Every proposal of the voice, oldest first."""
        statement = (
            select(
                corrections.c.id,
                corrections.c.question,
                corrections.c.corrected_text,
                corrections.c.reason,
                corrections.c.origin,
                corrections.c.proposed_by,
                corrections.c.proposed_at,
                conversations.c.platform,
                conversations.c.external_id,
            )
            .outerjoin(conversations, conversations.c.id == corrections.c.conversation_id)
            .where(corrections.c.voice_id == voice_id, corrections.c.state == CorrectionState.PROPOSED)
            .order_by(corrections.c.proposed_at, corrections.c.id)
        )
        async with self._database.reading() as connection:
            return [Waiting(*row) for row in (await connection.execute(statement)).all()]

    async def asked(self, voice_id: str, since: datetime, limit: int) -> list[str]:
        """The questions that were asked since then and stand, the newest `limit` of them."""
        statement = (
            select(turns.c.question)
            .join(replies, replies.c.turn_id == turns.c.id)
            .where(replies.c.voice_id == voice_id, replies.c.created_at >= since, turns.c.question != "")
            .order_by(replies.c.created_at.desc())
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    # ------------------------------------------------------------ locks

    async def take(self, correction_id: str, by: str, *, now: datetime, until: datetime) -> Assignment:
        """Lock it for `by`, or keep it locked; who has it now, which is somebody else while their lock lasts."""
        async with self._database.writing() as connection:
            await _require(connection, correction_id)
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            mine = dialect.insert(assignments).values(row_of(Assignment(correction_id, by, until)))
            is_free = or_(assignments.c.until <= now, assignments.c.actor_id == by)
            change = {name: mine.excluded[name] for name in ("actor_id", "until")}
            await connection.execute(
                mine.on_conflict_do_update(index_elements=["correction_id"], set_=change, where=is_free)
            )
            is_it = assignments.c.correction_id == correction_id
            return Assignment(**(await connection.execute(select(assignments).where(is_it))).mappings().one())

    async def drop(self, by: str, *, but: str = "") -> None:
        """Give back whatever `by` has locked, but for the correction `but`."""
        async with self._database.writing() as connection:
            is_mine = (assignments.c.actor_id == by) & (assignments.c.correction_id != but)
            await connection.execute(delete(assignments).where(is_mine))

    async def held(self, ids: Iterable[str], now: datetime) -> dict[str, Assignment]:
        """Who is looking at these now, by correction id; what nobody looks at is left out."""
        found: dict[str, Assignment] = {}
        async with self._database.reading() as connection:
            for chunk in chunks(sorted(set(ids))):
                lasts = assignments.c.correction_id.in_(chunk) & (assignments.c.until > now)
                for row in (await connection.execute(select(assignments).where(lasts))).mappings():
                    found[row["correction_id"]] = Assignment(**row)
        return found

    # ------------------------------------------------------------ taking a decision back

    async def take_back(self, correction_id: str, by: str, *, since: datetime, at: datetime) -> bool:
        """Let a correction wait again that `by` approved or rejected after `since`; False where that is too late.

        It is too late once anything rests on the decision: a dataset version, a dispute, a second opinion. What the approval
        had superseded is approved again.
        """
        rests_on_it = (
            exists().where(dataset_lines.c.correction_id == correction_id),
            exists().where(or_(disputes.c.first == correction_id, disputes.c.second == correction_id)),
            exists().where(opinions.c.correction_id == correction_id),
        )
        is_mine = (
            (corrections.c.id == correction_id)
            & corrections.c.state.in_(_DECIDED)
            & (corrections.c.decided_by == by)
            & (corrections.c.decided_at > since)
        )
        undecided = {"state": CorrectionState.PROPOSED, "decided_by": None, "decided_at": None, "decision_note": ""}
        was_replaced = (corrections.c.superseded_by == correction_id) & (
            corrections.c.state == CorrectionState.SUPERSEDED
        )
        standing = {"state": CorrectionState.APPROVED, "superseded_by": None, "superseded_at": None}
        async with self._database.writing() as connection:
            change = update(corrections).where(is_mine, *(~each for each in rests_on_it)).values(undecided)
            if not (await connection.execute(change)).rowcount:
                return False
            restored = update(corrections).where(was_replaced).values(standing).returning(corrections.c.id)
            restored_ids = (await connection.execute(restored)).scalars().all()
            entries = [entry(at, by, "take_back", correction_id)]
            entries += [entry(at, by, "restore", each, instead_of=correction_id) for each in restored_ids]
            await record_all(connection, entries)
            return True

    # ------------------------------------------------------------ second opinions

    async def decided(self, voice_id: str, since: datetime) -> list[Decided]:
        """What was approved or rejected after `since`, the oldest decision first."""
        statement = (
            select(
                corrections.c.id,
                corrections.c.state,
                corrections.c.proposed_by,
                corrections.c.decided_by,
                corrections.c.decided_at,
                corrections.c.reason,
                corrections.c.reply_id.is_(None),
            )
            .where(
                corrections.c.voice_id == voice_id,
                corrections.c.state.in_(_DECIDED),
                corrections.c.decided_at > since,
            )
            .order_by(corrections.c.decided_at, corrections.c.id)
        )
        async with self._database.reading() as connection:
            return [Decided(*row[:6], bool(row[6])) for row in (await connection.execute(statement)).all()]

    async def give(self, opinion: Opinion) -> Opinion:
        """Save what somebody thinks of a decision, in place of what they thought before. Raises NotFound."""
        async with self._database.writing() as connection:
            await _require(connection, opinion.correction_id)
            await upsert(connection, opinions, row_of(opinion), keys=["correction_id", "actor_id"])
            said = {"is_approval": opinion.is_approval, "reason": opinion.reason.value}
            await record(
                connection, opinion.given_at, opinion.actor_id, "second_opinion", opinion.correction_id, **said
            )
            return opinion

    async def opinions(self, voice_id: str) -> Sequence[Opinion]:
        """Every second opinion on the voice's corrections, oldest first."""
        statement = (
            select(opinions)
            .join(corrections, corrections.c.id == opinions.c.correction_id)
            .where(corrections.c.voice_id == voice_id)
            .order_by(opinions.c.given_at, opinions.c.correction_id, opinions.c.actor_id)
        )
        async with self._database.reading() as connection:
            return [Opinion(**row) for row in (await connection.execute(statement)).mappings()]

    async def opinions_on(self, correction_id: str) -> Sequence[Opinion]:
        """What second reviewers think of one decision, oldest first."""
        statement = select(opinions).where(opinions.c.correction_id == correction_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(opinions.c.given_at, opinions.c.actor_id))
            return [Opinion(**row) for row in rows.mappings()]


async def _require(connection: AsyncConnection, correction_id: str) -> None:
    is_it = corrections.c.id == correction_id
    if (await connection.execute(select(corrections.c.id).where(is_it))).first() is None:
        raise NotFound("correction", correction_id)
