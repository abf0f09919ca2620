"""Signs that a reply is on its way, once it takes a moment: eyes on the question, a status and a session in its thread.

They only decorate, so Slack may refuse every one of them. A session that is processing is what shows Slack's stop button.
"""

# pyright: reportUnknownMemberType=false
# (slack_sdk's clients are loosely typed)

import asyncio
import contextlib
import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import Self

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_app.outgoing import UNREACHABLE, reason
from bot.slack_app.payloads import Place

log = logging.getLogger(__name__)

NOTICED_AFTER_S = 0.4  # a reply that is there by then needs no sign
DECORATION_S = 5.0  # how long the signs may still be on their way when the reply stands
EYES = "eyes"
THINKING = "is thinking…"
PROCESSING, ACTIVE = "processing", "active"  # Slack's words for a session that is at work, and for one that waits


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a reply goes and for whom: the question's place, and who asked."""

    place: Place
    user: str
    home_team: str
    is_first: bool  # the conversation's first question: the only one that is looked at with eyes
    is_again: bool = False  # an earlier attempt died and may have left eyes and a status


class Noticing:
    """The signs of one reply. Use as an async context manager around its making."""

    def __init__(self, client: AsyncWebClient, thread: Thread) -> None:
        self._client = client
        self._thread = thread
        self._is_noticed = thread.is_again
        self._soon: asyncio.TimerHandle | None = None
        self._noticing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._soon = asyncio.get_running_loop().call_later(NOTICED_AFTER_S, self._begin)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._soon is not None
        self._soon.cancel()
        is_cut_off = kind is asyncio.CancelledError  # at shutdown: whoever comes next answers, and looks away then
        if self._noticing is not None:
            if not is_cut_off:  # eyes that are on their way must not arrive after they were taken away
                await asyncio.wait([self._noticing], timeout=DECORATION_S)
            self._noticing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._noticing
        if self._is_noticed and not is_cut_off:
            await self._look_away()

    def _begin(self) -> None:
        self._is_noticed = True
        self._noticing = asyncio.create_task(self._notice())

    async def _notice(self) -> None:
        place, client = self._thread.place, self._client
        if self._thread.is_first:
            with _unless_refused("no eyes"):
                await client.reactions_add(channel=place.channel, timestamp=place.ts, name=EYES)
        with _unless_refused("no status"):
            await client.assistant_threads_setStatus(
                channel_id=place.channel, thread_ts=place.thread_ts, status=THINKING
            )
        with _unless_refused("no session"):
            await client.agents_sessions_setStatus(
                channel_id=place.channel, thread_ts=place.thread_ts, status=PROCESSING
            )

    async def _look_away(self) -> None:
        place, client = self._thread.place, self._client
        if self._thread.is_first:
            with _unless_refused("eyes stay"):
                await client.reactions_remove(channel=place.channel, timestamp=place.ts, name=EYES)
        with _unless_refused("status stays"):
            await client.assistant_threads_setStatus(channel_id=place.channel, thread_ts=place.thread_ts, status="")
        with _unless_refused("the session stays as it is"):
            await client.agents_sessions_setStatus(channel_id=place.channel, thread_ts=place.thread_ts, status=ACTIVE)


@contextlib.contextmanager
def _unless_refused(what: str) -> Generator[None]:
    """What only decorates may fail."""
    try:
        yield
    except UNREACHABLE as error:
        log.info("%s (%s)", what, reason(error))
