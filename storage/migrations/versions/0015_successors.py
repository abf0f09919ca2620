"""A run may have been started because the base model nears its end."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TRIGGERS = "trigger IN ('count', 'person', 'schedule', 'shutdown')"


def upgrade() -> None:
    """Widen a word."""
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint(op.f("ck_runs_trigger"), type_="check")
        runs.create_check_constraint(op.f("ck_runs_trigger"), TRIGGERS)
