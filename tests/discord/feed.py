"""What the gateway tells the bot: every event passes here, so that a test can hold it back, repeat it, or send its own.

Discord names the author of the message in MESSAGE_REACTION_ADD (not in REMOVE, and not always), and gives the members who are
mentioned in a message their roles; simcord 3.2.1 leaves both out, so they are added here (the first unless
`tells_reaction_author` is off).
"""

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import simcord
from simcord.backend import serializers

LONG_AGO = "2015-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Event:
    name: str  # "MESSAGE_CREATE"
    payload: dict[str, Any]


class Feed:
    """Stands in front of a backend's subscribers."""

    def __init__(self, backend: simcord.Backend) -> None:
        self.events: list[Event] = []  # all that happened, heard or not
        self.tells_reaction_author = True
        self._backend = backend
        self._heard = True
        self._times = 1
        self._late = False
        backend.emit = self.emit  # type: ignore[method-assign]

    def emit(self, name: str, payload: Mapping[str, Any]) -> None:
        told = dict(payload)
        if name == "MESSAGE_REACTION_ADD" and self.tells_reaction_author:
            told |= self._author(told)
        if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and told.get("guild_id"):
            told["mentions"] = [self._as_member(one, told["guild_id"]) for one in told.get("mentions") or []]
        if name == "INTERACTION_CREATE" and self._late:
            self._backend.interactions[int(told["id"])].initial_response_deadline = LONG_AGO
        self.events.append(Event(name, copy.deepcopy(told)))
        if self._heard:
            for _ in range(self._times):
                self.tell(name, told)

    def tell(self, name: str, payload: Mapping[str, Any]) -> None:
        """Tell the bot, without anything having happened."""
        self._backend.transcript.append(("GATEWAY", name, payload))
        for listener in list(self._backend.subscribers):
            listener(name, payload)

    def last(self, name: str) -> Event:
        return next(event for event in reversed(self.events) if event.name == name)

    @contextlib.contextmanager
    def unheard(self) -> Iterator[None]:
        """What happens in this block never reaches the bot: it was away, and could not resume. Restart it after the block."""
        self._heard = False
        try:
            yield
        finally:
            self._heard = True

    @contextlib.contextmanager
    def twice(self) -> Iterator[None]:
        """Every event of this block arrives twice, with the same ids."""
        self._times = 2
        try:
            yield
        finally:
            self._times = 1

    @contextlib.contextmanager
    def late(self) -> Iterator[None]:
        """Interactions of this block reach the bot after their three seconds: every first response gets 10062."""
        self._late = True
        try:
            yield
        finally:
            self._late = False

    def _author(self, reaction: Mapping[str, Any]) -> dict[str, str]:
        stored = self._backend.messages.get(int(reaction["channel_id"]), {}).get(int(reaction["message_id"]))
        return {"message_author_id": str(stored.author_id)} if stored else {}

    def _as_member(self, user: Mapping[str, Any], guild_id: str) -> dict[str, Any]:
        guild = self._backend.get_guild(int(guild_id))
        member = guild.members.get(int(user["id"]))
        if member is None:
            return dict(user)
        known = dict(serializers.member_payload(self._backend, guild, member))
        return dict(user) | {"member": {name: value for name, value in known.items() if name != "user"}}
