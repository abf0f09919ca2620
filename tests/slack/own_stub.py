"""Finetone's own stub of the Slack methods the emulator lacks: streams, statuses, agent sessions, user groups.

Ours, not a third party's: what it agrees with is our reading of Slack's documentation and of other people's recordings
(docs.slack.dev, read 2026-11-21), never proof of live Slack. Each family can be switched off with `available = False`; the
emulator's own answer for a method it does not know (HTTP 404) then reaches the app.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from tests.slack.calls import Asked

MARKDOWN_LIMIT = 12_000  # characters in one markdown_text
PROMPTS_LIMIT = 4
TITLE_LIMIT = 200  # characters of a session's title
LOADING_LIMIT = 10
SESSION_STATES = {"processing", "active", "suspended", "closed"}

Answer = dict[str, Any]
Emulated = Callable[[str, dict[str, Any]], Awaitable[Answer]]  # asks the emulator, with the token of the call


class Stub(Protocol):
    """One family of methods."""

    available: bool
    methods: frozenset[str]
    scopes: frozenset[str]  # any one of these is enough

    async def answer(self, asked: Asked, emulated: Emulated) -> Answer: ...


def refusal(error: str, **more: Any) -> Answer:
    return {"ok": False, "error": error, **more}


def missing_scope(needed: frozenset[str], provided: Sequence[str]) -> Answer | None:
    """The refusal of a token that has none of the needed scopes, in the emulator's words; None if it has one."""
    if needed & set(provided):
        return None
    return refusal("missing_scope", needed="|".join(sorted(needed)), provided=",".join(provided))


class StreamState(Enum):
    OPEN = "open"
    STOPPED = "stopped"  # by the app
    DEAD = "dead"  # Slack gave up on it: the message stays as a broken pill
    STOPPED_BY_USER = "stopped by user"


@dataclass
class Stream:
    """A message that grows. Its text so far is the emulator's too, so any reader sees it."""

    channel: str
    ts: str
    thread_ts: str
    text: str = ""
    chunks: list[dict[str, Any]] = field(default_factory=list)  # every chunk that is not text, in order
    blocks: list[dict[str, Any]] = field(default_factory=list)  # put under the text at the end
    appends: int = 0
    state: StreamState = StreamState.OPEN

    def take(self, arguments: dict[str, Any]) -> str:
        """Add a call's text and chunks. Returns the error, "" if there is none."""
        chunks = arguments.get("chunks") or []
        if "markdown_text" in arguments and chunks:
            return "cannot_provide_both_markdown_text_and_chunks"
        texts = [chunk.get("text", "") for chunk in chunks if chunk.get("type") == "markdown_text"]
        texts.append(arguments.get("markdown_text") or "")
        if any(len(text) > MARKDOWN_LIMIT for text in texts):
            return "msg_too_long"
        self.text += "".join(texts)
        self.chunks += [chunk for chunk in chunks if chunk.get("type") != "markdown_text"]
        return ""

    @property
    def shown_blocks(self) -> list[dict[str, Any]]:
        return [{"type": "markdown", "text": self.text}, *self.blocks]


