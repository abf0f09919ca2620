"""A Discord guild as its people use it (talking.py, clicking.py, changing.py), with the real discord.py client in it.

The library runs as it is; simcord stands where its HTTP client and its gateway are. Time is simcord's: `pass_time` turns it.
"""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import discord
import simcord

from tests.discord.cast import Cast
from tests.discord.changing import Changing
from tests.discord.clicking import Clicking
from tests.discord.feed import Feed
from tests.discord.place import World
from tests.discord.rest import Recorder
from tests.discord.settling import Settling
from tests.discord.talking import Talking
from tests.discord.world import LEAST, build_world

CLOSING_S = 5.0
BEGINS = datetime(2026, 11, 21, 9, tzinfo=UTC)  # when the `clock` of tests/conftest.py begins

T = TypeVar("T")
Build = Callable[["Guild"], discord.Client | Awaitable[discord.Client]]


class Guild(Cast, Talking, Clicking, Changing):
    """A guild with its people, roles and channels, and the bot."""

    def __init__(self, env: Any, world: World, feed: Feed, recorder: Recorder, settling: Settling) -> None:
        super().__init__(env, world)
        self._settling = settling
        self.feed, self.rest = feed, recorder

    # The bot.

    @property
    def client(self) -> discord.Client:
        """The client that runs now: another one after a restart."""
        return self._env.bot

    @property
    def errors(self) -> list[BaseException]:
        """What the bot's handlers raised so far. Reading them says they were expected; others fail the test at its end."""
        return self._env.errors

    async def restart(self, client: discord.Client) -> None:
        """Stop the bot when it has done what it was at, and start this client in the same guild."""
        await self._env.settle()
        await self._close()
        await self._env.restart_bot(client)

    async def crash(self, client: discord.Client) -> None:
        """Cancel everything the bot was at, wherever it stood, and start this client in the same guild."""
        await self._env._detach_bot()
        await self._env.restart_bot(client)

    async def pass_time(self, seconds: float) -> None:
        """Turn the clock of discord.py and of the bot's sleeps: verbs do not wait for a sleep."""
        await self._env.advance_time(seconds)

    async def outside(self, awaitable: Awaitable[T]) -> T:
        """Await this inside the bot as something from outside (a model's answer): no verb waits for it."""
        if asyncio.current_task() not in self._env._work.tasks:
            return await awaitable  # nobody waits for a task that is not the bot's
        return await self._env.external_wait(awaitable, reason="outside")

    def let_wait(self, task: asyncio.Task[Any]) -> None:
        """No verb waits for this task of the bot: a worker that waits for work."""
        self._settling.workers.add(task)
        self._env._work.external_waits[task] = "a worker that waits for work"

    async def second_guild(self, name: str = "Other") -> "Guild":
        """Another company's guild, which the bot joins now."""
        world = build_world(self.backend, name)
        await self.settle()
        return Guild(self._env, world, self.feed, self.rest, self._settling)

    async def _close(self) -> None:
        with self._env._bot_scope():
            await asyncio.wait_for(self.client.close(), CLOSING_S)


@contextlib.asynccontextmanager
async def open_guild(
    build: Build,
    recorder: Recorder,
    *,
    permissions: discord.Permissions = LEAST,
    approved: discord.Intents | None = None,
    shard_count: int | None = None,
    settle_s: float = 5.0,
) -> AsyncGenerator[Guild]:
    """A guild with the client that `build` makes of it, for the length of a block.

    `approved` are the intents the portal grants (None: all): a client that asks for more raises PrivilegedIntentsRequired here.
    `shard_count` is for an AutoShardedClient: one if neither it nor the client says. What the bot's handlers raised is raised at
    the end.
    """
    nobody = discord.Client(intents=discord.Intents(guilds=True))
    env = simcord.Env(nobody, approved_intents=approved, settle_timeout=settle_s)
    env.backend.clock._epoch = BEGINS
    feed = Feed(env.backend)
    world = build_world(env.backend, permissions=permissions, shard=(0, shard_count or 1))
    guild = Guild(env, world, feed, recorder, Settling(env))
    with recorder.recording(env.backend):
        built = build(guild)
        env.bot = await built if inspect.isawaitable(built) else built
        env.requested_shard_count = shard_count or _shards(env.bot)
        try:
            await env.start()
        except BaseException:
            await env.bot.close()
            raise
        with _logged(env):
            try:
                yield guild
            finally:
                try:
                    await guild._close()
                finally:
                    await env.shutdown()
    env._raise_errors_since(env._errors_acknowledged)


def _shards(client: discord.Client) -> int | None:
    return 1 if isinstance(client, discord.AutoShardedClient) and client.shard_count is None else None


@contextlib.contextmanager
def _logged(env: simcord.Env) -> Iterator[None]:
    """discord.py only logs what a DynamicItem raises, and simcord does not see it: count it among the errors."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1]:
                env._record_error(record.exc_info[1])

    handler = Handler(logging.ERROR)
    logging.getLogger("discord").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("discord").removeHandler(handler)
