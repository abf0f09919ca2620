"""One worker, several runs: the one that takes long keeps no other waiting."""

import asyncio
from dataclasses import replace

from curation.worker import Pace, work
from storage.records import RunState
from tests.curation.conftest import House


async def test_a_run_that_is_compared_slowly_keeps_no_other_waiting(house: House):
    await house.approve(*range(12))
    slow = await house.request()
    other = replace(
        house, voice=await house.store.voices.ensure("gannet", "Be brief.", "base", at=house.workshop.now())
    )
    go_on = asyncio.Event()
    slow_model = "ft:base:local:puffin-1:1"

    async def pause(_: int) -> None:
        if house.provider.asked[-1][0] == slow_model:
            await go_on.wait()

    house.provider.pause = pause
    stop = asyncio.Event()
    worker = asyncio.create_task(work(house.workshop, "worker-1", Pace(0.01, 0.01, 0.01), stop))
    async with asyncio.timeout(30):
        while not any(model == slow_model for model, _ in house.provider.asked):
            await asyncio.sleep(0)
        await other.approve(*range(100, 112))
        quick = await other.request()
        while (await house.store.runs.get(quick.id)).is_open:
            await asyncio.sleep(0.01)
        assert (await house.store.runs.get(slow.id)).state is RunState.SERVABLE
        go_on.set()
        while (await house.store.runs.get(slow.id)).is_open:
            await asyncio.sleep(0.01)
    stop.set()
    await worker
    ended = [await house.store.runs.get(run.id) for run in (slow, quick)]
    assert [run.state for run in ended] == [RunState.PROMOTED, RunState.PROMOTED]
