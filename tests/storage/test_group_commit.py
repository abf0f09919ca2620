"""Writes that queue on SQLite share a transaction: one commit for many, each its own success or failure."""

import asyncio

import pytest
from sqlalchemy import event, text

from storage.database import Database, parse_url


@pytest.fixture
async def database(sqlite_url: str):
    database = Database(parse_url(sqlite_url))
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE notes (word TEXT UNIQUE)"))
    yield database
    await database.close()


@pytest.fixture
def commits(database: Database) -> list[str]:
    """One entry for each commit from here on."""
    seen: list[str] = []
    event.listen(database.engine.sync_engine, "commit", lambda _: seen.append("commit"))
    return seen


async def write(database: Database, word: str, *, fails: bool = False) -> None:
    async with database.writing() as connection:
        await connection.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word})
        if fails:
            raise LookupError(word)


async def words(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(text("SELECT word FROM notes ORDER BY word"))).scalars())


async def test_writers_that_wait_share_a_commit(database: Database, commits: list[str]):
    await asyncio.gather(*(write(database, f"{n:02}") for n in range(20)))
    assert await words(database) == [f"{n:02}" for n in range(20)]
    assert len(commits) < 5


async def test_one_that_fails_undoes_only_its_own(database: Database):
    done = await asyncio.gather(*(write(database, str(n), fails=n % 3 == 0) for n in range(9)), return_exceptions=True)
    assert [type(outcome) for outcome in done] == [LookupError if n % 3 == 0 else type(None) for n in range(9)]
    assert await words(database) == ["1", "2", "4", "5", "7", "8"]


async def test_a_broken_rule_undoes_only_its_own(database: Database):
    done = await asyncio.gather(*(write(database, word) for word in ("a", "a", "b")), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in done) == ["ConstraintBroken", "NoneType", "NoneType"]
    assert await words(database) == ["a", "b"]


async def test_nobody_is_told_of_success_when_the_commit_fails(database: Database, monkeypatch: pytest.MonkeyPatch):
    async with database.writing() as connection:
        kind = type(connection)
    honest = kind.commit

    async def full(self: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(kind, "commit", full)
    done = await asyncio.gather(*(write(database, str(n)) for n in range(4)), return_exceptions=True)
    monkeypatch.setattr(kind, "commit", honest)
    assert [str(outcome) for outcome in done] == ["the disk is full"] * 4
    assert await words(database) == []
    await write(database, "after")
    assert await words(database) == ["after"]


async def test_one_that_is_cancelled_while_it_waits_leaves_the_others_committed(database: Database):
    begun, may_go = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.writing() as connection:
            await connection.execute(text("INSERT INTO notes VALUES ('slow')"))
            begun.set()
            await may_go.wait()

    first = asyncio.create_task(slow())
    await begun.wait()
    waiting = asyncio.create_task(write(database, "waiting"))
    await asyncio.sleep(0)
    may_go.set()
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(5):
        await first
    assert await words(database) == ["slow"]
