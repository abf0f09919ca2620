"""One database: its engine, its short transactions, and its failures as sentences.

Every method of a store is one `reading()` or one `writing()` block; those that every reply needs are one unit of work
instead (`read_unit`, `write_unit`), which costs a tenth. What SQLAlchemy or a driver raises inside leaves as a
`storage.errors` type, so nobody outside this package needs to know either.
"""

import asyncio
import inspect
import json
import sqlite3
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.errors import ConstraintBroken, DatabaseUnavailable
from storage.group_commit import GROUP_LIMIT, GroupCommit
from storage.units import Crew, Habits, Work

T = TypeVar("T")
P = ParamSpec("P")

BUSY_TIMEOUT_MS = 30_000  # how long a write waits for another process's write before it gives up
STATEMENT_TIMEOUT_MS = 60_000  # PostgreSQL: the largest write (freezing a dataset version) takes about a second
CONNECT_TIMEOUT_S = 10
POSTGRES_THREADS = 8  # that run units; each has a connection, and waits for the server most of the time

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def parse_url(database_url: str) -> URL:
    """Read a database address; `sqlite:` and `postgresql:` without a driver get ours. Raises DatabaseUnavailable."""
    try:
        url = make_url(database_url)
    except ArgumentError as exc:
        raise DatabaseUnavailable(
            "FINETONE_DATABASE_URL is not a database address. Write it as sqlite+aiosqlite:///data/app.sqlite "
            "or postgresql+psycopg://user:password@host:5432/name."
        ) from exc
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in _DRIVERS.values():
        raise DatabaseUnavailable(
            f"Finetone does not speak {url.drivername!r}. Use sqlite+aiosqlite:///FILE or postgresql+psycopg://…"
        )
    if url.drivername == "sqlite+aiosqlite" and url.database in (None, "", ":memory:"):
        raise DatabaseUnavailable(
            "The SQLite address names no file, and a database in memory would forget everything. "
            "Write it as sqlite+aiosqlite:///data/app.sqlite."
        )
    return url


def sqlite_path(url: URL) -> Path:
    """The file behind a SQLite address."""
    return Path(str(url.database))


def shown(url: URL) -> str:
    """The address as people may see it: a path, or a server without its password."""
    return str(sqlite_path(url)) if url.drivername.startswith("sqlite") else url.render_as_string(hide_password=True)


def set_pragmas(dbapi_connection: Any, *, foreign_keys: bool = True) -> None:
    """Prepare a new SQLite connection. Python's own transaction handling is switched off: `BEGIN` is ours to say."""
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute(f"PRAGMA foreign_keys={'ON' if foreign_keys else 'OFF'}")
    # FULL, because in WAL mode NORMAL may lose the last commits when the power fails, and a paid job hangs on them.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


