"""What people do to a reply, whichever way they do it: by button, reaction, shortcut or form. One function for each verb."""

from dataclasses import dataclass

from bot import moderation
from bot.slack_app.blocks import Block, button
from bot.slack_app.markup import plain
from bot.slack_app.modals import About, correction_form
from bot.slack_app.outgoing import UNREACHABLE, Message, reason, remove
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Place, Pressed
from storage.records import Actor, Correction, CorrectionState, Judgement, Posting, PostingKind, Reply, Right

NOT_MINE = "That is not an answer of mine, so there is nothing to do with it."
TOO_LATE = "That took too long and Slack has forgotten the press. Please press again."
NOTHING_BEFORE = (
    "There is no answer of mine in this thread before that message, so there is nothing to learn from it yet."
)
TAUGHT = "Taught from a person's answer in the thread."


@dataclass(frozen=True, slots=True)
class Said:
    """What to tell the person, "" for nothing, and the buttons below it: to take it back, or to go on."""

    text: str
    buttons: tuple[Block, ...] = ()


# ---------------------------------------------------------------- judging


async def good(parts: Parts, actor: Actor, reply: Reply) -> Said:
    outcome = await moderation.mark(parts.store, actor, reply.id, Judgement.GOOD, now=parts.now())
    return Said(outcome.said, (undo_button(reply),))


async def wrong(parts: Parts, actor: Actor, reply: Reply) -> Said:
    outcome = await moderation.mark(parts.store, actor, reply.id, Judgement.WRONG, now=parts.now())
    if actor.has(Right.MODERATOR):
        return Said(outcome.said, (correct_button(reply), retract_button(reply), undo_button(reply)))
    return Said(outcome.said, (button("Say what was wrong", "explain", reply.id), undo_button(reply)))


async def flag(
    parts: Parts, actor: Actor, reply: Reply, *, judgement: Judgement = Judgement.WRONG, note: str = ""
) -> Said:
    outcome = await moderation.mark(parts.store, actor, reply.id, judgement, note=note, flag=True, now=parts.now())
    return Said(outcome.said, (undo_button(reply),))


async def undo(parts: Parts, actor: Actor, reply: Reply) -> Said:
    return Said((await moderation.unmark(parts.store, actor, reply.id, now=parts.now())).said)


async def unsign(parts: Parts, actor: Actor, reply: Reply, verb: str) -> Said:
    """Take a judgement back with the sign it was made by; one that was made differently since stays."""
    for feedback in await parts.store.feedback.for_reply(reply.id):
        by_sign = "flag" if feedback.flagged else "good" if feedback.judgement is Judgement.GOOD else "wrong"
        if feedback.actor_id == actor.id and by_sign == verb:
            return await undo(parts, actor, reply)
    return Said("")


async def retract(parts: Parts, actor: Actor, reply: Reply, team: str) -> Said:
    """Take the reply's messages off the platform. Raises NotAllowed."""
    outcome = await moderation.retract_reply(parts.store, actor, reply.id, now=parts.now())
    client = await parts.client(team)
    for posting in await postings_of(parts, reply):
        assert posting.message_key is not None
        await remove(client, Message(posting.place.split("/")[1], posting.message_key))
        await parts.store.postings.removed(posting.id, at=parts.now())
    return Said(outcome.said)


# ---------------------------------------------------------------- correcting


