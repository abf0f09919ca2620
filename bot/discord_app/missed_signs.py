"""Reactions that came or went while nobody listened: read from the newest answers when a session with Discord begins.

Only judgements are taken up, and only from people who have not judged that answer since: Discord does not say in which order
things came. Only what was judged by a reaction is taken back with it. A pencil, a bin or a mortarboard of yesterday is nothing to
act on by surprise. An answer that is gone was deleted by a moderator.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from datetime import timedelta

import discord

from bot.discord_app.changes import thread_was_deleted, was_deleted
from bot.discord_app.interactions import Feature
from bot.discord_app.outgoing import GONE, UNKNOWN_CHANNEL, UNREACHABLE, CannotSpeak, patiently, reason, understood
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Person, Place
from bot.discord_app.signs import HEARD, JUDGEMENTS, heard, sign_of, signed
from bot.office.verbs import Sign
from storage.errors import DatabaseUnavailable
from storage.records import Posting, PostingKind

log = logging.getLogger(__name__)

MOST_ANSWERS = 50  # messages of ours that are read at one beginning, the newest
MOST_PEOPLE = 100  # under one reaction
FORGET_EVERY_S = 3_600.0
LONGEST = timedelta(hours=24)  # an older answer is not read again


async def begin(parts: Parts) -> None:
    """Take up what was missed; what cannot be read is left alone."""
    try:
        standing = await parts.store.postings.standing(PLATFORM, PostingKind.REPLY, MOST_ANSWERS)
        since = parts.now() - LONGEST
        found = 0
        for posting in standing:
            if posting.created_at >= since:
                found += await _taken_up(parts, posting)
    except DatabaseUnavailable as error:
        log.error("reactions of a gap are not taken up: %s", error)
        return
    if found:
        log.warning("%s reactions of a gap are taken up", found)


async def serve(parts: Parts, stop: asyncio.Event) -> None:
    """Forget signs that are too old to be looked for, until `stop` is set."""
    while not stop.is_set():
        try:
            await parts.store.channels.forget_listened(PLATFORM, HEARD, before=parts.now() - LONGEST)
        except DatabaseUnavailable as error:
            log.warning("old signs are forgotten later: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), FORGET_EVERY_S)


async def _taken_up(parts: Parts, posting: Posting) -> int:
    """How many judgements of this message were made, or taken back, unheard."""
    room, found = parts.room(posting.place), 0
    guild, channel = posting.place.split("/")
    place = Place(guild, channel, posting.message_key or "")
    try:
        message = await understood(lambda: patiently(lambda: room.fetch_message(int(place.message))))
        standing = [(sign, str(user.id)) async for sign, user in _signs_under(parts, message) if not user.bot]
        for sign, user in standing:
            if not await _has_judged(parts, posting, user):
                await signed(parts, Person(user, "", (), guild), place, sign)
                found += 1
        if all(reaction.count <= MOST_PEOPLE for reaction in message.reactions):
            found += await _taken_back(parts, place, standing)
    except CannotSpeak as refused:
        if refused.code not in GONE or not parts.can_see(guild):
            log.info("reactions in %s are not read (code %s)", posting.place, refused.code)
        elif refused.code == UNKNOWN_CHANNEL:
            await thread_was_deleted(parts, guild, channel)
        else:
            await was_deleted(parts, place)
    except UNREACHABLE as error:
        log.info("reactions in %s are not read (%s)", posting.place, reason(error))
    return found


async def _taken_back(parts: Parts, place: Place, standing: Collection[tuple[Sign, str]]) -> int:
    """How many signs that were heard under this message are not there any more."""
    gone = [one for one in await heard(parts, place) if one not in standing]
    for sign, user in gone:
        await signed(parts, Person(user, "", (), place.guild), place, sign, is_added=False)
    return len(gone)


async def _signs_under(
    parts: Parts, message: discord.Message
) -> AsyncIterator[tuple[Sign, discord.User | discord.Member]]:
    for reaction in message.reactions:
        emoji = reaction.emoji
        sign = sign_of(emoji if isinstance(emoji, str) else f"{emoji.name}:{emoji.id}", parts.rules.signs)
        if sign is not None and sign in JUDGEMENTS:
            async for user in reaction.users(limit=MOST_PEOPLE):
                yield sign, user


async def _has_judged(parts: Parts, posting: Posting, user: str) -> bool:
    known = await parts.store.people.find(PLATFORM, user)
    reply = await parts.store.conversations.reply_to(posting.subject)
    if known is None or reply is None:
        return reply is None
    return any(given.actor_id == known.id for given in await parts.store.feedback.for_reply(reply.id))


FEATURE = Feature(begins=begin, serves=serve)