class Database:
    """An engine and its transactions. Opened by `storage.store.open_store`, after the migrations."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._unfinished: set[asyncio.Task[Any]] = set()
        to_json = partial(json.dumps, ensure_ascii=False, allow_nan=False)
        # Units say themselves when a transaction begins and ends, and each of their threads keeps its connection.
        for_units: dict[str, Any] = {"isolation_level": "AUTOCOMMIT", "poolclass": NullPool, "json_serializer": to_json}
        if url.drivername.startswith("sqlite"):
            self.engine = create_async_engine(url, json_serializer=to_json)
            _begin_by_hand(self.engine)
            self._writer = self.engine.execution_options(finetone_begin="BEGIN IMMEDIATE")
            self._glancer = self.engine.execution_options(finetone_begin="")
            self._unit_engine = create_engine(url.set(drivername="sqlite+pysqlite"), **for_units)
            _prepare_connections(self._unit_engine)
            synchronous = ("PRAGMA synchronous=NORMAL", "PRAGMA synchronous=FULL")
            writing = Habits("writing", 1, GROUP_LIMIT, "BEGIN IMMEDIATE", False, *synchronous)
            self._writers = self._relaxed_writers = Crew(self._unit_engine, writing)
            self._readers = Crew(self._unit_engine, Habits("reading", 1, GROUP_LIMIT, "", False))
            self._groups = GroupCommit(self._writer, self._writers)
        else:
            arguments = {
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
            }
            self.engine = create_async_engine(url, json_serializer=to_json, pool_pre_ping=True, connect_args=arguments)
            self._writer = self._glancer = self.engine
            self._unit_engine = create_engine(url, connect_args=arguments, **for_units)
            self._writers = self._readers = Crew(self._unit_engine, Habits("units", POSTGRES_THREADS, 1, "BEGIN", True))
            relaxed = arguments | {"options": f"{arguments['options']} -c synchronous_commit=off"}
            self._relaxed_writers = Crew(
                create_engine(url, connect_args=relaxed, **for_units),
                Habits("relaxed units", POSTGRES_THREADS, 1, "BEGIN", True),
            )
            self._groups = None

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that only reads."""
        with explained(self.url):
            async with self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def glancing(self) -> AsyncGenerator[AsyncConnection]:
        """For a single statement that only reads, which sees one moment by itself: no transaction is begun for it.

        On SQLite that halves its time: every step of a transaction is a message to the driver's thread and back.
        """
        with explained(self.url):
            async with self._glancer.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that may write: committed at the end of the block, rolled back when the block raises.

        SQLite takes its one write lock at the start (BEGIN IMMEDIATE), so what is read inside still holds when written.
        PostgreSQL reads committed rows; a method that reads before it writes locks the row it rests on.
        """
        with explained(self.url):
            async with self._groups.writing() if self._groups is not None else self._writer.begin() as connection:
                yield connection

    async def read(self, work: Work[T]) -> T:
        """Run a unit that only reads. Each of its statements sees its own moment: one that must see a single one, is one."""
        with explained(self.url):
            return await self._readers.run(work, is_stepwise=True)

    async def write(self, work: Work[T], *, is_stepwise: bool = False, is_relaxed: bool = False) -> T:
        """Run a unit that may write, whole or not at all; `is_stepwise`: each of its statements may stand by itself, in order.

        `is_relaxed`: it is seen by all at once and outlives this process, but its commit does not wait for the disk. Both
        databases write their commits in order, so the next one that waits keeps this one as well; a power cut before that
        leaves things as if it, and all that came later, had not been done.

        The same locks hold as in `writing`. It must not do anything else but talk to the database: it may be run again.
        """
        with explained(self.url):
            crew = self._relaxed_writers if is_relaxed else self._writers
            return await crew.run(work, is_stepwise=is_stepwise, is_relaxed=is_relaxed)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work to its end, even when the caller is cancelled meanwhile; `close` waits for what is left."""
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Let what has begun end, then close every connection."""
        if self._unfinished:
            await asyncio.wait(self._unfinished)
        for crew in (self._writers, self._relaxed_writers, self._readers):
            await crew.close()
        await self.engine.dispose()


def reading_unit(
    method: Callable[Concatenate[Any, Connection, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make a method that only reads from a function of a connection; see `Database.read`."""

    @wraps(method)
    async def asked(self: Any, *args: P.args, **keywords: P.kwargs) -> T:
        database: Database = self._database
        return await database.read(lambda connection: method(self, connection, *args, **keywords))

    _UNITS.add(asked)
    return asked


