"""Runs under kill -9: paid jobs = runs, promotions = runs, all finish. The acceptance tests 1 to 4 of the engine.

Workers are real processes, the vendor is a server of its own whose ledger is what counts, the databases are a SQLite file and
PostgreSQL. Killed at random moments: on SQLite the one worker, restarted under its name; on PostgreSQL one of two, whichever
holds a run, and nobody ever comes back under its name. Frozen: between look-up and intent, and between intent and request.
Hung: a create that the vendor carries out and does not answer. Lagging: a list that shows jobs 5 s late.
`python -m bench.kill_story` kills the whole product over its first page's story.
"""

import asyncio
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report import Promise, arguments, finish
from bench.run_house import House, Worker, Workers, answer, database_of, house_on, workers_on
from bench.vendor import Vendor, listening
from storage.records import RecipeKind, Run

LEASE_S = 3.0  # of bench/run_worker.py
PATIENCE_S = 180.0
FEWEST_OPEN = 4  # runs under way while there is somebody left to kill

Row = dict[str, Any]


@dataclass
class Scene:
    """Everything one scenario plays in."""

    house: House
    vendor: Vendor
    workers: Workers


@contextlib.asynccontextmanager
async def scene(kind: str, vendor: Vendor, *options: str) -> AsyncGenerator[Scene]:
    """An empty database, the vendor listening, and no worker yet."""
    async with (
        database_of(kind) as url,
        listening(vendor) as vendor_url,
        house_on(url) as house,
        workers_on(url, vendor_url, *options) as workers,
    ):
        yield Scene(house, vendor, workers)


async def counted(name: str, there: Scene, **more: Any) -> Row:
    """The scenario's row: what the rows say and what the vendor would bill."""
    alive = [len(there.vendor.alive(job.request["training_file"])) for job in there.vendor.ledger]
    jobs = {"jobs": len(there.vendor.ledger), "alive": max(alive, default=0)}
    return {"scenario": name, **await there.house.count(), **jobs, **more}


# ---------------------------------------------------------------- killed


async def killed_alone(kills: int, seed: int, recipe: RecipeKind = RecipeKind.SFT) -> Row:
    """SQLite: one worker, killed at random moments and started again under its name."""
    dice, vendor = random.Random(seed), Vendor(answer, job_s=2.0, delay_s=0.05)
    resumed: list[float] = []
    async with scene("sqlite", vendor) as there:
        there.house.recipe = recipe
        worker = await there.workers.start("worker")
        for _ in range(kills):
            await _keep_busy(there.house)
            await asyncio.sleep(dice.uniform(0.05, 1.6))
            await there.workers.end(worker)
            killed_at = time.monotonic()
            worker = await there.workers.start("worker")
            await _keep_busy(there.house)
            resumed.append(await _first_call(vendor, "worker", killed_at) - killed_at)
        await there.house.until_over(PATIENCE_S)
        name = f"killed on SQLite, {recipe}"
        return await counted(name, there, kills=kills, **_seconds("back at work", resumed))


async def killed_between_the_jobs(times: int) -> Row:
    """SQLite: the worker is killed once a run's first job is kept, before its second can have been made."""
    vendor = Vendor(answer, job_s=1.0, delay_s=0.2)
    async with scene("sqlite", vendor) as there:
        there.house.recipe = RecipeKind.SFT_DPO
        worker = await there.workers.start("worker")
        for _ in range(times):
            run, jobs = await there.house.request(), len(vendor.ledger)
            async with asyncio.timeout(PATIENCE_S):
                while (await there.house.store.runs.get(run.id)).step == 1:
                    await asyncio.sleep(0.01)
            await there.workers.end(worker)
            if len(vendor.ledger) != jobs + 1:
                raise RuntimeError(f"the second job of {run.id} was made before the worker could be killed")
            worker = await there.workers.start("worker")
            await there.house.until_over(PATIENCE_S)
        return await counted("killed between the jobs", there, kills=times)


