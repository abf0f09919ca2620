"""The real program as a person starts it: `finetone run` in a folder of its own, and a real browser in front of it."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_S = 180.0  # a first start also obtains the base model


@dataclass
class Running:
    """A running installation: its folder, its sign-in link and its process."""

    folder: Path
    link: str
    process: asyncio.subprocess.Process

    @property
    def base_url(self) -> str:
        return self.link.split("/sign-in")[0]


def finetone(*arguments: str) -> tuple[str, ...]:
    """The console script of this environment."""
    return (str(Path(sys.executable).parent / "finetone"), *arguments)


@contextlib.asynccontextmanager
async def started(folder: Path, **environment: str) -> AsyncGenerator[Running]:
    """`finetone run` in `folder`, with the real tuner and the real model. Skips where the model cannot be had."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FINETONE_")}
    process = await asyncio.create_subprocess_exec(
        *finetone("run", "--port", "0"),
        cwd=folder,
        env=clean | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    printed = ""
    try:
        async with asyncio.timeout(START_S):
            while (found := re.search(r"http://\S+/sign-in\?token=\S+", printed)) is None:
                line = await process.stdout.readline()
                if not line:
                    if "TunerFailed" in printed and ("could not fetch" in printed or "not installed" in printed):
                        pytest.skip(f"the real model cannot be had here: {printed.strip().splitlines()[-1]}")
                    raise AssertionError(f"finetone run ended:\n{printed}")
                printed += line.decode()
        drain = asyncio.create_task(process.stdout.read())
        yield Running(folder, found.group(0), process)
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)
        await drain
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncGenerator[Running]:
    """A running installation in a path with a space. Four passes teach a voice; a few answers show that it is asked about it."""
    folder = tmp_path / "my shop"
    folder.mkdir()
    async with started(folder, FINETONE_EPOCHS="4", FINETONE_REPLAY="0", FINETONE_LEARNED_ANSWERS="12") as running:
        yield running
