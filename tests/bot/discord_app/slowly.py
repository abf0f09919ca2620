"""A model that speaks when the test lets it."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.bot.discord_app.conftest import Shop


class Gate:
    """Holds every word of the model until `open`. What people do meanwhile does not wait for it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.asked = 0  # how often the model was asked for its first word
        self._opened = asyncio.Event()
        shop.provider.pause = self._wait

    async def _wait(self, word: int) -> None:
        self.asked += word == 0
        await self.shop.guild.outside(self._opened.wait())

    async def open(self) -> None:
        """Let the model speak, and wait until the bot has said it."""
        self._opened.set()
        await self.shop.guild.settle()


async def eventually(read: Callable[[], Awaitable[bool]], within_s: float = 5.0) -> None:
    """Wait until it is so: while the model is held, a verb does not wait for everything that the bot is at."""
    async with asyncio.timeout(within_s):
        while not await read():
            await asyncio.sleep(0.005)
