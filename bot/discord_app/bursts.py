"""Several messages that somebody writes within moments are one question: the last of them ends it.

What belongs together is kept in memory. Each message stays a delivery of its own that is not over before the question is
answered, so after a crash they come again, and together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from discord.utils import snowflake_time

from bot.discord_app.payloads import Changed, Said

BURST_S = 3.0  # of silence, after which somebody has said what they want to say
MOST_MESSAGES = 10  # of one question; whoever goes on begins another

Pause = Callable[[], Awaitable[None]]
"""Takes as long as somebody may be silent in the middle of a question."""


async def pause() -> None:
    """BURST_S."""
    await asyncio.sleep(BURST_S)


class BrokenOff(Exception):
    """The question that this message goes on with could not be worked on; the log has the reason, and both come again."""


class Burst:
    """One person's messages in one place that are one question, or nobody's, as far as they came. Never none at the start."""

    def __init__(self, first: Said, *, is_open: bool) -> None:
        self.is_open = is_open  # more may join
        self.key = first.place.key  # of the question, once it is recorded
        self.is_question = False
        self._messages = [first]
        self._pausing: asyncio.Future[None] | None = None
        self._is_recorded = asyncio.Event()
        self._is_over = asyncio.Event()
        self._is_whole = False  # it was worked on to the end

    @property
    def messages(self) -> list[Said]:
        """What stands of it, in the order it was written in."""
        return sorted(self._messages, key=lambda said: int(said.place.message))

    @property
    def said(self) -> Said:
        """All of it as one message: where the first one stands, in everybody's words, and a mention where one of them is.

        Raises IndexError where everything was deleted.
        """
        first, *more = self.messages
        if not more:
            return first
        named = {person.id: person for said in (first, *more) for person in said.mentioned}
        return replace(
            first,
            text="\n".join(said.text for said in (first, *more) if said.text),
            is_mention=any(said.is_mention for said in (first, *more)),
            n_files=sum(said.n_files for said in (first, *more)),
            mentioned=tuple(named.values()),
        )

    def takes(self, said: Said) -> bool:
        """Whether a message by the same person in the same place goes on with it."""
        if not self.is_open or not self._messages or len(self._messages) >= MOST_MESSAGES:
            return False
        if not said.text and not said.n_files:
            return False  # it cannot be read, and is told so
        ours = {"", *(one.reply_to for one in self._messages), *(one.place.message for one in self._messages)}
        written, before = int(said.place.message), int(self.messages[-1].place.message)
        apart = abs(snowflake_time(written) - snowflake_time(before))  # after a gap, much comes at once
        return said.reply_to in ours and apart <= timedelta(seconds=BURST_S)

    def add(self, said: Said) -> None:
        """The question goes on."""
        self._messages.append(said)
        self._break_pause()

    def edit(self, changed: Changed) -> None:
        """One of its messages has other words now."""
        self._messages = [
            replace(said, text=changed.text or "", mentioned=changed.mentioned)
            if said.place.key == changed.place.key
            else said
            for said in self._messages
        ]

    def take_out(self, key: str) -> None:
        """One of its messages is gone."""
        self._messages = [said for said in self._messages if said.place.key != key]
        if not self._messages:
            self._break_pause()

    async def ends(self, pause: Pause) -> None:
        """Wait until nobody has gone on with it for one pause."""
        while self._messages:
            self._pausing = asyncio.ensure_future(pause())
            try:
                await asyncio.wait({self._pausing})
            finally:
                self._break_pause()
            if not self._pausing.cancelled():
                return

    def close(self, *, is_question: bool) -> None:
        """No more may join; whether it was one question, or each message is by itself."""
        self.is_open, self.is_question = False, is_question

    def recorded(self, key: str) -> None:
        """It is a recorded question now, under this key: changes of its messages are changes of that."""
        self.key = key
        self._is_recorded.set()

    async def until_recorded(self) -> None:
        """Wait until it is recorded, or will not be."""
        await self._is_recorded.wait()

    async def is_one(self) -> bool:
        """Wait until it was worked on; whether it was one question. Raises BrokenOff."""
        await self._is_over.wait()
        if not self._is_whole:
            raise BrokenOff(f"{self.key} could not be worked on, and what goes on with it comes again.")
        return self.is_question

    def over(self, *, is_whole: bool) -> None:
        """It was worked on, to the end or not."""
        self._is_whole = is_whole
        self._is_recorded.set()
        self._is_over.set()

    def _break_pause(self) -> None:
        if self._pausing is not None:
            self._pausing.cancel()


class Bursts:
    """What people are writing now. `pause` None: every message is by itself."""

    def __init__(self, pause: Pause | None) -> None:
        self.pause = pause
        self._latest: dict[tuple[str, str], Burst] = {}  # by place and person
        self._of: dict[str, Burst] = {}  # by each message's key, while it is worked on

    def joined(self, said: Said) -> Burst | None:
        """What the message goes on with, of which it is a part from now on; None where it is the first."""
        burst = self._latest.get(_by(said))
        if burst is None or not burst.takes(said):
            return None
        burst.add(said)
        self._of[said.place.key] = burst
        return burst

    @contextmanager
    def begun(self, said: Said) -> Generator[Burst]:
        """A message that may be the first of several, for as long as it is worked on."""
        burst = Burst(said, is_open=self.pause is not None)
        self._latest[_by(said)] = self._of[said.place.key] = burst
        is_whole = False
        try:
            yield burst
            is_whole = True
        finally:
            burst.over(is_whole=is_whole)
            self._of = {key: other for key, other in self._of.items() if other is not burst}
            if self._latest.get(_by(said)) is burst:
                del self._latest[_by(said)]

    def take_out_room(self, room_key: str) -> None:
        """A thread is gone with every message in it."""
        for burst in set(self._of.values()):
            for said in burst.messages:
                if said.place.room_key == room_key:
                    burst.take_out(said.place.key)

    def around(self, key: str) -> Burst | None:
        """What this message is a part of, while that is worked on."""
        return self._of.get(key)


def _by(said: Said) -> tuple[str, str]:
    return said.place.room_key, said.by.id
