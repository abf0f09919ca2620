"""What review needs remembered: disputes, locks, second opinions, holds; and lines of a version with all their sources."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    """Add four tables and some columns, and give every line of a version as many sources as it has."""
    op.add_column("voices", sa.Column("short_prompt", sa.Text(), server_default="", nullable=False))
    op.add_column("corrections", sa.Column("superseded_at", MOMENT, nullable=True))
    op.add_column("corrections", sa.Column("expires_at", MOMENT, nullable=True))
    for table in ("dataset_versions", "models"):
        # In words, because Alembic adds a column's CHECK in a statement of its own, which SQLite does not have.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN prompt TEXT DEFAULT 'full' NOT NULL "
            f"CONSTRAINT ck_{table}_prompt CHECK (prompt IN ('full', 'short'))"
        )
    _rebuild_lines()
    op.create_table(
        "disputes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settlement", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('contradiction', 'opinion')", name=op.f("ck_disputes_kind")),
        sa.CheckConstraint("settlement IN ('both', 'first', 'neither', 'second')", name=op.f("ck_disputes_settlement")),
        sa.ForeignKeyConstraint(["first"], ["corrections.id"], name="fk_disputes_first_corrections"),
        sa.ForeignKeyConstraint(["settled_by"], ["actors.id"], name="fk_disputes_settled_by_actors"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_disputes_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_disputes"),
        sa.UniqueConstraint("first", "second", name="uq_disputes_first_second"),
    )
    unsettled = sa.text("settled_at IS NULL")
    op.create_index("ix_disputes_open", "disputes", ["voice_id"], sqlite_where=unsettled, postgresql_where=unsettled)
    op.create_table(
        "assignments",
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_assignments_actor_id_actors"),
        sa.ForeignKeyConstraint(["correction_id"], ["corrections.id"], name="fk_assignments_correction_id_corrections"),
        sa.PrimaryKeyConstraint("correction_id", name="pk_assignments"),
    )
    op.create_table(
        "opinions",
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("is_approval", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "reason IN ('good', 'off_topic', 'outdated', 'tone', 'unsafe', 'wrong')", name=op.f("ck_opinions_reason")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_opinions_actor_id_actors"),
        sa.ForeignKeyConstraint(["correction_id"], ["corrections.id"], name="fk_opinions_correction_id_corrections"),
        sa.PrimaryKeyConstraint("correction_id", "actor_id", name="pk_opinions"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.CheckConstraint("held IN ('corrections', 'marks')", name=op.f("ck_holds_held")),
        sa.ForeignKeyConstraint(["released_by"], ["actors.id"], name="fk_holds_released_by_actors"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_holds_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    held = sa.text("released_at IS NULL")
    op.create_index(
        "uq_holds_open", "holds", ["voice_id", "held"], unique=True, sqlite_where=held, postgresql_where=held
    )


def _rebuild_lines() -> None:
    """Every line there is has one source, the correction it was made from."""
    op.drop_index("ix_dataset_lines_correction_id", "dataset_lines")
    op.rename_table("dataset_lines", "dataset_lines_before")
    _free_names()
    op.create_table(
        "dataset_lines",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("correction_id", sa.Text(), nullable=True),
        sa.Column("reply_id", sa.Text(), nullable=True),
        sa.CheckConstraint("part IN ('flagged', 'held_out', 'train')", name=op.f("ck_dataset_lines_part")),
        sa.CheckConstraint("role IN ('answer', 'fix', 'merged')", name=op.f("ck_dataset_lines_role")),
        sa.CheckConstraint("(correction_id IS NULL) <> (reply_id IS NULL)", name=op.f("ck_dataset_lines_one_source")),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name="fk_dataset_lines_correction_id_corrections"
        ),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_dataset_lines_reply_id_replies"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_versions.id"], name="fk_dataset_lines_version_id_dataset_versions"
        ),
        sa.PrimaryKeyConstraint("version_id", "part", "position", "source", name="pk_dataset_lines"),
    )
    op.create_index("ix_dataset_lines_correction_id", "dataset_lines", ["correction_id"])
    op.create_index("ix_dataset_lines_reply_id", "dataset_lines", ["reply_id"])
    op.execute(
        "INSERT INTO dataset_lines (version_id, part, position, source, role, group_key, correction_id) "
        "SELECT version_id, side, position, 0, 'answer', group_key, correction_id FROM dataset_lines_before"
    )
    op.drop_table("dataset_lines_before")


def _free_names() -> None:
    """In PostgreSQL a renamed table keeps its primary key's name, which is the new table's."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE dataset_lines_before RENAME CONSTRAINT pk_dataset_lines TO pk_dataset_lines_before")
