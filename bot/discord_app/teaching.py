"""A person's answer on Discord, to learn from: which conversation it stands in, and what was asked before it."""

import discord

from bot import moderation
from bot.discord_app.markup import plain
from bot.discord_app.messages import names_of
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Said as Message
from bot.discord_app.placing import conversation_of, located
from bot.office import verbs
from bot.office.verbs import HumanAnswer, Said
from storage.records import Actor, Right, Turn

UNREAD = "I could not read that message, so I did not learn from it."


async def teach(parts: Parts, teacher: Actor, message: Message) -> Said:
    """Let a person's message be what the bot's reply before it should have been. Raises NotAllowed, TextRefused."""
    moderation.require(teacher, Right.MODERATOR, "teach from a thread")
    text = plain(message.text, parts.me, names_of(parts, message.mentioned))
    if not text:
        return Said(UNREAD)
    return await verbs.teach(parts, teacher, await answer_at(parts, message), text)


async def answer_at(parts: Parts, message: Message) -> HumanAnswer:
    """The message as an answer; a thread's channel is asked of Discord where discord.py had forgotten the thread."""
    message = await located(parts, message)
    place = message.place

    def is_after(turn: Turn) -> bool:
        """Snowflakes sort by time in all of Discord, also between a channel and the threads in it."""
        return int(turn.key.split("/")[2]) < int(place.message)

    return HumanAnswer(await conversation_of(parts, message), place.key, place.channel_key, is_after)


async def channel_key_of(parts: Parts, room_key: str) -> str:
    """Our name of the channel whose rules hold in a room: of a thread, the channel it hangs in."""
    guild, room = room_key.split("/")
    channel = parts.client.get_channel(int(room)) or await parts.client.fetch_channel(int(room))
    return f"{guild}/{channel.parent_id}" if isinstance(channel, discord.Thread) else room_key
