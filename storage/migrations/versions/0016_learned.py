"""What models learned: a verdict for each correction and model, and what was said; a mark for what must not be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = "kind IN ('dispute', 'doubt', 'draft', 'follow_up', 'hand_over', 'learned', 'notice', 'reply', 'review', 'run')"
VERDICTS = "verdict IN ('learned', 'not_yet', 'over_generalised')"
WAYS = "asked_as IN ('alone', 'neighbour', 'paraphrase', 'served')"


def upgrade() -> None:
    """Add two tables and a column, and widen a word."""
    op.add_column("corrections", sa.Column("is_critical", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "learned",
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("in_weights", sa.Boolean(), nullable=False),
        sa.Column("in_system", sa.Boolean(), nullable=True),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("log_margin", sa.Float(), nullable=True),
        sa.Column("paraphrases", sa.Integer(), nullable=False),
        sa.Column("paraphrases_right", sa.Integer(), nullable=False),
        sa.Column("neighbours", sa.Integer(), nullable=False),
        sa.Column("neighbours_reached", sa.Integer(), nullable=False),
        sa.Column("judged_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("told_in", sa.Text(), nullable=True),
        sa.CheckConstraint(VERDICTS, name=op.f("ck_learned_verdict")),
        sa.CheckConstraint("told_at IS NULL OR verdict = 'learned'", name=op.f("ck_learned_told")),
        sa.ForeignKeyConstraint(["correction_id"], ["corrections.id"], name="fk_learned_correction_id_corrections"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_learned_model_id_models"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_learned_run_id_runs"),
        sa.PrimaryKeyConstraint("correction_id", "model_id", name="pk_learned"),
    )
    op.create_index("ix_learned_model_id", "learned", ["model_id"])
    op.create_index("ix_learned_run_id", "learned", ["run_id"])
    is_told = sa.text("told_at IS NOT NULL")
    op.create_index(
        "uq_learned_told_once",
        "learned",
        ["correction_id"],
        unique=True,
        sqlite_where=is_told,
        postgresql_where=is_told,
    )
    op.create_table(
        "learned_answers",
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asked_as", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("nearness", sa.Float(), nullable=False),
        sa.Column("nearness_before", sa.Float(), nullable=True),
        sa.CheckConstraint(WAYS, name=op.f("ck_learned_answers_asked_as")),
        sa.ForeignKeyConstraint(
            ["correction_id", "model_id"],
            ["learned.correction_id", "learned.model_id"],
            name="fk_learned_answers_correction_id_learned",
        ),
        sa.ForeignKeyConstraint(["about"], ["corrections.id"], name="fk_learned_answers_about_corrections"),
        sa.PrimaryKeyConstraint("correction_id", "model_id", "position", name="pk_learned_answers"),
    )
    op.create_index("ix_learned_answers_about", "learned_answers", ["about"])
    with op.batch_alter_table("postings") as postings:
        postings.drop_constraint(op.f("ck_postings_kind"), type_="check")
        postings.create_check_constraint(op.f("ck_postings_kind"), KINDS)
