"""The Slack emulator of vercel-labs (npm `emulate`, Apache-2.0): installed once, started as a child process on loopback.

It judges every Web API call but knows no events, no streams and no Slack Connect: wire.py and own_stub.py say what we add.
"""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.slack.loopback import loopback_client

# Where emulate 0.11.2 is not Slack (seen in its answers and its source), so that no test leans on it:
# - the app may write to a public channel it is not in, and in a thread that does not exist;
# - conversations.replies and history ignore oldest and latest, replies ignores limit and cursor, too;
# - reactions take any name; every chat.update marks the message as edited; blocks and views are not validated;
# - 5,000 calls in an hour, then HTTP 403: tokens seeded under `slack.tokens` share one counter (hence one process a test);
# - a method it does not know is HTTP 404 with {"message": "Not Found"}, without the `error` Slack would give;
# - no token rotation, no auth.revoke, no apps.uninstall, no Enterprise Grid, one team with a fixed id.

# Pinned: the registry's default tag is an unrelated package of the same name, and 0.12 needs a Node newer than 20.
PACKAGE = "emulate@0.11.2"
PRELOAD = Path(__file__).with_name("preload.cjs")
INSTALL_S = 180.0
START_S = 20.0  # 0.2 to 0.35 s measured on two cores
START_ATTEMPTS = 3  # somebody else may take the free port before the emulator does


class EmulatorFailed(Exception):
    """The emulator ended before it answered; its output follows."""


class InstallFailed(Exception):
    """The emulator cannot be had here; the text says why."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator: one workspace, empty but for its seed."""

    url: str
    process: asyncio.subprocess.Process


def emulator_program() -> Path:
    """The emulator's entry script, installed if it is not there yet. Skips, with the reason, where it cannot be had."""
    try:
        return install(cache_folder() / PACKAGE.replace("@", "-"))
    except InstallFailed as reason:
        pytest.skip(f"the Slack emulator is missing, so the Slack app is not tested against it: {reason}")


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "finetone" / "test-tools"


def install(folder: Path) -> Path:
    """Install the pinned package into `folder` with npm, unless it is there.

    Two test runs may do this at once: each installs beside the folder and moves the result in place.
    Raises InstallFailed.
    """
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise InstallFailed(f"{tool} is not on the path (Node 20 or newer is needed)")
    script = folder / "node_modules" / "emulate" / "dist" / "index.js"
    if script.exists():
        return script
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="installing-") as scratch:
            _npm_install(Path(scratch))
            folder.mkdir(exist_ok=True)
            Path(scratch, "node_modules").rename(folder / "node_modules")
    except OSError as error:
        if not script.exists():  # else another run was faster
            raise InstallFailed(f"{folder} cannot be written ({error})") from error
    return script


def _npm_install(folder: Path) -> None:
    command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        raise InstallFailed(f"npm install {PACKAGE} took longer than {INSTALL_S:.0f} s") from None
    if done.returncode != 0:
        raise InstallFailed(f"npm install {PACKAGE} failed: {done.stderr.strip()[-500:]}")


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def running_emulator(program: Path, seed: dict[str, object], folder: Path) -> AsyncGenerator[Emulator]:
    """An emulator with `seed` (the shape of its seed file) that answers; it ends with this block, or with this process.

    `folder` keeps the seed and the output. Raises EmulatorFailed.
    """
    _write_seed(folder, seed)
    for attempt in range(1, START_ATTEMPTS + 1):
        emulator = await _launch(program, folder, free_port())
        try:
            if await _answers(emulator):
                yield emulator
                return
        finally:
            await _end(emulator.process)
        if attempt == START_ATTEMPTS:
            raise EmulatorFailed((folder / "emulate.log").read_text())


def _write_seed(folder: Path, seed: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "seed.yaml").write_text(json.dumps(seed))  # JSON is YAML


async def _launch(program: Path, folder: Path, port: int) -> Emulator:
    url = f"http://127.0.0.1:{port}"
    arguments = ["start", "--service", "slack", "--port", str(port), "--base-url", url]
    with (folder / "emulate.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *("node", "--require", str(PRELOAD), str(program), *arguments, "--seed", str(folder / "seed.yaml")),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Emulator(url, process)


async def _answers(emulator: Emulator) -> bool:
    """Wait until the emulator answers. False if it ended instead."""
    async with asyncio.timeout(START_S), loopback_client() as http:
        while emulator.process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                await http.post(f"{emulator.url}/api/auth.test")
                return True
            await asyncio.sleep(0.01)
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()  # nothing of it is kept
    await process.wait()
    assert process.stdin is not None
    process.stdin.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await process.stdin.wait_closed()