async def killed_among_two(kills: int, seed: int) -> Row:
    """PostgreSQL: two workers; whoever holds a run is killed, and never comes back under its name."""
    dice, vendor = random.Random(seed), Vendor(answer, job_s=2.0, delay_s=0.05)
    detected: list[float] = []
    watching: list[asyncio.Task[list[float]]] = []
    async with scene("postgres", vendor) as there:
        for number in range(2):
            await there.workers.start(f"worker-{number}")
        for number in range(kills):
            await _keep_busy(there.house)
            await asyncio.sleep(dice.uniform(0.05, 1.6))
            victim, held = await _holder(there)
            victim.kill()
            watching.append(asyncio.create_task(_taken_over(there.house, victim.owner, held)))
            await there.workers.end(victim)
            await there.workers.start(f"worker-{number + 2}")
        await there.house.until_over(PATIENCE_S)
        for task in watching:
            detected += await task
        return await counted("killed among two", there, kills=kills, **_seconds("taken over", detected))


async def _keep_busy(house: House) -> None:
    for _ in range(FEWEST_OPEN - len(await house.store.runs.open_runs())):
        await house.request()


async def _first_call(vendor: Vendor, owner: str, after: float) -> float:
    """When the worker first asked the vendor for anything, `after` a moment."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for call in reversed(vendor.calls):
                if call.by == owner and call.at >= after:
                    return next(c.at for c in vendor.calls if c.by == owner and c.at >= after)
                if call.at < after:
                    break
            await asyncio.sleep(0.02)


async def _holder(there: Scene) -> tuple[Worker, list[Run]]:
    """A worker that holds runs now, and which."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await _keep_busy(there.house)
            open_runs = await there.house.store.runs.open_runs()
            for worker in there.workers.alive:
                if held := [run for run in open_runs if run.lease_owner == worker.owner]:
                    return worker, held
            await asyncio.sleep(0.01)


async def _taken_over(house: House, owner: str, held: list[Run]) -> list[float]:
    """Seconds until each run is held by somebody else. One let go of before the kill counts from the kill as well."""
    began, left, seconds = time.monotonic(), {run.id for run in held}, list[float]()
    async with asyncio.timeout(PATIENCE_S):
        while left:
            for run_id in sorted(left):
                run = await house.store.runs.get(run_id)
                if not run.is_open or run.lease_owner not in (owner, None):
                    seconds.append(time.monotonic() - began)
                    left.discard(run_id)
            await asyncio.sleep(0.05)
    return seconds


def _seconds(name: str, measured: list[float]) -> Row:
    return {f"{name}, s": round(statistics.median(measured), 2), f"{name} at most, s": round(max(measured), 2)}


# ---------------------------------------------------------------- frozen


async def frozen_before_the_intent(times: int) -> Row:
    """The holder is stopped while it waits for the list; another takes over and pays; the holder wakes with a stale answer."""
    vendor = Vendor(answer, job_s=2.0)
    async with scene("postgres", vendor) as there:
        workers = {name: await there.workers.start(name) for name in ("worker-0", "worker-1")}
        for _ in range(times):
            frozen: list[Worker] = []

            def freeze(owner: str, frozen: list[Worker] = frozen) -> None:
                if not frozen:
                    frozen.append(workers[owner])
                    workers[owner].freeze()

            vendor.listed, jobs = freeze, len(vendor.ledger)
            await there.house.request()
            await _until(lambda jobs=jobs: len(vendor.ledger) > jobs)
            frozen[0].thaw()
            await there.house.until_over(PATIENCE_S)
        return await counted("frozen before the intent", there)


async def frozen_after_the_intent() -> Row:
    """The holder is stopped with its intent saved; another waits, pays, and cancels the job of the one that wakes too late."""
    vendor = Vendor(answer, job_s=4.0)
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder) / "frozen"
        async with scene("postgres", vendor) as there:
            sleeper = await there.workers.start("sleeper", "--freeze", str(marker))
            await there.house.request()
            await _until(marker.exists)
            await there.workers.start("worker-1")
            await _until(lambda: bool(vendor.ledger))
            sleeper.thaw()
            await there.house.until_over(PATIENCE_S)
            return await counted("frozen after the intent", there)


async def _until(happened: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.02)


# ---------------------------------------------------------------- hung, lagging


