"""What people do to a reply, wherever and however they do it: by button, reaction, menu or form. One function for each verb.

A verb checks the right, acts once and returns what to say, with what the person may do next; the platform shows both.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from bot import moderation
from bot.disputing import first_moment
from bot.office.office import Office
from bot.office.telling import Offer
from storage.records import Actor, Correction, CorrectionState, Judgement, Posting, Reply, Right, Turn

NOT_MINE = "That is not an answer of mine, so there is nothing to do with it."
MINE = "That is an answer of mine. Choose the person's answer that I should learn from."
NOTHING_BEFORE = (
    "There is no answer of mine in this thread before that message, so there is nothing to learn from it yet."
)
TAUGHT = "Taught from a person's answer in the thread."
ASK_FOR_TEXT = "What should that answer have been?"
LOOKED_BACK = 100  # turns of a conversation, for the reply before a person's answer


class Sign(StrEnum):
    """What a reaction on a message stands for."""

    GOOD = "good"
    WRONG = "wrong"
    FLAG = "flag"
    CORRECT = "correct"
    RETRACT = "retract"
    TEACH = "teach"


ANYBODYS = frozenset({Sign.GOOD, Sign.WRONG})
"""Signs that customers use as well; the others are moderators'."""


@dataclass(frozen=True, slots=True)
class Said:
    """What to tell the person ("" for nothing) and what they may do next. Plain text: the platform escapes it."""

    text: str
    offers: tuple[Offer, ...] = ()


# ---------------------------------------------------------------- judging


async def good(office: Office, actor: Actor, reply: Reply) -> Said:
    outcome = await moderation.mark(office.store, actor, reply.id, Judgement.GOOD, now=office.now())
    return Said(outcome.said, (undo_offer(reply),))


async def wrong(office: Office, actor: Actor, reply: Reply) -> Said:
    outcome = await moderation.mark(office.store, actor, reply.id, Judgement.WRONG, now=office.now())
    if actor.has(Right.MODERATOR):
        return Said(outcome.said, (correct_offer(reply), retract_offer(reply), undo_offer(reply)))
    return Said(outcome.said, (Offer("Say what was wrong", "explain", reply.id), undo_offer(reply)))


async def flag(
    office: Office, actor: Actor, reply: Reply, *, judgement: Judgement = Judgement.WRONG, note: str = ""
) -> Said:
    outcome = await moderation.mark(office.store, actor, reply.id, judgement, note=note, flag=True, now=office.now())
    return Said(outcome.said, (undo_offer(reply),))


async def undo(office: Office, actor: Actor, reply: Reply) -> Said:
    return Said((await moderation.unmark(office.store, actor, reply.id, now=office.now())).said)


async def unsign(office: Office, actor: Actor, reply: Reply, sign: Sign) -> Said:
    """Take a judgement back with the sign it was made by; one that was made differently since stays."""
    for feedback in await office.store.feedback.for_reply(reply.id):
        by_sign = Sign.FLAG if feedback.flagged else Sign.GOOD if feedback.judgement is Judgement.GOOD else Sign.WRONG
        if feedback.actor_id == actor.id and by_sign is sign:
            return await undo(office, actor, reply)
    return Said("")


Remove = Callable[[Posting], Awaitable[None]]
"""Takes one message of ours off the platform; one that is gone is no error."""


async def retract(office: Office, actor: Actor, reply: Reply, remove: Remove) -> Said:
    """Take the reply's messages off the platform. Raises NotAllowed, and what the platform raises."""
    outcome = await moderation.retract_reply(office.store, actor, reply.id, now=office.now())
    for posting in await office.postings_of(reply):
        await remove(posting)
        await office.store.postings.removed(posting.id, at=office.now())
    return Said(outcome.said)


async def signed(office: Office, actor: Actor, reply: Reply, sign: Sign, remove: Remove, *, is_added: bool) -> Said:
    """What a sign on a reply does; taking it back is taking the judgement back. Raises what the verbs raise."""
    if not is_added:
        return await unsign(office, actor, reply, sign)
    match sign:
        case Sign.GOOD:
            return await good(office, actor, reply)
        case Sign.WRONG:
            return await wrong(office, actor, reply)
        case Sign.FLAG:
            return await flag(office, actor, reply)
        case Sign.RETRACT:
            return await retract(office, actor, reply, remove)
        case Sign.CORRECT:
            return Said(ASK_FOR_TEXT, (correct_offer(reply),))
        case Sign.TEACH:
            return Said(MINE)


# ---------------------------------------------------------------- correcting


async def correct(office: Office, actor: Actor, reply_id: str, draft: moderation.Draft) -> Said:
    """Propose what the reply should have been. Raises NotAllowed, TextRefused."""
    outcome = await moderation.correct(office.store, actor, reply_id, draft, now=office.now())
    office.wake_board()
    return Said(outcome.said, _take_back_offer(outcome.record))


async def take_back(office: Office, actor: Actor, correction_id: str) -> Said:
    """Take one's own proposal back. Raises NotAllowed, AlreadyDecided."""
    outcome = await moderation.retract(office.store, actor, correction_id, now=office.now())
    office.wake_board()
    return Said(outcome.said)


@dataclass(frozen=True, slots=True)
class HumanAnswer:
    """A person's answer in a conversation, by the keys its messages are recorded under; `channel_key` for the consent.

    `is_after` says whether a question was asked before it, for platforms whose keys do not sort by time.
    """

    conversation_key: str
    key: str
    channel_key: str
    is_after: Callable[[Turn], bool] | None = None


