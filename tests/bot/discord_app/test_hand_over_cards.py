"""The team's card of a conversation in a person's hands: taken once, resolved in place."""

from tests.bot.discord_app.acting import card_in, told, until_said
from tests.bot.discord_app.conftest import Shop


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
