"""A person is asked for: said where people wait, with one ring of one role, once in each conversation."""

import discord

from bot import moderation
from bot.discord_app.interactions import Asked
from bot.discord_app.outgoing import NOBODY, CannotSpeak, Shown, nonce_of, ours_after, send
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Place
from bot.discord_app.quiet import is_asked_for
from bot.office import verbs
from bot.office.verbs import Said
from storage.records import Actor, PostingKind

ASKED = "A person from the team was asked to have a look here. Until they are done, I stay silent."


async def ask(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The button: silence from here on, and somebody is rung."""
    conversations = parts.store.conversations
    if asked.about.startswith("turn_"):  # under an apology, which is no reply
        conversation_id = (await conversations.turn(asked.about)).conversation_id
        outcome = await moderation.ask_for_person(parts.store, actor, conversation_id, now=parts.now())
        parts.wake_board()
        said = Said(outcome.said)
    else:
        reply = await conversations.reply(asked.about)
        conversation_id, said = reply.conversation_id, await verbs.ask_for_person(parts, actor, reply)
    await is_asked_for(parts, conversation_id)
    await ring(parts, conversation_id, asked.place, is_first_try=asked.is_first_try)
    return said


async def ring(parts: Parts, conversation_id: str, place: Place, *, is_first_try: bool) -> bool:
    """Say it under the message at `place`, and name the escalation role; whether it was said now. A conversation hears it once.

    This is the only message of ours that may ring anybody, and it names exactly the role that it may ring.
    """
    store = parts.store
    role = "" if place.is_direct else parts.rules.escalation_role  # in private there is nobody to ring
    posting, is_new = await store.postings.intend(
        PLATFORM, PostingKind.NOTICE, conversation_id, 0, place.room_key, at=parts.now()
    )
    if posting.message_key is not None or not (is_new or not is_first_try):
        return False  # it stands, or somebody who pressed at the same time is at it
    text = f"<@&{role}> {ASKED}" if role else ASKED
    try:
        key = "" if is_new else await _said_before(parts, place, text)
        key = key or str((await _say(parts, place, text, role, nonce_of(posting))).id)
    except CannotSpeak:
        await store.postings.dropped(posting.id)  # the triage card tells the team; here nothing can be said
        return False
    await store.postings.landed(posting.id, key)
    return True


async def _say(parts: Parts, place: Place, text: str, role: str, nonce: str) -> discord.Message:
    allowed = NOBODY
    if role:
        roles = [discord.Object(int(role))]
        allowed = discord.AllowedMentions(everyone=False, users=False, roles=roles, replied_user=False)
    answers = discord.MessageReference(
        message_id=int(place.message), channel_id=int(place.channel), fail_if_not_exists=False
    )
    room = parts.room(place.room_key)
    return await send(room, Shown(text), nonce=nonce, answers=answers, allowed_mentions=allowed)


async def _said_before(parts: Parts, place: Place, text: str) -> str:
    """The id of the message that an attempt which died has sent; "" where there is none."""
    said = await ours_after(parts.room(place.room_key), int(parts.me), int(place.message))
    return next((str(message.id) for message in said if message.content == text), "")
