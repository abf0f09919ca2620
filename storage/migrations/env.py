"""Run by Alembic: migrate over the connection that `storage.migrate` opened, inside its transaction and under its lock."""

from alembic import context

from storage.schema import metadata


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic may look at a table: those of the workflow engine in the same database are none of our business."""
    return kind != "table" or not (name or "").startswith(("dbos_", "datasource_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by rebuilding it
    include_name=is_ours,
)
with context.begin_transaction():
    context.run_migrations()
