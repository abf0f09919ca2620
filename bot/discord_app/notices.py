"""Short sentences of ours that answer no question: what cannot be read, who has to wait. One a minute for each person."""

import hashlib
import logging

import discord

from bot.discord_app.outgoing import UNREACHABLE, CannotSpeak, Shown, reason, send
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Said

log = logging.getLogger(__name__)

ONLY_TEXT = "I can only read text. Please write your question in words."
NOT_READ = "-# I can only read text, so I have not looked at the attached file."
MANY_NOT_READ = "-# I can only read text, so I have not looked at the attached files."
DIRECT_OFF = "I do not answer in direct messages. Please ask me in a channel of the server."
MENTION_ME = "I can only read messages here that mention me. Please mention me and write it again."
APOLOGY = "Sorry, that did not work. A person from the team will have a look."


async def notice(parts: Parts, said: Said, sentence: str) -> None:
    """Say it under a message, unless its author was told something within the last minute. What cannot be said is logged."""
    if not parts.rates.is_allowed(f"notice/{said.by.id}", 1):
        return
    place = said.place
    answers = None
    if not place.is_direct:
        answers = discord.MessageReference(
            message_id=int(place.message), channel_id=int(place.channel), fail_if_not_exists=False
        )
    try:
        await send(parts.room(place.room_key), Shown(sentence), nonce=_nonce(place.key), answers=answers)
    except (CannotSpeak, *UNREACHABLE) as error:
        log.warning("could not say in %s why there is no answer (%s)", place.room_key, reason(error))


def _nonce(key: str) -> str:
    """The same when a message is worked on again."""
    return str(int.from_bytes(hashlib.sha256(f"notice/{key}".encode()).digest()[:8], "big"))
