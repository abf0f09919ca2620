"""Units of work: whole or not at all, together where they wait, each with its own success or failure."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Connection, event, text

from storage import units
from storage.database import Database, parse_url
from storage.errors import ConstraintBroken, DatabaseUnavailable


@asynccontextmanager
async def with_notes(url: str) -> AsyncGenerator[Database]:
    database = Database(parse_url(url))
    async with database.writing() as connection:
        await connection.execute(text("DROP TABLE IF EXISTS notes"))
        await connection.execute(text("CREATE TABLE notes (word TEXT UNIQUE)"))
    yield database
    async with database.writing() as connection:
        await connection.execute(text("DROP TABLE notes"))
    await database.close()


@pytest.fixture
async def database(any_url: str) -> AsyncIterator[Database]:
    async with with_notes(any_url) as database:
        yield database


@pytest.fixture
async def on_sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    async with with_notes(sqlite_url) as database:
        yield database


@pytest.fixture
async def on_postgres(postgres_url: str) -> AsyncIterator[Database]:
    async with with_notes(postgres_url) as database:
        yield database


def said(database: Database) -> list[str]:
    """What units say to the database from here on."""
    seen: list[str] = []
    event.listen(
        database._unit_engine, "before_cursor_execute", lambda _c, _cursor, statement, *_: seen.append(statement)
    )
    return seen


async def write(database: Database, word: str, *, fails: bool = False) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word})
        if fails:
            raise LookupError(word)

    await database.write(work)


async def words(database: Database) -> list[str]:
    def work(connection: Connection) -> list[str]:
        return list(connection.execute(text("SELECT word FROM notes ORDER BY word")).scalars())

    return await database.read(work)


async def test_units_that_wait_share_a_commit(on_sqlite: Database):
    seen = said(on_sqlite)
    await asyncio.gather(*(write(on_sqlite, f"{n:02}") for n in range(20)))
    assert seen.count("COMMIT") == 2  # the first alone, for nobody waited yet
    assert await words(on_sqlite) == [f"{n:02}" for n in range(20)]


async def test_only_a_group_of_relaxed_units_does_not_wait_for_the_disk(on_sqlite: Database):
    """2 is FULL, 1 is NORMAL, in which SQLite does not lose what others committed, but perhaps the last commits."""

    def synchronous(connection: Connection) -> int:
        return connection.execute(text("PRAGMA synchronous")).scalar_one()

    async def relaxed() -> int:
        return await on_sqlite.write(synchronous, is_relaxed=True)

    async def strict() -> int:
        return await on_sqlite.write(synchronous)

    assert [await strict(), await relaxed(), await relaxed(), await strict()] == [2, 1, 1, 2]
    assert await asyncio.gather(relaxed(), relaxed(), strict(), relaxed()) == [1, 2, 2, 2]  # the first was alone
    assert await asyncio.gather(strict(), relaxed(), relaxed()) == [2, 1, 1]


@pytest.mark.postgres
async def test_only_relaxed_units_do_not_wait_for_the_disk_of_the_server(on_postgres: Database):
    def synchronous(connection: Connection) -> str:
        return connection.execute(text("SHOW synchronous_commit")).scalar_one()

    assert await on_postgres.write(synchronous, is_relaxed=True) == "off"
    assert await on_postgres.write(synchronous) == "on"
    await on_postgres.write(lambda c: c.execute(text("INSERT INTO notes VALUES ('soon')")), is_relaxed=True)
    assert await words(on_postgres) == ["soon"]  # all see it at once


async def test_one_that_fails_undoes_only_its_own(database: Database):
    done = await asyncio.gather(*(write(database, str(n), fails=n % 3 == 0) for n in range(9)), return_exceptions=True)
    assert [type(outcome) for outcome in done] == [LookupError if n % 3 == 0 else type(None) for n in range(9)]
    assert await words(database) == ["1", "2", "4", "5", "7", "8"]


async def test_a_broken_rule_undoes_only_its_own(database: Database):
    done = await asyncio.gather(*(write(database, word) for word in ("a", "a", "b")), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in done) == ["ConstraintBroken", "NoneType", "NoneType"]
    assert isinstance(next(outcome for outcome in done if outcome), ConstraintBroken)
    assert await words(database) == ["a", "b"]


async def test_nobody_is_told_of_success_when_the_commit_fails(on_sqlite: Database):
    def full(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "COMMIT":
            raise OSError("the disk is full")

    event.listen(on_sqlite._unit_engine, "before_cursor_execute", full)
    done = await asyncio.gather(*(write(on_sqlite, str(n)) for n in range(4)), return_exceptions=True)
    event.remove(on_sqlite._unit_engine, "before_cursor_execute", full)
    assert [str(outcome) for outcome in done] == ["the disk is full"] * 4
    assert await words(on_sqlite) == []
    await write(on_sqlite, "after")
    assert await words(on_sqlite) == ["after"]


async def test_a_caller_that_goes_away_does_not_take_its_unit_back(database: Database):
    callers = [asyncio.create_task(write(database, f"{n}")) for n in range(8)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    async with asyncio.timeout(5):
        while await words(database) != [str(n) for n in range(8)]:
            await asyncio.sleep(0.005)


async def test_closing_waits_for_what_has_begun(any_url: str, database: Database):
    closing = Database(parse_url(any_url))
    callers = [asyncio.create_task(write(closing, f"{n}")) for n in range(8)]
    await asyncio.sleep(0)
    for caller in callers:
        caller.cancel()
    await closing.close()
    assert await words(database) == [str(n) for n in range(8)]


async def test_units_and_longer_transactions_take_turns(database: Database):
    """On SQLite one of them writes at a time, and neither learns of it from an error or waits in a poll of 100 ms."""

    async def longer(word: str) -> None:
        async with database.writing() as connection:
            await connection.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word})

    began = time.monotonic()
    await asyncio.gather(*(write(database, f"u{n}") if n % 2 else longer(f"w{n}") for n in range(60)))
    assert time.monotonic() - began < 5
    assert len(await words(database)) == 60


async def test_one_that_is_cancelled_while_it_waits_for_its_turn_keeps_nobody_waiting(on_sqlite: Database):
    begun, may_go = asyncio.Event(), asyncio.Event()

    async def longer() -> None:
        async with on_sqlite.writing() as connection:
            await connection.execute(text("INSERT INTO notes VALUES ('longer')"))
            begun.set()
            await may_go.wait()

    first = asyncio.create_task(longer())
    await begun.wait()
    unit = asyncio.create_task(write(on_sqlite, "unit"))
    guest = asyncio.create_task(longer())
    await asyncio.sleep(0)
    guest.cancel()
    may_go.set()
    async with asyncio.timeout(5):
        await asyncio.gather(first, unit)
    assert await words(on_sqlite) == ["longer", "unit"]


async def test_another_process_that_writes_is_waited_for(on_sqlite: Database, sqlite_url: str):
    other = Database(parse_url(sqlite_url))
    async with other.writing() as connection:
        await connection.execute(text("INSERT INTO notes VALUES ('theirs')"))
        ours = asyncio.create_task(write(on_sqlite, "ours"))
        await asyncio.sleep(0.05)
        assert not ours.done()
        assert await words(on_sqlite) == []  # reading goes on
    await ours
    assert await words(on_sqlite) == ["ours", "theirs"]
    await other.close()


@pytest.mark.postgres
async def test_a_server_that_went_away_meanwhile_is_asked_again(on_postgres: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(units, "IDLE_S", 0.0)
    await write(on_postgres, "before")
    async with on_postgres.writing() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    await write(on_postgres, "after")
    assert await words(on_postgres) == ["after", "before"]


@pytest.mark.postgres
async def test_a_server_that_goes_away_half_way_is_a_sentence_and_the_next_unit_works(on_postgres: Database):
    def half(connection: Connection) -> None:
        connection.execute(text("INSERT INTO notes VALUES ('half')"))
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
        await on_postgres.write(half)
    await write(on_postgres, "next")
    assert await words(on_postgres) == ["next"]
