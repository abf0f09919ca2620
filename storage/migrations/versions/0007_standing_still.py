"""What a run needs to stand still: who paused it and why, holders that died, and jobs asked for without an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add five columns; no run of before is paused, and none has a job whose answer is missing."""
    # In words, because Alembic adds a column's FOREIGN KEY in a statement of its own, which SQLite does not have.
    op.execute("ALTER TABLE runs ADD COLUMN paused_by TEXT CONSTRAINT fk_runs_paused_by_actors REFERENCES actors (id)")
    op.add_column("runs", sa.Column("paused_why", sa.Text(), server_default="", nullable=False))
    op.add_column("runs", sa.Column("takeovers", sa.Integer(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("creates", sa.Integer(), server_default="0", nullable=False))
    op.add_column("runs", sa.Column("create_tried_at", sa.DateTime(timezone=True), nullable=True))
