"""Questions as they stand on Discord now, for whoever may have missed that they were edited or deleted."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import discord

from bot.discord_app.outgoing import GONE, UNREACHABLE, CannotSpeak, patiently, reason, understood
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Place, Said, person_of

log = logging.getLogger(__name__)

PART_OF = "part of "  # and the question's key: the outcome of a message that goes on with another
LOOKED_THROUGH = 25  # messages after a question, for those that go on with it


async def as_it_is_now(parts: Parts, said: Said) -> Said | None:
    """A message that was kept a while ago, with the words it has now; None where it is deleted, or its thread is.

    One that cannot be read is as it was.
    """
    room = parts.room(said.place.room_key)
    try:
        message = await understood(lambda: patiently(lambda: room.fetch_message(int(said.place.message))))
    except CannotSpeak as refused:
        return None if refused.code in GONE and parts.can_see(said.place.guild) else said
    except UNREACHABLE as error:
        log.warning("whether %s was changed is not known (%s)", said.place.key, reason(error))
        return said
    if message.edited_at is None or not message.content:
        return said
    known = {person.id: person for person in said.mentioned}
    named = [known.get(str(user.id)) or person_of(user, said.place.guild) for user in message.mentions]
    return replace(said, text=message.content, mentioned=tuple(one for one in named if one.id != parts.me))


async def question_at(parts: Parts, place: Place) -> Sequence[discord.Message]:
    """The messages that are this question, oldest first; none where it is deleted. Raises CannotSpeak, UNREACHABLE."""
    room, first = parts.room(place.room_key), int(place.message)

    async def read() -> list[discord.Message]:
        after = discord.Object(first - 1)
        return [message async for message in room.history(after=after, limit=LOOKED_THROUGH, oldest_first=True)]

    found = await understood(lambda: patiently(read))
    if not found or found[0].id != first:
        return []
    begun, *later = found
    return [begun, *[one for one in later if one.author.id == begun.author.id and await _goes_on(parts, place, one)]]


async def _goes_on(parts: Parts, place: Place, message: discord.Message) -> bool:
    key = replace(place, message=str(message.id)).key
    return await parts.store.inbox.outcome(PLATFORM, key) == f"{PART_OF}{place.key}"
