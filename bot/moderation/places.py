"""Conversations in a person's hands, and channels."""

from datetime import datetime

from bot.moderation.rights import Outcome, require
from bot.text import clean_note
from storage.records import (
    Actor,
    Channel,
    ChannelMode,
    ChannelRules,
    HandOver,
    Right,
)
from storage.store import Store


async def ask_for_person(
    store: Store, actor: Actor, conversation_id: str, *, reason: str = "", now: datetime
) -> Outcome[HandOver]:
    """Anyone may ask for a person; from then on the bot is silent in that conversation until it is released."""
    asked, is_new = await store.hand_overs.ask(conversation_id, clean_note(reason), actor.id, at=now)
    if is_new:
        return Outcome(asked, "A person from the team has been asked. Until they are done, I stay silent here.")
    return Outcome(asked, "A person from the team has been asked already.")


async def step_back(store: Store, actor: Actor, conversation_id: str, *, now: datetime) -> Outcome[HandOver]:
    """A moderator has begun to answer: the bot is silent there until it is released. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "take over a conversation")
    said = f"{actor.name} answers here."
    asked, is_new = await store.hand_overs.ask(conversation_id, said, actor.id, taken_by=actor.id, at=now)
    if not is_new and asked.taken_by is None:
        asked = await store.hand_overs.take(asked.id, actor.id, at=now)
    return Outcome(asked, said)


async def take_over(store: Store, actor: Actor, hand_over_id: str, *, now: datetime) -> Outcome[HandOver]:
    """Say that one looks after it. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "take over a conversation")
    taken = await store.hand_overs.take(hand_over_id, actor.id, at=now)
    if taken.released_at is not None:
        return Outcome(taken, "That conversation was given back to the bot already.")
    if taken.taken_by is None or taken.taken_by == actor.id:
        return Outcome(taken, "It is yours. The bot stays silent there until you press Resolved.")
    return Outcome(taken, f"{(await store.people.actor(taken.taken_by)).name} was faster and looks after it.")


async def release(store: Store, actor: Actor, hand_over_id: str, *, now: datetime) -> Outcome[HandOver]:
    """Give the conversation back to the bot. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "give a conversation back")
    released = await store.hand_overs.release(hand_over_id, actor.id, at=now)
    return Outcome(released, "Given back. The bot answers there again.")


async def set_channel(
    store: Store,
    actor: Actor,
    platform: str,
    place: str,
    *,
    mode: ChannelMode,
    is_training_allowed: bool = True,
    rules: ChannelRules | None = None,
    now: datetime,
) -> Outcome[Channel]:
    """Decide when the bot speaks in a channel, for whom, and whether its corrections may be trained on. Raises NotAllowed.

    `rules` None keeps those there are.
    """
    require(actor, Right.ADMIN, "set up a channel")
    channel = await store.channels.set(platform, place, mode, is_training_allowed, actor.id, rules=rules, at=now)
    return Outcome(channel, f"Set to {mode}. {MODE_WORDS[mode]}")


MODE_WORDS = {
    ChannelMode.OFF: "I say nothing here.",
    ChannelMode.MENTION: "I answer when I am mentioned, and in threads I am part of.",
    ChannelMode.AUTO: "I answer every question.",
    ChannelMode.DRAFT: "I show my answers to moderators only, who decide whether to send them.",
}
