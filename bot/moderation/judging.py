"""Anyone's judgement of a reply, and a moderator's taking it back."""

from datetime import datetime

from bot.moderation.rights import Outcome, require
from bot.text import clean_note
from storage.records import (
    Actor,
    Feedback,
    Judgement,
    Reply,
    Right,
)
from storage.store import Store


async def mark(
    store: Store,
    actor: Actor,
    reply_id: str,
    judgement: Judgement,
    *,
    note: str = "",
    flag: bool = False,
    now: datetime,
) -> Outcome[Feedback]:
    """Anyone's judgement of a reply; pressing again changes it. `flag` asks for a moderator."""
    reply = await store.conversations.reply(reply_id)
    feedback = await store.feedback.give(reply.id, actor.id, judgement, clean_note(note), flag, at=now)
    if flag:
        return Outcome(feedback, "Thanks. A moderator will have a look.")
    return Outcome(feedback, "Thanks, noted as good." if judgement is Judgement.GOOD else "Thanks, noted as not right.")


async def unmark(store: Store, actor: Actor, reply_id: str, *, now: datetime) -> Outcome[bool]:
    """Take one's own judgement back."""
    withdrawn = await store.feedback.withdraw(reply_id, actor.id, at=now)
    return Outcome(withdrawn, "Taken back." if withdrawn else "There was no judgement of yours to take back.")


async def retract_reply(store: Store, actor: Actor, reply_id: str, *, now: datetime) -> Outcome[Reply]:
    """Take a posted reply back: it counts as flagged, and the adapter removes the message. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "retract a reply")
    reply = await store.conversations.reply(reply_id)
    await store.feedback.give(reply.id, actor.id, Judgement.WRONG, "Retracted.", True, at=now)
    return Outcome(reply, "Retracted. The message is removed, and the reply counts as flagged.")
