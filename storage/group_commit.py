"""Writes of one process that are committed together, where the database has one writer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.units import Crew

GROUP_LIMIT = 32  # writes in one SQLite transaction; about 20 ms of them


@dataclass(eq=False)
class _Group:
    """Writes that are committed together: one transaction, and who waits for its end."""

    connection: AsyncConnection
    size: int
    committed: asyncio.Future[None]
    leaving: AsyncExitStack  # gives the write lock back to the units


class GroupCommit:
    """SQLite's one writer, shared: those that queue while another writes go into its transaction, and all wait for its commit.

    A commit is a write to the disk that returns when it lies there, about a millisecond here and ten on a slow disk; so
    many writers at once cost little more than one. Each has a savepoint of its own: what one raises undoes only its own
    work. Nobody is told of success before the commit. SQLite's own waiting would be a poll with pauses of up to 100 ms.
    """

    def __init__(self, engine: AsyncEngine, units: Crew) -> None:
        self._engine = engine
        self._units = units  # which write as well, and not meanwhile
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._closing: asyncio.Task[None] | None = None  # held, so that it is not collected before it is done

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A place in the current transaction, or in a new one. Leaves when that is committed; raises what the commit raises."""
        self._waiting += 1
        try:
            await self._turn.acquire()
        except asyncio.CancelledError:
            if self._waiting == 1:  # whoever wrote before left the commit to us
                self._closing = asyncio.create_task(self._close_left())
            raise
        finally:
            self._waiting -= 1
        try:
            group = self._group = self._group or await self._begun()
            group.size += 1
            try:
                if group.size == 1:
                    yield group.connection  # alone so far: undoing everything is undoing this
                else:
                    async with group.connection.begin_nested():
                        yield group.connection
            except BaseException:
                if group.size == 1:
                    await self._end(group, commit=False)
                    raise
                group.size -= 1
                await self._end_if_due(group)
                raise
            await self._end_if_due(group)
        finally:
            self._turn.release()
        await group.committed

    async def _begun(self) -> _Group:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._units.standing_still())
            connection = await self._engine.connect()
            stack.push_async_callback(connection.close)
            await connection.begin()
            return _Group(connection, 0, asyncio.get_running_loop().create_future(), stack.pop_all())

    async def _close_left(self) -> None:
        async with self._turn:
            if self._group is not None:
                await self._end_if_due(self._group)

    async def _end_if_due(self, group: _Group) -> None:
        """Commit when nobody else waits to join, or enough have joined: other processes want to write as well."""
        if not self._waiting or group.size >= GROUP_LIMIT:
            await self._end(group, commit=True)

    async def _end(self, group: _Group, *, commit: bool) -> None:
        self._group = None
        try:
            await (group.connection.commit() if commit else group.connection.rollback())
        except BaseException as error:
            group.committed.set_exception(error)
            group.committed.exception()  # those who wait raise it; where nobody does, it is raised here
            raise
        else:
            group.committed.set_result(None)
        finally:
            await group.leaving.aclose()


# ---------------------------------------------------------------- methods of a noun's store
