"""The emulator as a program: where it listens, when it ends, and why it may be missing."""

import asyncio
from pathlib import Path

import psutil
import pytest

from tests.slack.emulator import EmulatorFailed, InstallFailed, install, running_emulator


async def test_the_emulator_listens_on_loopback_only_and_ends_with_its_parent(program: Path, tmp_path: Path):
    async with running_emulator(program, {"slack": {}}, tmp_path) as emulator:
        listening = psutil.Process(emulator.process.pid).net_connections(kind="inet")
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
        assert emulator.process.stdin is not None
        emulator.process.stdin.close()  # what happens when this process dies
        async with asyncio.timeout(5):
            await emulator.process.wait()


async def test_an_emulator_that_does_not_start_says_why(program: Path, tmp_path: Path):
    with pytest.raises(EmulatorFailed, match="users"):
        async with running_emulator(program, {"slack": {"users": 7}}, tmp_path):
            pass


def test_a_machine_without_npm_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallFailed, match="node is not on the path"):
        install(tmp_path / "emulate")
