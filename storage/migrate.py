"""Bring a database to the newest schema, once, however many processes start together.

Synchronous on purpose: Alembic is, and `open_store` runs this in a thread. Each database has one lock that the starters
queue for, and the whole upgrade is one transaction.
"""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, event, text

from storage.database import CONNECT_TIMEOUT_S, explained, set_pragmas, shown, sqlite_path
from storage.errors import DatabaseUnavailable

MIGRATION_LOCK_S = 120  # far longer than a migration takes; a starter that waits this long says so and stops
_POSTGRES_LOCK_KEY = 0x66696E65746F6E65  # "finetone" as a 64-bit number
_alembic_turn = threading.Lock()  # Alembic keeps the migration it is running in module globals


def migrate(url: URL) -> None:
    """Upgrade the database at `url` to the newest schema; create the SQLite file and its folder if they are missing.

    Raises DatabaseUnavailable when it cannot be reached or written, or was written by a newer Finetone.
    """
    with _alembic_turn, explained(url):
        if url.drivername.startswith("sqlite"):
            _migrate_sqlite(url)
        else:
            _migrate_postgres(url)


def _migrate_sqlite(url: URL) -> None:
    if sqlite3.sqlite_version_info < (3, 35):
        raise DatabaseUnavailable(
            f"This Python comes with SQLite {sqlite3.sqlite_version}; Finetone needs 3.35 or newer (2021). "
            "Install a newer Python, or set FINETONE_DATABASE_URL to a PostgreSQL server."
        )
    path = sqlite_path(url)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise DatabaseUnavailable(f"The folder {path.parent} cannot be created: {exc.strerror}.") from exc
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        # Rebuilding a table ("batch") drops the old one, which must not touch the rows that refer to it.
        set_pragmas(dbapi_connection, foreign_keys=False)
        # Once, and under the lock: two processes switching at the same time get "database is locked" at once.
        dbapi_connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with _sqlite_lock(path), engine.begin() as connection:
        _upgrade(connection)
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise DatabaseUnavailable(f"The migration would leave {len(broken)} dangling references in {path}.")


@contextmanager
def _sqlite_lock(path: Path) -> Generator[None]:
    """Hold the migration lock of a database file: an exclusive transaction on an empty database beside it.

    Works wherever SQLite works, waits with a time limit, and ends with its holder, even one that is killed.
    """
    lock_path = path.with_name(path.name + ".lock")
    with closing(sqlite3.connect(lock_path, timeout=MIGRATION_LOCK_S, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc):
                raise  # no room, no right to write: `explained` has the sentence
            raise DatabaseUnavailable(
                f"Another process has been migrating {path} for {MIGRATION_LOCK_S} seconds. "
                "Wait for it to end, or stop it, then try again."
            ) from exc
        yield


def _migrate_postgres(url: URL) -> None:
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_TIMEOUT_S})
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK_KEY})
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "storage:migrations")
    try:
        command.upgrade(config, "head")
    except CommandError as exc:
        raise DatabaseUnavailable(
            f"{shown(connection.engine.url)} was written by a newer Finetone than this one ({exc}). "
            "Install that version, or use another database."
        ) from exc
