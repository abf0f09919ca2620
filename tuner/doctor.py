"""What a server needs, looked at one by one: `python -m tuner doctor`. Looks and changes nothing."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuner.cores import bf16_flags
from tuner.disk import free_bytes
from tuner.errors import TunerError
from tuner.extras import lack
from tuner.paths import Home, held_lock
from tuner.weights import DEFAULT_BASE, DEFAULT_FILE, DEFAULT_SHA256, check_folder, check_gguf, sha256_of

NEEDED_PYTHON = (3, 11)
NEEDED_DISK_BYTES = 2_000_000_000  # the default base, its training form (0.6 GB) and a job's checkpoints
HEALTH_LIMIT_S = 5.0
NEEDED_MEMORY_BYTES = 3_000_000_000  # engine and trainer of the default base side by side


@dataclass(frozen=True)
class Check:
    """One line. `is_needed`: without it the server does not serve; otherwise something less works."""

    what: str
    is_ok: bool
    said: str  # what was found; where it is not ok, also the next step
    is_needed: bool = True

    def line(self) -> str:
        return f"{'ok' if self.is_ok else 'not ok':6}  {self.what}: {self.said}"


def checks(home: Home, cache: Path, base: str = DEFAULT_BASE) -> list[Check]:
    """Everything worth knowing about this machine, the base's weights, and the server of `home`."""
    return [
        python(sys.version_info[:2]),
        extra("serve", "Serving", True),
        extra("train", "Training", False),
        weights(cache) if base == DEFAULT_BASE else own_weights(base),
        writable(home.root),
        disk(home.root),
        memory(Path("/proc/meminfo")),
        numbers(),
        server(home),
    ]


def python(version: tuple[int, int]) -> Check:
    found = ".".join(map(str, version))
    is_ok = version >= NEEDED_PYTHON
    return Check("Python", is_ok, found if is_ok else f"{found} is too old. Install 3.11 or newer.")


def extra(name: str, purpose: str, is_needed: bool) -> Check:
    sentence = lack(name, purpose)
    return Check(f"packages to {name}", not sentence, sentence or "all installed", is_needed)


def weights(cache: Path) -> Check:
    path = cache / DEFAULT_BASE / DEFAULT_FILE
    if not path.exists():
        return Check("base weights", False, f"{path} is not there. Fetch it with: python -m tuner weights")
    if (found := sha256_of(path)) != DEFAULT_SHA256:
        said = (
            f"{path} is damaged (sha256 {found}, expected {DEFAULT_SHA256}). Delete it, then: python -m tuner weights"
        )
        return Check("base weights", False, said)
    return Check("base weights", True, f"{path}, checksum right")


def own_weights(source: str) -> Check:
    """A base that the operator names: whether the file or folder is what it has to be. A hub id is only fetched to serve."""
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            check_folder(path)
        elif path.is_file():
            check_gguf(path)
        else:
            said = f"{source!r} is no file or folder here; serving it will try to fetch it from the hub."
            return Check("base weights", "/" in source and not source.startswith((".", "/", "~")), said)
    except (TunerError, OSError) as error:
        return Check("base weights", False, str(error))
    return Check("base weights", True, f"{path} has the right shape")


def writable(folder: Path) -> Check:
    """Whether `folder`, or the nearest one above it that is there, takes a file."""
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return Check("home folder", True, f"{folder} can be written")
    except OSError as error:
        said = f"{folder} cannot be written ({error.strerror}). Change its owner, or name another --home."
        return Check("home folder", False, said)


def disk(folder: Path, needed_bytes: int = NEEDED_DISK_BYTES) -> Check:
    free = free_bytes(_existing(folder))
    said = f"{free / 1e9:.1f} GB free"
    if free < needed_bytes:
        said += f", {needed_bytes / 1e9:.1f} GB wanted. Free some space, or name a --home on another disk."
    return Check("disk", free >= needed_bytes, said)


def memory(meminfo: Path, needed_bytes: int = NEEDED_MEMORY_BYTES) -> Check:
    """By MemAvailable of proc(5)."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return Check("memory", True, "this system does not tell", False)
    kilobytes = next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), 0)
    said = f"{kilobytes / 1e6:.1f} GB available"
    if kilobytes * 1024 < needed_bytes:
        said += f", {needed_bytes / 1e9:.1f} GB wanted to train the default base. End other programs, or only serve."
    return Check("memory", kilobytes * 1024 >= needed_bytes, said, False)


def numbers() -> Check:
    """Whether training has a GPU, or else a processor that computes in bf16."""
    if find_spec("torch") is None:
        return Check("CUDA or bf16", False, "unknown without torch. See the packages to train.", False)
    torch: Any = importlib.import_module("torch")  # large; loaded for this command only
    if torch.cuda.is_available():
        return Check("CUDA or bf16", True, f"CUDA: {torch.cuda.get_device_name(0)}", False)
    if found := bf16_flags():
        return Check("CUDA or bf16", True, f"no CUDA; the processor has {', '.join(found)}", False)
    return Check("CUDA or bf16", False, "neither. Training works in float32, about 2.5 times slower.", False)


def server(home: Home) -> Check:
    """Whether a server works on this home, and then whether it answers; none running is fine."""
    if not home.lock.exists() or not os.access(home.lock, os.W_OK):
        return Check("server", True, "none runs on this home", False)
    with held_lock(home.lock, wait=False) as is_free:
        if is_free:
            return Check("server", True, "none runs on this home", False)
    try:
        address = str(json.loads(home.address.read_text())["base_url"]).removesuffix("/v1")
        with urllib.request.urlopen(f"{address}/healthz", timeout=HEALTH_LIMIT_S) as answer:
            healthy: dict[str, Any] = json.load(answer)
    except (OSError, ValueError, KeyError) as error:
        said = (
            f"one runs on this home and does not answer ({error}). Look into {home.logs}, or stop it and start again."
        )
        return Check("server", False, said, False)
    return Check("server", True, f"answers at {address} with {healthy['base']}", False)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
