"""The court: votes on disputes, the date from which who won holds, and a card for each dispute."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = "kind IN ('dispute', 'draft', 'follow_up', 'hand_over', 'notice', 'reply', 'review', 'run')"
SETTLEMENTS = "settlement IN ('both', 'first', 'neither', 'second')"


def upgrade() -> None:
    """Add a table and two columns, and widen a word."""
    op.add_column("corrections", sa.Column("holds_from", MOMENT, nullable=True))
    op.add_column("disputes", sa.Column("holds_from", MOMENT, nullable=True))
    op.create_table(
        "dispute_votes",
        sa.Column("dispute_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("settlement", sa.Text(), nullable=False),
        sa.Column("holds_from", MOMENT, nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.CheckConstraint(SETTLEMENTS, name=op.f("ck_dispute_votes_settlement")),
        sa.ForeignKeyConstraint(["dispute_id"], ["disputes.id"], name="fk_dispute_votes_dispute_id_disputes"),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_dispute_votes_actor_id_actors"),
        sa.PrimaryKeyConstraint("dispute_id", "actor_id", name="pk_dispute_votes"),
    )
    with op.batch_alter_table("postings") as postings:
        postings.drop_constraint(op.f("ck_postings_kind"), type_="check")
        postings.create_check_constraint(op.f("ck_postings_kind"), KINDS)
