"""Questions that were edited or deleted while nobody listened: the newest are read again when a session with Discord begins.

One request for each, of the few that were answered lately; those that wait for an answer are read before it is given.
"""

import logging
from collections.abc import Sequence

import discord

from bot.discord_app.changes import was_deleted, was_edited
from bot.discord_app.context import own_words
from bot.discord_app.interactions import Feature
from bot.discord_app.markup import plain
from bot.discord_app.missed_signs import LONGEST, MOST_ANSWERS
from bot.discord_app.outgoing import UNREACHABLE, CannotSpeak, reason
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Changed, person_of, place_of
from bot.discord_app.rereading import question_at
from bot.text import clean
from storage.errors import DatabaseUnavailable
from storage.records import PostingKind, Turn

log = logging.getLogger(__name__)


async def begin(parts: Parts) -> None:
    """Follow what was missed; what cannot be read is left alone."""
    try:
        standing = await parts.store.postings.standing(PLATFORM, PostingKind.REPLY, MOST_ANSWERS)
        since = parts.now() - LONGEST
        for turn_id in dict.fromkeys(posting.subject for posting in standing if posting.created_at >= since):
            await _followed(parts, await parts.store.conversations.turn(turn_id))
    except DatabaseUnavailable as error:
        log.error("edits and deletions of a gap are not followed: %s", error)


async def _followed(parts: Parts, turn: Turn) -> None:
    place = place_of(turn.key)
    if turn.withdrawn_at is not None or not parts.can_see(place.guild):
        return
    try:
        messages = await question_at(parts, place)
    except (CannotSpeak, *UNREACHABLE) as error:
        log.info("questions in %s are not read (%s)", place.room_key, reason(error))
        return
    if not messages:
        log.warning("turn %s was deleted in a gap", turn.id)
        await was_deleted(parts, place)
    elif not _says(parts, messages, turn):
        log.warning("turn %s was edited in a gap", turn.id)
        mentioned = tuple(person_of(user, place.guild) for message in messages for user in message.mentions)
        await was_edited(parts, Changed(place, _text(messages), mentioned))


def _text(messages: Sequence[discord.Message]) -> str:
    return "\n".join(message.content for message in messages if message.content)


def _says(parts: Parts, messages: Sequence[discord.Message], turn: Turn) -> bool:
    """Whether these are the words of the question, whoever is named in them: Discord tells no roles of those here."""
    text = clean(plain(_text(messages), parts.me, {}))
    return not text or text == own_words(turn.question).replace("@teammate", "@customer")


FEATURE = Feature(begins=begin)
