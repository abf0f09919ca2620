"""Slack telling an app: events and interactions as signed HTTP requests, and waiting for what the app makes of them."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.slack import envelopes
from tests.slack.delivery import Answer, Courier, Delivery, NotAcknowledged
from tests.slack.envelopes import Address, Body
from tests.slack.payloads import acknowledgement_violations
from tests.slack.place import APP_ID, SIGNING_SECRET, Channel, Json, Person, Place
from tests.slack.served import Door
from tests.slack.team import Team
from tests.slack.wire import Wire

EVENTS_PATH = "/slack/events"
POLL_S = 0.03  # each look is a call to the emulator, which has a processor to share with the app


class NeverHappened(AssertionError):
    """What a test waited for did not come about in time."""


class Telling(Place):
    """A workspace that tells the app at `door` what happens in it."""

    def __init__(self, wire: Wire, team: Team, people: dict[str, Person], http: httpx.AsyncClient, door: Door) -> None:
        super().__init__(wire, team, people, http)
        self.door = door
        self.signing_secret = SIGNING_SECRET
        self._courier = Courier(f"{door.url}{EVENTS_PATH}", SIGNING_SECRET)

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the app, in order."""
        return self._courier.deliveries

    @property
    def _address(self) -> Address:
        return Address(APP_ID, self.team.team_id, self.bot_user_id)

    async def until(self, condition: Callable[[], Any], timeout_s: float = 5.0) -> Any:
        """Wait until `condition()`, or what it awaits, is true, and return it. Raises NeverHappened."""
        deadline = time.monotonic() + timeout_s
        while True:
            found = condition()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return found
            if time.monotonic() > deadline:
                calls = [f"{call.method} {call.answer.get('error', 'ok')}" for call in self.wire.calls]
                raise NeverHappened(f"not within {timeout_s} s; the app's calls: {calls}")
            await asyncio.sleep(POLL_S)

    # Delivering.

    async def deliver(
        self, body: Body, *, retry_num: int | None = None, age_s: float = 0.0, secret: str | None = None
    ) -> Answer:
        """Send one body: `age_s` makes its timestamp old, another `secret` makes its signature false."""
        return await self._courier.post(body, retry_num=retry_num, age_s=age_s, secret=secret)

    async def redeliver(self, delivery: Delivery, retry_num: int = 1) -> Answer:
        """Send the same body once more, as Slack does when it heard no acknowledgement."""
        return await self.deliver(delivery.body, retry_num=retry_num)

    def event(self, event: Json, *, shared: bool = False, event_id: str | None = None) -> Body:
        """An envelope around any event, to deliver."""
        return envelopes.event_body(self._address, event, shared=shared, at=time.time(), event_id=event_id)

    async def _tell(self, event: Json, *, by: Person | None = None, channel: Channel | None = None) -> Answer:
        if by is not None and by.team_id != self.team.team_id:
            event = envelopes.from_elsewhere(event, by.team_id)
        return await self._acknowledged(self.event(event, shared=channel is not None and channel.shared))

    async def _acknowledged(self, body: Body) -> Answer:
        answer = await self.deliver(body)
        if not answer.acknowledged:
            raise NotAcknowledged(f"answered {answer.status} after {answer.took_s:.1f} s: {answer.text[:300]}")
        self.wire.violations += acknowledgement_violations(answer.json)
        return answer


def now_ts() -> str:
    """This moment as Slack writes it: "1795286667.123456"."""
    return f"{time.time():.6f}"
