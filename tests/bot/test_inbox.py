"""Deliveries of a platform: kept once, worked on, taken up again, given up in the end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot import inbox
from bot.inbox import ATTEMPTS, KEPT_FOR, LEASE_S, Inbox, Work
from storage.errors import DatabaseUnavailable
from storage.records import InboundEvent
from storage.store import Store

PATIENCE_S = 5.0


class StandingClock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Desk:
    """One process: what it handled and gave up, and how its work goes wrong."""

    def __init__(self, store: Store, clock: StandingClock, owner: str) -> None:
        self.store, self.clock = store, clock
        self.handled: list[tuple[str, int]] = []  # (key, attempt)
        self.given_up: list[str] = []
        self.failures: list[BaseException] = []  # raised one by one, then work succeeds
        self.gate = asyncio.Event()
        self.gate.set()
        self.inbox = Inbox(store, "chat", owner, Work(self._handle, self._give_up), clock)

    async def _handle(self, event: InboundEvent) -> str:
        self.handled.append((event.key, event.attempts))
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    async def _give_up(self, event: InboundEvent) -> None:
        self.given_up.append(event.key)

    async def receive(self, key: str = "k1") -> bool:
        return await self.inbox.receive(key, "message", {"text": "Hello"})

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        stop = asyncio.Event()
        serving = asyncio.create_task(self.inbox.serve(stop))
        try:
            yield
        finally:
            stop.set()
            await serving

    async def handles(self, n: int) -> None:
        """Wait until this many deliveries were begun."""
        await until(lambda: len(self.handled) >= n)


async def until(condition: object) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


async def calm() -> None:
    """Wait until no delivery is being worked on."""
    await until(lambda: not any(task.get_name().startswith("chat ") for task in asyncio.all_tasks()))


@pytest.fixture
def standing() -> StandingClock:
    return StandingClock()


@pytest.fixture
def desk(store: Store, standing: StandingClock, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(inbox, "LOOK_S", 0.01)
    return Desk(store, standing, "one")


async def left(desk: Desk) -> list[InboundEvent]:
    """What a third process could take now."""
    return await desk.store.inbox.take_left("chat", owner="third", now=desk.clock(), lease_s=0)


async def test_a_delivery_is_worked_on_once_however_often_it_comes(desk: Desk):
    assert await desk.receive()
    assert not await desk.receive()
    await calm()
    assert not await desk.receive()
    assert desk.handled == [("k1", 1)]


async def test_two_processes_that_get_the_same_delivery_work_on_it_once(desk: Desk):
    other = Desk(desk.store, desk.clock, "two")
    kept = await asyncio.gather(desk.receive(), other.receive())
    await calm()
    assert sorted(kept) == [False, True]
    assert len(desk.handled + other.handled) == 1


async def test_what_failed_is_taken_up_after_its_lease_and_not_before(desk: Desk):
    desk.failures = [RuntimeError("a bug"), DatabaseUnavailable("away")]
    async with desk.serving():
        await desk.receive()
        await calm()
        desk.clock.advance(LEASE_S - 1)
        await asyncio.sleep(0.05)
        assert desk.handled == [("k1", 1)]
        for attempt in (2, 3):
            desk.clock.advance(LEASE_S + 1)
            await desk.handles(attempt)
        await calm()
    assert desk.handled == [("k1", 1), ("k1", 2), ("k1", 3)]
    assert await left(desk) == []


async def test_what_keeps_failing_is_given_up_once(desk: Desk):
    desk.failures = [RuntimeError("a bug")] * 99
    async with desk.serving():
        await desk.receive()
        for _ in range(ATTEMPTS + 3):
            await calm()
            desk.clock.advance(LEASE_S + 1)
            await asyncio.sleep(0.03)
    assert len(desk.handled) == ATTEMPTS
    assert desk.given_up == ["k1"]


async def test_a_restart_under_the_same_name_goes_on_at_once(desk: Desk):
    desk.failures = [RuntimeError("a bug")]
    await desk.receive()
    await calm()
    again = Desk(desk.store, desk.clock, "one")
    async with again.serving():
        await again.handles(1)
    assert again.handled == [("k1", 2)]


async def test_another_process_waits_for_the_lease(desk: Desk):
    desk.failures = [RuntimeError("a bug")]
    await desk.receive()
    await calm()
    other = Desk(desk.store, desk.clock, "two")
    async with other.serving():
        await asyncio.sleep(0.05)
        assert other.handled == []
        other.clock.advance(LEASE_S + 1)
        await other.handles(1)
    assert other.handled == [("k1", 2)]


async def test_long_work_keeps_its_claim(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox, "EXTEND_S", 0.01)
    desk.gate.clear()
    await desk.receive()
    for _ in range(3):
        desk.clock.advance(LEASE_S - 1)
        await asyncio.sleep(0.05)
    assert await left(desk) == []
    desk.gate.set()
    await calm()


async def test_work_under_way_is_not_begun_again_when_its_lease_ran_out(desk: Desk):
    """The database was away for a while, so the claim could not be extended."""
    desk.gate.clear()
    async with desk.serving():
        await desk.receive()
        desk.clock.advance(LEASE_S + 1)
        await asyncio.sleep(0.05)
        desk.gate.set()
        await calm()
    assert desk.handled == [("k1", 1)]


async def test_nobodys_words_are_kept_once_the_work_is_done(desk: Desk):
    await desk.receive()
    await calm()
    event = await desk.store.inbox.receive("chat", "k2", "message", {}, owner="x", now=desk.clock(), lease_s=0)
    assert event is not None  # what is left is only this one, and it holds nothing
    (only,) = await left(desk)
    assert (only.key, dict(only.payload)) == ("k2", {})


async def test_a_finished_delivery_is_forgotten_after_two_days(desk: Desk):
    async with desk.serving():
        await desk.receive()
        await calm()
        desk.clock.advance(KEPT_FOR.total_seconds() - 60)
        await asyncio.sleep(0.05)
        assert not await desk.receive()
        desk.clock.advance(3_700)
        await until_forgotten(desk)


async def until_forgotten(desk: Desk) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await desk.receive():
            await asyncio.sleep(0.01)


async def test_an_unreachable_database_is_said_to_whoever_delivers(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    async def down(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(desk.store.inbox, "receive", down)
    with pytest.raises(DatabaseUnavailable):
        await desk.receive()


async def test_an_unreachable_database_does_not_end_the_service(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    looks = 0

    async def down(*_: object, **__: object) -> list[InboundEvent]:
        nonlocal looks
        looks += 1
        raise DatabaseUnavailable("away")

    async with desk.serving():
        with monkeypatch.context() as patch:
            for method in ("take_left", "release"):
                patch.setattr(desk.store.inbox, method, down)
            await until(lambda: looks > 3)
        await desk.receive()
        await desk.handles(1)


async def test_shutdown_waits_for_what_has_begun(desk: Desk):
    desk.gate.clear()
    async with desk.serving():
        await desk.receive()
        await desk.handles(1)
        asyncio.get_running_loop().call_later(0.05, desk.gate.set)
    assert await left(desk) == []


async def test_what_takes_too_long_at_shutdown_is_free_for_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox, "DRAIN_S", 0.02)
    desk.gate.clear()
    async with desk.serving():
        await desk.receive()
        await desk.handles(1)
    assert [event.key for event in await left(desk)] == ["k1"]


async def test_what_comes_during_shutdown_is_kept_for_the_next(desk: Desk):
    async with desk.serving():
        pass
    assert await desk.receive()
    await calm()
    assert desk.handled == []
    assert [event.key for event in await left(desk)] == ["k1"]


async def test_no_more_than_a_few_are_worked_on_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.gate.clear()
    for number in range(inbox.AT_ONCE + 10):
        await desk.receive(f"k{number}")
    await desk.handles(inbox.AT_ONCE)
    await asyncio.sleep(0.02)
    assert len(desk.handled) == inbox.AT_ONCE
    desk.gate.set()
    await calm()
    assert len(desk.handled) == inbox.AT_ONCE + 10


async def test_deliveries_that_end_together_are_over_together(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    written: list[int] = []
    works = desk.store.inbox.finish_all

    async def counted(ended: list[tuple[str, str]], *, at: datetime) -> None:
        written.append(len(ended))
        await works(ended, at=at)

    monkeypatch.setattr(desk.store.inbox, "finish_all", counted)
    desk.gate.clear()
    for number in range(10):
        await desk.receive(f"k{number}")
    await desk.handles(10)
    desk.gate.set()
    await calm()
    assert written == [10]
    assert await left(desk) == []


async def test_what_could_not_be_written_to_be_over_is_done_again(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    async def down(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    async with desk.serving():
        with monkeypatch.context() as patch:
            patch.setattr(desk.store.inbox, "finish_all", down)
            await desk.receive("k1")
            await desk.receive("k2")
            await calm()
        desk.clock.advance(LEASE_S + 1)
        await desk.handles(4)
        await calm()
    assert sorted(desk.handled) == [("k1", 1), ("k1", 2), ("k2", 1), ("k2", 2)]
    assert await left(desk) == []
