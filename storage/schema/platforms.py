"""Tables of what a chat platform needs remembered."""

from sqlalchemy import Boolean, Column, Index, Integer, Table, UniqueConstraint, text

from storage.records import ChannelMode, PostingKind
from storage.schema.columns import Document, String, identifier, metadata, moment, reference, string, word

inbound_events = Table(
    "inbound_events",
    metadata,
    identifier(),
    string("platform"),
    string("key"),
    string("kind"),
    Column("payload", Document, nullable=False),
    moment("received_at"),
    string("lease_owner", nullable=True),
    moment("lease_until", nullable=True),
    Column("attempts", Integer, nullable=False),
    moment("done_at", nullable=True),
    string("outcome"),
    UniqueConstraint("platform", "key"),
)
_IS_TO_DO = text("done_at IS NULL")
Index(
    "ix_inbound_events_to_do",
    inbound_events.c.platform,
    inbound_events.c.received_at,
    sqlite_where=_IS_TO_DO,
    postgresql_where=_IS_TO_DO,
)
Index("ix_inbound_events_done_at", inbound_events.c.done_at)

postings = Table(
    "postings",
    metadata,
    identifier(),
    string("platform"),
    *word("kind", PostingKind),
    string("subject"),
    Column("part", Integer, nullable=False),
    string("place"),
    string("message_key", nullable=True),
    moment("created_at"),
    moment("removed_at", nullable=True),
    string("shown"),
    UniqueConstraint("platform", "kind", "subject", "part"),
    UniqueConstraint("platform", "place", "message_key"),
)

channels = Table(
    "channels",
    metadata,
    Column("platform", String, primary_key=True),
    Column("place", String, primary_key=True),
    *word("mode", ChannelMode),
    Column("is_training_allowed", Boolean, nullable=False),
    reference("set_by", "actors.id"),
    moment("set_at"),
    Column("rules", Document, nullable=False),  # ChannelRules by name
)

channel_days = Table(
    "channel_days",
    metadata,
    Column("platform", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("day", String, primary_key=True),  # "2026-11-21", in the channel's own time zone
    Column("questions", Integer, nullable=False),  # taken on that day
)

listening = Table(
    "listening",
    metadata,
    Column("platform", String, primary_key=True),
    Column("part", String, primary_key=True),  # what was heard: a connection, or a direct conversation
    moment("until"),  # when it was last known to be up
)

installations = Table(
    "installations",
    metadata,
    Column("platform", String, primary_key=True),
    Column("team", String, primary_key=True),
    string("sealed"),
    moment("installed_at"),
)

hand_overs = Table(
    "hand_overs",
    metadata,
    identifier(),
    reference("conversation_id", "conversations.id"),
    string("reason"),
    reference("asked_by", "actors.id"),
    moment("asked_at"),
    reference("taken_by", "actors.id", nullable=True),
    moment("taken_at", nullable=True),
    reference("released_by", "actors.id", nullable=True),
    moment("released_at", nullable=True),
)
_IS_UNRELEASED = text("released_at IS NULL")
Index(
    "uq_hand_overs_open_per_conversation",
    hand_overs.c.conversation_id,
    unique=True,
    sqlite_where=_IS_UNRELEASED,
    postgresql_where=_IS_UNRELEASED,
)
