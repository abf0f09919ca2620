"""One folder, one program: the lock on the data folder, and the tuner that runs as its child.

The child's stdin is a pipe that only we hold: when this process dies, however it dies, the pipe closes and the tuner goes
with it. A tuner that dies on its own is started again on the same files.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

READY_TIMEOUT_S = 60.0  # loading a base of a few gigabytes from a cold disk; the default model takes under 3 s
FAST_FAILURES = 5  # starts in a row that end within FAST_S before we stop trying
FAST_S = 10.0
BACKOFF_S = 0.5
READY = "ready.json"  # written by the tuner once it listens

Report = Callable[[str], None]


class DataDirBusy(Exception):
    """Another finetone program works in this data folder; the message names its process."""


class TunerFailed(Exception):
    """The embedded tuner cannot start; the message is its own last sentence and where its log is."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What `python -m tuner weights` prepared: the served name of the base, and its tokenizer.json if it has one."""

    base_model: str
    tokenizer_file: Path | None


@contextlib.contextmanager
def data_dir_lock(data_dir: Path) -> Generator[None]:
    """Hold the data folder for this process. Raises DataDirBusy. The kernel drops the lock when the process dies."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "finetone.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise DataDirBusy(
                f"{data_dir} is in use by another finetone program (process {holder}). "
                "Stop it first, or set FINETONE_DATA_DIR to another folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


async def prepare_weights(home: Path, base: str, report: Report) -> Weights:
    """Obtain and check the base model, passing the tuner's progress lines to `report`. Raises TunerFailed."""
    arguments = ["--base", base] if base else []
    process = await asyncio.create_subprocess_exec(
        *_python("-m", "tuner", "weights", "--home", str(home), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    lines: list[str] = []

    async def relay() -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            lines.append(raw.decode(errors="replace").rstrip())
            if not lines[-1].startswith("tuner: "):  # its last sentence becomes the error's
                report(lines[-1])

    assert process.stdout is not None
    output, _ = await asyncio.gather(process.stdout.read(), relay())
    if await process.wait() != 0:
        raise TunerFailed(
            _our_words(lines[-1]) if lines else "The base model could not be prepared, and tuner did not say why."
        )
    prepared: dict[str, Any] = json.loads(output.decode().strip().splitlines()[-1])
    tokenizer = prepared.get("tokenizer")
    return Weights(str(prepared["name"]), Path(tokenizer) if tokenizer else None)


class EmbeddedTuner:
    """The tuner as a child process, started again when it dies. Use as an async context manager."""

    def __init__(self, home: Path, base: str, on_address: Callable[[str], None]) -> None:
        self._home = home
        self._base = base
        self._on_address = on_address  # called with the base URL at each start
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.gave_up: str = ""  # a sentence once it could not be started FAST_FAILURES times in a row

    async def __aenter__(self) -> "EmbeddedTuner":
        await self._start()
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._process is not None and self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()  # the agreed sign to stop
            try:
                await asyncio.wait_for(self._process.wait(), 10)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _start(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        ready = self._home / READY
        ready.unlink(missing_ok=True)
        log_path = self._home / "tuner.log"
        arguments = ["--base", self._base] if self._base else []
        with log_path.open("ab") as log_file:
            self._process = await asyncio.create_subprocess_exec(
                *_python("-m", "tuner", "serve", "--home", str(self._home), "--port", "0"),
                *("--ready-file", str(ready), "--exit-with-stdin"),
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=log_file,
                stderr=log_file,
                start_new_session=True,  # Ctrl+C reaches a whole terminal; the tuner is told to stop by us, last
            )
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while not ready.exists():
                    if self._process.returncode is not None:
                        raise TunerFailed(f"{_last_line(log_path)} (its log: {log_path})")
                    await asyncio.sleep(0.05)  # the file appears in one rename, so there is nothing to wait on but it
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise TunerFailed(f"The tuner was not ready after {READY_TIMEOUT_S:.0f} s (its log: {log_path})") from None
        self._on_address(json.loads(ready.read_text())["base_url"])

    async def _keep(self) -> None:
        """Start the tuner again whenever it dies, unless it keeps dying at once."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            if self._process is not None:
                code = await self._process.wait()
                log.warning("the tuner ended with code %s; starting it again", code)
            failures = failures + 1 if loop.time() - began < FAST_S else 1
            if failures > FAST_FAILURES:
                self.gave_up = f"The tuner ended {failures} times in a row; see {self._home / 'tuner.log'}."
                log.error("%s", self.gave_up)
                return
            await asyncio.sleep(BACKOFF_S * failures)
            try:
                await self._start()
            except TunerFailed as error:
                log.warning("the tuner did not start: %s", error)


def running_address(home: Path) -> str:
    """The base URL of the tuner another process started in `home`. Raises TunerFailed when it is not ready."""
    try:
        return str(json.loads((home / READY).read_text())["base_url"])
    except (OSError, ValueError, KeyError) as error:
        raise TunerFailed(f"The running program's tuner is not ready yet; try again in a moment ({error}).") from error


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, *arguments)


def _our_words(sentence: str) -> str:
    """The tuner's sentence for somebody who runs Finetone: its option --base is our FINETONE_BASE_MODEL."""
    return sentence.removeprefix("tuner: ").replace("with --base PATH", "by FINETONE_BASE_MODEL")


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return _our_words(lines[-1]) if lines else "The tuner ended at once and said nothing."
