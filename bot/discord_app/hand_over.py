"""A person is asked for: said where people wait, with one ring of one role, once in each conversation."""

import discord

from bot import moderation
from bot.discord_app.interactions import Asked
from bot.discord_app.outgoing import NOBODY, CannotSpeak, Shown, nonce_of, send
from bot.discord_app.parts import PLATFORM, Parts
from bot.office.verbs import Said
from storage.records import Actor, PostingKind

ASKED = "A person from the team was asked to have a look here. Until they are done, I stay silent."


async def ask(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The button: silence from here on, and somebody is rung."""
    conversations = parts.store.conversations
    if asked.about.startswith("turn_"):  # under an apology, which is no reply
        conversation_id = (await conversations.turn(asked.about)).conversation_id
    else:
        conversation_id = (await conversations.reply(asked.about)).conversation_id
    outcome = await moderation.ask_for_person(parts.store, actor, conversation_id, now=parts.now())
    parts.wake_board()
    await ring(parts, conversation_id, asked.place.guild, asked.place.channel, asked.place.message)
    return Said(outcome.said)


async def ring(parts: Parts, conversation_id: str, guild: str, channel: str, message: str) -> bool:
    """Say it in the conversation, and name the escalation role; whether it was said now. The conversation hears it once.

    This is the only message of ours that may ring anybody, and it names exactly the role that it may ring.
    """
    posting, _ = await parts.store.postings.intend(
        PLATFORM, PostingKind.NOTICE, conversation_id, 0, f"{guild}/{channel}", at=parts.now()
    )
    if posting.message_key is not None:
        return False
    role = parts.rules.escalation_role
    allowed = NOBODY
    if role:
        allowed = discord.AllowedMentions(
            everyone=False, users=False, roles=[discord.Object(int(role))], replied_user=False
        )
    text = f"<@&{role}> {ASKED}" if role else ASKED
    answers = discord.MessageReference(message_id=int(message), channel_id=int(channel), fail_if_not_exists=False)
    try:
        said = await send(
            parts.room(f"{guild}/{channel}"),
            Shown(text),
            nonce=nonce_of(posting),
            answers=answers,
            allowed_mentions=allowed,
        )
    except CannotSpeak:
        await parts.store.postings.dropped(posting.id)  # the triage card tells the team; here nothing can be said
        return False
    await parts.store.postings.landed(posting.id, str(said.id))
    return True
