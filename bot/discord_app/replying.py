"""One reply on its way: its thread, its parts, its buttons. Done again after a crash, it finds what stands and finishes it.

A reply comes whole unless a setting lets it grow by edits. Each message is recorded before it is sent and its id after; a
process that takes the work over looks for a message that was sent and not recorded, and Discord's nonce guards what looking
cannot see.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import discord

from bot.discord_app.context import own_words
from bot.discord_app.markup import outgoing, settled, thread_name
from bot.discord_app.outgoing import (
    FORBIDDEN,
    GONE,
    THREAD_EXISTS,
    TOO_OLD_TO_EDIT,
    UNREACHABLE,
    CannotSpeak,
    Shown,
    change,
    nonce_of,
    ours_after,
    patiently,
    reason,
    remove,
    room_at,
    send,
    understood,
)
from bot.discord_app.payloads import Place
from bot.discord_app.shaping import PART_LIMIT, footer_of, messages_of
from storage.records import Posting, PostingKind, Reply
from storage.store import Store

log = logging.getLogger(__name__)

PLATFORM = "discord"
STREAM_AFTER_S = 1.5  # after the first words; a short reply is whole by then
EDIT_EVERY_S = 2.0  # edits share the channel's limit with messages
EDIT_FROM = 80  # characters more than what is shown
GROWING = " …"
ARCHIVED_AFTER = 1_440  # minutes without a message, after which Discord puts a thread away


@dataclass(frozen=True, slots=True)
class Speech:
    """What showing a reply needs beside its place."""

    client: discord.Client
    store: Store
    domains: Collection[str]  # that links may lead to
    is_streaming: bool
    removing: set[str]  # ids of messages that we are taking away ourselves
    now: Callable[[], datetime]
    footer: str = ""  # says under each answer that it is a model's; "": nothing does

    @property
    def me(self) -> int:
        """The bot's own user id."""
        return self.client.user.id if self.client.user is not None else 0


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a reply goes: under the question's place, or in a thread that is opened on it and named after it."""

    place: Place
    question: str
    opens_thread: bool
    note: str = ""  # a line of ours under the reply


