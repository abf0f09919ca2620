"""Where things lie on disk, and the two ways of writing that survive a crash: rename into place, and a file lock."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PEFT_FOLDER = "adapter"  # in a job's folder: its final adapter in PEFT's own layout, to be used or trained further
WEIGHTS_FILE = "adapter_model.safetensors"  # in there: the adapter's numbers, by PEFT's name for them


@dataclass(frozen=True)
class Home:
    """One server's folder. Everything it must remember is below `root`."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "tuner.sqlite"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        return self.root / "serve.lock"

    @property
    def address(self) -> Path:
        """Where the server that holds the lock listens: `{"base_url", "pid"}`."""
        return self.root / "server.json"

    def create(self) -> None:
        for folder in (self.files, self.jobs, self.logs):
            folder.mkdir(parents=True, exist_ok=True)


def weights_dir(environment: dict[str, str]) -> Path:
    """The cache of base models, shared by every home: `TUNER_WEIGHTS_DIR`, else the user's cache folder."""
    if chosen := environment.get("TUNER_WEIGHTS_DIR"):
        return Path(chosen)
    cache = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "finetone" / "weights"


def write_atomically(path: Path, content: bytes) -> None:
    """Write so that a reader sees the old file or the whole new one, also after a crash."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, document: object) -> None:
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1).encode())


@contextmanager
def held_lock(path: Path, wait: bool = True) -> Generator[bool]:
    """Hold an exclusive lock on `path`; yields False (and holds nothing) if it is taken and `wait` is off.

    The kernel lets go when the holder dies, so nobody has to clean up after a crash.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
