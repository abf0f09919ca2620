"""A run may train in several steps, each a job that goes on from the one before."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
RECIPES = "recipe IN ('dpo', 'kto', 'sft', 'sft_dpo')"


def upgrade() -> None:
    """Add two columns and the table of jobs that are over; how earlier runs trained was not kept."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("recipe", sa.Text(), nullable=True))
        runs.create_check_constraint(op.f("ck_runs_recipe"), RECIPES)
        runs.add_column(sa.Column("step", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "run_steps",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("training_file_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("trained_tokens", sa.Integer(), nullable=True),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_steps_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "step", name="pk_run_steps"),
    )
