"""Which replies moderators were asked about, and a card for each."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = "kind IN ('dispute', 'doubt', 'draft', 'follow_up', 'hand_over', 'notice', 'reply', 'review', 'run')"


def upgrade() -> None:
    """Add a table and widen a word."""
    op.create_table(
        "doubts",
        sa.Column("reply_id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("askers", sa.Integer(), nullable=False),
        sa.Column("disagreement", sa.Float(), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_doubts_reply_id_replies"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_doubts_voice_id_voices"),
        sa.PrimaryKeyConstraint("reply_id", name="pk_doubts"),
    )
    op.create_index("ix_doubts_voice_id_chosen_at", "doubts", ["voice_id", "chosen_at"])
    with op.batch_alter_table("postings") as postings:
        postings.drop_constraint(op.f("ck_postings_kind"), type_="check")
        postings.create_check_constraint(op.f("ck_postings_kind"), KINDS)
