"""Whether models learned the corrections they were trained on. A verdict is given once and stays; only who was told is added."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import entry, record, record_all
from storage.database import Database, uninterrupted
from storage.records import PROGRAM_ACTOR_ID, CorrectionState, DeploymentKind, PostingKind
from storage.records.learned import Learned, LearnedAnswer, LearnedVerdict
from storage.rows import chunks, is_inserted, row_of
from storage.schema import actors, corrections, deployments, postings
from storage.schema.learned import learned, learned_answers

_IS_LEARNED = learned.c.verdict == LearnedVerdict.LEARNED
_STANDS = corrections.c.state == CorrectionState.APPROVED
_HAS_SERVED = exists().where(  # everybody: what a stopped candidate knew, nobody lost
    deployments.c.model_id == learned.c.model_id, deployments.c.kind == DeploymentKind.PROMOTION
)


_IS_OVER = learned.c.verdict == LearnedVerdict.OVER_GENERALISED
_MESSAGE = learned.c.model_id + "/" + corrections.c.proposed_by  # the subject of the posting that tells of a verdict


def told_to(model_id: str, actor_id: str) -> str:
    """The subject of the posting that tells one person what one model learned, and what it says too often."""
    return f"{model_id}/{actor_id}"


@uninterrupted
class LearnedCorrections:
    """The verdicts on every model."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, found: Learned, answers: Sequence[LearnedAnswer]) -> bool:
        """Keep a verdict with what was said; False where there is one of this correction and model, which stands."""
        async with self._database.writing() as connection:
            if not await is_inserted(connection, learned, row_of(found)):
                return False
            ids = {"correction_id": found.correction_id, "model_id": found.model_id}
            if answers:
                await connection.execute(insert(learned_answers), [ids | row_of(answer) for answer in answers])
            detail = {"model_id": found.model_id, "verdict": found.verdict.value}
            await record(connection, found.judged_at, PROGRAM_ACTOR_ID, "judge_learned", found.correction_id, **detail)
            return True

    async def of_run(self, run_id: str) -> list[Learned]:
        """What a run's model learned and did not, by correction."""
        return await self._all(select(learned).where(learned.c.run_id == run_id).order_by(learned.c.correction_id))

    async def of_model(self, model_id: str) -> list[Learned]:
        """What a model learned and did not, by correction."""
        return await self._all(select(learned).where(learned.c.model_id == model_id).order_by(learned.c.correction_id))

    async def of_correction(self, correction_id: str) -> list[Learned]:
        """The verdicts on one correction, the newest first."""
        statement = select(learned).where(learned.c.correction_id == correction_id)
        return await self._all(statement.order_by(learned.c.judged_at.desc(), learned.c.model_id.desc()))

    async def of_voice(self, voice_id: str) -> list[Learned]:
        """Every verdict on the voice's corrections, the oldest first."""
        statement = select(learned).join(corrections, corrections.c.id == learned.c.correction_id)
        is_theirs = corrections.c.voice_id == voice_id
        return await self._all(statement.where(is_theirs).order_by(learned.c.judged_at, learned.c.correction_id))

    async def answers(self, correction_id: str, model_id: str) -> list[LearnedAnswer]:
        """What the model said when it was asked about the correction, in order."""
        is_it = (learned_answers.c.correction_id == correction_id) & (learned_answers.c.model_id == model_id)
        columns = [column for column in learned_answers.c if column.name not in ("correction_id", "model_id")]
        statement = select(*columns).where(is_it).order_by(learned_answers.c.position)
        async with self._database.reading() as connection:
            return [LearnedAnswer(**row) for row in (await connection.execute(statement)).mappings()]

    async def learned_by(self, model_id: str) -> frozenset[str]:
        """The corrections that are in a model's weights and so are no fix for it; their ids."""
        statement = select(learned.c.correction_id).where(learned.c.model_id == model_id, _IS_LEARNED)
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(statement)).scalars())

    async def ledger(self, voice_id: str) -> frozenset[str]:
        """The corrections that no later model may forget: those in force which a model that was promoted had learned."""
        statement = (
            select(learned.c.correction_id)
            .join(corrections, corrections.c.id == learned.c.correction_id)
            .where(corrections.c.voice_id == voice_id, _IS_LEARNED, _STANDS, _HAS_SERVED)
        )
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(statement)).scalars())

    async def judged(self, voice_id: str) -> dict[str, datetime]:
        """When each of the voice's corrections was judged last, by id; one that never was is left out."""
        statement = (
            select(learned.c.correction_id, func.max(learned.c.judged_at))
            .join(corrections, corrections.c.id == learned.c.correction_id)
            .where(corrections.c.voice_id == voice_id)
            .group_by(learned.c.correction_id)
        )
        async with self._database.reading() as connection:
            return {id: at for id, at in (await connection.execute(statement)).all()}

    # ------------------------------------------------------------ who is told

    async def untold(
        self, platform: str, voice_id: str, since: datetime, limit: int
    ) -> dict[tuple[str, str], list[str]]:
        """Corrections judged learned or over-generalised after `since` that nobody was told that of, by (model id, id of their
        proposer on the platform).

        Of models that were promoted only, each correction once of each verdict, with the oldest such model; at most `limit`.
        Nobody who was forgotten is among the people.
        """
        statement = (
            select(learned.c.model_id, corrections.c.proposed_by, learned.c.correction_id, learned.c.verdict)
            .join(corrections, corrections.c.id == learned.c.correction_id)
            .join(actors, actors.c.id == corrections.c.proposed_by)
            .where(
                corrections.c.voice_id == voice_id,
                actors.c.platform == platform,
                actors.c.external_id.not_like("erased/%"),
                learned.c.judged_at > since,
                _STANDS,
                _HAS_SERVED,
                or_(_IS_LEARNED & ~_is_told(), _IS_OVER & ~_was_over_before() & ~_has_message(platform)),
            )
            .order_by(learned.c.judged_at, learned.c.model_id, learned.c.correction_id)
            .limit(limit)
        )
        found: dict[tuple[str, str], list[str]] = {}
        seen: set[tuple[str, LearnedVerdict]] = set()
        async with self._database.reading() as connection:
            for model_id, actor_id, correction_id, verdict in (await connection.execute(statement)).all():
                if (correction_id, verdict) not in seen:
                    seen.add((correction_id, verdict))
                    found.setdefault((model_id, actor_id), []).append(correction_id)
        return found

    async def tell(
        self, model_id: str, actor_id: str, correction_ids: Collection[str], posting_id: str, *, at: datetime
    ) -> list[str]:
        """Mark those of these that are learned as told to who proposed them, in this posting; the ids of those that nobody was
        told of before.
        """
        told: list[str] = []
        async with self._database.writing() as connection:
            for chunk in chunks(sorted(correction_ids)):
                is_it = (
                    learned.c.correction_id.in_(chunk) & (learned.c.model_id == model_id) & _IS_LEARNED & ~_is_told()
                )
                change = update(learned).where(is_it).values(told_at=at, told_in=posting_id)
                told += (await connection.execute(change.returning(learned.c.correction_id))).scalars()
            entries = [entry(at, PROGRAM_ACTOR_ID, "tell_learned", id, told=actor_id) for id in sorted(told)]
            await record_all(connection, entries)
        return sorted(told)

    async def told_in(self, posting_id: str) -> list[Learned]:
        """What a posting tells, by correction; what was erased since is left out."""
        statement = select(learned).join(corrections, corrections.c.id == learned.c.correction_id)
        subject = select(postings.c.subject).where(postings.c.id == posting_id).scalar_subquery()
        is_there = or_(learned.c.told_in == posting_id, _IS_OVER & ~_was_over_before() & (subject == _MESSAGE))
        is_left = corrections.c.state != CorrectionState.ERASED
        return await self._all(statement.where(is_there, is_left).order_by(learned.c.correction_id))

    async def _all(self, statement: Select[Any]) -> list[Learned]:
        async with self._database.reading() as connection:
            return [Learned(**row) for row in (await connection.execute(statement)).mappings()]


