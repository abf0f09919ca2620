"""Open questions about approved corrections: two that contradict each other, or two reviewers who do. Settled once."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import entry, record, record_all
from storage.database import Database, uninterrupted
from storage.errors import AlreadySettled, NotFound
from storage.records import CorrectionState, Dispute, DisputeKind, DisputeVote, Settlement
from storage.rows import insert_new, row_of, upsert
from storage.schema import corrections, dispute_votes, disputes

_SETTLEMENTS = {
    DisputeKind.CONTRADICTION: frozenset(Settlement),
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

    async def is_moot(self, dispute_id: str) -> bool:
        """Whether it is unsettled and nothing is left to settle: not all it is about is approved any more."""
        standing = _standing(select(disputes.c.id)).correlate(None)
        is_it = (disputes.c.id == dispute_id) & disputes.c.settled_at.is_(None) & disputes.c.id.not_in(standing)
        async with self._database.reading() as connection:
            return (await connection.execute(select(disputes.c.id).where(is_it))).first() is not None

    async def votes(self, dispute_ids: Iterable[str]) -> dict[str, list[DisputeVote]]:
        """What was voted on each of these disputes, oldest first."""
        found: dict[str, list[DisputeVote]] = {id: [] for id in dispute_ids}
        statement = select(dispute_votes).where(dispute_votes.c.dispute_id.in_(list(found)))
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(dispute_votes.c.given_at, dispute_votes.c.actor_id))
            for row in rows.mappings():
                found[row["dispute_id"]].append(DisputeVote(**row))
        return found

    async def settle(
        self,
        dispute_id: str,
        settlement: Settlement,
        by: str,
        *,
        at: datetime,
        holds_from: datetime | None = None,
        needed: int = 1,
    ) -> Dispute:
        """Vote on it; once `needed` people say the same, it is settled so, and who loses is superseded.

        With `holds_from`, a later moment, the winner of a contradiction holds from then, and the other one until then.
        Raises NotFound, AlreadySettled, ValueError for a settlement or a date that this dispute cannot have.
        """
        async with self._database.writing() as connection:
            dispute = await _get(connection, dispute_id, lock=True)
            if dispute.settled_at is not None:
                raise AlreadySettled(dispute)
            if settlement not in _SETTLEMENTS[dispute.kind]:
                raise ValueError(f"a dispute of kind {dispute.kind.value} cannot be settled as {settlement.value}")
            if holds_from is not None and not (_has_winner(dispute, settlement) and holds_from > at):
                raise ValueError(f"a dispute settled as {settlement.value} at {at} cannot hold from {holds_from}")
            vote = DisputeVote(dispute_id, by, settlement, holds_from, at)
            await upsert(connection, dispute_votes, row_of(vote), keys=["dispute_id", "actor_id"])
            date = holds_from.isoformat() if holds_from else None
            await record(connection, at, by, "vote_dispute", dispute_id, settlement=settlement.value, holds_from=date)
            if await _in_favour(connection, vote) < needed:
                return dispute
            change = update(disputes).where(disputes.c.id == dispute_id)
            ended = {"settlement": settlement, "settled_by": by, "settled_at": at, "holds_from": holds_from}
            await connection.execute(change.values(ended))
            await record(connection, at, by, "settle", dispute_id, settlement=settlement.value, holds_from=date)
            for loser, winner in _outcome(dispute, settlement):
                if holds_from is None:
                    await _supersede(connection, loser, winner or None, by, at)
                else:
                    await _relieve(connection, loser, winner, holds_from)
            return await _get(connection, dispute_id)


def _has_winner(dispute: Dispute, settlement: Settlement) -> bool:
    return dispute.kind is DisputeKind.CONTRADICTION and settlement in (Settlement.FIRST, Settlement.SECOND)


async def _in_favour(connection: AsyncConnection, vote: DisputeVote) -> int:
    """How many people say the same, the date with it."""
    is_it = dispute_votes.c.dispute_id == vote.dispute_id
    rows = (await connection.execute(select(dispute_votes).where(is_it))).mappings()
    return sum((row["settlement"], row["holds_from"]) == (vote.settlement, vote.holds_from) for row in rows)


def _outcome(dispute: Dispute, settlement: Settlement) -> list[tuple[str, str]]:
    """Who is superseded, each with by whom ("" for nobody)."""
    match settlement:
        case Settlement.FIRST:
            return [(dispute.second, dispute.first)] if dispute.second else []
        case Settlement.SECOND:
            return [(dispute.first, dispute.second)]
        case Settlement.NEITHER:
            return [(id, "") for id in (dispute.first, dispute.second) if id]
        case Settlement.BOTH:
            return []


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


async def _relieve(connection: AsyncConnection, loser: str, winner: str, at: datetime) -> None:
    """Let one hold until then and the other from then on. One whose time is over before stays so."""
    ends = or_(corrections.c.expires_at.is_(None), corrections.c.expires_at > at)
    await connection.execute(update(corrections).where(corrections.c.id == loser, ends).values(expires_at=at))
    await connection.execute(update(corrections).where(corrections.c.id == winner).values(holds_from=at))


async def _get(connection: AsyncConnection, dispute_id: str, *, lock: bool = False) -> Dispute:
    statement = select(disputes).where(disputes.c.id == dispute_id)
    row = (await connection.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("dispute", dispute_id)
    return Dispute(**row)


def blocked(open_disputes: Collection[Dispute]) -> frozenset[str]:
    """The corrections that open disputes keep out of every dataset."""
    return frozenset(id for each in open_disputes for id in (each.first, each.second) if id)
