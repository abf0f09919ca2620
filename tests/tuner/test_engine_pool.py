"""Models come and go while requests are answered: none is dropped, none is answered by another model."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.conftest import FakeEngine
from tuner.engine import EnginePool, EngineSettings, LlamaEngine
from tuner.errors import EngineFailed, EngineGone

A, B, C = Path("a.gguf"), Path("b.gguf"), Path("c.gguf")


class Yard:
    """Starts fake engines and remembers them; `broken` adapters do not load."""

    def __init__(self) -> None:
        self.engines: list[FakeEngine] = []
        self.broken: set[Path] = set()

    async def start(self, adapters: tuple[Path, ...]) -> FakeEngine:
        if self.broken & set(adapters):
            raise EngineFailed("cannot load")
        self.engines.append(FakeEngine(adapters))
        return self.engines[-1]


@pytest.fixture
def yard() -> Yard:
    return Yard()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_new_model_is_loaded_beside_the_old_engine_which_ends_after_its_last_request(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(None) as before:
        async with pool.lease(A) as lease:
            assert lease.engine.adapters == (A,)
            assert lease.lora == [{"id": 0, "scale": 1.0}]
        await settle()
        assert before.engine is yard.engines[0]
        assert not yard.engines[0].is_stopped
    await settle()
    assert yard.engines[0].is_stopped
    assert not yard.engines[1].is_stopped
    await pool.close()


async def test_requests_for_two_new_models_at_once_start_one_engine_each_and_keep_both(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()

    async def ask(adapter: Path) -> tuple[Path, ...]:
        async with pool.lease(adapter) as lease:
            return (lease.engine.adapters[int(lease.lora[0]["id"])],)

    assert await asyncio.gather(*(ask(path) for path in (A, B, A, B))) == [(A,), (B,), (A,), (B,)]
    assert len(yard.engines) == 3
    assert pool.loaded == (A, B)
    await pool.close()


async def test_the_least_recently_used_model_leaves_when_memory_is_full(yard: Yard):
    pool = EnginePool(yard.start, limit=2)
    await pool.open()
    for adapter in (A, B, A, C):
        async with pool.lease(adapter):
            pass
    assert set(pool.loaded) == {A, C}
    await pool.close()


async def test_an_unloaded_model_leaves_the_engine_without_disturbing_its_last_request(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(B):
        pass
    async with pool.lease(A) as lease:
        pool.unload(A)
        await settle()
        assert pool.loaded == (B,)
        assert lease.engine.adapters == (B, A)
        assert not yard.engines[2].is_stopped
    await settle()
    assert yard.engines[2].is_stopped
    await pool.close()


async def test_a_model_asked_for_at_the_last_moment_still_leaves(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(A):
        pool.unload(A)
    async with pool.lease(A):  # resolved before the deletion, leased after
        pass
    await settle()
    assert pool.loaded == ()
    async with pool.lease(A):
        pass
    async with pool.lease(B):
        pass
    assert pool.loaded == (A, B)
    await pool.close()


async def test_where_no_engine_without_the_model_can_start_the_old_one_serves_on(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    for adapter in (A, B):
        async with pool.lease(adapter):
            pass
    yard.broken = {B}
    pool.unload(A)
    await settle()
    async with pool.lease(B) as lease:
        assert lease.engine is yard.engines[-1]
    await pool.close()


async def test_an_engine_with_new_settings_takes_over_with_the_same_models(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(A) as lease:
        pool.refresh()
        await settle()
        assert pool.loaded == (A,)
        assert yard.engines[-1] is not lease.engine
        assert not lease.engine.is_stopped  # type: ignore[attr-defined]
    await settle()
    assert [engine.is_stopped for engine in yard.engines] == [True, True, False]
    await pool.close()


async def test_a_model_that_does_not_load_leaves_what_serves_untouched(yard: Yard):
    yard.broken = {B}
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(A):
        pass
    with pytest.raises(EngineFailed):
        async with pool.lease(B):
            pass
    assert pool.loaded == (A,)
    async with pool.lease(A) as lease:
        assert lease.engine is yard.engines[1]
    await pool.close()


async def test_an_engine_that_dies_is_replaced_with_the_same_models(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(A):
        pass
    yard.engines[1].die()
    await settle()
    async with pool.lease(A) as lease:
        assert lease.engine is yard.engines[2]
    await pool.close()


async def test_who_lost_the_engine_in_the_middle_of_an_answer_meets_the_next_one(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()

    async def asked() -> object:
        async with pool.lease(A) as lease:
            if lease.engine is yard.engines[1]:
                yard.engines[1].die()
                raise EngineGone("The engine stopped while answering.")
            return lease.engine

    with pytest.raises(EngineGone):
        await asked()
    assert await asked() is yard.engines[2]
    await pool.close()


async def test_an_engine_that_dies_with_a_model_that_no_longer_loads_still_serves_the_base(yard: Yard):
    pool = EnginePool(yard.start)
    await pool.open()
    async with pool.lease(A):
        pass
    yard.broken = {A}
    yard.engines[1].die()
    await settle()
    async with pool.lease(None) as lease:
        assert lease.engine.adapters == ()
    await pool.close()


async def test_an_engine_killed_while_it_loads_may_be_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    start = asyncio.create_subprocess_exec

    async def killed(*command: str, **options: Any) -> asyncio.subprocess.Process:
        return await start(sys.executable, "-c", "import os; os.kill(os.getpid(), 9)", **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", killed)
    with pytest.raises(EngineGone, match=r"ended while loading base\.gguf with 1 adapters"):
        await LlamaEngine.start(EngineSettings(Path("base.gguf")), (A,), tmp_path / "engine.log")