@dataclass
class Statuses:
    """assistant.threads.*: the "is thinking" line, the starter prompts and the title of a thread. Keys: (channel, thread_ts)."""

    available: bool = True
    shown: dict[tuple[str, str], str] = field(default_factory=dict)  # what a person sees now
    history: list[tuple[str, str, str]] = field(default_factory=list)  # (channel, thread_ts, status), in order
    prompts: dict[str, list[dict[str, str]]] = field(default_factory=dict)  # by channel
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    methods = frozenset(
        {"assistant.threads.setStatus", "assistant.threads.setSuggestedPrompts", "assistant.threads.setTitle"}
    )
    scopes = frozenset({"chat:write", "assistant:write"})

    async def answer(self, asked: Asked, emulated: Emulated) -> Answer:
        arguments = asked.arguments
        channel, thread_ts = arguments.get("channel_id"), arguments.get("thread_ts")
        if not channel:
            return refusal("channel_not_found")
        if asked.method == "assistant.threads.setSuggestedPrompts":
            return self._prompt(channel, thread_ts, arguments.get("prompts") or [])
        if not thread_ts:
            return refusal("invalid_thread_ts")
        if asked.method == "assistant.threads.setTitle":
            self.titles[channel, thread_ts] = arguments.get("title", "")
            return {"ok": True}
        if len(arguments.get("loading_messages") or []) > LOADING_LIMIT:
            return refusal("invalid_arguments")
        self._show(channel, thread_ts, arguments.get("status", ""))
        return {"ok": True}

    def _prompt(self, channel: str, thread_ts: str | None, prompts: list[dict[str, str]]) -> Answer:
        if not 1 <= len(prompts) <= PROMPTS_LIMIT or any(not {"title", "message"} <= set(prompt) for prompt in prompts):
            return refusal("invalid_arguments")
        if (
            thread_ts is None
        ):  # an agent's DM is one list of threads: with thread_ts the call is accepted and does nothing
            self.prompts[channel] = prompts
        return {"ok": True}

    def _show(self, channel: str, thread_ts: str, status: str) -> None:
        self.history.append((channel, thread_ts, status))
        self.shown[channel, thread_ts] = status
        if not status:
            del self.shown[channel, thread_ts]

    def clear(self, channel: str, thread_ts: str) -> None:
        """The app's message arrived in the thread: Slack takes the status away."""
        self.shown.pop((channel, thread_ts), None)


@dataclass
class Sessions:
    """agents.sessions.*: the state and the title of each session. Keys: (channel, thread_ts)."""

    available: bool = True
    states: dict[tuple[str, str], str] = field(default_factory=dict)
    titles: dict[tuple[str, str], str] = field(default_factory=dict)
    methods = frozenset({"agents.sessions.setStatus", "agents.sessions.rename"})
    scopes = frozenset({"chat:write"})

    async def answer(self, asked: Asked, emulated: Emulated) -> Answer:
        arguments = asked.arguments
        key = (arguments.get("channel_id", ""), arguments.get("thread_ts", ""))
        title = arguments.get("title")
        if not all(key) or (title is not None and not 0 < len(title) <= TITLE_LIMIT):
            return refusal("invalid_arguments")
        if asked.method == "agents.sessions.rename":
            if key not in self.states:
                return refusal("session_not_found")
            self.titles[key] = title or ""
            return {"ok": True, "title": self.titles[key]}
        if arguments.get("status") not in SESSION_STATES:
            return refusal("invalid_arguments")
        if key not in self.states and title:  # a title counts only when the session is created
            self.titles[key] = title
        self.states[key] = arguments["status"]
        return {"ok": True, "status": self.states[key], "title": self.titles.get(key, "")}

    def close_with(self, stream: Stream, status: str | None) -> None:
        """A stopped stream may carry its session's next state."""
        if status in SESSION_STATES:
            self.states[stream.channel, stream.thread_ts] = status


