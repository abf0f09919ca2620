"""What platforms delivered: kept once before it is acknowledged, worked on by one process at a time, then emptied."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, select, update

from storage.database import Database, reading_unit, relaxed_steps, uninterrupted, writing_steps
from storage.ids import new_id
from storage.prepared import Prepared, insert_if_new
from storage.records import InboundEvent
from storage.rows import row_of
from storage.schema import inbound_events

_TAKEN_AT_ONCE = 50

KEPT = select(inbound_events.c.id).where(
    inbound_events.c.platform == bindparam("platform"), inbound_events.c.key == bindparam("event_key")
)
_IS_KEPT = Prepared(KEPT)
_IS_TO_DO = inbound_events.c.done_at.is_(None)
_EXTEND = update(inbound_events).where(
    inbound_events.c.id.in_(bindparam("ids", expanding=True)),
    inbound_events.c.lease_owner == bindparam("owner"),
    _IS_TO_DO,
)
_NOTHING: dict[str, Any] = {}
_FINISH = (
    update(inbound_events)
    .where(inbound_events.c.id == bindparam("event_id"))
    .values(done_at=bindparam("at"), outcome=bindparam("said"), payload=_NOTHING, lease_until=None)
)


@uninterrupted
class Inbox:
    """Inbound events of every platform."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @writing_steps
    def receive(
        self,
        connection: Connection,
        platform: str,
        key: str,
        kind: str,
        payload: Mapping[str, Any],
        *,
        owner: str,
        now: datetime,
        lease_s: float,
    ) -> InboundEvent | None:
        """Keep a delivery, already claimed by `owner` for `lease_s`; None when this delivery is known."""
        event = InboundEvent(
            id=new_id("event", now),
            platform=platform,
            key=key,
            kind=kind,
            payload=payload,
            received_at=now,
            lease_owner=owner,
            lease_until=now + timedelta(seconds=lease_s),
            attempts=1,
        )
        return event if insert_if_new(inbound_events).row(connection, row_of(event)) else None

    @reading_unit
    def is_kept(self, connection: Connection, platform: str, key: str) -> bool:
        """Whether this delivery has come, however long ago that is remembered."""
        return _IS_KEPT.row(connection, {"platform": platform, "event_key": key}) is not None

    async def outcome(self, platform: str, key: str) -> str:
        """Why a delivery that is over called for nothing; "" where it did, and for one that is not known (any more)."""
        is_it = (inbound_events.c.platform == platform) & (inbound_events.c.key == key)
        async with self._database.reading() as connection:
            found = await connection.execute(select(inbound_events.c.outcome).where(is_it))
            return found.scalar_one_or_none() or ""

    async def take_left(self, platform: str, *, owner: str, now: datetime, lease_s: float) -> list[InboundEvent]:
        """Claim what a dead process left undone, oldest first."""
        due = (
            select(inbound_events.c.id)
            .where(_is_left(platform, now))
            .order_by(inbound_events.c.received_at, inbound_events.c.id)
            .limit(_TAKEN_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        claim = (
            update(inbound_events)
            .where(inbound_events.c.id.in_(due))
            .values(
                lease_owner=owner,
                lease_until=now + timedelta(seconds=lease_s),
                attempts=inbound_events.c.attempts + 1,
            )
            .returning(*inbound_events.c)
        )
        async with self._database.reading() as connection:  # a glance first: mostly there is nothing to write
            if (
                await connection.execute(select(inbound_events.c.id).where(_is_left(platform, now)).limit(1))
            ).first() is None:
                return []
        async with self._database.writing() as connection:
            found = [InboundEvent(**row) for row in (await connection.execute(claim)).mappings()]
        return sorted(found, key=lambda event: (event.received_at, event.id))

    async def extend(self, event_id: str, *, owner: str, now: datetime, lease_s: float) -> bool:
        """Keep the claim for another `lease_s`; False when somebody else has taken it meanwhile."""
        return await self.extend_all([event_id], owner=owner, now=now, lease_s=lease_s) == 1

    @writing_steps
    def extend_all(
        self, connection: Connection, event_ids: Iterable[str], *, owner: str, now: datetime, lease_s: float
    ) -> int:
        """Keep the claims for another `lease_s`; how many are held: somebody else may have taken some meanwhile."""
        longer = _EXTEND.values(lease_until=now + timedelta(seconds=lease_s))
        return connection.execute(longer, {"ids": list(event_ids), "owner": owner}).rowcount

    async def release(self, owner: str) -> int:
        """Free what `owner` had claimed in an earlier life, without waiting for the leases; how many."""
        is_mine = (inbound_events.c.lease_owner == owner) & _IS_TO_DO
        async with self._database.writing() as connection:
            return (await connection.execute(update(inbound_events).where(is_mine).values(lease_until=None))).rowcount

    async def finish(self, event_id: str, *, outcome: str = "", at: datetime) -> None:
        """The event is over; its payload, which holds people's words, is dropped."""
        await self.finish_all([(event_id, outcome)], at=at)

    @relaxed_steps  # lost, the events are worked on again, which changes nothing
    def finish_all(self, connection: Connection, ended: Sequence[tuple[str, str]], *, at: datetime) -> None:
        """The events with these ids are over, each with its outcome."""
        rows = [{"event_id": event_id, "said": outcome, "at": at} for event_id, outcome in ended]
        if rows:
            connection.execute(_FINISH, rows)

    async def forget_before(self, moment: datetime) -> int:
        """Remove events that were over before `moment`: no platform delivers anything again after an hour; how many."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(inbound_events).where(inbound_events.c.done_at < moment))
            return gone.rowcount


def _is_left(platform: str, now: datetime) -> ColumnElement[bool]:
    is_free = or_(inbound_events.c.lease_until.is_(None), inbound_events.c.lease_until <= now)
    return and_(inbound_events.c.platform == platform, _IS_TO_DO, is_free)
