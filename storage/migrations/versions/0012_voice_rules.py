"""What approvers decided about the rules of a voice card."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "voice_rules",
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('approved', 'rejected')", name=op.f("ck_voice_rules_state")),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_voice_rules_voice_id_voices"),
        sa.ForeignKeyConstraint(["decided_by"], ["actors.id"], name="fk_voice_rules_decided_by_actors"),
        sa.PrimaryKeyConstraint("voice_id", "kind", "value", name="pk_voice_rules"),
    )
