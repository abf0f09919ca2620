"""What the tuner's HTTP surface costs: the same streamed chats through it and straight to the same engine, by turns.

Both engines are llama.cpp on the same weights with the same settings; only one of them works at any moment. Each pair of
rounds gives one ratio; the median of the ratios is what counts, so that a slow minute of the machine hits both sides.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.report import Promise, arguments, finish
from bench.tuner_process import serving
from tuner.chat import generation
from tuner.engine import EngineSettings, LlamaEngine
from tuner.paths import weights_dir
from tuner.weights import DEFAULT_BASE, prepare
from tuner.wire import ChatRequest

SLOTS = 16  # as many as the most streams, so that neither side queues
CONTEXT = 1024  # tokens per stream
REPLY_TOKENS = 64


@dataclass(frozen=True)
class Target:
    """Where the streams go: a loopback port, and the key it wants."""

    name: str
    port: int
    key: str


@dataclass(frozen=True)
class Round:
    """What some streams at once brought."""

    tokens_per_s: float
    first_token_s: float  # mean over the streams


async def one_stream(target: Target, number: int) -> tuple[int, float]:
    """One streamed chat: its completion tokens, and the seconds until its first word."""
    messages = [{"role": "user", "content": f"Write a long story about lighthouse number {number} and its keeper."}]
    asked = ChatRequest.model_validate(
        {"model": DEFAULT_BASE, "messages": messages, "stream": True, "temperature": 0.0, "seed": 1}
    )
    body = asked.model_dump(exclude_none=True) | {
        "stream_options": {"include_usage": True},
        "max_completion_tokens": REPLY_TOKENS,
    }
    if target.name == "engine":  # in the engine's own words, which is what the tuner sends it
        body = {"messages": messages, **generation(asked, []), "max_tokens": REPLY_TOKENS}
        body["stream_options"] = {"include_usage": True}
    began = time.perf_counter()
    first, tokens = 0.0, 0
    # The same bare socket client for both, so that what differs is the server.
    client = LlamaEngine(None, target.port, target.key, ())  # type: ignore[arg-type]
    async with client.post("/v1/chat/completions", body) as reply:
        if reply.status != 200:
            raise RuntimeError(f"{target.name} answered {reply.status}: {await reply.json()}")
        async for raw in reply.events():
            event = json.loads(raw)
            if not first and event["choices"] and event["choices"][0]["delta"].get("content"):
                first = time.perf_counter() - began
            if event.get("usage"):
                tokens = event["usage"]["completion_tokens"]
    return tokens, first


async def one_round(target: Target, streams: int, start_at: int) -> Round:
    """So many streams at once, each about another lighthouse so that no prompt is cached."""
    began = time.perf_counter()
    done = await asyncio.gather(*(one_stream(target, start_at + index) for index in range(streams)))
    seconds = time.perf_counter() - began
    return Round(sum(tokens for tokens, _ in done) / seconds, statistics.fmean(first for _, first in done))


@asynccontextmanager
async def both() -> AsyncGenerator[tuple[Target, Target]]:
    """The tuner and an engine of its kind, both ready."""
    base = prepare(DEFAULT_BASE, weights_dir(dict(os.environ)), print)
    with tempfile.TemporaryDirectory(prefix="tuner serve ") as name:
        folder = Path(name)
        settings = EngineSettings(Path(base.gguf), CONTEXT, SLOTS)
        options = ("--slots", str(SLOTS), "--context", str(CONTEXT))
        engine = await LlamaEngine.start(settings, (), folder / "engine.log")
        try:
            with serving(folder / "home", *options) as tuner:
                port = urlsplit(tuner.base_url).port or 0
                yield Target("tuner", port, "none"), Target("engine", engine._port, engine._key)  # pyright: ignore
        finally:
            await engine.stop()


async def measure(pairs: int) -> tuple[list[dict[str, object]], list[Promise]]:
    """`pairs` rounds of each side for 1, 4 and 16 streams."""
    rows: list[dict[str, object]] = []
    promises: list[Promise] = []
    async with both() as (tuner, engine):
        for target in (tuner, engine):
            await one_round(target, 1, 0)  # the first answer of an engine is slower
        number = 1
        for streams in (1, 4, 16):
            rounds: dict[str, list[Round]] = {"tuner": [], "engine": []}
            for pair in range(pairs):
                for target in (tuner, engine) if pair % 2 else (engine, tuner):
                    rounds[target.name].append(await one_round(target, streams, number))
                number += streams
            ratios = [
                ours.tokens_per_s / theirs.tokens_per_s
                for ours, theirs in zip(rounds["tuner"], rounds["engine"], strict=True)
            ]
            ratio = statistics.median(ratios)
            rows += [row(name, streams, measured) for name, measured in rounds.items()]
            promises.append(
                Promise(f"throughput against the engine, {streams} streams", round(ratio, 3), 0.95, "higher")
            )
    return rows, promises


def row(name: str, streams: int, rounds: list[Round]) -> dict[str, object]:
    """One line of the table."""
    return {
        "streams": streams,
        "server": name,
        "tokens/s": round(statistics.median(one.tokens_per_s for one in rounds), 1),
        "first word ms": round(statistics.median(one.first_token_s for one in rounds) * 1000),
    }


def main() -> None:
    """Measure, print, exit."""
    chosen = arguments("Throughput of the tuner against its engine called directly").parse_args()
    rows, promises = asyncio.run(measure(3 if chosen.quick else 11))
    finish("tuner_serve", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
