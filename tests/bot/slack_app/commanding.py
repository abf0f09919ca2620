"""Typing commands, and enough approved corrections to train on."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from curation.worker import work
from providers.base import Message as ModelMessage
from storage.records import Right
from tests.bot.slack_app.conftest import Shop
from tests.curation.conftest import House
from tests.slack.place import Channel, Message, Person


async def typed(shop: Shop, by: Person, command: str, channel: Channel | None = None) -> dict[str, Any]:
    """Type a command, "/finetone queue", and wait for what only the person sees."""
    name, _, words = command.partition(" ")
    there = shop.workspace
    answer, response_url = await there.command(by, channel or there.support, name, words)
    assert answer.text == ""  # what is said comes later, where only who typed it sees it
    shown = (await there.until(lambda: there.responses(response_url)))[0]
    assert shown["response_type"] == "ephemeral"
    return shown


def read(shown: dict[str, Any] | Message) -> str:
    """Every text of the blocks of a message or view, a line each; without blocks its text."""
    blocks = shown.blocks if isinstance(shown, Message) else shown.get("blocks")
    if not blocks:
        return shown.text if isinstance(shown, Message) else shown.get("text", "")
    return "\n".join(_texts(blocks))


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []


def posted(channel: Channel, response: dict[str, Any]) -> Message:
    """A response as the ephemeral message people click in."""
    return Message(channel, {**response, "ts": "1795286667.000100", "user": "U0"}, ephemeral=True)


def learns(model: str, messages: Sequence[ModelMessage]) -> str:
    """The base knows nothing; a tuned model has learned the approved answers."""
    question = messages[-1].content
    return "I cannot help." if model == "base" else question.replace("Question", "Answer").replace("?", ".")


async def stocked(shop: Shop, numbers: range = range(1, 21)) -> House:
    """Approved corrections, enough to train on, by somebody at the command line."""
    shop.clock.now = datetime.now(UTC)  # the fake vendor stamps its jobs with the wall clock
    shop.provider.script = learns
    ada = await shop.store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=shop.clock())
    house = House(shop.program("bot-1").workshop, shop.provider, shop.voice, ada)
    await house.approve(*numbers)
    return house


@asynccontextmanager
async def working(shop: Shop) -> AsyncGenerator[None]:
    """A worker that trains, for the length of a block."""
    stop = asyncio.Event()
    program = shop.program("worker-1")
    task = asyncio.create_task(work(program.workshop, "worker-1", program.pace, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def until_said(shop: Shop, message: Message, words: str) -> Message:
    """The message once it says something, the board being woken instead of waited for."""

    async def found() -> Message | None:
        assert shop.running is not None
        shop.running.board.wake()
        now = await shop.workspace.reread(message)
        return now if now is not None and words in read(now) else None

    return await shop.workspace.until(found, timeout_s=20)


async def settled(shop: Shop) -> None:
    """Wait until everything the app was told is worked on."""

    def is_done() -> bool:
        with sqlite3.connect(shop.data_dir.parent / "app.sqlite") as database:
            return database.execute("SELECT count(*) FROM inbound_events WHERE done_at IS NULL").fetchone() == (0,)

    await shop.workspace.until(is_done)
