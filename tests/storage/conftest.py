"""The scenes, on both databases, and a second program on the same one."""

from collections.abc import AsyncIterator

import pytest

from storage.store import Store
from tests.conftest import Clock, store_at
from tests.storage.scenes import Scene, a_scene


@pytest.fixture
async def scene(any_store: Store, clock: Clock) -> Scene:
    return await a_scene(any_store, clock)


@pytest.fixture
async def other_store(any_url: str, any_store: Store) -> AsyncIterator[Store]:
    """What a second process would open: its own connections to the same database, sharing no lock with the first."""
    async with store_at(any_url) as opened:
        yield opened
