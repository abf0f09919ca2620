"""The process of the emulators: where they listen, that they share nothing, when they end, and why they may be missing."""

from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.slack.emulator import EmulatorFailed, Emulators, InstallFailed, emulator_program, install, running_emulators
from tests.slack.loopback import loopback_client
from tests.slack.place import CORE_SCOPES, seed, user_token
from tests.slack.team import EMULATED_TEAM_ID as TEAM

SEED = seed(TEAM, ["admin"], CORE_SCOPES, "http://127.0.0.1/slack/oauth_redirect")


async def asked(url: str, method: str, **arguments: str) -> httpx.Response:
    """What the emulator at this address says to a call of the admin."""
    headers = {"Authorization": f"Bearer {user_token(TEAM, 'admin')}"}
    async with loopback_client() as http:
        return await http.post(f"{url}/api/{method}", data=arguments, headers=headers)


async def names(url: str) -> set[str]:
    """Of the channels in the emulator at this address."""
    listed: dict[str, Any] = (await asked(url, "conversations.list")).json()
    return {channel["name"] for channel in listed["channels"]}


async def test_the_emulators_listen_on_loopback_only_and_end_with_their_parent(program: Emulators):
    with running_emulators(emulator_program()) as emulators:
        async with emulators.opened(SEED), emulators.opened(SEED):
            process = psutil.Process(emulators.process.pid)
            listening = [at for at in process.net_connections(kind="inet") if at.status == psutil.CONN_LISTEN]
            assert [at.laddr.ip for at in listening] == ["127.0.0.1"] * 3  # both, and where they are opened
        assert emulators.process.stdin is not None
        emulators.process.stdin.close()  # what happens when this process dies
        emulators.process.wait(5)


async def test_emulators_at_once_and_after_each_other_share_nothing(program: Emulators):
    async with program.opened(SEED) as first, program.opened(SEED) as second:
        created = await asked(first, "conversations.create", name="parcels")
        assert created.json()["ok"]
        assert "parcels" in await names(first)
        assert "parcels" not in await names(second)
    async with program.opened(SEED) as third:
        answered = await asked(third, "auth.test")
        assert answered.headers["X-RateLimit-Remaining"] == "4999"  # of the 5,000 calls each of them takes
        assert "parcels" not in await names(third)
        with pytest.raises(httpx.ConnectError):
            await asked(first, "auth.test")


async def test_an_emulator_that_does_not_start_says_why(program: Emulators):
    with pytest.raises(EmulatorFailed, match="users"):
        async with program.opened({"slack": {"users": 7}}):
            pass


def test_a_process_that_does_not_start_is_a_clear_error(program: Emulators, tmp_path: Path):
    with pytest.raises(EmulatorFailed, match=r"emulators\.mjs ended with 1"), running_emulators(tmp_path / "none.js"):
        pass


def test_a_machine_without_npm_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallFailed, match="node is not on the path"):
        install(tmp_path / "emulate")
