"""The chain that shows whether the audit was changed: a hash for every entry, over it and the hash before."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the seals, append-only like the audit, with the one before all others."""
    op.create_table(
        "seals",
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("entry_id", NUMBER, nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_seals"),
        sa.UniqueConstraint("entry_id", name="uq_seals_entry_id"),
    )
    seals = sa.table("seals", sa.column("seq", NUMBER), sa.column("entry_id", NUMBER), sa.column("hash", sa.Text))
    op.execute(sa.insert(seals).values(seq=0, entry_id=None, hash="0" * 64))
    _refuse_changes()


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER seals_refuses_{change.lower()} BEFORE {change} ON seals "
                "BEGIN SELECT RAISE(ABORT, 'seals is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION seals_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'seals is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for change, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER seals_refuses_{change.lower()} BEFORE {change} ON seals "
            f"FOR EACH {level} EXECUTE FUNCTION seals_is_append_only()"
        )
