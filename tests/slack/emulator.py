"""The Slack emulator of vercel-labs (npm `emulate`, Apache-2.0): installed once, and one child process for all emulators.

It judges every Web API call but knows no events, no streams and no Slack Connect: wire.py and own_stub.py say what we add.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.slack.loopback import loopback_client

# Where emulate 0.11.2 is not Slack (seen in its answers and its source), so that no test leans on it:
# - the app may write to a public channel it is not in, and in a thread that does not exist;
# - conversations.replies and history ignore oldest and latest, replies ignores limit and cursor, too;
# - reactions take any name; every chat.update marks the message as edited; blocks and views are not validated;
# - 5,000 calls in an hour, then HTTP 403: tokens seeded under `slack.tokens` share one counter (hence one emulator a test);
# - a method it does not know is HTTP 404 with {"message": "Not Found"}, without the `error` Slack would give;
# - no token rotation, no auth.revoke, no apps.uninstall, no Enterprise Grid, one team with a fixed id.

# Pinned: the registry's default tag is an unrelated package of the same name, and 0.12 needs a Node newer than 20.
PACKAGE = "emulate@0.11.2"
HOST = Path(__file__).with_name("emulators.mjs")
INSTALL_S = 180.0


class EmulatorFailed(Exception):
    """The emulator, or the process of all of them, did not start; what it said follows."""


class InstallFailed(Exception):
    """The emulator cannot be had here; the text says why."""


@dataclass(frozen=True)
class Emulators:
    """A running process of emulators (emulators.mjs), each one workspace, empty but for its seed."""

    process: "subprocess.Popen[str]"
    url: str  # where it is told to open and close them

    @contextlib.asynccontextmanager
    async def opened(self, seed: dict[str, object]) -> AsyncGenerator[str]:
        """The address of a new emulator with `seed` (the shape of its seed file); it ends with this block.

        Raises EmulatorFailed.
        """
        async with loopback_client() as http:
            answered = await http.post(self.url, json=seed)
            if answered.status_code != 200:
                raise EmulatorFailed(answered.text)
            port = answered.json()["port"]
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                await http.delete(f"{self.url}/{port}")


def emulator_program() -> Path:
    """The emulator's module, installed if it is not there yet. Skips, with the reason, where it cannot be had."""
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
    script = folder / "node_modules" / "emulate" / "dist" / "api.js"
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


@contextlib.contextmanager
def running_emulators(program: Path) -> Generator[Emulators]:
    """The process in which emulators are opened. It ends with this block, or with this process. Raises EmulatorFailed."""
    with subprocess.Popen(["node", HOST, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            if not port:
                raise EmulatorFailed(f"node {HOST.name} ended with {process.wait()}; its last words are above")
            yield Emulators(process, f"http://127.0.0.1:{port}")
        finally:
            process.kill()  # nothing of it is kept
