"""What moderators say replies should have been, from proposal to decision. A correction is decided once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import entry, record, record_all
from storage.database import Database, uninterrupted
from storage.errors import AlreadyDecided, NotFound
from storage.ids import new_id
from storage.records import Correction, CorrectionState, Message, PostingKind, Scope
from storage.rows import chunks, insert_new, row_of
from storage.schema import corrections, disputes, postings, replies

_VERBS = {
    CorrectionState.APPROVED: "approve",
    CorrectionState.REJECTED: "reject",
    CorrectionState.RETRACTED: "retract",
}


@uninterrupted
class Corrections:
    """The corrections of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, correction: Correction) -> tuple[Correction, bool]:
        """Save a proposal; True when it is new. False returns the one that has its id, or its voice and key."""
        async with self._database.writing() as connection:
            if await _insert(connection, [correction]):
                return correction, True
            same = (corrections.c.voice_id == correction.voice_id) & (corrections.c.key == correction.key)
            known = await _find(connection, corrections.c.id == correction.id)
            known = known or await _find(connection, same)
            if known is None:
                raise NotFound("correction", correction.id)
            return known, False

    async def propose_many(self, proposals: Sequence[Correction]) -> int:
        """Save proposals, all or none; how many were new. One whose id or key is known is left as it is."""
        async with self._database.writing() as connection:
            return len(await _insert(connection, proposals))

    async def get(self, correction_id: str) -> Correction:
        """The correction with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _get(connection, correction_id)

    async def decide(
        self, correction_id: str, state: CorrectionState, by: str, note: str, *, at: datetime
    ) -> Correction:
        """Approve, reject or retract a proposal. Raises AlreadyDecided with the correction as somebody left it.

        Approving a reply's correction supersedes the one approved for it before.
        """
        if state not in _VERBS:
            raise ValueError(f"a decision is approved, rejected or retracted, not {state.value}")
        async with self._database.writing() as connection:
            proposal = await _get(connection, correction_id)
            if state is CorrectionState.APPROVED and proposal.reply_id is not None:
                await _supersede(connection, proposal.reply_id, correction_id, by, at)
            decided = await _decide(connection, [correction_id], state, by, note, at)
            if not decided:
                raise AlreadyDecided(await _get(connection, correction_id))  # undoes the superseding
            return await _get(connection, correction_id)

    async def approve_many(self, ids: Collection[str], by: str, note: str, *, at: datetime) -> int:
        """Approve those of `ids` that are still proposed, all in one transaction; how many those were.

        Of two for the same reply the later id wins, as if they had been approved one after the other.
        """
        async with self._database.writing() as connection:
            open_ids: dict[str, str | None] = {}  # correction id → reply id
            for chunk in chunks(sorted(set(ids))):
                is_open = corrections.c.id.in_(chunk) & (corrections.c.state == CorrectionState.PROPOSED)
                rows = await connection.execute(select(corrections.c.id, corrections.c.reply_id).where(is_open))
                open_ids |= {row["id"]: row["reply_id"] for row in rows.mappings()}
            imported = [correction_id for correction_id, reply_id in open_ids.items() if reply_id is None]
            approved = await _decide(connection, imported, CorrectionState.APPROVED, by, note, at)
            for correction_id, reply_id in sorted(open_ids.items()):
                if reply_id is not None:
                    await _supersede(connection, reply_id, correction_id, by, at)
                    approved += await _decide(connection, [correction_id], CorrectionState.APPROVED, by, note, at)
            return len(approved)

    async def edit_text(self, correction_id: str, corrected_text: str, by: str, *, at: datetime) -> Correction:
        """Change what a proposal says the reply should have been. Raises AlreadyDecided once it is decided."""
        async with self._database.writing() as connection:
            before = await _get(connection, correction_id, lock=True)
            if before.state is not CorrectionState.PROPOSED:
                raise AlreadyDecided(before)
            change = update(corrections).where(corrections.c.id == correction_id)
            await connection.execute(change.values(corrected_text=corrected_text))
            await record(connection, at, by, "edit_correction", correction_id)
            return await _get(connection, correction_id)

    async def set_critical(self, correction_id: str, is_critical: bool, by: str, *, at: datetime) -> Correction:
        """Say whether a candidate that forgets this correction is stopped for that alone. Raises NotFound.

        Cards that show it otherwise are behind from then on.
        """
        async with self._database.writing() as connection:
            before = await _get(connection, correction_id, lock=True)
            if before.is_critical != is_critical:
                change = update(corrections).where(corrections.c.id == correction_id)
                await connection.execute(change.values(is_critical=is_critical))
                is_card = (postings.c.kind == PostingKind.REVIEW) & (postings.c.subject == correction_id)
                behind = new_id("mark", at)  # also for a card that is being changed meanwhile
                await connection.execute(update(postings).where(is_card).values(shown=behind))
                verb = "mark_critical" if is_critical else "unmark_critical"
                await record(connection, at, by, verb, correction_id)
            return await _get(connection, correction_id)

    async def let_expire(self, correction_id: str, expires_at: datetime | None, by: str, *, at: datetime) -> Correction:
        """Let a correction hold until then; None: until somebody says otherwise.

        Raises NotFound, and AlreadyDecided for one that is neither proposed nor approved.
        """
        async with self._database.writing() as connection:
            before = await _get(connection, correction_id, lock=True)
            if before.state not in (CorrectionState.PROPOSED, CorrectionState.APPROVED):
                raise AlreadyDecided(before)
            change = update(corrections).where(corrections.c.id == correction_id)
            await connection.execute(change.values(expires_at=expires_at))
            date = expires_at.isoformat() if expires_at else None
            await record(connection, at, by, "let_expire", correction_id, expires_at=date)
            return await _get(connection, correction_id)

    async def scrub(self, cleaned: Correction, taken_out: Mapping[str, int], by: str, *, at: datetime) -> None:
        """Put a correction's texts without personal data in their place, whether it is decided or not."""
        texts = {
            "history": [{"role": said.role, "content": said.content} for said in cleaned.history],
            "question": cleaned.question,
            "served_text": cleaned.served_text,
            "corrected_text": cleaned.corrected_text,
        }
        is_it = (corrections.c.id == cleaned.id) & (corrections.c.state != CorrectionState.ERASED)
        async with self._database.writing() as connection:
            if (await connection.execute(update(corrections).where(is_it).values(texts))).rowcount:
                await record(connection, at, by, "scrub_correction", cleaned.id, **taken_out)

    async def many(self, ids: Iterable[str]) -> Sequence[Correction]:
        """These corrections, in no particular order; an unknown id is left out."""
        found: list[Correction] = []
        async with self._database.reading() as connection:
            for chunk in chunks(sorted(set(ids))):
                rows = await connection.execute(select(corrections).where(corrections.c.id.in_(chunk)))
                found += [_correction(row) for row in rows.mappings()]
        return found

    async def approved(self, voice_id: str) -> list[Correction]:
        """Every approved correction of the voice, by id, which is by age."""
        is_approved = (corrections.c.voice_id == voice_id) & (corrections.c.state == CorrectionState.APPROVED)
        async with self._database.reading() as connection:
            rows = await connection.execute(select(corrections).where(is_approved).order_by(corrections.c.id))
            return [_correction(row) for row in rows.mappings()]

    async def in_force(self, voice_id: str) -> list[Correction]:
        """What may answer a question of the voice: its approved corrections and those that hold everywhere, by id.

        None that an open dispute is about. One whose time is over is among them.
        """
        is_approved = corrections.c.state == CorrectionState.APPROVED
        is_theirs = or_(corrections.c.voice_id == voice_id, corrections.c.scope == Scope.EVERYONE)
        statement = select(corrections).where(is_approved, is_theirs, ~_is_disputed()).order_by(corrections.c.id)
        async with self._database.reading() as connection:
            return [_correction(row) for row in (await connection.execute(statement)).mappings()]

    async def approved_since(self, voice_id: str, at: datetime) -> int:
        """How many of the voice's approved corrections were approved after `at`."""
        is_new = (
            (corrections.c.voice_id == voice_id)
            & (corrections.c.state == CorrectionState.APPROVED)
            & (corrections.c.decided_at > at)
        )
        async with self._database.reading() as connection:
            return (await connection.execute(select(func.count()).where(is_new))).scalar_one()

    async def count(self, voice_id: str) -> dict[CorrectionState, int]:
        """How many corrections of the voice are in each state; every state is listed, some with 0."""
        statement = (
            select(corrections.c.state, func.count().label("number"))
            .where(corrections.c.voice_id == voice_id)
            .group_by(corrections.c.state)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).mappings()
            return dict.fromkeys(CorrectionState, 0) | {row["state"]: row["number"] for row in rows}

    async def proposed_since(self, voice_id: str, since: datetime) -> Sequence[datetime]:
        """When each correction of a reply was proposed since then; imported answers do not count."""
        statement = select(corrections.c.proposed_at).where(
            corrections.c.voice_id == voice_id, corrections.c.proposed_at >= since, corrections.c.reply_id.is_not(None)
        )
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).scalars().all()

    async def decided_of(self, voice_id: str) -> dict[str, tuple[int, int]]:
        """Of each proposer of the voice: how many of their proposals were approved, and how many were decided.

        Imported answers and what the proposer took back do not count; one that was superseded had been approved.
        """
        approved = corrections.c.state.in_((CorrectionState.APPROVED, CorrectionState.SUPERSEDED))
        statement = (
            select(corrections.c.proposed_by, func.count().filter(approved), func.count())
            .where(
                corrections.c.voice_id == voice_id,
                corrections.c.reply_id.is_not(None),
                corrections.c.state.in_(
                    (CorrectionState.APPROVED, CorrectionState.SUPERSEDED, CorrectionState.REJECTED)
                ),
            )
            .group_by(corrections.c.proposed_by)
        )
        async with self._database.reading() as connection:
            return {by: (good, all_) for by, good, all_ in (await connection.execute(statement)).all()}

    async def for_reply(self, reply_id: str) -> list[Correction]:
        """Every correction of the reply, oldest first."""
        statement = select(corrections).where(corrections.c.reply_id == reply_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(corrections.c.proposed_at, corrections.c.id))
            return [_correction(row) for row in rows.mappings()]

    async def list(
        self, voice_id: str, states: Iterable[CorrectionState], *, limit: int, offset: int = 0
    ) -> list[Correction]:
        """The voice's corrections in any of `states`, oldest first: `limit` of them after the first `offset`."""
        statement = (
            select(corrections)
            .where(corrections.c.voice_id == voice_id, corrections.c.state.in_(list(states)))
            .order_by(corrections.c.proposed_at, corrections.c.id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.reading() as connection:
            return [_correction(row) for row in (await connection.execute(statement)).mappings()]

    async def proposed_by(self, actor_id: str) -> Sequence[Correction]:
        """Every correction that one person proposed, oldest first."""
        statement = select(corrections).where(corrections.c.proposed_by == actor_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(corrections.c.proposed_at, corrections.c.id))
            return [_correction(row) for row in rows.mappings()]


def _is_disputed() -> ColumnElement[bool]:
    """Whether an open dispute is about a correction; as in Disputes.open, one is moot when its other side does not stand."""
    is_first = and_(disputes.c.first == corrections.c.id, or_(disputes.c.second == "", _stands(disputes.c.second)))
    is_second = and_(disputes.c.second == corrections.c.id, _stands(disputes.c.first))
    return select(disputes.c.id).where(disputes.c.settled_at.is_(None), or_(is_first, is_second)).exists()


def _stands(correction_id: ColumnElement[str]) -> ColumnElement[bool]:
    other = corrections.alias()
    return select(other.c.id).where(other.c.id == correction_id, other.c.state == CorrectionState.APPROVED).exists()


# ---------------------------------------------------------------- parts of a transaction


async def _insert(connection: AsyncConnection, proposals: Sequence[Correction]) -> list[str]:
    """Insert the proposals that are new, each with its audit entry; their ids."""
    for proposal in proposals:
        if proposal.state is not CorrectionState.PROPOSED:
            raise ValueError(f"correction {proposal.id} is {proposal.state.value}; only proposals are saved this way")
    # In one order for everybody, so that two imports of the same file wait for each other instead of deadlocking.
    rows = [row_of(proposal) for proposal in sorted(proposals, key=lambda each: (each.key, each.id))]
    new_ids = set(await insert_new(connection, corrections, rows, key="id"))
    new = [proposal for proposal in proposals if proposal.id in new_ids]
    entries = [
        entry(each.proposed_at, each.proposed_by, "correct", each.id, reply_id=each.reply_id, origin=each.origin)
        for each in new
    ]
    await record_all(connection, entries)
    return [proposal.id for proposal in new]


async def _decide(
    connection: AsyncConnection, ids: Sequence[str], state: CorrectionState, by: str, note: str, at: datetime
) -> list[str]:
    """Move those of `ids` that are proposed to `state`, each with its audit entry; their ids."""
    decided: list[str] = []
    for chunk in chunks(ids):
        change = (
            update(corrections)
            .where(corrections.c.id.in_(chunk), corrections.c.state == CorrectionState.PROPOSED)
            .values(state=state, decided_by=by, decided_at=at, decision_note=note)
            .returning(corrections.c.id)
        )
        decided += (await connection.execute(change)).scalars()
    await record_all(connection, [entry(at, by, _VERBS[state], each) for each in decided])
    return decided


async def _supersede(connection: AsyncConnection, reply_id: str, successor: str, by: str, at: datetime) -> None:
    """Let `successor` take the place of the reply's approved correction. Two approvals queue for the reply's row."""
    await connection.execute(select(replies.c.id).where(replies.c.id == reply_id).with_for_update())
    change = (
        update(corrections)
        .where(
            corrections.c.reply_id == reply_id,
            corrections.c.state == CorrectionState.APPROVED,
            corrections.c.id != successor,
        )
        .values(state=CorrectionState.SUPERSEDED, superseded_by=successor, superseded_at=at)
        .returning(corrections.c.id)
    )
    superseded = (await connection.execute(change)).scalars().all()
    entries = [entry(at, by, "supersede", each, superseded_by=successor) for each in superseded]
    await record_all(connection, entries)


async def _get(connection: AsyncConnection, correction_id: str, *, lock: bool = False) -> Correction:
    found = await _find(connection, corrections.c.id == correction_id, lock=lock)
    if found is None:
        raise NotFound("correction", correction_id)
    return found


async def _find(
    connection: AsyncConnection, condition: ColumnElement[bool], *, lock: bool = False
) -> Correction | None:
    statement = select(corrections).where(condition)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    return _correction(row) if row else None


def _correction(row: Mapping[Any, Any]) -> Correction:
    fields: dict[str, Any] = {**row, "history": tuple(Message(**message) for message in row["history"])}
    return Correction(**fields)
