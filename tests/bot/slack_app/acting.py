"""What tests of moderation read: every word of a message or a screen, what somebody was whispered, and cards."""

import asyncio
from collections.abc import Callable
from typing import Any

from storage.records import Correction, CorrectionState, Feedback
from tests.bot.slack_app.conftest import Shop
from tests.slack.forms import elements, with_ids
from tests.slack.place import Channel, Json, Message, Person
from tests.slack.screens import View

LONG = "\n\n".join(
    "\n".join(
        f"{paragraph}.{line}:_our_puffins_carry_<every>_parcel_*over*_the_sea"
        for line in range(60 if paragraph == 1 else 12)
    )
    for paragraph in range(13)
)
"""A reply that takes two messages and five inputs, in few words: the scripted model counts those."""


def words_of(shown: Message | View) -> str:
    """Every text people read in a message or a view, a line each."""
    blocks = shown.blocks if isinstance(shown, Message) else shown["blocks"]
    return "\n".join(texts_of(blocks))


def buttons_of(message: Message) -> list[str]:
    """The action ids that can be pressed."""
    return [element["action_id"] for _, element in elements(with_ids(message.blocks))]


def texts_of(value: Any) -> list[str]:
    """Every text people read in blocks, in order."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for inner in value.values() for text in texts_of(inner)]
    return [text for inner in value for text in texts_of(inner)] if isinstance(value, list) else []


async def whispered(shop: Shop, person: Person, number: int = 1) -> Message:
    """The `number`th thing only this person saw."""
    heard: list[Message] = await shop.workspace.until(
        lambda: found if len(found := shop.workspace.ephemerals(person)) >= number else None
    )
    assert len(heard) == number
    return heard[-1]


async def form_of(shop: Shop, person: Person) -> View:
    """The form on the person's screen, once it is there."""
    return await shop.workspace.until(lambda: shop.workspace.open_view(person))


async def card_in(shop: Shop, channel: Channel, is_it: Callable[[Message], bool] = bool, index: int = -1) -> Message:
    """The newest card of ours in a channel that `is_it`, once there is one."""

    async def found() -> Message | None:
        cards = [one for one in await cards_in(shop, channel) if is_it(one)]
        return cards[index] if cards else None

    return await shop.workspace.until(found)


async def cards_in(shop: Shop, channel: Channel) -> list[Message]:
    """Everything of ours in a channel."""
    said = await shop.workspace.channel_messages(channel)
    return [one for one in said if one.user_id == shop.workspace.bot_user_id]


async def direct_messages(shop: Shop, person: Person) -> list[str]:
    """What the bot wrote to a person in private."""
    return [words_of(one) for one in await cards_in(shop, await shop.workspace.dm(person))]


async def settled(shop: Shop) -> None:
    """Everything that was delivered is worked on."""
    working = [task for task in asyncio.all_tasks() if task.get_name().startswith("slack ")]  # as the inbox calls them
    if working:
        await asyncio.wait(working, timeout=5)


async def feedback_on(shop: Shop, reply: Message) -> list[Feedback]:
    """Every judgement of the reply that a message is of, once everything is worked on."""
    await settled(shop)
    there = shop.workspace
    posting = await shop.store.postings.at("slack", f"{there.team.team_id}/{reply.channel.id}", reply.ts)
    assert posting is not None
    stored = await shop.store.conversations.reply_to(posting.subject)
    assert stored is not None
    return await shop.store.feedback.for_reply(stored.id)


async def parts_of_a_long_reply(shop: Shop) -> tuple[Message, Message]:
    """Both messages of a reply that takes two."""
    there = shop.workspace
    shop.provider.script = lambda model, messages: LONG
    question = await there.mention(there.customer, there.support, "Tell me all")

    async def both() -> list[Message]:
        found = await there.replies(question)
        return found if len(found) == 2 and buttons_of(found[-1]) else []

    first, last = await there.until(both)
    return first, last


async def corrections(shop: Shop) -> list[Correction]:
    """Every correction of the voice."""
    return await shop.store.corrections.list(shop.voice.id, list(CorrectionState), limit=100)


async def corrected(shop: Shop, reply: Message, text: str = "Ahoy, it sails tomorrow.", **filled: Any) -> Correction:
    """The moderator corrects a reply through its form, without editing what is posted unless told so."""
    there = shop.workspace
    before = len(await corrections(shop))
    await there.shortcut(there.moderator, reply, "ft_correct")
    await form_of(shop, there.moderator)
    await there.submit(there.moderator, {"text": text, "also": ["for_training"], **filled})
    await settled(shop)
    saved = await corrections(shop)
    assert len(saved) == before + 1
    return saved[-1]


def input_of(view: View, name: str) -> Json:
    """The element of a form's input."""
    return next(element for _, element in elements(view["blocks"]) if element["action_id"] == name)
