"""Forms on a person's screen: opened by a press, which is good for three seconds."""

from bot import moderation
from bot.office import verbs
from bot.office.disputes import open_dispute
from bot.office.verbs import Said
from bot.slack_app.blocks import Block
from bot.slack_app.disputes import date_form
from bot.slack_app.form_parts import About
from bot.slack_app.modals import correction_form, edit_form, expiry_form, rejection_form, thumbs_down_form
from bot.slack_app.outgoing import UNREACHABLE, reason
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Place, Pressed
from storage.records import Actor, CorrectionState, Reply, Right

TOO_LATE = "That took too long and Slack has forgotten the press. Please press again."


async def open_correction(parts: Parts, actor: Actor, reply: Reply, press: Pressed, *, is_draft: bool = False) -> Said:
    """Ask what the reply should have been. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "correct a reply")
    turn = await parts.store.conversations.turn(reply.turn_id)
    standing = await parts.postings_of(reply)
    form = correction_form(
        about(press, reply=reply.id),
        turn.question,
        reply.standing_text,
        can_edit_posted=bool(standing),
        may_train=await parts.may_train(standing[0].place if standing else Place.of(turn.key).channel_key),
        is_draft=is_draft,
    )
    return await open_form(parts, press, form)


async def open_edit(parts: Parts, actor: Actor, correction_id: str, press: Pressed) -> Said:
    """Ask an approver how a proposal should be worded. Raises NotAllowed, NotFound."""
    moderation.require(actor, Right.APPROVER, "edit a correction")
    correction = await parts.store.corrections.get(correction_id)
    return await open_form(parts, press, edit_form(about(press, correction=correction_id), correction))


async def open_rejection(parts: Parts, actor: Actor, correction_id: str, press: Pressed) -> Said:
    """Ask an approver why; where it is decided already, say by whom. Raises NotAllowed, NotFound, AlreadyDecided."""
    moderation.require(actor, Right.APPROVER, "reject a correction")
    correction = await parts.store.corrections.get(correction_id)
    if correction.state is not CorrectionState.PROPOSED:
        return await verbs.reject(parts, actor, correction_id)
    return await open_form(parts, press, rejection_form(about(press, correction=correction_id), correction))


async def open_expiry(parts: Parts, actor: Actor, correction_id: str, press: Pressed) -> Said:
    """Ask an approver until when a correction holds. Raises NotAllowed, NotFound."""
    moderation.require(actor, Right.APPROVER, "say until when a correction holds")
    correction = await parts.store.corrections.get(correction_id)
    return await open_form(parts, press, expiry_form(about(press, correction=correction_id), correction))


async def open_date(parts: Parts, actor: Actor, dispute_id: str, press: Pressed) -> Said:
    """Ask an approver from which day on one of two answers holds. Raises NotAllowed, NotFound, AlreadySettled."""
    dispute = await open_dispute(parts, actor, dispute_id)
    return await open_form(parts, press, date_form(about(press, dispute=dispute.id)))


async def open_explanation(parts: Parts, reply_id: str, press: Pressed) -> Said:
    """Ask anyone what was not right."""
    return await open_form(parts, press, thumbs_down_form(about(press, reply=reply_id)))


async def open_form(parts: Parts, press: Pressed, form: Block) -> Said:
    """Put a form on the screen of who pressed; says so where the press is forgotten. Raises what Slack raises."""
    client = await parts.client(press.by.team)
    try:
        await client.views_open(trigger_id=press.trigger_id, view=form)  # pyright: ignore[reportUnknownMemberType]
    except UNREACHABLE as error:
        if reason(error) in ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id"):
            return Said(TOO_LATE)
        raise
    return Said("")


def about(press: Pressed, *, reply: str = "", correction: str = "", dispute: str = "") -> About:
    """What a form opened by this press is about, and where what became of it is said."""
    return About(reply, correction, dispute, press.channel, thread_of(press))


def thread_of(press: Pressed) -> str:
    """Where a whisper belongs: into the thread, which whoever pressed a button in it has open."""
    return press.thread_ts if press.thread_ts != press.message_ts else ""
