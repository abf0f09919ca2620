"""The team's card of a conversation in a person's hands: taken once, resolved in place."""

import pytest

from tests.bot.discord_app.acting import card_in, told, until_said
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.discord.place import Message


async def test_a_hand_over_is_taken_and_resolved_on_its_card(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked("Where is my *parcel*?")
    await there.click(there.customer, reply, label="Get a human")
    card = await card_in(open_shop, there.triage)
    assert card.shown.split("\n")[0] == "**A person is needed, asked for by customer**"
    assert "**Customer**  Where is my \\*parcel\\*?" in card.shown
    assert card.labels == ["I'll take it", "Resolved"]
    await there.click(there.moderator, card, label="I'll take it")
    assert told(open_shop, there.moderator) == "It is yours. The bot stays silent there until you press Resolved."
    taken = await until_said(open_shop, card, "moderator looks after it.")
    assert taken.labels == ["Resolved"]
    await there.click(there.moderator, taken, label="Resolved")
    assert told(open_shop, there.moderator) == "Given back. The bot answers there again."
    assert (await until_said(open_shop, card, "**Resolved.**")).labels == []


async def test_a_hand_over_is_taken_once(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.click(there.customer, reply, label="Get a human")
    card = await card_in(open_shop, there.triage)
    [take] = [one for one in card.custom_ids if ":take:" in one]
    answers = await there.click_together([there.moderator, there.admin], card, custom_id=take)
    said = sorted(answer.followups[0].text for answer in answers)
    assert said[0].startswith("It is yours.")
    assert said[1].endswith("was faster and looks after it.")


async def card_without_words(shop: Shop, question: Message) -> None:
    """Wait until the card of the conversation is there and says nothing of what the customer said."""
    there = shop.guild

    def is_clean() -> bool:
        shop.running.app.parts.wake_board()
        cards = there.said_by_bot(there.triage)
        return bool(cards) and not any("parcel" in card.shown or ANSWER in card.shown for card in cards)

    await there.until(is_clean)
    assert len(there.said_by_bot(there.triage)) == 1


async def test_a_card_loses_the_words_of_a_question_that_is_deleted(open_shop: Shop):
    there = open_shop.guild
    question, reply = await open_shop.asked()
    await there.click(there.customer, reply, label="Get a human")
    card = await card_in(open_shop, there.triage, "parcel")
    await there.click(there.moderator, card, label="Resolved")
    await until_said(open_shop, card, "**Resolved.**")
    await there.delete(there.customer, question)
    await card_without_words(open_shop, question)


@pytest.mark.parametrize("step", ["post", "change"])
async def test_a_card_loses_the_words_of_a_question_that_is_deleted_while_it_is_on_its_way(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str
):
    there, surface = open_shop.guild, open_shop.running.app.parts.surface
    question, reply = await open_shop.asked()
    does = getattr(surface, step)

    async def does_late(*args: object) -> object:
        key = f"{there.id}/{there.support.id}/{question.id}"
        await open_shop.store.conversations.withdraw_question("discord", key, at=open_shop.clock())
        return await does(*args)

    monkeypatch.setattr(surface, step, does_late)
    await there.click(there.customer, reply, label="Get a human")
    if step == "change":
        card = await card_in(open_shop, there.triage, "parcel")
        await there.click(there.moderator, card, label="I'll take it")
    await card_without_words(open_shop, question)
