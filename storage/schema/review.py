"""Tables of disputes, locks, second opinions, holds and blind pairs."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, Table, UniqueConstraint, text

from storage.records import DisputeKind, Held, Judgement, Preference, RuleState, Settlement
from storage.schema.columns import Document, String, identifier, metadata, moment, reference, string, word

disputes = Table(
    "disputes",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    *word("kind", DisputeKind),
    reference("first", "corrections.id"),
    string("second"),  # a correction's id, or ""
    Column("detail", Document, nullable=False),
    moment("opened_at"),
    moment("settled_at", nullable=True),
    reference("settled_by", "actors.id", nullable=True),
    *word("settlement", Settlement, nullable=True),
    moment("holds_from", nullable=True),
    UniqueConstraint("first", "second"),
)
_IS_UNSETTLED = text("settled_at IS NULL")
Index("ix_disputes_open", disputes.c.voice_id, sqlite_where=_IS_UNSETTLED, postgresql_where=_IS_UNSETTLED)

dispute_votes = Table(
    "dispute_votes",
    metadata,
    reference("dispute_id", "disputes.id", primary_key=True),
    reference("actor_id", "actors.id", primary_key=True),
    *word("settlement", Settlement),
    moment("holds_from", nullable=True),
    moment("given_at"),
)

assignments = Table(
    "assignments",
    metadata,
    reference("correction_id", "corrections.id", primary_key=True),
    reference("actor_id", "actors.id"),
    moment("until"),
)

opinions = Table(
    "opinions",
    metadata,
    reference("correction_id", "corrections.id", primary_key=True),
    reference("actor_id", "actors.id", primary_key=True),
    Column("is_approval", Boolean, nullable=False),
    *word("reason", Judgement),
    moment("given_at"),
)

holds = Table(
    "holds",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    *word("held", Held),
    moment("since"),
    string("why"),
    moment("released_at", nullable=True),
    reference("released_by", "actors.id", nullable=True),
)
_IS_HELD = text("released_at IS NULL")
Index(
    "uq_holds_open",
    holds.c.voice_id,
    holds.c.held,
    unique=True,
    sqlite_where=_IS_HELD,
    postgresql_where=_IS_HELD,
)

pair_votes = Table(
    "pair_votes",
    metadata,
    reference("run_id", "runs.id", primary_key=True),
    Column("sample_id", String, primary_key=True),
    reference("actor_id", "actors.id", primary_key=True),
    *word("preference", Preference),
    Column("candidate_first", Boolean, nullable=False),
    moment("given_at"),
)

voice_rules = Table(
    "voice_rules",
    metadata,
    reference("voice_id", "voices.id", primary_key=True),
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    *word("state", RuleState),
    reference("decided_by", "actors.id"),
    moment("decided_at"),
)

doubts = Table(
    "doubts",
    metadata,
    reference("reply_id", "replies.id", primary_key=True),
    reference("voice_id", "voices.id"),
    Column("askers", Integer, nullable=False),
    Column("disagreement", Float, nullable=False),
    moment("chosen_at"),
    Index("ix_doubts_voice_id_chosen_at", "voice_id", "chosen_at"),
)

voice_checks = Table(
    "voice_checks",
    metadata,
    reference("voice_id", "voices.id", primary_key=True),
    Column("checks", Document, nullable=False),  # as curation.checks.declared takes them
    reference("set_by", "actors.id"),
    moment("set_at"),
)
