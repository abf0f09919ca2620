"""A PostgreSQL database for as long as a bench needs one."""

import contextlib
import os
import uuid
from collections.abc import AsyncGenerator


@contextlib.asynccontextmanager
async def postgres_database() -> AsyncGenerator[str]:
    """The URL of an empty database, dropped afterwards; on the server of FINETONE_TEST_POSTGRES_URL, else on this machine."""
    import psycopg

    url = os.environ.get("FINETONE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
    server = url.replace("postgresql+psycopg", "postgresql")
    name = f"finetone_bench_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]  # our own name, no input
    try:
        yield f"{server.rpartition('/')[0].replace('postgresql', 'postgresql+psycopg', 1)}/{name}"
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]
