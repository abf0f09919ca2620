"""The card of a conversation in a person's hands."""

from bot.office.cards import HandOverCard
from bot.office.office import Office
from storage.records import HandOver

TURNS = 3  # of the conversation, the last ones


async def card_of(office: Office, hand_over: HandOver) -> HandOverCard:
    """As it stands now. Raises NotFound."""
    store = office.store
    conversation = await store.conversations.get(hand_over.conversation_id)
    wanted = [id for id in (hand_over.asked_by, hand_over.taken_by) if id is not None]
    people = await store.people.actors(wanted)
    said: list[tuple[str, str]] = []
    for turn, reply in await store.conversations.recent_turns(conversation.id, limit=TURNS):
        said.append(("Customer", turn.question))
        if reply is not None:
            said.append(("Bot", reply.standing_text))
    taken_by = people[hand_over.taken_by].name if hand_over.taken_by in people else ""
    return HandOverCard(hand_over, conversation, people[hand_over.asked_by].name, taken_by, said)