async def teach(office: Office, teacher: Actor, answer: HumanAnswer, text: str) -> Said:
    """Let a person's answer (plain text) be what the bot's reply before it should have been. Raises NotAllowed, TextRefused."""
    moderation.require(teacher, Right.MODERATOR, "teach from a thread")
    reply = await _reply_before(office, answer)
    if reply is None:
        return Said(NOTHING_BEFORE)
    may_train = await office.may_train(answer.channel_key)
    draft = moderation.Draft(text=text, reason=Judgement.WRONG, note=TAUGHT, is_for_training=may_train)
    return await correct(office, teacher, reply.id, draft)


async def unteach(office: Office, teacher: Actor, answer: HumanAnswer) -> Said:
    """Take back what was taught from a person's answer, while nobody has decided on it."""
    reply = await _reply_before(office, answer)
    if reply is None:
        return Said("")
    taught = [
        correction
        for correction in await office.store.corrections.for_reply(reply.id)
        if correction.proposed_by == teacher.id
        and correction.note == TAUGHT
        and correction.state is CorrectionState.PROPOSED
    ]
    return await take_back(office, teacher, taught[-1].id) if taught else Said("")


async def _reply_before(office: Office, answer: HumanAnswer) -> Reply | None:
    conversations = office.store.conversations
    known = await conversations.find(office.platform, answer.conversation_key)
    if known is None:
        return None
    if answer.is_after is None:
        return await conversations.last_reply(known.id, answer.key)
    turns = await conversations.recent_turns(known.id, LOOKED_BACK)
    return next((reply for turn, reply in reversed(turns) if reply is not None and answer.is_after(turn)), None)


# ---------------------------------------------------------------- deciding


async def approve(office: Office, actor: Actor, correction_id: str) -> Said:
    """Raises NotAllowed, AlreadyDecided."""
    is_alone = office.rules.team_of_one
    outcome = await moderation.approve(
        office.store, actor, correction_id, team_of_one=is_alone, keep=office.rules.keep, now=office.now()
    )
    office.wake_board()
    return Said(outcome.said)


async def reject(office: Office, actor: Actor, correction_id: str, *, note: str | None = None) -> Said:
    """`note` is what was said in a form, which has to be filled in. Raises NotAllowed, AlreadyDecided, TextRefused."""
    if note is not None:
        moderation.require_reason(note)
    outcome = await moderation.reject(office.store, actor, correction_id, note=note or "", now=office.now())
    office.wake_board()
    return Said(outcome.said)


async def revise(office: Office, actor: Actor, correction_id: str, text: str) -> Said:
    """Raises NotAllowed, TextRefused, AlreadyDecided."""
    outcome = await moderation.revise(office.store, actor, correction_id, text, now=office.now())
    office.wake_board()
    return Said(outcome.said)


async def let_expire(office: Office, actor: Actor, correction_id: str, on: str) -> Said:
    """Let it hold until a day, as 2026-12-01; "": until somebody says otherwise. Raises NotAllowed, AlreadyDecided."""
    outcome = await moderation.let_expire(office.store, actor, correction_id, first_moment(on), now=office.now())
    office.wake_board()
    return Said(outcome.said)


async def mark_critical(office: Office, actor: Actor, correction_id: str) -> Said:
    """No later model may forget it. Raises NotAllowed."""
    return await _set_critical(office, actor, correction_id, is_critical=True)


async def unmark_critical(office: Office, actor: Actor, correction_id: str) -> Said:
    """Forgetting it counts like forgetting any other. Raises NotAllowed."""
    return await _set_critical(office, actor, correction_id, is_critical=False)


async def _set_critical(office: Office, actor: Actor, correction_id: str, *, is_critical: bool) -> Said:
    outcome = await moderation.set_critical(office.store, actor, correction_id, is_critical, now=office.now())
    office.wake_board()
    return Said(outcome.said)


# ---------------------------------------------------------------- a person


async def ask_for_person(office: Office, actor: Actor, reply: Reply) -> Said:
    outcome = await moderation.ask_for_person(office.store, actor, reply.conversation_id, now=office.now())
    office.wake_board()
    return Said(outcome.said)


async def take_over(office: Office, actor: Actor, hand_over_id: str) -> Said:
    """Raises NotAllowed."""
    outcome = await moderation.take_over(office.store, actor, hand_over_id, now=office.now())
    office.wake_board()
    return Said(outcome.said)


async def release(office: Office, actor: Actor, hand_over_id: str) -> Said:
    """Raises NotAllowed."""
    outcome = await moderation.release(office.store, actor, hand_over_id, now=office.now())
    office.wake_board()
    return Said(outcome.said)


# ---------------------------------------------------------------- what may be done next


def undo_offer(reply: Reply) -> Offer:
    return Offer("Undo", "undo", reply.id)


def correct_offer(reply: Reply) -> Offer:
    return Offer("Correct this answer", "open_correct", reply.id, style="primary")


def retract_offer(reply: Reply) -> Offer:
    return Offer("Retract", "retract", reply.id, confirm="The answer is removed for everybody.")


def critical_offer(correction: Correction) -> Offer:
    """For an approved correction: no later model may forget it, or it counts like others again."""
    if correction.is_critical:
        return Offer("Not critical any more", "unmark_critical", correction.id)
    return Offer("Mark as critical", "mark_critical", correction.id)


def _take_back_offer(correction: Correction) -> tuple[Offer, ...]:
    is_open = correction.state is CorrectionState.PROPOSED
    return (Offer("Undo", "take_back", correction.id),) if is_open else ()
