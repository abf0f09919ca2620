"""The replies this process is writing: one owned task per turn, and its text so far for whoever watches."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import partial

from bot.answering import Desk, answer
from storage.records import Turn

log = logging.getLogger(__name__)

FINISH_S = 3.0  # what a reply gets to finish at shutdown; after that its turn waits for the pick-up after its lease


@dataclass(slots=True)
class _Live:
    """A reply in the making. `changed` is set once, at the next change, and replaced."""

    text: str = ""
    is_done: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def change(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()


class LiveReplies:
    """Writes replies in the background. Use as an async context manager: leaving it ends every task."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._live: dict[str, _Live] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> "LiveReplies":
        return self

    async def __aexit__(self, *error: object) -> None:
        tasks = list(self._tasks.values())
        if not tasks:
            return
        unfinished = (await asyncio.wait(tasks, timeout=FINISH_S))[1]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def write(self, turn: Turn) -> None:
        """Begin the turn's reply, unless this process is at it already."""
        if turn.id in self._tasks:
            return
        live = self._live[turn.id] = _Live()
        task = self._tasks[turn.id] = asyncio.create_task(self._answer(turn, live))
        task.add_done_callback(partial(self._finished, turn.id, live))

    async def texts(self, turn_id: str, until: float) -> AsyncGenerator[str]:
        """Yield the whole text so far whenever it has changed, until the reply is done or the loop's clock says `until`.

        Yields nothing for a turn that this process is not answering.
        """
        live = self._live.get(turn_id)
        shown = ""
        loop = asyncio.get_running_loop()
        while live is not None and loop.time() < until:
            changed = live.changed
            if live.text != shown:
                shown = live.text
                yield shown
                continue  # the text may have changed while it was being sent
            if live.is_done:
                return
            try:
                await asyncio.wait_for(changed.wait(), until - loop.time())
            except TimeoutError:
                return

    async def _answer(self, turn: Turn, live: _Live) -> None:
        async def show(text: str) -> None:
            live.text = text
            live.change()

        await answer(self._desk, turn, show)

    def _finished(self, turn_id: str, live: _Live, task: asyncio.Task[None]) -> None:
        del self._live[turn_id], self._tasks[turn_id]
        live.is_done = True
        live.change()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("turn %s: its reply broke off and is taken up again after its lease", turn_id, exc_info=error)
