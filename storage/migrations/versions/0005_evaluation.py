"""What an evaluation counts beside scores, what moderators found of blind pairs, what answers of a voice keep to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB, "postgresql")


def upgrade() -> None:
    """Add two tables and a column; evaluations from before counted nothing else."""
    op.add_column("evaluations", sa.Column("measures", DOCUMENT, server_default="{}", nullable=False))
    op.create_table(
        "pair_votes",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("sample_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("preference", sa.Text(), nullable=False),
        sa.Column("candidate_first", sa.Boolean(), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "preference IN ('candidate', 'incumbent', 'neither')", name=op.f("ck_pair_votes_preference")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_pair_votes_actor_id_actors"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_pair_votes_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", "sample_id", "actor_id", name="pk_pair_votes"),
    )
    op.create_table(
        "voice_checks",
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("checks", DOCUMENT, nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["actors.id"], name="fk_voice_checks_set_by_actors"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_voice_checks_voice_id_voices"),
        sa.PrimaryKeyConstraint("voice_id", name="pk_voice_checks"),
    )
