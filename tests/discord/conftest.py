"""A Discord guild for each test, and the recorder of what the bot asked of Discord.

Rooms that test the real app import `recorder`, `recorded` and what else they need from here, as they do with tests/slack.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.discord.bare import BareBot, build_bare
from tests.discord.guild import Guild, open_guild
from tests.discord.own_stub import OwnStub
from tests.discord.rest import Recorder

RECORDED = Path(__file__).parent.parent / ".recorded"
ASKED_FOR = "FINETONE_RECORD_REST"  # set: tests/.recorded/discord.jsonl is written even where its folder is not there
LINES: list[str] = []  # one list for all rooms that import these fixtures: each has its own session fixture


@pytest.fixture(scope="session")
def recorded() -> Iterator[list[str]]:
    """The lines of every request of the test run, written down at its end; not of tests that plant violations."""
    yield LINES
    if os.environ.get(ASKED_FOR):
        RECORDED.mkdir(exist_ok=True)
    if RECORDED.is_dir() and LINES:
        (RECORDED / "discord.jsonl").write_text("\n".join(LINES) + "\n", encoding="utf-8")


@pytest.fixture
def recorder(recorded: list[str]) -> Iterator[Recorder]:
    """What the bot asked of Discord. Fails the test whose bot sent something Discord, or Finetone, forbids."""
    recording = Recorder()
    yield recording
    if not recording.planted:
        recorded += recording.lines
    assert recording.violations == []


@pytest.fixture
async def guild(recorder: Recorder) -> AsyncIterator[Guild]:
    """A fresh guild with a bare bot in it."""
    async with open_guild(build_bare, recorder) as opened:
        yield opened


@pytest.fixture
def bot(guild: Guild) -> BareBot:
    assert isinstance(guild.client, BareBot)
    return guild.client


@pytest.fixture
async def stub(recorder: Recorder) -> AsyncIterator[OwnStub]:
    """Our own Discord on a loopback port, its guild not yet visited by any bot."""
    async with OwnStub(recorder).listening() as listening:
        yield listening


class Hurry:
    """asyncio, but sleeping takes no time; `waited_s` says what it would have taken."""

    def __init__(self) -> None:
        self.waited_s: list[float] = []

    async def sleep(self, delay: float, result: Any = None) -> Any:
        self.waited_s.append(delay)
        return await asyncio.sleep(0, result)

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Hurry:
    """discord.py's own waits (rate limits, retries, reconnects) take no time in this test."""
    hurried = Hurry()
    for module in ("discord.http", "discord.webhook.async_", "discord.client"):
        monkeypatch.setattr(f"{module}.asyncio", hurried)
    return hurried
