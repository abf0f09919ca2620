"""Drafts on Discord: the buttons of a draft's card, and where a question in a draft-only channel goes."""

from discord import ui

from bot.discord_app.correcting import draft_in, form_for
from bot.discord_app.interactions import Asked
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Said as Message
from bot.discord_app.surface import DraftTable
from bot.language import in_language
from bot.office import drafts
from bot.office.verbs import Said
from storage.records import Actor, PostingKind, Turn


async def offer(parts: Parts, turn: Turn, message: Message, is_again: bool) -> str:
    """Answer a question without sending the answer, and put it before the moderators."""
    _, rules = await parts.channel(message.place.channel_key)
    place = await parts.surface.place_of(PostingKind.DRAFT)
    desk = in_language(parts.desk, rules.language)
    return await drafts.offer(parts, DraftTable(parts), desk, turn, place, takes_over=is_again)


async def send(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """Send it as it stands."""
    return await drafts.send(parts, DraftTable(parts), actor, asked.about, is_first_try=asked.is_first_try)


async def drop(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """Send nothing."""
    return await drafts.drop(parts, DraftTable(parts), actor, asked.about, is_first_try=asked.is_first_try)


async def open_edit(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Said:
    """Ask for the words to send."""
    return await form_for(parts, actor, await parts.store.conversations.reply(asked.about), is_draft=True)


async def edited(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """Send a moderator's words."""
    draft, first = await draft_in(parts, asked), asked.is_first_try
    return await drafts.edit_and_send(parts, DraftTable(parts), actor, asked.about, draft, is_first_try=first)
