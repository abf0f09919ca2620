"""Tables of training runs and what happened in them."""

from sqlalchemy import CheckConstraint, Column, Float, Index, Integer, Table, UniqueConstraint, text

from storage.records import OPEN_RUN_STATES, Purpose, RecipeKind, RunState, Trigger, Verdict
from storage.schema.columns import Document, identifier, metadata, moment, quoted, reference, sequence, string, word

runs = Table(
    "runs",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    *word("state", RunState),
    *word("trigger", Trigger),
    reference("requested_by", "actors.id"),
    moment("requested_at"),
    moment("updated_at"),
    Column("epoch", Integer, nullable=False),
    string("lease_owner", nullable=True),
    moment("lease_until", nullable=True),
    string("base_model"),
    reference("dataset_version_id", "dataset_versions.id", nullable=True),
    string("training_file_id", nullable=True),
    string("job_id", nullable=True),
    string("candidate_name", nullable=True),
    string("end_reason"),
    reference("cancel_requested_by", "actors.id", nullable=True),
    reference("paused_by", "actors.id", nullable=True),
    string("paused_why"),
    Column("takeovers", Integer, nullable=False),
    Column("creates", Integer, nullable=False),
    moment("create_tried_at", nullable=True),
    *word("purpose", Purpose),
    Column("plan", Document, nullable=False),
    *word("recipe", RecipeKind, nullable=True),
    Column("step", Integer, nullable=False),
    Index("ix_runs_voice_id_requested_at", "voice_id", "requested_at"),
)
_IS_OPEN = text(f"state IN ({quoted(state.value for state in OPEN_RUN_STATES)})")
Index(
    "uq_runs_open_per_voice",
    runs.c.voice_id,
    runs.c.purpose,
    unique=True,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)

run_steps = Table(
    "run_steps",
    metadata,
    reference("run_id", "runs.id", primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    string("training_file_id"),
    string("job_id"),
    string("model_name"),
    Column("trained_tokens", Integer, nullable=True),
    moment("began_at"),
    moment("ended_at"),
)

run_events = Table(
    "run_events",
    metadata,
    sequence("seq"),
    reference("run_id", "runs.id"),
    string("key"),
    moment("at"),
    string("level"),
    string("text"),
    Column("numbers", Document, nullable=False),
    CheckConstraint("level IN ('error', 'info', 'warn')", name="level"),
    UniqueConstraint("run_id", "key"),
    Index("ix_run_events_run_id_seq", "run_id", "seq"),
)

evaluations = Table(
    "evaluations",
    metadata,
    reference("run_id", "runs.id", primary_key=True),
    string("incumbent_name"),
    string("candidate_name"),
    Column("samples", Document, nullable=False),
    Column("margin", Float, nullable=False),
    *word("verdict", Verdict),
    Column("evidence", Document, nullable=False),
    string("reason"),
    moment("evaluated_at"),
    Column("measures", Document, nullable=False),
)
