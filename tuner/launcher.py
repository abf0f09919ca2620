"""The launcher seam: where a training process runs. Here as a child of the server; Ray or a cluster can come beside it.

A launcher starts `python -m tuner train --folder FOLDER` somewhere that sees the folder, and can end it. All news
travels through the folder, so a launcher carries none.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from tuner.engine import PACKAGE_PARENT


class Run(Protocol):
    """One training process."""

    async def wait(self) -> int:
        """Its exit status; negative for the signal that ended it."""
        ...

    async def kill(self) -> None:
        """End it now and return when it is gone."""
        ...


class Launcher(Protocol):
    async def start(self, folder: Path) -> Run: ...


class LocalRun:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        return await self._process.wait()

    async def kill(self) -> None:
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        self._process._transport.close()  # pyright: ignore


class LocalLauncher:
    """Training as a child process on this machine; it ends when the server does, because its stdin closes."""

    async def start(self, folder: Path) -> LocalRun:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGE_PARENT, os.environ.get("PYTHONPATH")])),
            "HF_HUB_OFFLINE": "1",  # everything it needs is on disk; nothing is reported anywhere
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        with (folder / "trainer.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tuner",
                "train",
                "--folder",
                str(folder),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,  # as the engine: ended by us, not by a Ctrl+C meant for the server
            )
        return LocalRun(process)
