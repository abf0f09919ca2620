"""`python -m tuner serve` as a child process, for benches and tests: started, waited for, ended as a parent's death would."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Serving:
    """A server that listens."""

    process: subprocess.Popen[bytes]
    base_url: str
    home: Path


class NotServing(Exception):
    """The server ended before it listened; the message is what it said."""


def start(home: Path, *arguments: str) -> Serving:
    """Start the server on `home` and return once it listens. Raises NotServing."""
    ready = home.parent / f"{home.name}-ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tuner", "serve", "--home", str(home), "--ready-file", str(ready)]
    process = subprocess.Popen(
        [*command, "--exit-with-stdin", *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    # The line on standard error comes after the ready file, so reading it is the wait.
    said = b""
    for line in process.stderr:
        said += line
        if line.startswith(b"Serving "):
            return Serving(process, json.loads(ready.read_text())["base_url"], home)
    process.wait()
    raise NotServing(said.decode())


def stop(serving: Serving) -> None:
    """Close its standard input and wait until it is gone."""
    assert serving.process.stdin is not None
    assert serving.process.stderr is not None
    serving.process.stdin.close()
    serving.process.wait(30)
    serving.process.stderr.close()


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[Serving]:
    """A server for the time of a block."""
    running = start(home, *arguments)
    try:
        yield running
    finally:
        stop(running)