async def hung(times: int) -> Row:
    """The vendor makes the job and does not answer in time."""
    vendor = Vendor(answer, hangs=times, hang_s=4.0)
    async with scene("sqlite", vendor, "--timeout", "1") as there:
        await there.workers.start("worker")
        for _ in range(times):
            await there.house.request()
        await there.house.until_over(PATIENCE_S)
        return await counted("create hangs", there)


async def killed_while_the_list_lags() -> Row:
    """The worker is killed while the vendor makes the job, and the list shows it 5 s later."""
    vendor = Vendor(answer, job_s=1.0, list_lag_s=5.0, hangs=1, hang_s=2.0)
    async with scene("sqlite", vendor) as there:
        worker = await there.workers.start("worker")
        await there.house.request()
        await _until(lambda: bool(vendor.ledger))
        await there.workers.end(worker)
        await there.workers.start("worker")
        await there.house.until_over(PATIENCE_S)
        return await counted("killed in a create, list lags", there)


async def a_list_that_lags_too_long() -> Row:
    """The same with a list that lags longer than we wait: two are paid for, and one is left alive."""
    vendor = Vendor(answer, job_s=20.0, list_lag_s=15.0, hangs=1, hang_s=2.0)
    async with scene("sqlite", vendor, "--look-again", "1") as there:
        worker = await there.workers.start("worker")
        await there.house.request()
        await _until(lambda: bool(vendor.ledger))
        await there.workers.end(worker)
        await there.workers.start("worker")
        await there.house.until_over(PATIENCE_S)
        return await counted("list lags longer than we wait", there)


# ---------------------------------------------------------------- all


PREVENTED = ("killed", "frozen before", "create hangs")


async def play(kills: int, times: int, seed: int) -> list[Row]:
    """Every scenario, one after another: at once they would wait for each other's starts."""
    rows = [await timed(killed_alone(kills, seed)), await timed(killed_among_two(kills, seed))]
    rows += [await timed(killed_alone(kills, seed, RecipeKind.SFT_DPO)), await timed(killed_between_the_jobs(times))]
    rows += [await timed(frozen_before_the_intent(times)), await timed(frozen_after_the_intent())]
    rows += [await timed(hung(times)), await timed(killed_while_the_list_lags())]
    return [*rows, await timed(a_list_that_lags_too_long())]


async def timed(scenario: Coroutine[Any, Any, Row]) -> Row:
    """Play a scenario and say what came of it."""
    began = time.monotonic()
    row = await scenario | {"seconds": round(time.monotonic() - began)}
    print("  " + "  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    return row


def promises_of(rows: list[Row], kills: int) -> list[Promise]:
    """What the counts have to be."""
    prevented = [row for row in rows if row["scenario"].startswith(PREVENTED)]
    twins = [row for row in rows if row not in prevented]
    runs = sum(row["runs"] for row in rows)
    taken_over = max(row.get("taken over at most, s", 0.0) for row in rows)
    return [
        Promise("runs that ended promoted", sum(row["promoted"] for row in rows), runs, "higher"),
        Promise("promotions beyond one a run", sum(row["promotions"] - row["runs"] for row in rows), 0, "lower"),
        Promise("paid jobs beyond one a step", sum(row["jobs"] - row["steps"] for row in prevented), 0, "lower"),
        Promise("jobs left alive, where a second could not be prevented", max(r["alive"] for r in twins), 1, "lower"),
        Promise(
            "second jobs that nobody was told of", sum(r["jobs"] - r["runs"] - r["alerts"] for r in twins), 0, "lower"
        ),
        Promise("seconds until a dead holder's run is held again, at most", taken_over, 2 * LEASE_S, "lower"),
        Promise("kills", sum(row.get("kills", 0) for row in rows), 3 * kills, "higher"),
    ]


def main() -> None:
    """Play the scenarios and hold them to the promises."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--kills", type=int, default=20, help="on each database")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    kills, times = (2, 1) if chosen.quick else (chosen.kills, 3)
    rows = asyncio.run(play(kills, times, chosen.seed))
    finish("kill", promises_of(rows, kills), rows, chosen.json)


if __name__ == "__main__":
    main()
