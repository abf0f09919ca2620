"""What was set for a platform's channels, how many questions each has taken today, and since when a platform was not heard."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, true, update

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.records import Channel, ChannelMode, ChannelRules, ThreadMode
from storage.rows import is_inserted, row_of, upsert
from storage.schema import channel_days, channels, listening


@uninterrupted
class Channels:
    """Settings by channel; one without a row has the platform's defaults."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, platform: str, place: str) -> Channel | None:
        """What was set for the channel, if anything was."""
        statement = select(channels).where(channels.c.platform == platform, channels.c.place == place)
        async with self._database.glancing() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
            return _channel(row) if row else None

    async def set(
        self,
        platform: str,
        place: str,
        mode: ChannelMode,
        is_training_allowed: bool,
        by: str,
        *,
        rules: ChannelRules | None = None,
        at: datetime,
    ) -> Channel:
        """Set the channel's mode, consent and rules, in place of what was set before; `rules` None keeps those there are."""
        is_it = (channels.c.platform == platform) & (channels.c.place == place)
        async with self._database.writing() as connection:
            if rules is None:
                known = (await connection.execute(select(channels).where(is_it))).mappings().one_or_none()
                rules = _channel(known).rules if known else ChannelRules()
            channel = Channel(platform, place, mode, is_training_allowed, by, at, rules)
            await upsert(connection, channels, row_of(channel), keys=["platform", "place"])
            detail: dict[str, Any] = {"mode": mode.value, "is_training_allowed": is_training_allowed}
            detail |= {name: value for name, value in row_of(rules).items() if value != getattr(ChannelRules(), name)}
            await record(connection, at, by, "set_channel", place, platform=platform, **detail)
        return channel

    async def list(self, platform: str) -> list[Channel]:
        """Every channel of the platform that something was set for."""
        statement = select(channels).where(channels.c.platform == platform).order_by(channels.c.place)
        async with self._database.reading() as connection:
            return [_channel(row) for row in (await connection.execute(statement)).mappings()]

    async def take_question(self, platform: str, place: str, day: date, cap: int) -> bool:
        """Count one more question of the channel's day; False, and not counted, where `cap` of them were taken."""
        is_it = (channel_days.c.platform == platform) & (channel_days.c.place == place)
        today = channel_days.c.day == day.isoformat()
        one_more = update(channel_days).where(is_it, today, channel_days.c.questions < cap)
        async with self._database.writing() as connection:
            first = {"platform": platform, "place": place, "day": day.isoformat(), "questions": 1}
            if cap > 0 and await is_inserted(connection, channel_days, first):
                await connection.execute(delete(channel_days).where(is_it, ~today))
                return True
            return bool((await connection.execute(one_more.values(questions=channel_days.c.questions + 1))).rowcount)

    async def forget(self, platform: str, beginning: str) -> None:
        """Forget what was set and counted for the channels whose places have this beginning."""
        async with self._database.writing() as connection:
            for table in (channels, channel_days):
                is_it = (table.c.platform == platform) & table.c.place.startswith(beginning, autoescape=True)
                await connection.execute(delete(table).where(is_it))

    async def listened(self, platform: str, part: str, until: datetime) -> None:
        """What the platform tells over this connection has been heard up to `until`."""
        async with self._database.writing() as connection:
            row = {"platform": platform, "part": part, "until": until}
            await upsert(connection, listening, row, keys=["platform", "part"])

    async def listened_until(self, platform: str, part: str) -> datetime | None:
        """Up to when the platform was heard over this connection; None where it never was."""
        is_it = (listening.c.platform == platform) & (listening.c.part == part)
        async with self._database.reading() as connection:
            return (await connection.execute(select(listening.c.until).where(is_it))).scalar_one_or_none()

    async def listened_to(self, platform: str, beginning: str, since: datetime, limit: int) -> Sequence[str]:
        """The parts with this beginning that were heard since then, the last one first."""
        is_it = (listening.c.platform == platform) & listening.c.part.startswith(beginning, autoescape=True)
        statement = select(listening.c.part).where(is_it, listening.c.until >= since)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(listening.c.until.desc()).limit(limit))
            return rows.scalars().all()

    async def forget_listened(self, platform: str, beginning: str, *, before: datetime | None = None) -> None:
        """Forget the parts with this beginning; of those, with `before`, only what was last heard before then."""
        is_it = (listening.c.platform == platform) & listening.c.part.startswith(beginning, autoescape=True)
        is_old = true() if before is None else listening.c.until < before
        async with self._database.writing() as connection:
            await connection.execute(delete(listening).where(is_it, is_old))


def _channel(row: Mapping[Any, Any]) -> Channel:
    known = dict(row["rules"])
    threads = known.pop("threads", None)
    rules = ChannelRules(
        threads=None if threads is None else ThreadMode(threads),
        asking_roles=tuple(known.pop("asking_roles", ())),
        **known,
    )
    return Channel(
        row["platform"],
        row["place"],
        row["mode"],
        row["is_training_allowed"],
        row["set_by"],
        row["set_at"],
        rules,
    )
