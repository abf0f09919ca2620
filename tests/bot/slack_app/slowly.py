"""A model that speaks when the test lets it, and an app that shows what it says without waiting."""

import asyncio

import pytest

from bot.slack_app import noticing, replying
from providers.fake import FakeProvider

PATIENCE_S = 5.0


class Gate:
    """Lets a model's words through: `let(3)` the first three, `open()` all of them. `reached(2)` waits until it is asked
    for the word after the first two.
    """

    def __init__(self, provider: FakeProvider) -> None:
        self._allowed = 0
        self._asked = -1
        self._changed = asyncio.Condition()
        provider.pause = self._wait

    async def _wait(self, word: int) -> None:
        async with self._changed:
            self._asked = max(self._asked, word)
            self._changed.notify_all()
            await self._changed.wait_for(lambda: word < self._allowed)

    @property
    def n_spoken(self) -> int:
        """How many words the model has come to say."""
        return self._asked + 1

    async def reached(self, word: int) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self._asked >= word)

    async def let(self, words: int) -> None:
        """Allow this many words in all, and wait until they were spoken and shown."""
        async with self._changed:
            self._allowed = words
            self._changed.notify_all()
        await self.reached(words)

    async def open(self) -> None:
        async with self._changed:
            self._allowed = 1_000_000
            self._changed.notify_all()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the app shows slowly, so as not to flicker, is shown with every word."""
    monkeypatch.setattr(noticing, "NOTICED_AFTER_S", 0.0)
    for name in (
        "STREAM_AFTER_S",
        "STREAM_FROM_AFTER_S",
        "APPEND_EVERY_S",
        "EDIT_EVERY_S",
        "LOST_ANSWER_S",
    ):
        monkeypatch.setattr(replying, name, 0.0)
