"""Of a blind pair, neither answer may be good enough."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

PREFERENCES = "preference IN ('candidate', 'incumbent', 'neither', 'unfit')"


def upgrade() -> None:
    """Widen a word."""
    with op.batch_alter_table("pair_votes") as pair_votes:
        pair_votes.drop_constraint(op.f("ck_pair_votes_preference"), type_="check")
        pair_votes.create_check_constraint(op.f("ck_pair_votes_preference"), PREFERENCES)
