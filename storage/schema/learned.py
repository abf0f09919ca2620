"""Tables of what models learned."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, Index, Integer, Table, text
from sqlalchemy import ForeignKeyConstraint as ForeignKeys

from storage.records.learned import AskedAs, LearnedVerdict
from storage.schema.columns import String, metadata, moment, reference, string, word

learned = Table(
    "learned",
    metadata,
    reference("correction_id", "corrections.id", primary_key=True),
    reference("model_id", "models.id", primary_key=True),
    reference("run_id", "runs.id"),
    *word("verdict", LearnedVerdict),
    Column("in_weights", Boolean, nullable=False),
    Column("in_system", Boolean, nullable=True),
    Column("margin", Float, nullable=False),
    Column("log_margin", Float, nullable=True),
    Column("paraphrases", Integer, nullable=False),
    Column("paraphrases_right", Integer, nullable=False),
    Column("neighbours", Integer, nullable=False),
    Column("neighbours_reached", Integer, nullable=False),
    moment("judged_at"),
    moment("told_at", nullable=True),
    string("told_in", nullable=True),
    CheckConstraint("told_at IS NULL OR verdict = 'learned'", name="told"),
    Index("ix_learned_model_id", "model_id"),
    Index("ix_learned_run_id", "run_id"),
)
_IS_TOLD = text("told_at IS NOT NULL")
Index(
    "uq_learned_told_once",  # whichever model learned it
    learned.c.correction_id,
    unique=True,
    sqlite_where=_IS_TOLD,
    postgresql_where=_IS_TOLD,
)

learned_answers = Table(
    "learned_answers",
    metadata,
    Column("correction_id", String, primary_key=True),
    Column("model_id", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    *word("asked_as", AskedAs),
    reference("about", "corrections.id"),
    string("question"),
    string("answer"),
    Column("is_right", Boolean, nullable=False),
    Column("nearness", Float, nullable=False),
    Column("nearness_before", Float, nullable=True),
    ForeignKeys(
        ["correction_id", "model_id"],
        ["learned.correction_id", "learned.model_id"],
        name="fk_learned_answers_correction_id_learned",
    ),
    Index("ix_learned_answers_about", "about"),
)
