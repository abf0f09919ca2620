"""Correcting a reply: the form that asks for the better words, and what becomes of it. The same from a button and from a menu."""

from discord import ui

from bot import moderation
from bot.discord_app.interactions import Asked
from bot.discord_app.modals import (
    DAY,
    NOTE,
    May,
    TooLongForAForm,
    correction_form,
    draft_of,
    edit_form,
    expiry_form,
    rejection_form,
    text_of,
)
from bot.discord_app.parts import Parts
from bot.discord_app.teaching import channel_key_of
from bot.office import verbs
from bot.office.verbs import Said
from storage.records import Actor, CorrectionState, Reply, Right

TOO_LONG = (
    "This text is longer than a form of Discord's takes. Write the better answer as a message in its thread, open that "
    "message's menu and choose “Teach from this”; or correct it in the console."
)


async def may(parts: Parts, reply: Reply) -> May:
    """What may become of the reply's correction: an answer that stands can be edited, and the channel decides about training."""
    standing = await parts.postings_of(reply)
    turn = await parts.store.conversations.turn(reply.turn_id)
    asked_in = turn.key.rsplit("/", 1)[0]
    return May(bool(standing), await parts.may_train(await channel_key_of(parts, asked_in)))


async def form_for(parts: Parts, actor: Actor, reply: Reply, *, is_draft: bool = False) -> ui.Modal | Said:
    """Ask what the reply should have been. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "correct a reply")
    try:
        return correction_form(reply, await may(parts, reply), is_draft=is_draft)
    except TooLongForAForm:
        return Said(TOO_LONG)


async def open_correction(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Said:
    """A moderator's button."""
    return await form_for(parts, actor, await parts.store.conversations.reply(asked.about))


async def corrected(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The form was sent."""
    return await verbs.correct(parts, actor, asked.about, await draft_in(parts, asked))


async def draft_in(parts: Parts, asked: Asked) -> moderation.Draft:
    """What a correction's form holds; what the channel does not allow is not taken from it."""
    reply = await parts.store.conversations.reply(asked.about)
    return draft_of(asked.inputs, reply.standing_text, await may(parts, reply))


# ---------------------------------------------------------------- the approvers' card


async def open_edit(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Said:
    """Ask an approver how a proposal should be worded. Raises NotAllowed, NotFound."""
    moderation.require(actor, Right.APPROVER, "edit a correction")
    try:
        return edit_form(await parts.store.corrections.get(asked.about))
    except TooLongForAForm:
        return Said(TOO_LONG)


async def revised(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The approver's wording was sent."""
    correction = await parts.store.corrections.get(asked.about)
    return await verbs.revise(parts, actor, asked.about, text_of(asked.inputs, correction.corrected_text))


async def open_rejection(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Said:
    """Ask an approver why; where it is decided already, say by whom. Raises NotAllowed, NotFound, AlreadyDecided."""
    moderation.require(actor, Right.APPROVER, "reject a correction")
    correction = await parts.store.corrections.get(asked.about)
    if correction.state is not CorrectionState.PROPOSED:
        return await verbs.reject(parts, actor, asked.about)
    return rejection_form(correction)


async def open_expiry(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Said:
    """Ask an approver until when a correction holds. Raises NotAllowed, NotFound."""
    moderation.require(actor, Right.APPROVER, "say until when a correction holds")
    return expiry_form(await parts.store.corrections.get(asked.about))


async def expires(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The day was sent."""
    return await verbs.let_expire(parts, actor, asked.about, str(asked.inputs.get(DAY) or ""))


async def rejected(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The approver's reason was sent."""
    return await verbs.reject(parts, actor, asked.about, note=str(asked.inputs.get(NOTE) or ""))