class PostedReply:
    """Shows one reply. Call `show` while it grows, and `finish` once."""

    def __init__(self, speech: Speech, spot: Spot, turn_id: str) -> None:
        self._speech = speech
        self._spot = spot
        self._turn_id = turn_id
        self._loop = asyncio.get_running_loop()
        self._room: discord.PartialMessageable | None = None
        self._first_part: tuple[Posting, bool] | None = None  # where it was intended when the reply was saved
        self._is_withdrawn: bool | None = None  # as it was when the last message landed, if that was just now
        self._stream: discord.PartialMessage | None = None
        self._is_whole_only = not speech.is_streaming
        self._shown = ""
        self._first_at = 0.0
        self._last_at = 0.0

    # ------------------------------------------------------------ while it grows

    async def show(self, text: str) -> None:
        """The whole text so far. Never raises for what Discord refuses: the reply then comes whole."""
        if self._is_whole_only:
            return
        now = self._loop.time()
        self._first_at = self._first_at or now
        safe = outgoing(settled(text), self._speech.domains)
        if now - self._first_at < STREAM_AFTER_S or now - self._last_at < EDIT_EVERY_S:
            return
        if len(safe) > PART_LIMIT or len(safe) - len(self._shown) < EDIT_FROM:
            return
        try:
            await self._grow(safe)
        except (CannotSpeak, *UNREACHABLE) as error:
            log.info("a reply in %s comes whole (%s)", self._spot.place.room_key, reason(error))
            self._is_whole_only = True

    async def _grow(self, safe: str) -> None:
        if self._stream is None:
            room = await self._opened()
            posting, is_new = await self._intended(0)
            if not is_new:  # a message of an earlier attempt may stand; it is put right once, at the end
                self._is_whole_only = True
                return
            message = await send(room, Shown(safe + GROWING), nonce=nonce_of(posting), answers=self._reference(room))
            self._stream = room.get_partial_message(message.id)
            await self._speech.store.postings.landed(posting.id, str(message.id), place=self._room_key(room))
        else:
            await change(self._stream, Shown(safe + GROWING))
        self._shown, self._last_at = safe, self._loop.time()

    # ------------------------------------------------------------ at the end

    @property
    def room_ahead(self) -> str:
        """Where the reply will most likely stand: in the thread that is opened for it, if that can be."""
        place = self._spot.place
        return place.own_conversation if self._spot.opens_thread else place.room_key

    def intended(self, posting: Posting, is_new: bool) -> None:
        """The reply's first message was intended when the reply was saved, or before (`is_new` False)."""
        self._first_part = posting, is_new

    async def is_withdrawn(self) -> bool:
        """Whether the question was withdrawn by the time when the reply stood."""
        if self._is_withdrawn is None:
            self._is_withdrawn, _ = await self._speech.store.conversations.fate(self._turn_id)
        return self._is_withdrawn

    async def finish(self, reply: Reply) -> int:
        """Show the whole reply; how many messages it takes. Raises CannotSpeak, and what Discord raises: it is done again."""
        text = outgoing(reply.standing_text, self._speech.domains)
        note = "\n".join(filter(None, (self._spot.note, footer_of(reply, self._speech.footer))))
        shown = messages_of(text, reply, note)
        try:
            await self._show_all(shown)
        except CannotSpeak as refused:
            if shown[0].file is None or refused.code not in FORBIDDEN:
                raise
            shown = messages_of(text, reply, note, as_file=False)  # files are what is not allowed
            await self._show_all(shown)
        return len(shown)

    async def put(self, shown: Shown) -> None:
        """Show this and nothing else, in place of what was begun."""
        await self._show_all([shown])

    async def withdraw(self) -> None:
        """Nobody is to read the reply: what stands of it goes."""
        for posting in await self._standing():
            await self._take_away(posting)

    async def _show_all(self, shown: list[Shown]) -> None:
        is_new = self._first_part is not None and self._first_part[1]
        before = [] if is_new else await self._standing()
        landed = next((posting for posting in before if posting.message_key is not None), None)
        if landed is not None:  # a part stands: the others belong there too
            self._room = room_at(self._speech.client, landed.place)
        room = await self._opened()
        for number, part in enumerate(shown):
            await self._show_part(room, number, part)
        for posting in before:
            if posting.part >= len(shown):
                await self._take_away(posting)

    async def _show_part(self, room: discord.PartialMessageable, number: int, shown: Shown) -> None:
        posting, is_new = (number == 0 and self._first_part) or await self._intended(number)
        self._is_withdrawn = None
        if posting.removed_at is not None:
            return  # somebody took it away: it stays away
        if posting.message_key is not None:
            await self._put_right(posting, shown)
            return
        found = None if is_new else await self._found(room, posting, shown)
        if found is not None:
            await change(room.get_partial_message(found), shown)
        key = found or (await self._posted(room, posting, shown)).id
        postings, room_key = self._speech.store.postings, self._room_key(room)
        if posting.place == room_key:
            self._is_withdrawn = await postings.landed_in_turn(posting.id, str(key), self._turn_id)
        else:  # there was no thread to be had
            await postings.landed(posting.id, str(key), place=room_key)

    async def _put_right(self, posting: Posting, shown: Shown) -> None:
        """Change a message that stands; where Discord lets it be changed no more, another one follows it."""
        room = room_at(self._speech.client, posting.place)
        try:
            await change(room.get_partial_message(int(posting.message_key or 0)), shown)
        except CannotSpeak as refused:
            if refused.code not in GONE:
                raise
            await self._speech.store.postings.removed(posting.id, at=self._speech.now())
        except discord.HTTPException as error:
            if error.code != TOO_OLD_TO_EDIT:
                raise
            message = await send(room, shown, answers=self._reference(room))
            await self._speech.store.postings.landed(posting.id, str(message.id))

    async def _posted(self, room: discord.PartialMessageable, posting: Posting, shown: Shown) -> discord.Message:
        answers = self._reference(room) if posting.part == 0 else None
        return await send(room, shown, nonce=nonce_of(posting), answers=answers)

    async def _found(self, room: discord.PartialMessageable, posting: Posting, shown: Shown) -> int | None:
        """The message that was sent for a posting whose id never came back, if there is one: ours, and nothing else's."""
        ours = await ours_after(room, self._speech.me, int(self._spot.place.message))
        for message in [one for one in ours if self._is_it(one.content, posting, shown)]:
            if await self._speech.store.postings.at(PLATFORM, self._room_key(room), str(message.id)) is None:
                return message.id
        return None

    def _is_it(self, content: str, posting: Posting, shown: Shown) -> bool:
        if content == shown.text:
            return True
        begun = content.removesuffix(GROWING)
        return posting.part == 0 and content.endswith(GROWING) and shown.text.startswith(begun)

    # ------------------------------------------------------------ where

    async def _opened(self) -> discord.PartialMessageable:
        """The room the reply goes to; the thread on the question is opened the first time. Raises CannotSpeak."""
        if self._room is None:
            place, client = self._spot.place, self._speech.client
            self._room = room_at(client, place.room_key)
            if self._spot.opens_thread and await self._is_thread_there(self._room):
                self._room = room_at(client, f"{place.guild}/{place.message}")
        return self._room

    async def _is_thread_there(self, channel: discord.PartialMessageable) -> bool:
        """Whether there is a thread on the question, opened now or before; False where none can be had."""
        place = self._spot.place
        question = channel.get_partial_message(int(place.message))

        async def open_it() -> discord.Thread:
            name = thread_name(own_words(self._spot.question))
            return await question.create_thread(name=name, auto_archive_duration=ARCHIVED_AFTER)

        try:
            await understood(lambda: patiently(open_it))
        except CannotSpeak as refused:
            if refused.code not in FORBIDDEN:
                raise
            log.info("no thread in %s (%s): answering in the channel", place.room_key, refused.code)
            return False
        except discord.HTTPException as error:
            if error.code == THREAD_EXISTS:
                return True
            if error.status >= 500:
                raise
            log.info("no thread in %s (%s): answering in the channel", place.room_key, reason(error))
            return False
        return True

    def _reference(self, room: discord.PartialMessageable) -> discord.MessageReference | None:
        """The question, for an answer beside it; none where the thread says it, nor in private."""
        place = self._spot.place
        if place.is_direct or room.id != int(place.channel):
            return None
        return discord.MessageReference(
            message_id=int(place.message), channel_id=room.id, guild_id=int(place.guild), fail_if_not_exists=False
        )

    def _room_key(self, room: discord.PartialMessageable) -> str:
        return f"{self._spot.place.guild}/{room.id}"

    async def _intended(self, number: int) -> tuple[Posting, bool]:
        room = await self._opened()
        return await self._speech.store.postings.intend(
            PLATFORM, PostingKind.REPLY, self._turn_id, number, self._room_key(room), at=self._speech.now()
        )

    async def _standing(self) -> list[Posting]:
        postings = await self._speech.store.postings.of(PostingKind.REPLY, self._turn_id)
        return [posting for posting in postings if posting.platform == PLATFORM and posting.removed_at is None]

    async def _take_away(self, posting: Posting) -> None:
        if posting.message_key is not None:
            await take_away(self._speech.client, posting, self._speech.removing)
        await self._speech.store.postings.removed(posting.id, at=self._speech.now())


async def take_away(client: discord.Client, posting: Posting, removing: set[str]) -> None:
    """Delete a message of ours; `removing` tells whoever hears of the deletion that it was us."""
    assert posting.message_key is not None  # the caller has a message that stands
    removing.add(posting.message_key)
    room = room_at(client, posting.place)
    await remove(room.get_partial_message(int(posting.message_key)))
