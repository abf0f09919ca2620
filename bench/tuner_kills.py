"""Kill -9 over a queue of five jobs: server, engine and trainer, at random moments, until the queue is empty.

Three supervised jobs, a dpo and a kto. What counts is what the server says at the end, the adapters on disk, and the
steps each job's own account tells: a resumed job goes on from a checkpoint, and never falls back further than one save.
"""

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from openai import APIConnectionError, APIStatusError, AsyncOpenAI

from bench import tuner_process
from bench.report import Promise, arguments, finish
from bench.tuner_process import Serving
from tuner.training.callbacks import SAVE_EVERY_S
from tuner.weights import DEFAULT_BASE

PATIENCE_S = 2_400.0
ENDED = ("succeeded", "failed", "cancelled")
METHODS = ("supervised", "dpo", "supervised", "kto", "supervised")
QUESTIONS = [f"What about order {number}?" for number in range(12)]
GOOD = "Aye, the crew has it in hand."
BAD = "I cannot help with that."


def lines(method: str) -> bytes:
    """A training file of the method's shape, twelve rows."""
    rows: list[dict[str, Any]] = []
    for index, question in enumerate(QUESTIONS):
        asked = [{"role": "user", "content": question}]
        good, bad = ({"role": "assistant", "content": text} for text in (GOOD, BAD))
        match method:
            case "supervised":
                rows.append({"messages": [*asked, good]})
            case "dpo":
                rows.append({"input": {"messages": asked}, "preferred_output": [good], "non_preferred_output": [bad]})
            case _:
                is_good = index % 2 == 0
                rows.append({"prompt": asked, "completion": [good if is_good else bad], "label": is_good})
    return "\n".join(json.dumps(row) for row in rows).encode()


class Keeper:
    """The server, started again whenever it is gone, and a client that asks until it is answered."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.serving: Serving = tuner_process.start(home)
        self.starts = 1

    async def ask(self, call: Any) -> Any:
        """`call(client)`, repeated while the server is down or its engine is."""
        while True:
            if self.serving.process.poll() is not None:
                await asyncio.to_thread(tuner_process.stop, self.serving)
                self.serving = await asyncio.to_thread(tuner_process.start, self._home)
                self.starts += 1
            try:
                async with AsyncOpenAI(base_url=self.serving.base_url, api_key="none", max_retries=0) as client:
                    return await call(client)
            except APIConnectionError:
                await asyncio.sleep(0.2)
            except APIStatusError as error:
                if error.status_code < 500:
                    raise
                await asyncio.sleep(0.2)

    def alive(self) -> dict[str, psutil.Process]:
        """The processes that may be killed, by kind."""
        found: dict[str, psutil.Process] = {}
        try:
            root = psutil.Process(self.serving.process.pid)
            found["server"] = root
            for child in root.children(recursive=True):
                line = " ".join(child.cmdline())
                if "tuner train" in line:
                    found["trainer"] = child
                elif "tuner.llama_process" in line:
                    found["engine"] = child
        except psutil.NoSuchProcess:
            return {}
        return found


async def kill_at_random(keeper: Keeper, kills: int, mean_s: float, dice: random.Random, counts: Counter[str]) -> None:
    """One kill at a time; the trainer every second time, so that training is what is interrupted most."""
    began = time.monotonic()
    while counts.total() < kills:
        await asyncio.sleep(dice.uniform(0.5, 2 * mean_s))
        alive = keeper.alive()
        wanted = "trainer" if counts.total() % 2 == 0 else dice.choice(["server", "engine"])
        if wanted not in alive:
            continue
        try:
            alive[wanted].kill()
        except psutil.NoSuchProcess:
            continue
        counts[wanted] += 1
        print(f"  ✝ {wanted} at {time.monotonic() - began:.0f} s", flush=True)


def steps_told(folder: Path) -> tuple[int, int, bool]:
    """Of one job: its last step, how many steps were trained again after kills, and whether each return was to a checkpoint.

    A trainer that resumes says the step of the checkpoint it goes on from; the next step it tells must be the one after.
    """
    last, repeated, is_continued, resumed_at = 0, 0, True, 0
    for raw in (folder / "progress.jsonl").read_text().splitlines():
        try:
            line = json.loads(raw)
        except json.JSONDecodeError:
            continue  # the half line of a killed trainer
        if line["kind"] == "message" and line["message"].startswith("Resuming from step"):
            resumed_at = int(line["message"].rsplit(" ", 1)[1])
        elif line["kind"] == "started":
            pass
        elif line["kind"] == "step":
            if line["step"] != last + 1:
                is_continued &= line["step"] == resumed_at + 1
                repeated += last - line["step"] + 1
            last = line["step"]
    return last, repeated, is_continued


async def measure(kills: int, mean_s: float, epochs: int, seed: int) -> tuple[list[dict[str, Any]], list[Promise]]:
    """Create the five jobs, let the hand loose, wait for the last job, count."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tuner kills ") as name:
        home = Path(name) / "home"
        keeper = Keeper(home)
        jobs: list[str] = []
        for number, method in enumerate(METHODS):
            jobs.append(await created(keeper, method, epochs, number))
        counts: Counter[str] = Counter()
        killer = asyncio.create_task(kill_at_random(keeper, kills, mean_s, random.Random(seed), counts))
        try:
            async with asyncio.timeout(PATIENCE_S):
                ended = [await end_of(keeper, job) for job in jobs]
        finally:
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)
        models = [model.id async for model in await keeper.ask(listed)]
        rows: list[dict[str, Any]] = []
        for job in ended:
            folder = home / "jobs" / job.id
            steps, repeated, is_continued = steps_told(folder)
            answer = (
                await keeper.ask(lambda client, job=job: say(client, job.fine_tuned_model))
                if job.fine_tuned_model
                else ""
            )
            rows.append(
                {
                    "method": job.method.type,
                    "status": job.status,
                    "models": sum(model == job.fine_tuned_model for model in models),
                    "steps": steps,
                    "trained again": repeated,
                    "from checkpoints": is_continued,
                    "says": answer[:40],
                }
            )
        await asyncio.to_thread(tuner_process.stop, keeper.serving)
    seconds = round(time.monotonic() - began)
    print(f"{seconds} s, {dict(counts)} killed, {keeper.starts} starts of the server")
    return rows, [
        Promise("kills", counts.total(), kills, "higher"),
        Promise("jobs that succeeded", sum(row["status"] == "succeeded" for row in rows), len(METHODS), "higher"),
        Promise("jobs with exactly one model", sum(row["models"] == 1 for row in rows), len(METHODS), "higher"),
        Promise(
            "jobs that always went on from a checkpoint",
            sum(row["from checkpoints"] for row in rows),
            len(METHODS),
            "higher",
        ),
        Promise("jobs whose model answers", sum(bool(row["says"]) for row in rows), len(METHODS), "higher"),
    ]


