"""Statements that every message and every reply needs: compiled once, and then given to the driver as they are.

They are written with SQLAlchemy like all others, and values go in and out through the same column types. What is left out
is what SQLAlchemy does around each execution, which takes several times as long as SQLite takes for the statement itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Select, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

Statement = Select[*tuple[Any, ...]] | Insert | Update | ReturningInsert[Any] | ReturningUpdate[*tuple[Any, ...]]
Row = dict[str, Any]
"""A row's values by the names of its columns."""

_Process = Callable[[Any], Any] | None


@dataclass(slots=True)
class _Compiled:
    sql: str
    is_positional: bool  # whether the driver takes a list of values, or a dictionary
    values: tuple[
        tuple[str, bool, Any, _Process], ...
    ]  # name, whether it is given, else what it is, how the driver has it
    returns: tuple[Any, ...]  # SQLAlchemy's columns that come back
    columns: tuple[
        tuple[str, _Process], ...
    ] = ()  # the same, and how the driver's values become ours; once one has come

    def to_driver(self, given: Mapping[str, Any]) -> Any:
        named = [
            (value if not is_given else given[name] if process is None else process(given[name]))
            for name, is_given, value, process in self.values
        ]
        return named if self.is_positional else dict(zip((name for name, *_ in self.values), named, strict=True))

    def from_driver(self, cursor: Any, dialect: Dialect) -> list[Row]:
        if not self.returns:
            return []
        if not self.columns:  # PostgreSQL's driver gives numbers by the type that the server says
            self.columns = tuple(
                (column.key, column.type.dialect_impl(dialect).result_processor(dialect, told[1]))
                for column, told in zip(self.returns, cursor.description, strict=True)
            )
        return [
            {
                name: value if process is None else process(value)
                for (name, process), value in zip(self.columns, values, strict=True)
            }
            for values in cursor.fetchall()
        ]


class Prepared:
    """A statement whose values are those that it names by `bindparam`, or for an INSERT the `columns`."""

    def __init__(self, statement: Statement | Callable[[str], Statement], columns: Sequence[str] = ()) -> None:
        self._statement = statement  # or what makes it for a kind of database, "sqlite" or "postgresql"
        self._columns = list(columns) or None
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        """Run it; the rows that come back."""
        compiled = self._for(connection.dialect)
        driver = connection.connection.driver_connection
        assert driver is not None  # a thread's own connection
        try:
            cursor = driver.execute(compiled.sql, compiled.to_driver(values))
            return compiled.from_driver(cursor, connection.dialect)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _explicable(connection, error) from error

    def row(self, connection: Connection, values: Mapping[str, Any]) -> Row | None:
        """Run it; the first row that comes back, if any does."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement = self._statement(dialect.name) if callable(self._statement) else self._statement
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._columns)
        names: list[str] = compiled.positiontup if compiled.positional else list(compiled.params)
        values: list[tuple[str, bool, Any, _Process]] = []
        for name in names:
            bind = compiled.binds[name]
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            fixed = None if bind.required else bind.effective_value
            values.append((name, bind.required, fixed if process is None or bind.required else process(fixed), process))
        return _Compiled(str(compiled), bool(compiled.positional), tuple(values), tuple(statement.exported_columns))


def _explicable(connection: Connection, error: Exception) -> Exception:
    """What SQLAlchemy would have made of a driver's error."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    if dialect.is_disconnect(error, driver, None):  # pyright: ignore[reportArgumentType]
        connection.invalidate(error)
    return DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect)


@cache
def insert_if_new(table: Table) -> Prepared:
    """Inserts a row of all columns unless a uniqueness constraint forbids it; the first column comes back if it went in."""

    def made(kind: str) -> Statement:
        insert = sqlite.insert(table) if kind == "sqlite" else postgresql.insert(table)
        return insert.on_conflict_do_nothing().returning(next(iter(table.c)))

    return Prepared(made, columns=[column.name for column in table.c])
