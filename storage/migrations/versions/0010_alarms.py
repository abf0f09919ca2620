"""What admins are to hear of: each cause once per voice."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of alarms."""
    op.create_table(
        "alarms",
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_alarms_voice_id_voices"),
        sa.PrimaryKeyConstraint("voice_id", "key", name="pk_alarms"),
    )
    op.create_index("ix_alarms_newest", "alarms", ["voice_id", "at"])