def _is_told() -> ColumnElement[bool]:
    """Whether somebody heard of the correction, of whichever model."""
    before = learned.alias()
    return exists().where(before.c.correction_id == learned.c.correction_id, before.c.told_at.is_not(None))


def _was_over_before() -> ColumnElement[bool]:
    """Whether an older model that served over-generalised the correction, which is told once."""
    before = learned.alias()
    return exists().where(
        before.c.correction_id == learned.c.correction_id,
        before.c.verdict == LearnedVerdict.OVER_GENERALISED,
        before.c.judged_at < learned.c.judged_at,
        deployments.c.model_id == before.c.model_id,
        deployments.c.kind == DeploymentKind.PROMOTION,
    )


def _has_message(platform: str) -> ColumnElement[bool]:
    """Whether the message of the verdict's model to who proposed the correction was sent."""
    return exists().where(
        postings.c.platform == platform,
        postings.c.kind == PostingKind.LEARNED,
        postings.c.subject == _MESSAGE,
        postings.c.message_key.is_not(None),
    )


async def erase_said(connection: AsyncConnection, correction_ids: Sequence[str]) -> None:
    """Empty what models were asked and said about these corrections, also where another's verdict rests on it; the verdicts stay.

    Messages that told of them are shown anew. Part of a transaction.
    """
    for chunk in chunks(correction_ids):
        is_about = or_(learned_answers.c.correction_id.in_(chunk), learned_answers.c.about.in_(chunk))
        await connection.execute(update(learned_answers).where(is_about).values(question="", answer=""))
        told_in = select(learned.c.told_in).where(learned.c.correction_id.in_(chunk), learned.c.told_in.is_not(None))
        quoting = select(learned_answers.c.correction_id).where(is_about)
        over = (
            select(_MESSAGE)
            .join(corrections, corrections.c.id == learned.c.correction_id)
            .where(_IS_OVER, or_(learned.c.correction_id.in_(chunk), learned.c.correction_id.in_(quoting)))
        )
        tells = or_(postings.c.id.in_(told_in), postings.c.subject.in_(over))
        is_message = (postings.c.kind == PostingKind.LEARNED) & tells
        await connection.execute(update(postings).where(is_message).values(shown=""))
