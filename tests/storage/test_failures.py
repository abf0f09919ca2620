import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from storage.errors import ConstraintBroken, DatabaseUnavailable, UnstorableText
from storage.records import CorrectionState, Judgement
from storage.store import Store, open_store
from tests.conftest import POSTGRES_URL, Clock
from tests.storage.scenes import Scene, a_proposal, a_reply, a_run, a_scene


@contextmanager
def _pragma(store: Store, pragma: str, afterwards: str) -> Iterator[None]:
    """Let every SQLite connection of the store run under `pragma`."""

    def set_pragma(connection: Any) -> None:
        connection.exec_driver_sql(pragma)

    engine = store._database.engine.sync_engine
    event.listen(engine, "begin", set_pragma)
    try:
        yield
    finally:
        event.remove(engine, "begin", set_pragma)

        def unset_pragma(dbapi_connection: Any, *_: Any) -> None:
            dbapi_connection.execute(afterwards)

        event.listen(engine, "checkout", unset_pragma)


@pytest.fixture
async def sqlite_scene(store: Store, clock: Clock) -> Scene:
    return await a_scene(store, clock)


async def test_a_full_disk_is_a_sentence_and_nothing_is_half_written(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    proposals = [a_proposal(scene, origin=f"import:f:{line}", text="x" * 10_000) for line in range(100)]
    with (
        _pragma(scene.store, "PRAGMA max_page_count=90", "PRAGMA max_page_count=1000000"),
        pytest.raises(DatabaseUnavailable, match=r"There is no room left to write .*app\.sqlite\. Free some disk") as e,
    ):
        await scene.store.corrections.propose_many(proposals)
    assert isinstance(e.value.__cause__, Exception)
    assert sum((await scene.store.corrections.count(scene.voice.id)).values()) == 0
    assert [entry.verb for entry in await scene.store.audit.entries(9)] == ["set_voice"]
    assert await scene.store.corrections.propose_many(proposals) == 100


async def test_a_read_only_database_is_a_sentence(sqlite_scene: Scene) -> None:
    with (
        _pragma(sqlite_scene.store, "PRAGMA query_only=ON", "PRAGMA query_only=OFF"),
        pytest.raises(DatabaseUnavailable, match="is read-only"),
    ):
        await a_run(sqlite_scene)
    await a_run(sqlite_scene)


async def test_a_database_that_another_process_locked_is_a_sentence(sqlite_scene: Scene) -> None:
    path = str(sqlite_scene.store._database.url.database)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def hurry(dbapi_connection: Any, *_: Any) -> None:
        dbapi_connection.execute("PRAGMA busy_timeout=20")

    event.listen(sqlite_scene.store._database.engine.sync_engine, "checkout", hurry)
    with pytest.raises(DatabaseUnavailable, match="has been locked by another process"):
        await a_run(sqlite_scene)
    assert await sqlite_scene.store.runs.open_runs() == []  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    await a_run(sqlite_scene)


async def test_a_database_that_is_being_migrated_for_too_long_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.migrate.MIGRATION_LOCK_S", 0.05)
    with closing(sqlite3.connect(tmp_path / "app.sqlite.lock", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseUnavailable, match="Another process has been migrating"):
            await open_store(f"sqlite:///{tmp_path / 'app.sqlite'}")
    async with await open_store(f"sqlite:///{tmp_path / 'app.sqlite'}") as store:
        assert await store.voices.all() == []


async def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite"
    path.write_text("This is a text about databases, long enough to have a header. " * 20)
    with pytest.raises(DatabaseUnavailable, match=r"app\.sqlite is not a SQLite database"):
        await open_store(f"sqlite:///{path}")


async def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match=r"The folder .*file/data cannot be created"):
        await open_store(f"sqlite:///{tmp_path / 'file' / 'data' / 'app.sqlite'}")


async def test_a_folder_in_place_of_the_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"):
        await open_store(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize(
    ("database_url", "sentence"),
    [
        ("", "is not a database address"),
        ("app.sqlite", "is not a database address"),
        ("mysql://root:secret@host/app", "does not speak 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
async def test_a_wrong_address_is_a_sentence_without_its_password(database_url: str, sentence: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=sentence) as caught:
        await open_store(database_url)
    assert "secret" not in str(caught.value)


async def test_a_server_that_is_not_there_is_a_sentence_without_its_password() -> None:
    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1:1/app cannot be reached .*refused") as caught:
        await open_store("postgresql://mo:secret@127.0.0.1:1/app")
    assert "secret" not in str(caught.value)


@pytest.mark.postgres
async def test_a_database_that_does_not_exist_is_a_sentence(postgres_database: str) -> None:
    absent = f"{postgres_database}_absent"
    with pytest.raises(DatabaseUnavailable, match=f'database "{absent}" does not exist'):
        await open_store(POSTGRES_URL.rpartition("/")[0] + f"/{absent}")


@pytest.mark.postgres
async def test_a_connection_lost_half_way_is_a_sentence_and_the_next_one_works(postgres_url: str, clock: Clock) -> None:
    async with await open_store(postgres_url) as store:
        scene = await a_scene(store, clock)

        async def lose_the_connection() -> None:
            async with store._database.writing() as connection:
                await connection.execute(text("UPDATE voices SET system_prompt = 'half'"))
                await connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

        with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
            await lose_the_connection()
        assert (await store.voices.get(scene.voice.id)).system_prompt == "You are Acme."


@pytest.mark.parametrize("bad", ["a\0b", "\ud83d", "\0"], ids=["nul", "half-a-surrogate-pair", "only-nul"])
async def test_text_no_database_can_keep_is_refused_on_both(scene: Scene, bad: str) -> None:
    reply = await a_reply(scene)
    proposal = a_proposal(scene, text=bad)
    give = scene.store.feedback.give(reply.id, scene.moderator.id, Judgement.GOOD, bad, False, at=scene.clock())
    for attempt in (scene.store.corrections.propose(proposal), give, scene.store.corrections.get(bad)):
        with pytest.raises(UnstorableText, match=r"The text holds U\+(0000|D83D) at character [01], which"):
            await attempt
    in_document = scene.store.audit.append(scene.moderator.id, "export", "x", {"deep": [{bad: 1}]}, at=scene.clock())
    with pytest.raises(UnstorableText):
        await in_document
    assert await scene.store.feedback.for_reply(reply.id) == []


async def test_a_moment_without_a_zone_is_refused(scene: Scene) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        await scene.store.people.session("s", scene.clock().replace(tzinfo=None))


async def test_a_moment_in_another_zone_is_kept_as_the_same_moment(scene: Scene) -> None:
    berlin = datetime(2026, 11, 21, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    conversation = await scene.store.conversations.ensure(scene.voice.id, "slack", "C1", at=berlin)
    found = await scene.store.conversations.ensure(scene.voice.id, "slack", "C1", at=scene.clock())
    assert found == conversation
    assert found.created_at.utcoffset() == timedelta(0)


async def test_naming_what_does_not_exist_is_a_bug_that_writes_nothing(scene: Scene) -> None:
    with pytest.raises(ConstraintBroken, match="refused a write that breaks its rules"):
        await scene.store.feedback.give(
            (await a_reply(scene)).id, "actor_nobody", Judgement.GOOD, "", False, at=scene.clock()
        )
    assert sum((await scene.store.feedback.counts(scene.voice.id)).values()) == 0


async def test_a_caller_that_goes_away_leaves_no_lock_behind(scene: Scene, other_store: Store) -> None:
    """A browser that closes its tab cancels the request; an interrupted statement used to keep SQLite's write lock."""
    conversations = scene.store.conversations
    conversation = await conversations.ensure(scene.voice.id, "console", "c", at=scene.clock())
    callers: list[asyncio.Task[Any]] = []
    async with asyncio.timeout(20):
        for number in range(60):
            asking = conversations.record_turn(conversation, str(number), "Hi?", scene.moderator.id, at=scene.clock())
            callers.append(asyncio.create_task(asking))
            await asyncio.sleep(number / 10_000)  # up to 6 ms: another point of the transaction each time
            callers[-1].cancel()
            await asyncio.wait(callers)
        await other_store.conversations.record_turn(conversation, "last", "Hi?", scene.moderator.id, at=scene.clock())


async def test_closing_waits_for_what_has_begun(any_url: str, clock: Clock) -> None:
    store = await open_store(any_url)
    scene = await a_scene(store, clock)
    proposal = a_proposal(scene)
    proposing = asyncio.create_task(store.corrections.propose(proposal))
    await asyncio.sleep(0)
    proposing.cancel()
    await store.close()
    async with await open_store(any_url) as again:
        assert (await again.corrections.get(proposal.id)).state is CorrectionState.PROPOSED
