"""Processes of the app that die in the middle of a call, and several of them on one database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler

from bot import inbox
from bot.inbox import LEASE_S
from bot.slack_app.serve import slack
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.delivery import Courier
from tests.slack.faults import FOREVER, Hold
from tests.slack.place import SIGNING_SECRET
from tests.slack.served import Door
from tests.slack.telling import EVENTS_PATH

METHODS = (
    "assistant.threads.setStatus",
    "chat.appendStream",
    "chat.delete",
    "chat.postMessage",
    "chat.startStream",
    "chat.stopStream",
    "chat.update",
    "conversations.replies",
    "reactions.add",
    "reactions.remove",
    "users.info",
)


async def dies(shop: Shop, hold: Hold) -> None:
    """The process dies during the call that is held: Slack does what was asked, nobody hears of it, no other call is made."""
    await hold.reached()
    for method in METHODS:
        shop.workspace.wire.faults.cut(method, FOREVER)
    working = [task for task in asyncio.all_tasks() if task.get_name().startswith("slack ")]
    for task in working:
        task.cancel()
    await asyncio.wait(working)
    hold.release()


def dies_after(shop: Shop, noun: object, method: str, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The process dies when this method of a store has written what it writes, before anything else happens; set when it has."""
    dead, works = asyncio.Event(), getattr(noun, method)

    async def last(*args: object, **kwargs: object) -> object:
        done = await works(*args, **kwargs)
        if dead.is_set():
            return done
        for call in METHODS:
            shop.workspace.wire.faults.cut(call, FOREVER)
        dead.set()
        raise asyncio.CancelledError

    monkeypatch.setattr(noun, method, last)
    return dead


def passes(shop: Shop, seconds: float = LEASE_S + 1) -> None:
    """Time passes and Slack is well again, so that what a dead process held can be taken."""
    shop.workspace.wire.faults.heal()
    shop.clock.advance(seconds)


@asynccontextmanager
async def second_process(shop: Shop) -> AsyncGenerator[Courier]:
    """Another process of the app, at an address of its own. Yields what delivers to it."""
    door, stop = Door(), asyncio.Event()
    async with slack(shop.program("bot-2"), is_http=True) as running:
        working = asyncio.create_task(running.work(stop))
        try:
            async with door.serving(AsyncSlackRequestHandler(running.app.bolt)) as url:
                yield Courier(f"{url}{EVENTS_PATH}", SIGNING_SECRET)
        finally:
            stop.set()
            await working


# ---------------------------------------------------------------- work that fails

SECRET = "password=hunter2"  # in errors that nobody may read


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that failed is taken up again as soon as its lease is over."""
    monkeypatch.setattr(inbox, "LOOK_S", 0.02)


def fails(shop: Shop, times: int) -> None:
    """Let the model's next replies be a bug of ours."""

    def script(model: str, messages: object) -> str:
        nonlocal times
        times -= 1
        if times >= 0:
            raise RuntimeError(SECRET)
        return ANSWER

    shop.provider.script = script


async def after_failures(shop: Shop, n_failures: int, caplog: pytest.LogCaptureFixture) -> None:
    """Let the lease run out each time the work has failed."""
    for failed in range(1, n_failures + 1):
        await shop.workspace.until(lambda n=failed: caplog.text.count("failed at attempt") >= n)
        shop.clock.advance(61)