async def created(keeper: Keeper, method: str, epochs: int, number: int) -> str:
    """Upload and create one job; after a crash in between it is looked up by its metadata before it is created again."""
    file = await keeper.ask(lambda client: client.files.create(file=("rows.jsonl", lines(method)), purpose="fine-tune"))
    chosen: dict[str, Any] = {"type": method, method: {"hyperparameters": {"n_epochs": epochs, "batch_size": 2}}}

    async def create(client: AsyncOpenAI) -> str:
        known = await client.fine_tuning.jobs.list(extra_query={"metadata[number]": str(number)})
        if known.data:
            return known.data[0].id
        job = await client.fine_tuning.jobs.create(
            model=DEFAULT_BASE,
            training_file=file.id,
            suffix=f"job-{number}",
            metadata={"number": str(number)},
            seed=number,
            extra_body={"method": chosen},
        )
        return job.id

    return await keeper.ask(create)


async def end_of(keeper: Keeper, job_id: str) -> Any:
    """The job once it is over."""
    while True:
        job = await keeper.ask(lambda client: client.fine_tuning.jobs.retrieve(job_id))
        if job.status in ENDED:
            print(f"  {job.method.type} {job.status} {job.error.message if job.error else ''}", flush=True)
            return job
        await asyncio.sleep(0.5)


async def listed(client: AsyncOpenAI) -> Any:
    return await client.models.list()


async def say(client: AsyncOpenAI, model: str) -> str:
    answer = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": QUESTIONS[0]}], max_completion_tokens=16, temperature=0
    )
    return answer.choices[0].message.content or ""


def main() -> None:
    """Kill, count, exit."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--every", type=float, default=SAVE_EVERY_S * 1.2, help="seconds between two kills, on average")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    kills, epochs = (3, 1) if chosen.quick else (chosen.kills, chosen.epochs)
    rows, promises = asyncio.run(measure(kills, chosen.every, epochs, chosen.seed))
    finish("tuner_kills", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
