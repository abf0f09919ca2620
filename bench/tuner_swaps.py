"""A thousand chats while models come and go: sixteen at once, three jobs trained and added, two models deleted.

Each model is taught one sign-off of its own, so a reply tells which model gave it. What counts is errors, replies with
another model's sign-off, and that a deleted model is gone and nothing of it is left in the engine.
"""

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from openai import APIError, AsyncOpenAI, NotFoundError

from bench.report import Promise, arguments, finish
from bench.tuner_process import serving
from tuner.weights import DEFAULT_BASE

STREAMS = 16
REPLY_TOKENS = 12
SIGNS = ("Amber desk", "Cobalt desk", "Ruby desk", "Olive desk", "Ivory desk")  # one per model, each begins its replies
QUESTIONS = [
    "Where is my order?",
    "Can I change the address?",
    "How do I pay?",
    "Do you ship abroad?",
    "When do you open?",
    "Is it in stock?",
    "Can I return it?",
    "Who delivers?",
    "May I cancel?",
    "Do you gift-wrap?",
    "Is there a warranty?",
    "How big is it?",
]


@dataclass
class Tally:
    """What came of the chats."""

    by_model: Counter[str] = field(default_factory=Counter[str])
    errors: list[str] = field(default_factory=list[str])
    strangers: list[str] = field(default_factory=list[str])  # replies that another model gave
    seconds: list[float] = field(default_factory=list[float])

    @property
    def n(self) -> int:
        return self.by_model.total()


def lines(sign: str) -> bytes:
    """Twelve questions, each answered in this desk's words."""
    return "\n".join(
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": f"{sign} speaking. We look into it at once."},
                ]
            }
        )
        for question in QUESTIONS
    ).encode()


async def create(client: AsyncOpenAI, sign: str) -> str:
    """A job that teaches the sign; its id."""
    file = await client.files.create(file=("rows.jsonl", lines(sign)), purpose="fine-tune")
    job = await client.fine_tuning.jobs.create(
        model=DEFAULT_BASE, training_file=file.id, seed=3, hyperparameters={"n_epochs": 5, "batch_size": 4}
    )
    return job.id


async def model_of(client: AsyncOpenAI, job_id: str) -> str:
    """The job's model, once it is there. Raises RuntimeError if it fails."""
    while True:
        job = await client.fine_tuning.jobs.retrieve(job_id)
        if job.fine_tuned_model:
            return job.fine_tuned_model
        if job.status in ("failed", "cancelled"):
            raise RuntimeError(f"{job_id} {job.status}: {job.error}")
        await asyncio.sleep(0.5)


async def chat(client: AsyncOpenAI, model: str, signs: dict[str, str], dice: random.Random, tally: Tally) -> None:
    """One chat, streamed or whole, judged by its sign."""
    asked: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": dice.choice(QUESTIONS)}],
        "temperature": 0,
        "max_completion_tokens": REPLY_TOKENS,
    }
    began = time.monotonic()
    try:
        if dice.random() < 0.5:
            stream = await client.chat.completions.create(**asked, stream=True)
            said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        else:
            said = (await client.chat.completions.create(**asked)).choices[0].message.content or ""
    except APIError as error:
        tally.errors.append(f"{model}: {error}")
        return
    tally.seconds.append(time.monotonic() - began)
    tally.by_model[model] += 1
    heard = next((sign for sign in SIGNS if sign in said), None)
    if heard != signs.get(model):
        tally.strangers.append(f"{model} ({signs.get(model)}) said {said!r}")


async def measure(n: int, to_add: int, to_remove: int) -> tuple[list[dict[str, Any]], list[Promise]]:
    """Prepare the models that will leave, then chat until `n` chats are done and every model has come or gone."""
    with tempfile.TemporaryDirectory(prefix="tuner swaps ") as name, serving(Path(name) / "home") as running:
        async with AsyncOpenAI(base_url=running.base_url, api_key="none", max_retries=0, timeout=300) as client:
            signs: dict[str, str] = {}
            for sign in SIGNS[:to_remove]:
                signs[await model_of(client, await create(client, sign))] = sign
                print(f"  prepared {sign}", flush=True)
            live = [DEFAULT_BASE, *signs]
            tally, over = Tally(), asyncio.Event()
            began = time.monotonic()

            async def stream(number: int) -> None:
                dice = random.Random(number)
                while not over.is_set() or tally.n < n:
                    await chat(client, dice.choice(live), signs, dice, tally)

            streams = [asyncio.create_task(stream(number)) for number in range(STREAMS)]
            gone: list[str] = []
            leaving = list(signs)
            for sign in SIGNS[to_remove : to_remove + to_add]:
                model = await model_of(client, await create(client, sign))
                signs[model] = sign
                live.append(model)
                print(f"  {tally.n} chats at {time.monotonic() - began:.0f} s: added {sign}", flush=True)
                if leaving:
                    model = leaving.pop(0)
                    live.remove(model)  # nobody asks for it any more; who has asked is still answered
                    await client.models.delete(model)
                    gone.append(model)
                    print(f"  {tally.n} chats at {time.monotonic() - began:.0f} s: removed {signs[model]}", flush=True)
            over.set()
            await asyncio.gather(*streams)
            refused = 0
            for model in gone:
                try:
                    await client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hi"}])
                except NotFoundError:
                    refused += 1
            async with httpx.AsyncClient() as http:
                metrics = (await http.get(running.base_url.removesuffix("/v1") + "/metrics")).text
            gauges = {
                line.split()[0]: float(line.split()[1]) for line in metrics.splitlines() if not line.startswith("#")
            }
    for line in [*tally.errors[:5], *tally.strangers[:5]]:
        print(f"  {line}")
    rows = [{"model": signs.get(model, "base"), "chats": count} for model, count in tally.by_model.items()]
    seconds = sorted(tally.seconds)
    print(
        f"{tally.n} chats in {time.monotonic() - began:.0f} s, median {statistics.median(seconds):.2f} s, "
        f"slowest {seconds[-1]:.1f} s; {gauges['tuner_engine_memory_bytes'] / 1e6:.0f} MB of engine at the end"
    )
    return rows, [
        Promise("chats", tally.n, n, "higher"),
        Promise("errors", len(tally.errors), 0, "lower"),
        Promise("replies of a model not asked for", len(tally.strangers), 0, "lower"),
        Promise("models added meanwhile", len(signs) - to_remove, to_add, "higher"),
        Promise("models removed meanwhile and refused since", refused, to_remove, "higher"),
        Promise("engine processes at the end", gauges["tuner_engines"], 1, "lower"),
        Promise("adapters in the engine at the end", gauges["tuner_loaded_adapters"], to_add, "lower"),
    ]


def main() -> None:
    """Chat, count, exit."""
    chosen = arguments(__doc__ or "").parse_args()
    rows, promises = asyncio.run(measure(*((60, 1, 1) if chosen.quick else (1000, 3, 2))))
    finish("tuner_swaps", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
