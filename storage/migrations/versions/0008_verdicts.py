"""Verdicts of three values, and the evidence they rest on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    """A yes becomes "better", a no "not_proven": a mean that was too small proved nothing worse."""
    # In words, because Alembic adds a column's CHECK in a statement of its own, which SQLite does not have.
    op.execute(
        "ALTER TABLE evaluations ADD COLUMN verdict TEXT DEFAULT 'not_proven' NOT NULL "
        "CONSTRAINT ck_evaluations_verdict CHECK (verdict IN ('better', 'not_proven', 'worse'))"
    )
    op.execute("UPDATE evaluations SET verdict = 'better' WHERE passed")
    op.drop_column("evaluations", "passed")
    op.add_column("evaluations", sa.Column("evidence", DOCUMENT, server_default="[]", nullable=False))
