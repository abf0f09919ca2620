"""Tables of feedback and corrections."""

from sqlalchemy import Boolean, Column, Index, Table, UniqueConstraint, text

from storage.records import CorrectionState, Judgement, Scope
from storage.schema.columns import Document, identifier, metadata, moment, reference, string, word

feedback = Table(
    "feedback",
    metadata,
    identifier(),
    reference("reply_id", "replies.id"),
    reference("actor_id", "actors.id"),
    *word("judgement", Judgement),
    string("note"),
    Column("flagged", Boolean, nullable=False),
    moment("given_at"),
    UniqueConstraint("reply_id", "actor_id"),
)

corrections = Table(
    "corrections",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    reference("reply_id", "replies.id", nullable=True),
    reference("conversation_id", "conversations.id", nullable=True),
    string("origin"),
    string("key"),
    Column("history", Document, nullable=False),  # [{"role": …, "content": …}, …]
    string("question"),
    string("served_text", nullable=True),
    string("corrected_text"),
    *word("reason", Judgement),
    string("note"),
    *word("state", CorrectionState),
    reference("proposed_by", "actors.id"),
    moment("proposed_at"),
    reference("decided_by", "actors.id", nullable=True),
    moment("decided_at", nullable=True),
    string("decision_note"),
    reference("superseded_by", "corrections.id", nullable=True),
    *word("scope", Scope),
    Column("is_for_training", Boolean, nullable=False),
    moment("superseded_at", nullable=True),
    moment("expires_at", nullable=True),
    moment("holds_from", nullable=True),
    Column("is_critical", Boolean, nullable=False),
    UniqueConstraint("voice_id", "key"),  # the same thing proposed twice is one correction
    Index("ix_corrections_voice_id_state_proposed_at", "voice_id", "state", "proposed_at"),
    Index("ix_corrections_reply_id", "reply_id"),
)
_IS_APPROVED = text("state = 'approved'")
Index(
    "uq_corrections_approved_per_reply",  # one reply should have been one thing
    corrections.c.reply_id,
    unique=True,
    sqlite_where=_IS_APPROVED,
    postgresql_where=_IS_APPROVED,
)
