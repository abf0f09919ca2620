"""Open questions about approved corrections: two that contradict each other, or two reviewers who do. Settled once."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import entry, record, record_all
from storage.database import Database, insert_new, row_of, uninterrupted
from storage.errors import AlreadySettled, NotFound
from storage.records import CorrectionState, Dispute, DisputeKind, Settlement
from storage.schema import corrections, disputes

_SETTLEMENTS = {
    DisputeKind.CONTRADICTION: frozenset({Settlement.FIRST, Settlement.SECOND, Settlement.BOTH}),
    DisputeKind.OPINION: frozenset({Settlement.FIRST, Settlement.NEITHER}),
}


@uninterrupted
class Disputes:
    """The disputes of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_(self, found: Sequence[Dispute], by: str) -> list[Dispute]:
        """Save those that are new, and return them; a pair that was ever in dispute is not asked about again."""
        async with self._database.writing() as connection:
            new_ids = set(await insert_new(connection, disputes, [row_of(each) for each in found], key="id"))
            new = [each for each in found if each.id in new_ids]
            entries = [entry(d.opened_at, by, "dispute", d.id, first=d.first, second=d.second) for d in new]
            await record_all(connection, entries)
            return new

    async def open(self, voice_id: str) -> list[Dispute]:
        """The voice's unsettled disputes, oldest first. One whose corrections are not all approved any more is moot."""
        statement = _standing(select(disputes)).where(disputes.c.voice_id == voice_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(disputes.c.opened_at, disputes.c.id))
            return [Dispute(**row) for row in rows.mappings()]

    async def about(self, correction_id: str) -> list[Dispute]:
        """Every dispute this correction ever was in, oldest first."""
        is_in = (disputes.c.first == correction_id) | (disputes.c.second == correction_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(select(disputes).where(is_in).order_by(disputes.c.opened_at, disputes.c.id))
            return [Dispute(**row) for row in rows.mappings()]

    async def pairs(self, voice_id: str) -> frozenset[tuple[str, str]]:
        """Every two corrections of the voice that were ever in dispute, settled or not, the older first."""
        statement = select(disputes.c.first, disputes.c.second).where(disputes.c.voice_id == voice_id)
        async with self._database.reading() as connection:
            return frozenset((first, second) for first, second in (await connection.execute(statement)).all())

    async def get(self, dispute_id: str) -> Dispute:
        """The dispute with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _get(connection, dispute_id)

    async def settle(self, dispute_id: str, settlement: Settlement, by: str, *, at: datetime) -> Dispute:
        """Settle it: who loses is superseded from now on. Raises NotFound, AlreadySettled, ValueError for a settlement
        that this kind of dispute does not have.
        """
        async with self._database.writing() as connection:
            dispute = await _get(connection, dispute_id)
            if settlement not in _SETTLEMENTS[dispute.kind]:
                raise ValueError(f"a dispute of kind {dispute.kind.value} cannot be settled as {settlement.value}")
            is_it = and_(disputes.c.id == dispute_id, disputes.c.settled_at.is_(None))
            change = update(disputes).where(is_it).values(settlement=settlement, settled_by=by, settled_at=at)
            if not (await connection.execute(change)).rowcount:
                raise AlreadySettled(await _get(connection, dispute_id))
            await record(connection, at, by, "settle", dispute_id, settlement=settlement.value)
            loser, winner = _outcome(dispute, settlement)
            if loser:
                await _supersede(connection, loser, winner or None, by, at)
            return await _get(connection, dispute_id)


def _outcome(dispute: Dispute, settlement: Settlement) -> tuple[str, str]:
    """Who is superseded ("" for nobody), and by whom ("" for nobody)."""
    match settlement:
        case Settlement.FIRST:
            return dispute.second, dispute.first
        case Settlement.SECOND:
            return dispute.first, dispute.second
        case Settlement.NEITHER:
            return dispute.first, ""
        case Settlement.BOTH:
            return "", ""


def _standing(statement: Select[Dispute]) -> Select[Dispute]:
    """Only disputes that are unsettled and about corrections which are all still approved."""
    approved = select(corrections.c.id).where(corrections.c.state == CorrectionState.APPROVED)
    return statement.where(
        disputes.c.settled_at.is_(None),
        disputes.c.first.in_(approved),
        or_(disputes.c.second == "", disputes.c.second.in_(approved)),
    )


async def _supersede(connection: AsyncConnection, loser: str, winner: str | None, by: str, at: datetime) -> None:
    is_it = and_(corrections.c.id == loser, corrections.c.state == CorrectionState.APPROVED)
    lost = {"state": CorrectionState.SUPERSEDED, "superseded_by": winner, "superseded_at": at}
    if (await connection.execute(update(corrections).where(is_it).values(lost))).rowcount:
        await record(connection, at, by, "supersede", loser, superseded_by=winner or "")


async def _get(connection: AsyncConnection, dispute_id: str) -> Dispute:
    row = (await connection.execute(select(disputes).where(disputes.c.id == dispute_id))).mappings().one_or_none()
    if row is None:
        raise NotFound("dispute", dispute_id)
    return Dispute(**row)


def blocked(open_disputes: Collection[Dispute]) -> frozenset[str]:
    """The corrections that open disputes keep out of every dataset."""
    return frozenset(id for each in open_disputes for id in (each.first, each.second) if id)
