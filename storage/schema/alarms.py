"""The table of alarms."""

from sqlalchemy import Column, Index, Table

from storage.schema.columns import String, metadata, moment, reference, string

alarms = Table(
    "alarms",
    metadata,
    reference("voice_id", "voices.id", primary_key=True),
    Column("key", String, primary_key=True),
    moment("at"),
    string("text"),
)
Index("ix_alarms_newest", alarms.c.voice_id, alarms.c.at)