@dataclass
class Streams:
    """chat.startStream, appendStream and stopStream on top of the emulator's postMessage and update.

    While a stream is open Slack refuses chat.update and chat.delete on its message; `conflict` says so.
    """

    sessions: Sessions
    available: bool = True
    dies_after_appends: int | None = None  # the append after this many finds the stream dead
    all: list[Stream] = field(default_factory=list)
    methods = frozenset({"chat.startStream", "chat.appendStream", "chat.stopStream"})
    scopes = frozenset({"chat:write"})

    async def answer(self, asked: Asked, emulated: Emulated) -> Answer:
        if asked.method == "chat.startStream":
            return await self._start(asked, emulated)
        stream = self.find(asked.arguments.get("channel"), asked.arguments.get("ts"))
        if stream is None:
            return refusal("message_not_found")
        if self.dies_after_appends is not None and stream.appends >= self.dies_after_appends:
            stream.state = StreamState.DEAD
        if stream.state is StreamState.STOPPED_BY_USER:
            return refusal("stopped_by_user")
        if stream.state is not StreamState.OPEN:
            return refusal("message_not_in_streaming_state")
        if asked.method == "chat.appendStream":
            return await self._append(stream, asked, emulated)
        return await self._stop(stream, asked, emulated)

    async def _start(self, asked: Asked, emulated: Emulated) -> Answer:
        channel, thread_ts = asked.arguments.get("channel", ""), asked.arguments.get("thread_ts")
        if not thread_ts:
            return refusal("invalid_arguments")
        if not channel.startswith("D"):
            for name in ("recipient_team_id", "recipient_user_id"):
                if not asked.arguments.get(name):
                    return refusal(f"missing_{name}")
        stream = Stream(channel, "", thread_ts)
        if error := stream.take(asked.arguments):
            return refusal(error)
        # Blocks, so that a stream may begin empty: the emulator refuses a message with neither text nor blocks.
        posted = await emulated(
            "chat.postMessage",
            {"channel": channel, "thread_ts": thread_ts, "text": stream.text, "blocks": stream.shown_blocks},
        )
        if not posted.get("ok"):
            return posted
        stream.channel, stream.ts = posted["channel"], posted["ts"]
        self.all.append(stream)
        return {"ok": True, "channel": stream.channel, "ts": stream.ts}

    async def _append(self, stream: Stream, asked: Asked, emulated: Emulated) -> Answer:
        if error := stream.take(asked.arguments):
            return refusal(error)
        stream.appends += 1
        await self._show(stream, {}, emulated)
        return {"ok": True, "channel": stream.channel, "ts": stream.ts}

    async def _stop(self, stream: Stream, asked: Asked, emulated: Emulated) -> Answer:
        if error := stream.take(asked.arguments):
            return refusal(error)
        stream.blocks = asked.arguments.get("blocks") or []
        stream.state = StreamState.STOPPED
        self.sessions.close_with(stream, asked.arguments.get("session_status"))
        metadata = asked.arguments.get("metadata")
        shown = await self._show(stream, {"metadata": metadata} if metadata else {}, emulated)
        return {"ok": True, "channel": stream.channel, "ts": stream.ts, "message": shown.get("message", {})}

    async def _show(self, stream: Stream, more: dict[str, Any], emulated: Emulated) -> Answer:
        return await emulated(
            "chat.update",
            {"channel": stream.channel, "ts": stream.ts, "text": stream.text, "blocks": stream.shown_blocks, **more},
        )

    def find(self, channel: str | None, ts: str | None) -> Stream | None:
        return next((stream for stream in self.all if (stream.channel, stream.ts) == (channel, ts)), None)

    def conflict(self, asked: Asked) -> Answer | None:
        """The refusal of an edit or a removal of a message that still streams; None if nothing forbids the call."""
        refused = {"chat.update": "streaming_state_conflict", "chat.delete": "cant_delete_message"}.get(asked.method)
        stream = self.find(asked.arguments.get("channel"), asked.arguments.get("ts")) if refused else None
        if refused is None or stream is None or stream.state is not StreamState.OPEN:
            return None
        return refusal(refused)

    def kill(self) -> None:
        """Every open stream dies, as Slack lets a stream die after some minutes."""
        for stream in self.all:
            if stream.state is StreamState.OPEN:
                stream.state = StreamState.DEAD

    def stop_by_user(self, channel: str, thread_ts: str) -> list[str]:
        """A person pressed stop in this thread. Returns the ts of each stream that this ended."""
        stopped = [
            stream
            for stream in self.all
            if (stream.channel, stream.thread_ts, stream.state) == (channel, thread_ts, StreamState.OPEN)
        ]
        for stream in stopped:
            stream.state = StreamState.STOPPED_BY_USER
        return [stream.ts for stream in stopped]


@dataclass
class Usergroups:
    """usergroups.list and usergroups.users.list, from the tables a test sets."""

    available: bool = True
    members: dict[str, list[str]] = field(default_factory=dict)  # {"S0MODERATORS": ["U1", "U2"]}
    names: dict[str, str] = field(
        default_factory=dict
    )  # {"S0MODERATORS": "Moderators"}; one without a name is not listed
    methods = frozenset({"usergroups.list", "usergroups.users.list"})
    scopes = frozenset({"usergroups:read"})

    async def answer(self, asked: Asked, emulated: Emulated) -> Answer:
        if asked.method == "usergroups.list":
            listed = [{"id": id, "name": name, "handle": name.lower()} for id, name in self.names.items()]
            return {"ok": True, "usergroups": listed}
        group = asked.arguments.get("usergroup")
        if group not in self.members:
            return refusal("no_such_subteam")
        return {"ok": True, "users": list(self.members[group])}
