"""What was set for a platform's channels: when the bot speaks there, and whether its corrections may be trained on."""

from datetime import datetime

from sqlalchemy import select

from storage.audit import record
from storage.database import Database, row_of, uninterrupted, upsert
from storage.records import Channel, ChannelMode
from storage.schema import channels


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
            return Channel(**row) if row else None

    async def set(
        self, platform: str, place: str, mode: ChannelMode, is_training_allowed: bool, by: str, *, at: datetime
    ) -> Channel:
        """Set the channel's mode and consent, in place of what was set before."""
        channel = Channel(platform, place, mode, is_training_allowed, by, at)
        async with self._database.writing() as connection:
            await upsert(connection, channels, row_of(channel), keys=["platform", "place"])
            detail = {"platform": platform, "mode": mode.value, "is_training_allowed": is_training_allowed}
            await record(connection, at, by, "set_channel", place, **detail)
        return channel

    async def list(self, platform: str) -> list[Channel]:
        """Every channel of the platform that something was set for."""
        statement = select(channels).where(channels.c.platform == platform).order_by(channels.c.place)
        async with self._database.reading() as connection:
            return [Channel(**row) for row in (await connection.execute(statement)).mappings()]
