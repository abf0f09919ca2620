"""A run may be a search or a migration drill, which has a plan and promotes nothing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

STATES = (
    "state IN ('canary', 'cancelled', 'done', 'evaluated', 'failed', 'frozen', 'promoted', "
    "'requested', 'servable', 'stopped', 'submitted', 'training')"
)
PURPOSES = "purpose IN ('drill', 'retrain', 'search')"
OPEN = "state IN ('canary', 'evaluated', 'frozen', 'requested', 'servable', 'submitted', 'training')"
DOCUMENT = sa.JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    """Widen a word, add two columns, and let one run of each purpose be open; every run of before is a retrain."""
    op.drop_index("uq_runs_open_per_voice", "runs")
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("ck_runs_state"), type_="check")
        runs.create_check_constraint(op.f("ck_runs_state"), STATES)
        runs.add_column(sa.Column("purpose", sa.Text(), server_default="retrain", nullable=False))
        runs.create_check_constraint(op.f("ck_runs_purpose"), PURPOSES)
        runs.add_column(sa.Column("plan", DOCUMENT, server_default="{}", nullable=False))
    is_open = sa.text(OPEN)
    op.create_index(
        "uq_runs_open_per_voice",
        "runs",
        ["voice_id", "purpose"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
