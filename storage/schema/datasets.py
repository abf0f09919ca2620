"""Tables of frozen versions, their bytes and lineage, and of what was erased."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table

from storage.records import Part, PromptKind, Role, Side
from storage.schema.columns import Document, String, identifier, metadata, moment, reference, string, word

dataset_versions = Table(
    "dataset_versions",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    moment("created_at"),
    reference("created_by", "actors.id"),
    Column("train_count", Integer, nullable=False),
    Column("held_out_count", Integer, nullable=False),
    Column("train_tokens", Integer, nullable=False),
    Column("card", Document, nullable=False),
    moment("erased_at", nullable=True),
    *word("prompt", PromptKind),
    Index("ix_dataset_versions_voice_id_created_at", "voice_id", "created_at"),
)

dataset_files = Table(
    "dataset_files",
    metadata,
    reference("version_id", "dataset_versions.id", primary_key=True),
    Column("name", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

dataset_lines = Table(
    "dataset_lines",
    metadata,
    reference("version_id", "dataset_versions.id", primary_key=True),
    *word("part", Part, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("source", Integer, primary_key=True, autoincrement=False),
    *word("role", Role),
    string("group_key"),
    reference("correction_id", "corrections.id", nullable=True),
    reference("reply_id", "replies.id", nullable=True),
    CheckConstraint("(correction_id IS NULL) <> (reply_id IS NULL)", name="one_source"),
    Index("ix_dataset_lines_correction_id", "correction_id"),
    Index("ix_dataset_lines_reply_id", "reply_id"),
)

split_sides = Table(
    "split_sides",
    metadata,
    reference("voice_id", "voices.id", primary_key=True),
    Column("group_key", String, primary_key=True),
    *word("side", Side),
    moment("since"),
)

erasures = Table(
    "erasures",
    metadata,
    identifier(),
    moment("at"),
    reference("by", "actors.id"),
    string("person_hash"),
    Column("detail", Document, nullable=False),
)
