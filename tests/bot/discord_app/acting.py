"""What tests of moderation do and read: corrections through their form, cards, and what somebody was told in private."""

from collections.abc import Callable
from typing import Any

from storage.records import Correction, CorrectionState, Feedback, Judgement, Reply
from tests.bot.discord_app.conftest import Shop
from tests.discord.place import Channel, Json, Message, Person

MENU = "Correct this answer"


async def stored(shop: Shop, reply: Message) -> Reply:
    """The reply that a message is a part of."""
    posting = await shop.store.postings.at("discord", f"{shop.guild.id}/{reply.channel.id}", str(reply.id))
    assert posting is not None
    found = await shop.store.conversations.reply_to(posting.subject)
    assert found is not None
    return found


async def feedback_on(shop: Shop, reply: Message) -> list[Feedback]:
    """Every judgement of the reply that a message is a part of."""
    return await shop.store.feedback.for_reply((await stored(shop, reply)).id)


async def judged(shop: Shop, reply: Message) -> list[Judgement]:
    return [feedback.judgement for feedback in await feedback_on(shop, reply)]


async def corrections(shop: Shop) -> list[Correction]:
    """Every correction of the voice."""
    return await shop.store.corrections.list(shop.voice.id, list(CorrectionState), limit=100)


async def corrected(
    shop: Shop, reply: Message, text: str = "Ahoy, it sails tomorrow.", by: Person | None = None, **filled: Any
) -> Correction:
    """The moderator corrects a reply through its form, without editing what is posted unless told so."""
    there, by = shop.guild, by or shop.guild.moderator
    before = len(await corrections(shop))
    await there.open_menu(by, reply, MENU)
    await there.submit(by, {"text": text, "also": ["for_training"], **filled})
    saved = await corrections(shop)
    assert len(saved) == before + 1, told(shop, by)
    return saved[-1]


async def card_in(shop: Shop, channel: Channel, words: str = "", index: int = -1) -> Message:
    """The newest card of ours in a channel that says this, once there is one."""
    there = shop.guild

    def found() -> Message | None:
        cards = [card for card in there.said_by_bot(channel) if words in card.shown]
        return cards[index] if cards else None

    return await there.until(found)


async def until_said(shop: Shop, message: Message, words: str) -> Message:
    """The message once it says this, the board being woken instead of waited for."""
    there = shop.guild

    def found() -> Message | None:
        shop.running.app.parts.wake_board()
        now = there.reread(message)
        return now if now is not None and words in now.shown else None

    return await there.until(found)


def told(shop: Shop, person: Person) -> str:
    """What this person was last told, seen by nobody else."""
    seen = shop.guild.ephemerals(person)
    return seen[-1].shown if seen else ""


def direct(shop: Shop, person: Person) -> list[Message]:
    """What the bot wrote to a person in private."""
    return shop.guild.said_by_bot(shop.guild.dm(person))


def field(form: Json | None, name: str) -> Json:
    """A form's field by its custom id."""
    assert form is not None
    return next(one["component"] for one in form["components"] if one["component"]["custom_id"] == name)


def saying(text: str) -> Callable[..., str]:
    """A model that says this, whatever it is asked."""
    return lambda model, messages: text
