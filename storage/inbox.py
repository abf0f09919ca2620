"""What platforms delivered: kept once before it is acknowledged, worked on by one process at a time, then emptied."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from storage.database import Database, is_inserted, row_of, uninterrupted
from storage.ids import new_id
from storage.records import InboundEvent
from storage.schema import inbound_events

_TAKEN_AT_ONCE = 50


@uninterrupted
class Inbox:
    """Inbound events of every platform."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(
        self,
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
        async with self._database.writing() as connection:
            return event if await is_inserted(connection, inbound_events, row_of(event)) else None

    async def is_kept(self, platform: str, key: str) -> bool:
        """Whether this delivery has come, however long ago that is remembered."""
        statement = select(inbound_events.c.id).where(
            inbound_events.c.platform == platform, inbound_events.c.key == key
        )
        async with self._database.reading() as connection:
            return (await connection.execute(statement)).first() is not None

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
        is_mine = (inbound_events.c.id == event_id) & (inbound_events.c.lease_owner == owner)
        change = update(inbound_events).where(is_mine, inbound_events.c.done_at.is_(None))
        async with self._database.writing() as connection:
            return bool(
                (await connection.execute(change.values(lease_until=now + timedelta(seconds=lease_s)))).rowcount
            )

    async def release(self, owner: str) -> int:
        """Free what `owner` had claimed in an earlier life, without waiting for the leases; how many."""
        is_mine = (inbound_events.c.lease_owner == owner) & inbound_events.c.done_at.is_(None)
        async with self._database.writing() as connection:
            return (await connection.execute(update(inbound_events).where(is_mine).values(lease_until=None))).rowcount

    async def finish(self, event_id: str, *, outcome: str = "", at: datetime) -> None:
        """The event is over; its payload, which holds people's words, is dropped."""
        change = update(inbound_events).where(inbound_events.c.id == event_id)
        nothing: dict[str, Any] = {}
        async with self._database.writing() as connection:
            await connection.execute(change.values(done_at=at, outcome=outcome, payload=nothing, lease_until=None))

    async def forget_before(self, moment: datetime) -> int:
        """Remove events that were over before `moment`: no platform delivers anything again after an hour; how many."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(inbound_events).where(inbound_events.c.done_at < moment))
            return gone.rowcount


def _is_left(platform: str, now: datetime) -> ColumnElement[bool]:
    is_free = or_(inbound_events.c.lease_until.is_(None), inbound_events.c.lease_until <= now)
    return and_(inbound_events.c.platform == platform, inbound_events.c.done_at.is_(None), is_free)
