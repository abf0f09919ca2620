"""Units of work: all statements of one transaction, run one after the other where the driver is, in a thread of its own.

An async driver carries every step of a transaction to its thread (or over the event loop) and back, which for one reply
came to some 130 trips and ten milliseconds. A unit makes the trip once, and those that queue meanwhile make it together.
Nothing here knows a table; what a unit does is a method of a noun's store.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

T = TypeVar("T")

Work = Callable[[Connection], T]
"""What a unit does with a connection. It may be run a second time after the first was undone, so it does nothing else."""

IDLE_S = 1.0  # a server's connection that nobody used for this long is asked whether it is still there


@dataclass(frozen=True, slots=True)
class Habits:
    """How a crew works."""

    name: str
    n_threads: int
    group_limit: int  # units in one transaction; 1 for a server, which itself commits for several at once
    begin: str  # what begins a transaction; "" where every statement is one by itself
    is_server: bool  # which may go away while nobody looks, and where each step of a transaction is a message
    relax: str = ""  # what is said so that a commit does not wait for the disk; "" where that is not said
    insist: str = ""  # so that it does again


@dataclass(eq=False, slots=True)
class _Unit:
    work: Work[Any]
    is_stepwise: bool  # every statement of it may stand by itself
    is_relaxed: bool  # its commit need not wait for the disk
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class Crew:
    """Threads with a connection each, that take up units in the order they came. Everything here happens on one event loop.

    Units that wait are run in groups of up to `group_limit` in one transaction. When one of a group fails, or its commit
    does, the transaction is undone and each unit is run again by itself, so that a failure is its owner's alone. Nobody is
    told of success before the commit. A caller that is cancelled does not cancel its unit.
    """

    def __init__(self, engine: Engine, habits: Habits) -> None:
        self._engine = engine
        self._habits = habits
        self._waiting: deque[_Unit] = deque()
        self._guests: deque[asyncio.Future[None]] = deque()
        self._has_guest = False
        self._threads: list[_Thread] = []
        self._idle: list[_Thread] = []
        self._over: asyncio.Future[None] | None = None

    async def run(self, work: Work[T], *, is_stepwise: bool = False, is_relaxed: bool = False) -> T:
        """Run a unit and return what it returns, once that is committed; raise what it raises."""
        unit = _Unit(work, is_stepwise, is_relaxed, asyncio.get_running_loop().create_future())
        self._waiting.append(unit)
        if not (self._has_guest or self._guests):
            self._send_out()
        return await unit.done

    @contextlib.asynccontextmanager
    async def standing_still(self) -> AsyncGenerator[None]:
        """While this lasts no unit runs: somebody of this process wants SQLite's one write lock, without waiting in a poll."""
        if self._has_guest or self._guests or self._n_busy:
            admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._guests.append(admitted)
            try:
                await admitted
            except asyncio.CancelledError:
                if admitted.done() and not admitted.cancelled():
                    self._guest_leaves()
                raise
        else:
            self._has_guest = True
        try:
            yield
        finally:
            self._guest_leaves()

    async def close(self) -> None:
        """Let what has begun end, then close the connections."""
        if self._waiting or self._n_busy:
            self._over = asyncio.get_running_loop().create_future()
            await self._over
        threads, self._threads, self._idle = self._threads, [], []
        for thread in threads:
            await thread.close()

    @property
    def _n_busy(self) -> int:
        return len(self._threads) - len(self._idle)

    def _send_out(self) -> None:
        """Give what waits to the threads that have nothing to do."""
        while self._waiting and (self._idle or len(self._threads) < self._habits.n_threads):
            if self._idle:
                thread = self._idle.pop()
            else:
                thread = _Thread(self._engine, self._habits, self._is_back)
                self._threads.append(thread)
            thread.take([self._waiting.popleft() for _ in range(min(len(self._waiting), self._habits.group_limit))])

    def _is_back(self, thread: "_Thread", units: list[_Unit], outcomes: list[Any]) -> None:
        """A thread has ended a group."""
        self._idle.append(thread)
        for unit, outcome in zip(units, outcomes, strict=True):
            if unit.done.done():
                continue  # its caller was cancelled
            if isinstance(outcome, _Failure):
                unit.done.set_exception(outcome.error)
            else:
                unit.done.set_result(outcome)
        self._admit()
        if not (self._has_guest or self._guests):
            self._send_out()
        if self._over is not None and not self._over.done() and not (self._waiting or self._n_busy):
            self._over.set_result(None)

    def _guest_leaves(self) -> None:
        self._has_guest = False
        self._send_out()  # before the next guest: neither keeps the other waiting for ever
        self._admit()

    def _admit(self) -> None:
        while self._guests and not self._has_guest and not self._n_busy:
            guest = self._guests.popleft()
            if not guest.done():
                guest.set_result(None)
                self._has_guest = True


