"""A console that is open for the length of a test."""

from collections.abc import AsyncIterator

import pytest

from storage.store import Store
from tests.bot.console.scenes import House, build_house
from tests.conftest import Clock


@pytest.fixture
async def house(store: Store, clock: Clock) -> AsyncIterator[House]:
    """A console on an empty store, with five people and the base model serving."""
    async with (await build_house(store, clock)).opened() as opened:
        yield opened
