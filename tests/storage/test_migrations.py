import json
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text

from storage.database import parse_url
from storage.errors import DatabaseUnavailable
from storage.migrate import migrate
from storage.schema import metadata
from storage.store import open_store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'new' / 'app.sqlite'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
def engine(any_url: str) -> Engine:
    """A plain engine on a migrated database."""
    url = parse_url(any_url)
    return create_engine(url.set(drivername=url.drivername.replace("+aiosqlite", "")), poolclass=NullPool)


def newest() -> str:
    """The number of the last migration; there is one last one."""
    config = Config(attributes={})
    config.set_main_option("script_location", "storage:migrations")
    (head,) = ScriptDirectory.from_config(config).get_heads()
    return head


def test_the_migrations_and_the_schema_say_the_same(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def _rules(connection: Connection) -> dict[str, object]:
    """What `compare_metadata` does not look at: CHECK constraints and the conditions of partial indexes."""
    inspector = inspect(connection)
    rules: dict[str, object] = {}
    for table in metadata.tables:
        for check in inspector.get_check_constraints(table):
            rules[f"{table}.{check['name']}"] = check["sqltext"]
        for index in inspector.get_indexes(table):
            condition = index.get("dialect_options", {}).get(f"{connection.dialect.name}_where")
            rules[f"{table}.{index['name']}"] = (index["column_names"], bool(index["unique"]), str(condition))
    return rules


def test_the_migrations_and_the_schema_hold_the_same_rules(engine: Engine) -> None:
    with engine.begin() as connection:
        migrated = _rules(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        described = _rules(connection)
        connection.rollback()
    assert migrated == described
    assert {rule.split(".")[1] for rule in migrated} >= {
        "ck_runs_state",
        "uq_runs_open_per_voice",
        "uq_corrections_approved_per_reply",
        "uq_deployments_promotion_per_run",
    }


def test_a_forgotten_migration_is_noticed_and_the_engines_tables_are_not_ours(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE dbos_queues (id INTEGER)"))
        connection.execute(text("CREATE TABLE datasource_outputs (id INTEGER)"))
    config = Config(attributes={})
    config.set_main_option("script_location", "storage:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)  # raises when autogenerate would change anything
        connection.execute(text("DROP TABLE dbos_queues"))
        connection.execute(text("DROP TABLE datasource_outputs"))


STARTER = """
import asyncio, json, sys
from datetime import UTC, datetime
from storage.store import open_store

async def start() -> None:
    async with await open_store(sys.argv[1]) as store:
        voice = await store.voices.ensure("Acme", "You are Acme.", "smol", at=datetime.now(UTC))
        deployments = await store.models.deployments(voice.id, 9)
        print(json.dumps([voice.id, len(deployments)]), flush=True)

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(start())
"""


def test_three_programs_that_start_at_once_build_one_database(empty_url: str) -> None:
    starters = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", STARTER, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for starter in starters:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
    answers: list[tuple[str, int]] = []
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    for starter in starters:
        output, errors = starter.communicate(timeout=60)
        assert starter.returncode == 0, errors
        answers.append(tuple(json.loads(output)))
    assert len(set(answers)) == 1
    assert answers[0][1] == 1


async def test_a_new_database_is_made_in_folders_with_any_name(tmp_path: Path) -> None:
    path = tmp_path / "a folder with spaces" / "100 %" / "größe" / "app.sqlite"
    async with await open_store(f"sqlite+aiosqlite:///{path}") as store:
        assert await store.voices.all() == []
    assert path.exists()


async def test_an_address_without_a_driver_gets_ours(tmp_path: Path) -> None:
    async with await open_store(f"sqlite:///{tmp_path / 'app.sqlite'}") as store:
        assert await store.voices.all() == []


def test_migrating_again_changes_nothing(any_url: str, engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(text("SELECT * FROM actors")).fetchall()
    migrate(parse_url(any_url))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM actors")).fetchall() == before
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest()]


def test_a_database_of_a_newer_finetone_is_left_alone(any_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(DatabaseUnavailable, match="was written by a newer Finetone than this one"):
            migrate(parse_url(any_url))
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest()})


async def test_sqlite_keeps_what_was_committed_and_holds_references(sqlite_url: str) -> None:
    async with await open_store(sqlite_url) as store, store._database.reading() as connection:
        pragmas = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_importing_the_package_opens_and_reads_nothing() -> None:
    script = """
import os, socket, sqlite3, sys
def refuse(*_args, **_keywords):
    raise AssertionError("importing does something")
socket.socket.connect = refuse
sqlite3.connect = refuse
os.environ.clear()
import storage.store
assert "storage.migrations.env" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)