class _Thread:
    """A thread and its connection, which is made when it is needed and made anew when it is lost."""

    def __init__(
        self, engine: Engine, habits: Habits, is_back: Callable[["_Thread", list[_Unit], list[Any]], None]
    ) -> None:
        self._engine = engine
        self._habits = habits
        self._is_back = is_back
        self._loop = asyncio.get_running_loop()
        self._groups: queue.SimpleQueue[list[_Unit] | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._used_at = 0.0  # by the monotonic clock
        self._is_relaxed = False
        # A daemon, so that a program that ends without closing its store ends all the same.
        self._thread = threading.Thread(target=self._work, name=f"database {habits.name}", daemon=True)
        self._thread.start()

    def take(self, units: list[_Unit]) -> None:
        """Run these next; the crew is told on its event loop."""
        self._groups.put(units)

    async def close(self) -> None:
        self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    # ------------------------------------------------------------ in the thread

    def _work(self) -> None:
        while (units := self._groups.get()) is not None:
            outcomes = self._outcomes(units)
            with contextlib.suppress(RuntimeError):  # the event loop was closed meanwhile: nobody waits
                self._loop.call_soon_threadsafe(self._is_back, self, units, outcomes)
            del units, outcomes  # nothing is kept alive while the thread waits
        self._drop_connection()

    def _outcomes(self, units: list[_Unit]) -> list[Any]:
        try:
            return self._together(units)
        except Exception as error:  # whatever it is, it goes to whoever asked for it
            if len(units) == 1:
                return [_Failure(error)]
        return [outcome for unit in units for outcome in self._outcomes([unit])]

    def _together(self, units: list[_Unit]) -> list[Any]:
        is_begun = bool(self._habits.begin) and not (self._habits.is_server and units[0].is_stepwise)
        connection = self._connected()
        try:
            self._relax(connection, is_relaxed=all(unit.is_relaxed for unit in units))
            if is_begun:
                connection.exec_driver_sql(self._habits.begin)
            outcomes = [unit.work(connection) for unit in units]
            if is_begun:
                connection.exec_driver_sql("COMMIT")
        except BaseException:
            self._undo(connection, is_begun=is_begun)
            raise
        self._used_at = time.monotonic()
        return outcomes

    def _relax(self, connection: Connection, *, is_relaxed: bool) -> None:
        if self._habits.relax and is_relaxed is not self._is_relaxed:
            connection.exec_driver_sql(self._habits.relax if is_relaxed else self._habits.insist)
            self._is_relaxed = is_relaxed

    def _undo(self, connection: Connection, *, is_begun: bool) -> None:
        try:
            if connection.invalidated:
                self._drop_connection()
            elif is_begun:
                connection.exec_driver_sql("ROLLBACK")
        except DBAPIError:  # the server is gone; or BEGIN failed, or SQLite has ended the transaction itself
            self._drop_connection()

    def _connected(self) -> Connection:
        if self._connection is not None and self._habits.is_server and time.monotonic() - self._used_at > IDLE_S:
            try:
                self._connection.exec_driver_sql("SELECT 1")
            except DBAPIError:
                self._drop_connection()
        if self._connection is None:
            self._connection, self._is_relaxed = self._engine.connect(), False
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()
