"""What the server counts, in Prometheus' text format: /metrics. Counts only; no name, text or key of anybody.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4, read 2026-11-21.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from tuner.http.server import Server, Serving

router = APIRouter()

Labels = dict[str, str]


@dataclass(frozen=True)
class Metric:
    name: str
    kind: str  # counter, gauge
    help: str
    samples: list[tuple[Labels, float]]


@router.get("/metrics")
def metrics(server: Serving) -> PlainTextResponse:
    return PlainTextResponse(text(measured(server, time.time())), media_type="text/plain; version=0.0.4")


def measured(server: Server, now: float) -> list[Metric]:
    """Everything counted, as it is at `now` (unix seconds)."""
    pool = server.pool
    jobs = server.store.job_counts()
    answered = [({"path": path, "status": str(status)}, n) for (path, status), n in sorted(server.requests.items())]
    memory = [(float(n_bytes)) for pid in pool.pids if (n_bytes := resident_bytes(pid)) is not None]
    waiting = sum(jobs.get(status, 0) for status in ("validating_files", "queued"))
    return [
        Metric("tuner_requests_total", "counter", "Requests answered.", [(labels, float(n)) for labels, n in answered]),
        _one("tuner_generated_tokens_total", "counter", "Tokens generated.", server.generated_tokens),
        Metric("tuner_jobs", "gauge", "Jobs by status.", [({"status": s}, float(n)) for s, n in sorted(jobs.items())]),
        _one("tuner_queue_length", "gauge", "Jobs waiting to be trained.", waiting),
        _one("tuner_loaded_adapters", "gauge", "Adapters in the engine in service.", len(pool.loaded)),
        _one("tuner_requests_in_flight", "gauge", "Requests an engine is answering.", pool.in_flight),
        _one("tuner_engine_swaps_total", "counter", "Engines started, the first included.", pool.swaps),
        _one(
            "tuner_engines", "gauge", "Engine processes, those answering their last requests included.", len(pool.pids)
        ),
        Metric(
            "tuner_engine_memory_bytes",
            "gauge",
            "Resident memory of all engine processes; absent where the system does not tell.",
            [({}, sum(memory))] if memory else [],
        ),
        _one("tuner_uptime_seconds", "gauge", "Since the server started.", now - server.started_at),
    ]


def _one(name: str, kind: str, said: str, value: float) -> Metric:
    return Metric(name, kind, said, [({}, float(value))])


def resident_bytes(pid: int, proc: Path = Path("/proc")) -> int | None:
    """A process's resident memory (VmRSS of proc(5)); None where it cannot be read."""
    try:
        lines = (proc / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), None)


def text(metrics: Iterable[Metric]) -> str:
    lines: list[str] = []
    for metric in metrics:
        if metric.samples:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
            lines += [f"{metric.name}{_labels(labels)} {value:.15g}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Labels) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
