"""How many cores training may take without waiting for others: read from the machine before every step.

Measured on 2 cores, one step of 280 tokens (SmolLM2-135M, float32): alone, two spinning threads take 1.9 s, two sleeping
ones (`OMP_WAIT_POLICY=PASSIVE`) 3.6 s, one thread 3.0 s. Beside one busy program of normal priority, two spinning threads
make no step in a minute, one thread still takes 3.0 s. So: as many spinning threads as there are cores left over.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ticks:
    """Time of all cores since boot, in clock ticks: what programs of normal priority and the kernel used, and all."""

    used_by_others: int
    total: int


def read_ticks(path: Path = Path("/proc/stat")) -> Ticks | None:
    """The first line of /proc/stat (proc(5)); None where there is none.

    A trainer runs niced: its own time is in `nice`, the second column, and does not count as others'.
    """
    try:
        line = path.read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, _nice, system, _idle, _iowait, irq, softirq = (int(field) for field in line[1:8])
    return Ticks(user + system + irq + softirq, sum(int(field) for field in line[1:9]))


class Cores:
    """The cores this process may run on, less those that others have kept busy since the last look."""

    def __init__(self, n_cores: int, n_machine: int, read: Callable[[], Ticks | None] = read_ticks) -> None:
        self._n_cores = n_cores
        self._n_machine = n_machine
        self._read = read
        self._last = read()

    def free(self) -> int:
        """At least 1; all of them where the machine does not tell."""
        now, last = self._read(), self._last
        self._last = now
        if now is None or last is None or now.total <= last.total:
            return self._n_cores
        busy = self._n_machine * (now.used_by_others - last.used_by_others) / (now.total - last.total)
        return max(1, min(self._n_cores, round(self._n_machine - busy)))


def this_machine() -> Cores:
    """The cores of this machine that this process is allowed to use."""
    n_machine = os.cpu_count() or 1
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else n_machine
    return Cores(n_cores, n_machine)


def bf16_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """The flags by which this processor says that it multiplies bfloat16 itself; none where it does not or cannot tell.

    Measured: 1.8 to 2.2 times float32 with avx512_bf16 alone.
    """
    try:
        words = set(cpuinfo.read_text().split())
    except OSError:
        return []
    return sorted(words & {"amx_bf16", "avx512_bf16"})


def engine_threads(n_cores: int, is_training: bool) -> int:
    """How many threads the engine computes with: all cores, or half of them while a job is trained beside it.

    llama.cpp's threads wait for one another by spinning, thousands of times a second. Where one of them has to share its
    core, all wait: measured on 2 cores beside a niced trainer, two threads give 1 token a second, one thread 68 (alone:
    107 and 68).
    """
    return max(1, n_cores // 2) if is_training else n_cores
