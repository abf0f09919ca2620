"""A Slack workspace for each test: its own emulator, the wire in front of it, and the address the app is served at."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.slack.emulator import Emulators, emulator_program, running_emulators
from tests.slack.served import Door
from tests.slack.wire import Wire
from tests.slack.workspace import Workspace, open_workspace


@pytest.fixture(scope="session")
def program() -> Iterator[Emulators]:
    """The process that every workspace's emulator runs in; skips where it cannot be had."""
    with running_emulators(emulator_program()) as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """slack_sdk would send even loopback calls through a proxy of the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def door() -> Iterator[Door]:
    """The address the app is served at."""
    opened = Door()
    yield opened
    opened.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    """What the app talks to. Fails the test whose app sent something Slack, or Finetone, forbids."""
    async with Wire().listening() as listening:
        yield listening
    assert listening.violations == []


@pytest.fixture
async def workspace(wire: Wire, door: Door, program: Emulators) -> AsyncIterator[Workspace]:
    """A fresh workspace on an emulator of its own: nothing of Slack's is shared between tests."""
    async with open_workspace(wire, door, program) as opened:
        yield opened


@pytest.fixture
async def second_workspace(
    workspace: Workspace, wire: Wire, door: Door, program: Emulators
) -> AsyncIterator[Workspace]:
    """Another company's workspace with the same app, behind the same wire."""
    async with open_workspace(wire, door, program, team_id="T000000002") as opened:
        yield opened
