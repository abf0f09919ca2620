"""Who wrote a correction hears once, in their own messages, that a model which serves has learned it."""

from bot import moderation
from storage.records import Right
from tests.bot.discord_app.acting import corrected, direct
from tests.bot.discord_app.conftest import Shop
from tests.bot.discord_app.slowly import eventually
from tests.bot.taught import model_that_learned
from tests.discord.place import Message


def told(shop: Shop) -> list[Message]:
    shop.running.app.parts.wake_board()
    return [one for one in direct(shop, shop.guild.moderator) if "Learned ✓" in one.shown]


async def test_a_moderator_hears_once_what_a_model_learned_and_nothing_of_what_is_erased(open_shop: Shop):
    shop, there = open_shop, open_shop.guild
    question, reply = await shop.asked()
    correction = await corrected(shop, reply, "It is on the *next* boat.")
    rights = frozenset({Right.APPROVER, Right.ADMIN})
    noor = await shop.store.people.ensure_actor("console", "noor", "Noor", rights, at=shop.clock())
    await moderation.approve(shop.store, noor, correction.id, team_of_one=True, now=shop.clock())
    correction = await shop.store.corrections.get(correction.id)
    said = {correction: "It is on the *next* boat. @everyone"}
    await model_that_learned(shop.store, shop.voice, said, noor.id, shop.clock())
    [card] = await there.until(lambda: told(shop))
    assert card.shown.startswith(
        "**Learned ✓ by model 1**\nYour correction is in the weights of model 1, which serves now."
    )
    assert "**Where is my parcel?**  It is on the \\*next\\* boat." in card.shown
    assert "@everyone" not in card.shown
    await model_that_learned(shop.store, shop.voice, said, noor.id, shop.clock())

    async def is_told() -> bool:
        return (await shop.store.learned.of_correction(correction.id))[-1].told_at is not None

    await eventually(is_told)
    await there.delete(there.customer, question)
    await there.until(lambda: not told(shop))
