"""Who wrote a correction hears once, in their own messages, that a model which serves has learned it."""

from bot import moderation
from storage.records import Actor, Correction, Right
from tests.bot.slack_app.acting import corrected, direct_messages
from tests.bot.slack_app.conftest import Shop
from tests.bot.taught import model_that_learned


async def approver(shop: Shop) -> Actor:
    rights = frozenset({Right.APPROVER, Right.ADMIN})
    return await shop.store.people.ensure_actor("console", "noor", "Noor", rights, at=shop.clock())


async def approved(shop: Shop, question: str, text: str) -> Correction:
    _, reply = await shop.asked(question)
    correction = await corrected(shop, reply, text)
    await moderation.approve(shop.store, await approver(shop), correction.id, team_of_one=True, now=shop.clock())
    return await shop.store.corrections.get(correction.id)


async def heard(shop: Shop, words: str) -> list[str]:
    """The moderator's direct messages, once one has these words."""

    async def found() -> list[str]:
        assert shop.running is not None
        shop.running.board.wake()
        said = await direct_messages(shop, shop.workspace.moderator)
        return said if any(words in one for one in said) else []

    return await shop.workspace.until(found)


async def test_a_moderator_hears_once_what_a_model_learned_and_in_one_message(open_shop: Shop):
    shop = open_shop
    first = await approved(shop, "Do you *ship* to <Faroe>?", "Aye, every Monday.")
    second = await approved(shop, "Where is my parcel?", "On the next boat.")
    noor = await approver(shop)
    said = {first: "Aye, every Monday! <!here>", second: "On the next boat."}
    await model_that_learned(shop.store, shop.voice, said, noor.id, shop.clock())
    told = [one for one in await heard(shop, "Learned ✓ by model 1") if "Learned" in one]
    assert len(told) == 1
    assert "2 corrections of yours are in the weights of model 1, which serves now." in told[0]
    assert "Aye, every Monday!" in told[0]
    assert "On the next boat." in told[0]
    assert "<!here>" not in told[0]
    assert "Should another model serve, they come back by themselves." in told[0]

    await model_that_learned(shop.store, shop.voice, said, noor.id, shop.clock())  # a later model knows them, too
    third = await approved(shop, "Are puffins sold?", "Never!")
    await model_that_learned(shop.store, shop.voice, {third: "Never!"}, noor.id, shop.clock())
    told = [one for one in await heard(shop, "Learned ✓ by model 3") if "Learned" in one]
    assert len(told) == 2
    assert "Your correction is in the weights of model 3" in told[-1]

    async def is_kept() -> bool:
        return (await shop.store.learned.of_correction(third.id))[0].told_at is not None

    assert await shop.workspace.until(is_kept)


async def test_what_was_erased_leaves_the_message(open_shop: Shop):
    shop = open_shop
    question, reply = await shop.asked("Where does Zanzibar Quill live?")
    correction = await corrected(shop, reply, "In the lighthouse.")
    noor = await approver(shop)
    await moderation.approve(shop.store, noor, correction.id, team_of_one=True, now=shop.clock())
    correction = await shop.store.corrections.get(correction.id)
    await model_that_learned(shop.store, shop.voice, {correction: "In the lighthouse."}, noor.id, shop.clock())
    assert any("lighthouse" in one for one in await heard(shop, "Learned ✓"))
    await shop.workspace.delete(shop.workspace.customer, question)

    async def is_gone() -> bool:
        assert shop.running is not None
        shop.running.board.wake()
        return not any("lighthouse" in one for one in await direct_messages(shop, shop.workspace.moderator))

    assert await shop.workspace.until(is_gone)
