"""Canaries: a deployment may give a share of the conversations to a second model, and a run may be at that."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KINDS = "kind IN ('canary', 'first', 'promotion', 'rollback')"
STATES = (
    "state IN ('canary', 'cancelled', 'evaluated', 'failed', 'frozen', 'promoted', "
    "'requested', 'servable', 'stopped', 'submitted', 'training')"
)
OPEN = "state IN ('canary', 'evaluated', 'frozen', 'requested', 'servable', 'submitted', 'training')"


def upgrade() -> None:
    """Widen two words, add two columns to deployments, and count a run with a canary as open."""
    op.drop_index("uq_runs_open_per_voice", "runs")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild_deployments()
        _rebuild_runs()
    else:
        op.add_column("deployments", sa.Column("canary_id", sa.Text(), nullable=True))
        op.create_foreign_key("fk_deployments_canary_id_models", "deployments", "models", ["canary_id"], ["id"])
        op.add_column("deployments", sa.Column("canary_share", sa.Float(), server_default="0", nullable=False))
        for table, name, words in (("deployments", "kind", KINDS), ("runs", "state", STATES)):
            op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
            op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, words)
    is_open, is_canary = sa.text(OPEN), sa.text("kind = 'canary'")
    op.create_index(
        "uq_runs_open_per_voice", "runs", ["voice_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    op.create_index(
        "uq_deployments_canary_per_run",
        "deployments",
        ["run_id"],
        unique=True,
        sqlite_where=is_canary,
        postgresql_where=is_canary,
    )


def _rebuild_deployments() -> None:
    """With the triggers that a rebuilt table loses."""
    with op.batch_alter_table("deployments", recreate="always") as deployments:
        deployments.drop_constraint(op.f("ck_deployments_kind"), type_="check")
        deployments.create_check_constraint(op.f("ck_deployments_kind"), KINDS)
        deployments.add_column(sa.Column("canary_id", sa.Text(), nullable=True))
        deployments.add_column(sa.Column("canary_share", sa.Float(), server_default="0", nullable=False))
        deployments.create_foreign_key("fk_deployments_canary_id_models", "models", ["canary_id"], ["id"])
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER deployments_refuses_{change.lower()} BEFORE {change} ON deployments "
            "BEGIN SELECT RAISE(ABORT, 'deployments is append-only'); END"
        )


def _rebuild_runs() -> None:
    with op.batch_alter_table("runs", recreate="always") as runs:
        runs.drop_constraint(op.f("ck_runs_state"), type_="check")
        runs.create_check_constraint(op.f("ck_runs_state"), STATES)
