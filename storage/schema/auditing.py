"""Tables of who did what, and of the chain over it."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint

from storage.schema.columns import Document, metadata, moment, reference, sequence, string

# Append-only, as deployments are.
audit = Table(
    "audit",
    metadata,
    sequence("id"),
    moment("at"),
    reference("actor_id", "actors.id"),
    string("verb"),
    string("subject"),
    Column("detail", Document, nullable=False),
    Index("ix_audit_subject_id", "subject", "id"),
)

# Append-only as well. Seal 0 is before all entries; `entry_id` is no reference, so that a missing entry can be told.
seals = Table(
    "seals",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("entry_id", BigInteger().with_variant(Integer, "sqlite"), nullable=True),
    string("hash"),
    UniqueConstraint("entry_id"),
)
