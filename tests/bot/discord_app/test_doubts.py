"""What moderators are asked about in Discord's review channel: answered by the verbs they know, and closed."""

from bot.office.doubts import ASKED, THANKS
from storage.records import Doubt
from tests.bot.discord_app.acting import card_in, told, until_said
from tests.bot.discord_app.conftest import Shop
from tests.discord.place import Message


async def doubted(shop: Shop) -> tuple[str, Message]:
    """A reply that moderators are asked about, by its id, and its card."""
    await shop.asked("Do you *ship* there?")
    (asked,) = await shop.store.doubts.asked_since(shop.voice.id, shop.clock().replace(year=2000), 9)
    await shop.store.doubts.choose([Doubt(asked.reply_id, shop.voice.id, 4, 0.9, shop.clock())], 3)
    shop.running.app.parts.wake_board()
    return asked.reply_id, await card_in(shop, shop.guild.review)


async def test_a_flag_answers_it_and_flows_into_the_queue(shop: Shop):
    async with shop.opened(asking_hours="always"):
        there = shop.guild
        reply_id, card = await doubted(shop)
        assert card.shown.startswith(f"**{ASKED}**\n**Question**  Do you \\*ship\\* there?")
        assert "Asked by 4 people of late" in card.shown
        assert card.labels == ["Good", "Flag", "Correct"]
        await there.click(there.moderator, card, label="Flag")
        assert told(shop, there.moderator) == "Thanks. A moderator will have a look."
        assert (await until_said(shop, card, f"**{THANKS}**, moderator")).labels == []
        (flag,) = await shop.store.feedback.flagged(shop.voice.id, 9)
        assert flag.reply_id == reply_id


async def test_good_answers_it(shop: Shop):
    async with shop.opened(asking_hours="always"):
        there = shop.guild
        _, card = await doubted(shop)
        await there.click(there.moderator, card, label="Good")
        assert (await until_said(shop, card, f"**{THANKS}**, moderator")).labels == []