def writing_unit(
    method: Callable[Concatenate[Any, Connection, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make a method that writes, whole or not at all, from a function of a connection; see `Database.write`."""

    @wraps(method)
    async def asked(self: Any, *args: P.args, **keywords: P.kwargs) -> T:
        database: Database = self._database
        return await database.write(lambda connection: method(self, connection, *args, **keywords))

    _UNITS.add(asked)
    return asked


def writing_steps(
    method: Callable[Concatenate[Any, Connection, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Make a method whose statements may stand each by itself from a function of a connection; see `Database.write`.

    A crash may leave the first done and not the second. On PostgreSQL the second sees what others committed before it, and
    others see the first; SQLite has one writer at a time, so that nothing happens in between.
    """

    @wraps(method)
    async def asked(self: Any, *args: P.args, **keywords: P.kwargs) -> T:
        database: Database = self._database
        return await database.write(lambda connection: method(self, connection, *args, **keywords), is_stepwise=True)

    _UNITS.add(asked)
    return asked


def relaxed_steps(
    method: Callable[Concatenate[Any, Connection, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """`writing_steps` whose commit does not wait for the disk: for what is done again, to the same end, where it was lost."""

    @wraps(method)
    async def asked(self: Any, *args: P.args, **keywords: P.kwargs) -> T:
        database: Database = self._database
        return await database.write(
            lambda connection: method(self, connection, *args, **keywords), is_stepwise=True, is_relaxed=True
        )

    _UNITS.add(asked)
    return asked


_UNITS: set[Callable[..., Any]] = set()  # no caller that is cancelled cancels them


def uninterrupted(noun: type[T]) -> type[T]:
    """Make every public method of a noun's store a whole: a caller that is cancelled does not cancel the transaction.

    A browser that goes away cancels its request at any point. An interrupted statement leaves its connection closed but
    alive, write lock and all, until Python's garbage collector finds the unread cursor; every other writer waits for it.
    """
    for name, method in list(vars(noun).items()):
        if inspect.iscoroutinefunction(method) and not name.startswith("_") and method not in _UNITS:
            setattr(noun, name, _whole(method))
    return noun


def _whole(method: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(method)
    async def finished(self: Any, *args: Any, **keywords: Any) -> Any:
        database: Database = self._database
        return await database.finish(method(self, *args, **keywords))

    return finished


def _prepare_connections(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(dbapi_connection: Any, _record: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        set_pragmas(dbapi_connection)


def _begin_by_hand(engine: AsyncEngine) -> None:
    _prepare_connections(engine.sync_engine)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:  # pyright: ignore[reportUnusedFunction]
        if statement := connection.get_execution_options().get("finetone_begin", "BEGIN"):
            connection.exec_driver_sql(statement)


# ---------------------------------------------------------------- failures as sentences


@contextmanager
def explained(url: URL) -> Generator[None]:
    """Let what fails inside leave as a `storage.errors` type; what is neither the database nor ours passes unchanged."""
    try:
        yield
    except StatementError as exc:  # the parent of every error that SQLAlchemy wraps around a driver's
        if exc.orig is not None and not isinstance(exc, DBAPIError):
            raise exc.orig from None  # ours, from a column type: UnstorableText, or ValueError for a moment without a zone
        if isinstance(exc, IntegrityError):
            raise ConstraintBroken(f"The database refused a write that breaks its rules: {exc.orig}") from exc
        reason = _reason(exc.orig, shown(url))
        if reason is None:
            raise
        raise DatabaseUnavailable(reason) from exc
    except sqlite3.Error as exc:  # the migration's lock is taken without SQLAlchemy
        raise DatabaseUnavailable(_reason(exc, shown(url)) or f"{shown(url)} cannot be used: {exc}.") from exc
    except PoolTimeout as exc:
        raise DatabaseUnavailable(
            f"Every connection to {shown(url)} has been busy for 30 seconds. Try again in a moment; "
            "if it stays so, look for a process that holds a transaction open."
        ) from exc


# PostgreSQL's SQLSTATE codes, https://www.postgresql.org/docs/15/errcodes-appendix.html (read 2026-11-21).
_POSTGRES_REASONS = {
    "53100": "The disk of {where} is full. Free some space there, then try again; nothing was half-written.",
    "53300": "{where} accepts no more connections. Raise its max_connections or stop an idle client, then try again.",
    "25006": "{where} is read-only. Point FINETONE_DATABASE_URL at the primary server.",
    "42501": "{where} does not let this user do that. Grant it the rights on the database, then try again.",
    "57014": "{where} took longer than a minute over one statement. Try again; if it stays so, look at its load.",
    "40P01": "{where} broke a deadlock between two writes by refusing this one. Try again.",
    "55P03": "{where} is locked by another transaction. Try again.",
}

_SQLITE_REASONS = {
    "database or disk is full": "There is no room left to write {where}. Free some disk space, then try again; "
    "nothing was half-written.",
    "attempt to write a readonly database": "{where} is read-only. Give this user the right to write the file and its "
    "folder, then try again.",
    "is locked": f"{{where}} has been locked by another process for {BUSY_TIMEOUT_MS // 1000} seconds. "
    "Stop the other process, or wait for it, then try again.",
    "unable to open database file": "{where} cannot be opened. Check that its folder exists, has room, and may be "
    "written by this user.",
    "disk I/O error": "The disk failed while {where} was read or written. Check the disk and its free space, "
    "then try again.",
    "file is not a database": "{where} is not a SQLite database. Point FINETONE_DATABASE_URL at another file, "
    "or restore this one from a backup.",
    "malformed": "{where} is damaged. Stop Finetone and restore the file from a backup.",
}


def _reason(error: BaseException | None, where: str) -> str | None:
    """The sentence for a driver's error; None when it does not mean that the database is unavailable."""
    if isinstance(error, sqlite3.Error):
        sentence = next((sentence for part, sentence in _SQLITE_REASONS.items() if part in str(error)), None)
        return sentence and sentence.format(where=where)
    # psycopg's errors carry `sqlstate`; a connection that never came to be has none.
    if error is not None and type(error).__module__.startswith("psycopg"):
        sqlstate: str | None = getattr(error, "sqlstate", None)
        if sqlstate in _POSTGRES_REASONS:
            return _POSTGRES_REASONS[sqlstate].format(where=where)
        if type(error).__name__ in {"OperationalError", "ConnectionTimeout"} or (sqlstate or "")[:2] in {"08", "57"}:
            first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            return (
                f"{where} cannot be reached ({first_line}). Start the server or correct FINETONE_DATABASE_URL, "
                "then try again."
            )
    return None
