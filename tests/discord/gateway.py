"""Our own loopback gateway: sessions that can be resumed, told to reconnect, declared invalid, or closed with a code.

Ours, not a third party's: what it agrees with is our reading of Discord's documentation (docs.discord.com, August 2026). What
intents hide is simcord's reading.
"""

import asyncio
import contextlib
import copy
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import discord
import simcord
from aiohttp import WSMsgType, web
from simcord import intents as hiding
from simcord.backend import serializers

HEARTBEAT_MS = 41_250
BAD_TOKEN, DISALLOWED_INTENTS = 4004, 4014

Json = dict[str, Any]


@dataclass
class Session:
    """One identified session. It outlives its connection, so that it can be resumed."""

    id: str
    intents: discord.Intents
    log: list[Json] = field(default_factory=list)  # every dispatch, heard or not
    outbox: asyncio.Queue[Json | int] | None = None  # of the connection; an int is a close code

    def dispatch(self, name: str, payload: Json, *, heard: bool) -> None:
        self.log.append({"op": 0, "t": name, "s": len(self.log) + 1, "d": payload})
        if heard and self.outbox is not None:
            self.outbox.put_nowait(self.log[-1])


class Gateway:
    """The socket half of the stub."""

    def __init__(self, backend: simcord.Backend, token: str) -> None:
        self.identified: list[Json] = []  # what each IDENTIFY carried, but for the token
        self.resumed: list[Json] = []
        self.approved: discord.Intents | None = None  # what the portal grants; None: all
        self.resume_url = ""
        self.token = token
        self._backend = backend
        self._sessions: dict[str, Session] = {}
        self._heard = True
        backend.subscribers.append(self.tell)

    # What a test does.

    def tell(self, name: str, payload: Mapping[str, Any]) -> None:
        """Send an event to every session that may hear it."""
        for session in self._sessions.values():
            if (shown := self._shown(name, payload, session.intents)) is not None:
                session.dispatch(name, shown, heard=self._heard)

    @contextlib.contextmanager
    def unsent(self) -> Iterator[None]:
        """What happens in this block reaches the bot only when it resumes."""
        self._heard = False
        try:
            yield
        finally:
            self._heard = True

    def reconnect(self) -> None:
        """Op 7: the bot is to connect anew, and to resume."""
        self._send_all({"op": 7, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9: the session is invalid. Not resumable, what was unsent is lost."""
        self._send_all({"op": 9, "d": resumable})
        if not resumable:
            self._sessions.clear()

    def close(self, code: int) -> None:
        """Close every connection with this code."""
        self._send_all(code)

    def _send_all(self, sent: Json | int) -> None:
        for session in self._sessions.values():
            if session.outbox is not None:
                session.outbox.put_nowait(sent)

    # What the bot meets.

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        outbox: asyncio.Queue[Json | int] = asyncio.Queue()
        outbox.put_nowait({"op": 10, "d": {"heartbeat_interval": HEARTBEAT_MS}})
        writing = asyncio.create_task(_write(socket, outbox))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(json.loads(message.data), outbox)
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            for session in self._sessions.values():
                if session.outbox is outbox:
                    session.outbox = None
        return socket

    def _hear(self, message: Json, outbox: asyncio.Queue[Json | int]) -> None:
        match message["op"]:
            case 1:
                outbox.put_nowait({"op": 11})
            case 2:
                self._identify(message["d"], outbox)
            case 6:
                self._resume(message["d"], outbox)
            case 8:
                self._send_members(message["d"], outbox)

    def _identify(self, asked: Json, outbox: asyncio.Queue[Json | int]) -> None:
        self.identified.append({name: value for name, value in asked.items() if name != "token"})
        if asked["token"] != self.token:
            return outbox.put_nowait(BAD_TOKEN)
        intents = discord.Intents.none()
        intents.value = asked["intents"]
        if self.approved is not None and hiding.missing_privileged_intents(intents, self.approved):
            return outbox.put_nowait(DISALLOWED_INTENTS)
        session = Session(uuid.uuid4().hex, intents, outbox=outbox)
        self._sessions[session.id] = session
        guilds = list(self._backend.guilds.values())
        ready = {
            "v": 10,
            "user": dict(serializers.user_payload(self._backend.bot_user)),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.resume_url,
            "application": {"id": str(self._backend.application_id), "flags": 0},
            "shard": asked.get("shard", [0, 1]),
        }
        session.dispatch("READY", ready, heard=True)
        for guild in guilds:
            shown = self._shown("GUILD_CREATE", serializers.guild_create_payload(self._backend, guild), intents)
            if shown is not None:
                session.dispatch("GUILD_CREATE", shown, heard=True)
        return None

    def _resume(self, asked: Json, outbox: asyncio.Queue[Json | int]) -> None:
        self.resumed.append({name: value for name, value in asked.items() if name != "token"})
        session = self._sessions.get(asked["session_id"])
        if session is None:
            return outbox.put_nowait({"op": 9, "d": False})
        session.outbox = outbox
        for missed in session.log[asked["seq"] :]:
            outbox.put_nowait(missed)
        return session.dispatch("RESUMED", {}, heard=True)

    def _send_members(self, asked: Json, outbox: asyncio.Queue[Json | int]) -> None:
        guild = self._backend.get_guild(int(asked["guild_id"]))
        wanted = [int(one) for one in asked.get("user_ids") or guild.members]
        members = [
            serializers.member_payload(self._backend, guild, guild.members[one])
            for one in wanted
            if one in guild.members
        ]
        chunk: Json = {"guild_id": str(guild.id), "members": members, "chunk_index": 0, "chunk_count": 1}
        chunk |= {"nonce": asked["nonce"]} if asked.get("nonce") else {}
        session = next(one for one in self._sessions.values() if one.outbox is outbox)
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk, heard=True)

    def _shown(self, name: str, payload: Mapping[str, Any], intents: discord.Intents) -> Json | None:
        """What a session with these intents sees of an event; None where it sees nothing."""
        needed = hiding.required_intent(name, payload)
        if needed is not None and not getattr(intents, needed):
            return None
        shown = copy.deepcopy(dict(payload))
        bot_id = self._backend.bot_user.id
        if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE") and not intents.message_content:
            hiding.censor_message(shown, bot_id, backend=self._backend)
        if name == "GUILD_CREATE":
            hiding.prune_guild_create(shown, intents, bot_id)
        return shown


async def _write(socket: web.WebSocketResponse, outbox: asyncio.Queue[Json | int]) -> None:
    while True:
        match await outbox.get():
            case int(code):
                await socket.close(code=code)
                return
            case message:
                await socket.send_str(json.dumps(message))
