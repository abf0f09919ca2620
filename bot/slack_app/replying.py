"""One reply on its way into a thread: streamed, whole. Every step has a plainer one to fall back to.

A quick reply is simply posted. One that takes longer is streamed, or where Slack's streaming methods do not work edited as
it grows, or where that does not work either posted once at the end. The message is recorded before it is sent and its id
after, so a process that takes the work over finds the message there is and finishes it, instead of sending another.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (slack_sdk answers are loosely typed)

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from slack_sdk.web.async_client import AsyncWebClient

from bot.parts import split
from bot.slack_app.blocks import PART_LIMIT, Shown, controls, reply_part
from bot.slack_app.markup import fallback, outgoing, settled
from bot.slack_app.noticing import Noticing, Thread
from bot.slack_app.outgoing import (
    GONE,
    UNREACHABLE,
    Message,
    is_refused,
    metadata,
    post,
    put_right,
    reason,
    remove,
    subject_of,
)
from storage.records import Posting, PostingKind, Reply, ReplySource
from storage.store import Store

log = logging.getLogger(__name__)

PLATFORM = "slack"
STREAM_AFTER_S = 0.8  # after the first words; a short reply is whole by then
STREAM_FROM = 256  # characters that are shown earlier: below that Slack's own client holds a stream back as well
STREAM_FROM_AFTER_S = 0.2
APPEND_EVERY_S = 0.5
EDIT_EVERY_S = 1.0  # Slack's advice for edited messages
LOST_ANSWER_S = 1.0  # before looking whether a message is there whose sending was never answered
STOPPED_BY_USER = "stopped_by_user"  # Slack's word for it


class Way(StrEnum):
    """How a reply is being shown while it grows."""

    NOT_YET = "not yet"
    STREAM = "stream"
    EDIT = "edit"
    ONCE = "once"  # only at the end


@dataclass(frozen=True, slots=True)
class Speech:
    """What showing a reply needs beside the thread."""

    client: AsyncWebClient
    store: Store
    bot_user: str
    domains: Collection[str]  # that links may lead to
    now: Callable[[], datetime]


class GrowingReply:
    """Shows one reply. Use as an async context manager; call `show` while it grows, and `finish` once.

    After `stop`, or once Slack says that somebody pressed its stop button, nothing more of it is shown.
    """

    def __init__(self, speech: Speech, thread: Thread, turn_id: str) -> None:
        self._speech = speech
        self._thread = thread
        self._turn_id = turn_id
        self._loop = asyncio.get_running_loop()
        self._way = Way.NOT_YET
        self._message: Message | None = None
        self._sent = ""  # what the stream has been given, or the message shows
        self._said = ""  # the same as the model said it
        self._is_stopped = False
        self._first_at = 0.0
        self._last_at = 0.0
        self._noticing = Noticing(speech.client, thread)
        self._first_part: tuple[Posting, bool] | None = None  # where it was intended when the reply was saved
        self._is_withdrawn: bool | None = None  # as it was when the last message landed, if that was just now

    async def __aenter__(self) -> Self:
        await self._noticing.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *more: object) -> None:
        await self._noticing.__aexit__(kind, *more)

    # ------------------------------------------------------------ while it grows

    async def show(self, text: str) -> None:
        """The whole text so far. Never raises for what Slack refuses: the reply is then shown in a plainer way."""
        now = self._loop.time()
        self._first_at = self._first_at or now
        if self._way is Way.ONCE or self._is_stopped:
            return
        if self._way is Way.NOT_YET and now - self._first_at < min(STREAM_AFTER_S, STREAM_FROM_AFTER_S):
            return
        said = settled(text)
        safe = outgoing(said, self._speech.domains)
        if self._way is Way.NOT_YET:
            wait_s = STREAM_AFTER_S if len(safe) < STREAM_FROM else STREAM_FROM_AFTER_S
            if now - self._first_at < wait_s:
                return
            if safe and len(safe) < PART_LIMIT:
                await self._begin(safe)
                self._said = said.strip() if self._sent == safe else ""
            return
        if now - self._last_at < (APPEND_EVERY_S if self._way is Way.STREAM else EDIT_EVERY_S):
            return
        if len(safe) > PART_LIMIT or safe == self._sent:
            return  # it will be parted at the end
        await (self._append(safe) if self._way is Way.STREAM else self._edit(safe))
        if self._sent == safe:  # else it was refused
            self._said = said.strip()

    def stop(self) -> None:
        """Show nothing more; what is on its way to Slack at this moment still arrives."""
        self._is_stopped = True

    @property
    def is_stopped(self) -> bool:
        """Whether nothing more is shown because somebody pressed Slack's stop button."""
        return self._is_stopped

    @property
    def said(self) -> str:
        """What of the model's words stands in the thread."""
        return self._said

    async def _begin(self, safe: str) -> None:
        posting, is_new = await self._intended(0)
        if not is_new:  # a message of an earlier attempt is there; it is changed once, at the end
            self._way = Way.ONCE
            return
        client, place = self._speech.client, self._thread.place
        try:
            answer = await client.chat_startStream(
                channel=place.channel,
                thread_ts=place.thread_ts,
                markdown_text=safe,
                recipient_team_id=self._thread.home_team,
                recipient_user_id=self._thread.user,
            )
            self._message, self._way = Message(place.channel, str(answer["ts"])), Way.STREAM
        except UNREACHABLE as error:
            if not is_refused(error):  # it may have begun: it is looked for at the end
                log.warning("a stream in %s may have begun (%s)", place.channel, reason(error))
                self._way = Way.ONCE
                return
            log.info("no stream in %s (%s): editing instead", place.channel, reason(error))
            try:
                shown = Shown(fallback(safe), [{"type": "markdown", "text": f"{safe} …"}])
                self._message = await post(
                    client, place.channel, shown, thread_ts=place.thread_ts, subject=self._turn_id
                )
                self._way = Way.EDIT
            except UNREACHABLE as refused:
                log.warning("no message in %s yet (%s): posting at the end", place.channel, reason(refused))
                self._way = Way.ONCE
                return
        self._sent, self._last_at = safe, self._loop.time()
        await self._speech.store.postings.landed(posting.id, self._message.ts)

    async def _append(self, safe: str) -> None:
        assert self._message is not None
        if not safe.startswith(self._sent):
            return  # another model began anew; the end puts it right
        try:
            await self._speech.client.chat_appendStream(
                channel=self._message.channel, ts=self._message.ts, markdown_text=safe[len(self._sent) :]
            )
        except UNREACHABLE as error:
            log.info("the stream in %s ended early (%s)", self._message.channel, reason(error))
            self._fall_back(error)
            return
        self._sent, self._last_at = safe, self._loop.time()

    async def _edit(self, safe: str) -> None:
        assert self._message is not None
        try:
            shown = Shown(fallback(safe), [{"type": "markdown", "text": f"{safe} …"}])
            await put_right(self._speech.client, self._message, shown, subject=self._turn_id)
        except UNREACHABLE as error:
            log.info("could not edit in %s (%s)", self._message.channel, reason(error))
            self._way = Way.ONCE
            return
        self._sent, self._last_at = safe, self._loop.time()

    # ------------------------------------------------------------ at the end

    def intended(self, posting: Posting, is_new: bool) -> None:
        """The reply's first message was intended when the reply was saved, or before (`is_new` False)."""
        self._first_part = posting, is_new

    async def is_withdrawn(self) -> bool:
        """Whether the question was withdrawn by the time when the reply stood."""
        if self._is_withdrawn is None:
            self._is_withdrawn, _ = await self._speech.store.conversations.fate(self._turn_id)
        return self._is_withdrawn

    async def finish(self, reply: Reply) -> int:
        """Show the whole reply, its controls under the last part; how many messages it takes.

        Where somebody presses stop before the last words are shown, the reply ends, and is kept, as far as it stands there.
        Raises what Slack raises: the work is then done again.
        """
        parts = split(outgoing(reply.standing_text, self._speech.domains), PART_LIMIT)
        for number, part in enumerate(parts):
            last = reply if number == len(parts) - 1 else None
            if number == 0 and self._way is Way.STREAM and not self._is_stopped:
                if await self._ended_with(part, last):
                    continue
                if self._is_stopped and self._sent != part:
                    return await self.finish(await self._speech.store.conversations.cut_reply(reply.id, self._said))
            is_cut = self._is_stopped and reply.source is not ReplySource.NOTICE
            await self._show_part(number, reply_part(part, last, is_stopped=is_cut))
        return len(parts)

    async def put(self, shown: Shown) -> None:
        """Show this and nothing else: in place of what was begun, or as the reply's message."""
        await self._show_part(0, shown)

    async def withdraw(self) -> None:
        """Nobody is to read the reply: what an attempt has shown of it goes."""
        place, store = self._thread.place, self._speech.store
        for posting in await store.postings.of(PostingKind.REPLY, self._turn_id):
            if posting.platform != PLATFORM or posting.removed_at is not None:
                continue
            ts = posting.message_key or await self._found(self._subject(posting.part), posting)
            if ts is not None:
                await remove(self._speech.client, Message(place.channel, ts))
            await store.postings.removed(posting.id, at=self._speech.now())

    async def _ended_with(self, part: str, reply: Reply | None) -> bool:
        """End the stream with the rest of the text; False where the message has to be put right as a whole."""
        assert self._message is not None
        if not part.startswith(self._sent):
            await self._stop_stream("")
            return False
        return await self._stop_stream(part[len(self._sent) :], reply)

    async def _stop_stream(self, rest: str, reply: Reply | None = None) -> bool:
        assert self._message is not None
        more: dict[str, Any] = {"markdown_text": rest} if rest else {}
        if reply is not None:
            more["blocks"] = controls(reply)
        try:
            await self._speech.client.chat_stopStream(
                channel=self._message.channel,
                ts=self._message.ts,
                metadata=metadata(self._turn_id),
                **more,
            )
        except UNREACHABLE as error:  # Slack closes streams by itself after about five minutes
            log.info("the stream in %s could not be ended (%s): editing instead", self._message.channel, reason(error))
            self._fall_back(error)
            return False
        return True

    def _fall_back(self, error: BaseException) -> None:
        """The stream takes no more: somebody stopped it, or the message has to be edited from now on."""
        self._is_stopped = self._is_stopped or reason(error) == STOPPED_BY_USER
        self._way = Way.EDIT

    async def _show_part(self, number: int, shown: Shown) -> None:
        posting, is_new = (number == 0 and self._first_part) or await self._intended(number)
        self._is_withdrawn = None
        place, client = self._thread.place, self._speech.client
        subject = self._subject(number)
        ts = posting.message_key
        if ts is None and not is_new:  # intended by a process that died: it may have been sent
            ts = await self._found(subject, posting)
        if ts is None:
            ts = await self._sent_once(posting, shown)
        elif not await put_right(client, Message(place.channel, ts), shown, subject=subject):
            await self._speech.store.postings.removed(posting.id, at=self._speech.now())
        if posting.message_key is None:
            self._is_withdrawn = await self._speech.store.postings.landed_in_turn(posting.id, ts, self._turn_id)

    async def _sent_once(self, posting: Posting, shown: Shown) -> str:
        """Post a part, and where the answer is lost look for it before posting it again; its ts."""
        place, client, subject = self._thread.place, self._speech.client, self._subject(posting.part)
        try:
            return (await post(client, place.channel, shown, thread_ts=place.thread_ts, subject=subject)).ts
        except UNREACHABLE as error:
            if is_refused(error):
                raise
            log.warning("a message in %s may have been sent (%s)", place.channel, reason(error))
        await asyncio.sleep(LOST_ANSWER_S)
        found = await self._found(subject, posting)
        return found or (await post(client, place.channel, shown, thread_ts=place.thread_ts, subject=subject)).ts

    def _subject(self, number: int) -> str:
        return f"{self._turn_id}/{number}" if number else self._turn_id

    async def _intended(self, number: int) -> tuple[Posting, bool]:
        place, store = self._thread.place, self._speech.store
        return await store.postings.intend(
            PLATFORM, PostingKind.REPLY, self._turn_id, number, place.channel_key, at=self._speech.now()
        )

    async def _found(self, subject: str, posting: Posting) -> str | None:
        """The message that was sent for a posting whose id never came back, if there is one."""
        place, store = self._thread.place, self._speech.store
        try:
            answer = await self._speech.client.conversations_replies(
                channel=place.channel, ts=place.thread_ts, oldest=place.ts, limit=15, include_all_metadata=True
            )
        except UNREACHABLE as error:
            if reason(error) in GONE:  # the thread is gone with all that stood in it
                return None
            raise
        messages: list[dict[str, Any]] = answer.get("messages") or []
        ours = [m for m in messages if m.get("user") == self._speech.bot_user and str(m["ts"]) > place.ts]
        for message in ours:
            if subject_of(message) == subject:
                return str(message["ts"])
        # A stream carries no metadata before it ends: take one of ours that stands for nothing else.
        for message in ours:
            if not message.get("metadata") and posting.part == 0:
                known = await store.postings.at(PLATFORM, place.channel_key, str(message["ts"]))
                if known is None:
                    return str(message["ts"])
        return None
