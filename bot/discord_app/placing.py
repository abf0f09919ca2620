"""Which conversation a message belongs to: its thread, its direct messages, what it answers, or one that begins with it."""

from dataclasses import replace

import discord

from bot.discord_app.outgoing import understood
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Said
from storage.conversations import Situation
from storage.records import PostingKind


async def placed(parts: Parts, said: Said) -> tuple[Said, Situation]:
    """The message with its conversation, and what is known of both. Raises CannotSpeak where its channel is gone."""
    said = await located(parts, said)
    key = said.place.room_key if said.is_thread or said.place.is_direct else said.place.own_conversation
    found = await _situation(parts, said, key)
    if found.conversation is None and (other := await _elsewhere(parts, said)):
        key, found = other, await _situation(parts, said, other)
    return replace(said, conversation=key), found


async def _situation(parts: Parts, said: Said, conversation_key: str) -> Situation:
    return await parts.store.conversations.situation(
        PLATFORM, speaker=said.by.id, conversation=conversation_key, place=said.place.channel_key
    )


async def located(parts: Parts, said: Said) -> Said:
    """The message with its thread's channel, asked of Discord where discord.py had forgotten the thread."""
    if not said.is_lost or said.place.is_direct:
        return said
    channel = await understood(lambda: parts.client.fetch_channel(int(said.place.channel)))
    if not isinstance(channel, discord.Thread):
        return replace(said, is_lost=False)
    return replace(said, is_lost=False, is_thread=True, place=replace(said.place, parent=str(channel.parent_id)))


async def conversation_of(parts: Parts, said: Said) -> str:
    """Our name of the conversation: the thread, the direct messages, or what is answered; a new one is named by its message."""
    return (await placed(parts, said))[0].conversation


async def _elsewhere(parts: Parts, said: Said) -> str:
    """The conversation of ours that a message goes on with by answering, or in a thread on a reply of ours; "" for none."""
    place, store = said.place, parts.store
    turn = None
    if said.is_thread:
        opened_on = await store.postings.at(PLATFORM, place.channel_key, place.channel)
    elif said.reply_to and not place.is_direct:
        opened_on = await store.postings.at(PLATFORM, place.room_key, said.reply_to)
        turn = await store.conversations.find_turn(PLATFORM, f"{place.room_key}/{said.reply_to}")
    else:
        return ""
    if turn is None and opened_on is not None and opened_on.kind is PostingKind.REPLY:
        turn = await store.conversations.turn(opened_on.subject)
    return "" if turn is None else (await store.conversations.get(turn.conversation_id)).external_id