async def open_correction(parts: Parts, actor: Actor, reply: Reply, press: Pressed, *, is_draft: bool = False) -> Said:
    """Open the form that asks what the reply should have been. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "correct a reply")
    turn = await parts.store.conversations.turn(reply.turn_id)
    standing = await postings_of(parts, reply)
    asked_in = "/".join(turn.key.split("/")[:2])  # a draft stands nowhere yet
    form = correction_form(
        about(press, reply=reply.id),
        turn.question,
        reply.standing_text,
        can_edit_posted=bool(standing),
        may_train=await parts.may_train(standing[0].place if standing else asked_in),
        is_draft=is_draft,
    )
    return await opened(parts, press, form)


async def correct(parts: Parts, actor: Actor, reply_id: str, draft: moderation.Draft) -> Said:
    """Propose what the reply should have been. Raises NotAllowed, TextRefused."""
    outcome = await moderation.correct(parts.store, actor, reply_id, draft, now=parts.now())
    parts.wake_board()
    return Said(outcome.said, _take_back(outcome.record))


async def teach(parts: Parts, teacher: Actor, answer: Place, text: str) -> Said:
    """Let a person's answer in a thread be what the bot's before it should have been. Raises NotAllowed, TextRefused."""
    moderation.require(teacher, Right.MODERATOR, "teach from a thread")
    reply = await _reply_before(parts, answer)
    if reply is None:
        return Said(NOTHING_BEFORE)
    bot = await parts.workspaces.bot(answer.team)
    draft = moderation.Draft(
        text=plain(text, bot.user, await parts.people.staff(answer.team)),
        reason=Judgement.WRONG,
        note=TAUGHT,
        is_for_training=await parts.may_train(answer.channel_key),
    )
    return await correct(parts, teacher, reply.id, draft)


async def unteach(parts: Parts, teacher: Actor, answer: Place) -> Said:
    """Take back what was taught from a person's answer, while nobody has decided on it."""
    reply = await _reply_before(parts, answer)
    if reply is None:
        return Said("")
    taught = [
        correction
        for correction in await parts.store.corrections.for_reply(reply.id)
        if correction.proposed_by == teacher.id
        and correction.note == TAUGHT
        and correction.state is CorrectionState.PROPOSED
    ]
    return await take_back(parts, teacher, taught[-1].id) if taught else Said("")


async def take_back(parts: Parts, actor: Actor, correction_id: str) -> Said:
    """Take one's own proposal back. Raises NotAllowed, AlreadyDecided."""
    outcome = await moderation.retract(parts.store, actor, correction_id, now=parts.now())
    parts.wake_board()
    return Said(outcome.said)


async def _reply_before(parts: Parts, answer: Place) -> Reply | None:
    known = await parts.store.conversations.find(PLATFORM, answer.conversation_key)
    return None if known is None else await parts.store.conversations.last_reply(known.id, answer.key)


# ---------------------------------------------------------------- a person


async def ask_for_person(parts: Parts, actor: Actor, reply: Reply) -> Said:
    outcome = await moderation.ask_for_person(parts.store, actor, reply.conversation_id, now=parts.now())
    parts.wake_board()
    return Said(outcome.said)


# ---------------------------------------------------------------- forms and buttons


async def opened(parts: Parts, press: Pressed, form: Block) -> Said:
    """Open a form on the person's screen; their press is good for three seconds."""
    client = await parts.client(press.by.team)
    try:
        await client.views_open(trigger_id=press.trigger_id, view=form)  # pyright: ignore[reportUnknownMemberType]
    except UNREACHABLE as error:
        if reason(error) in ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id"):
            return Said(TOO_LATE)
        raise
    return Said("")


def about(press: Pressed, *, reply: str = "", correction: str = "") -> About:
    """What a form opened by this press is about, and where what became of it is said."""
    return About(reply, correction, press.channel, thread_of(press))


def thread_of(press: Pressed) -> str:
    """Where a whisper belongs: into the thread, which whoever pressed a button in it has open."""
    return press.thread_ts if press.thread_ts != press.message_ts else ""


def undo_button(reply: Reply) -> Block:
    return button("Undo", "undo", reply.id)


def correct_button(reply: Reply) -> Block:
    return button("Correct this answer", "open_correct", reply.id, style="primary")


def retract_button(reply: Reply) -> Block:
    return button("Retract", "retract", reply.id, confirm="The answer is removed for everybody.")


def _take_back(correction: Correction) -> tuple[Block, ...]:
    is_open = correction.state is CorrectionState.PROPOSED
    return (button("Undo", "take_back", correction.id),) if is_open else ()


async def postings_of(parts: Parts, reply: Reply) -> list[Posting]:
    """The messages that show the reply on Slack now."""
    return [
        posting
        for posting in await parts.store.postings.of(PostingKind.REPLY, reply.turn_id)
        if posting.platform == PLATFORM and posting.message_key is not None and posting.removed_at is None
    ]
