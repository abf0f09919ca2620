"""Records as rows: what is inserted, inserted where it is new, or written over; and ids in lots that a statement can name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

IDS_PER_STATEMENT = 1000  # SQLite takes at most 32766 parameters, PostgreSQL 65535


def chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    """Ids in lots that one statement can name."""
    return (ids[start : start + IDS_PER_STATEMENT] for start in range(0, len(ids), IDS_PER_STATEMENT))


def row_of(record: Any) -> dict[str, Any]:
    """The record's fields by name, which are its table's columns (`dataclasses.asdict` would copy deeply, and slowly)."""
    return {name: getattr(record, name) for name in _names_of_fields(record.__class__)}


@cache
def _names_of_fields(record_type: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record_type))


async def insert_new(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]], key: str
) -> list[Any]:
    """Insert the rows that break no uniqueness constraint; return the `key` column of those, in no particular order."""
    if not rows:
        return []
    statement = _insert_if_new(connection.dialect.name, table, key)
    return list((await connection.execute(statement, [dict(row) for row in rows])).scalars())


async def is_inserted(connection: AsyncConnection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert the row unless a uniqueness constraint forbids it; whether it went in."""
    return bool(await insert_new(connection, table, [row], _first_column(table)))


@cache
def _insert_if_new(dialect: str, table: Table, key: str) -> ReturningInsert[Any]:
    """Made once: SQLAlchemy makes a statement, and compiles one it has not seen, in ten times the time it takes to run."""
    insert = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    return insert.on_conflict_do_nothing().returning(table.c[key])


def _first_column(table: Table) -> str:
    return next(iter(table.c)).name


async def upsert(connection: AsyncConnection, table: Table, row: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Insert the row, or where one with the same `keys` exists, overwrite its other columns (its id stays)."""
    keys = list(keys)
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    statement = insert.values(dict(row))
    kept = {*keys, "id"}
    changed = {name: statement.excluded[name] for name in row if name not in kept}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))
