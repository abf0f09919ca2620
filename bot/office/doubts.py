"""What moderators are asked about by themselves: a card with a reply, and the verbs that answer it."""

from datetime import timedelta

from bot.office.cards import DoubtCard
from bot.office.office import Office
from storage.records import CorrectionState, Doubt, Right

FRESH = timedelta(hours=12)  # a question that could not be shown by then is not shown any more
ASKED = "Two models answer this differently, and no approved correction does. Is this right?"
THANKS = "Answered, thank you"


async def to_show(office: Office) -> list[Doubt]:
    """What is asked about now, oldest first; nothing in quiet hours."""
    now = office.now()
    if office.rules.asking is None or not office.rules.asking.allow(now):
        return []
    return [
        doubt for doubt, question in await office.store.doubts.chosen_since(office.voice.id, now - FRESH) if question
    ]


async def card_of(office: Office, reply_id: str, askers: int) -> DoubtCard:
    """What its card shows now. Answered is what somebody of the team judged, or wrote a correction for."""
    store = office.store
    reply = await store.conversations.reply(reply_id)
    turn = await store.conversations.turn(reply.turn_id)
    corrections = await store.corrections.for_reply(reply_id)
    given = await store.feedback.for_reply(reply_id)
    people = await store.people.actors({each.actor_id for each in given} | {each.proposed_by for each in corrections})
    wrote = [c.proposed_by for c in corrections if c.state is not CorrectionState.RETRACTED]
    judged = [each.actor_id for each in given if people[each.actor_id].has(Right.MODERATOR)]
    answered = [people[id].name for id in (*wrote, *judged) if id in people]
    return DoubtCard(reply, turn.question, askers, answered[0] if answered else "")
