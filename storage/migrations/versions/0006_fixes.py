"""What the instant fix needs remembered: the corrections a reply rests on, and the shape of prompts a model was trained on."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns, and a word for a reply that is a correction as it stands."""
    # A model's shape is what its version's card says, and every card so far says the one without fixes.
    op.add_column("models", sa.Column("shape", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE models SET shape = 'chat-1' WHERE run_id IS NOT NULL")
    with op.batch_alter_table("replies") as replies:
        replies.add_column(sa.Column("fix_ids", sa.Text(), server_default="", nullable=False))
        replies.drop_constraint(op.f("ck_replies_source"), type_="check")
        replies.create_check_constraint(op.f("ck_replies_source"), "source IN ('base', 'fix', 'notice', 'tuned')")
