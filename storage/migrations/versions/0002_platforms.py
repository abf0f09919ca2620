"""What a chat platform needs remembered: its events, our messages there, channels, hand-overs; a question's later fate, and
where a correction holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    """Add seven tables, and columns to turns and corrections."""
    op.add_column("turns", sa.Column("edited_at", MOMENT, nullable=True))
    op.add_column("turns", sa.Column("withdrawn_at", MOMENT, nullable=True))
    # In words, because Alembic adds a column's CHECK in a statement of its own, which SQLite does not have.
    op.execute(
        "ALTER TABLE corrections ADD COLUMN scope TEXT DEFAULT 'voice' NOT NULL "
        "CONSTRAINT ck_corrections_scope CHECK (scope IN ('channel', 'everyone', 'voice'))"
    )
    op.add_column("corrections", sa.Column("is_for_training", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("dataset_versions", sa.Column("erased_at", MOMENT, nullable=True))
    op.add_column("models", sa.Column("erased_at", MOMENT, nullable=True))
    op.create_table(
        "erasures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("person_hash", sa.Text(), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["by"], ["actors.id"], name="fk_erasures_by_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
    )
    op.create_table(
        "inbound_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", DOCUMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_events"),
        sa.UniqueConstraint("platform", "key", name="uq_inbound_events_platform_key"),
    )
    op.create_index(
        "ix_inbound_events_to_do",
        "inbound_events",
        ["platform", "received_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index("ix_inbound_events_done_at", "inbound_events", ["done_at"], unique=False)
    op.create_table(
        "postings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("message_key", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('draft', 'follow_up', 'hand_over', 'notice', 'reply', 'review', 'run')",
            name=op.f("ck_postings_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_postings"),
        sa.UniqueConstraint("platform", "kind", "subject", "part", name="uq_postings_platform_kind_subject_part"),
        sa.UniqueConstraint("platform", "place", "message_key", name="uq_postings_platform_place_message_key"),
    )
    op.create_table(
        "channels",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("is_training_allowed", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("rules", DOCUMENT, nullable=False),
        sa.CheckConstraint("mode IN ('auto', 'draft', 'mention', 'off')", name=op.f("ck_channels_mode")),
        sa.ForeignKeyConstraint(["set_by"], ["actors.id"], name="fk_channels_set_by_actors"),
        sa.PrimaryKeyConstraint("platform", "place", name="pk_channels"),
    )
    op.create_table(
        "channel_days",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "place", "day", name="pk_channel_days"),
    )
    op.create_table(
        "listening",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("platform", "part", name="pk_listening"),
    )
    op.create_table(
        "installations",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("installed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("platform", "team", name="pk_installations"),
    )
    op.create_table(
        "hand_overs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_at", MOMENT, nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["actors.id"], name="fk_hand_overs_asked_by_actors"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_hand_overs_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["released_by"], ["actors.id"], name="fk_hand_overs_released_by_actors"),
        sa.ForeignKeyConstraint(["taken_by"], ["actors.id"], name="fk_hand_overs_taken_by_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_hand_overs"),
    )
    op.create_index(
        "uq_hand_overs_open_per_conversation",
        "hand_overs",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("released_at IS NULL"),
        postgresql_where=sa.text("released_at IS NULL"),
    )
