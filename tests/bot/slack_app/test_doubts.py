"""What moderators are asked about in Slack's review channel: answered by the verbs they know, and closed."""

import pytest

from bot.doubting import AskingRules
from bot.office import doubts as office_doubts
from storage.records import CorrectionState, Doubt
from tests.bot.slack_app.acting import buttons_of, card_in, cards_in, corrected, whispered, words_of
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message


async def doubted(shop: Shop, question: str = "Do you *ship* to <Faroe>?") -> tuple[Message, Message]:
    """A reply that moderators are asked about, and its card."""
    _, reply = await shop.asked(question)
    (asked,) = await shop.store.doubts.asked_since(shop.voice.id, shop.clock().replace(year=2000), 9)
    doubt = Doubt(asked.reply_id, shop.voice.id, 4, 0.9, shop.clock())
    assert await shop.store.doubts.choose([doubt], 3) == [doubt]
    assert shop.running is not None
    shop.running.board.wake()
    return reply, await card_in(shop, shop.workspace.review, lambda card: office_doubts.ASKED in words_of(card))


async def closed(shop: Shop) -> Message:
    assert shop.running is not None
    shop.running.board.wake()
    return await card_in(shop, shop.workspace.review, lambda card: office_doubts.THANKS in words_of(card))


async def test_good_answers_it(shop: Shop):
    async with shop.serving(asking_hours="always"):
        _, card = await doubted(shop)
        assert "Asked by 4 people of late" in words_of(card)
        assert buttons_of(card) == ["feedback", "flag", "open_correct"]
        await shop.workspace.click(shop.workspace.moderator, card, "feedback")
        said = await closed(shop)
        assert f"*{office_doubts.THANKS}*, moderator" in words_of(said)
        assert buttons_of(said) == []
        assert len(await cards_in(shop, shop.workspace.review)) == 1


async def test_a_flag_and_a_correction_flow_into_the_queue(shop: Shop):
    async with shop.serving(asking_hours="always"):
        reply, card = await doubted(shop)
        await shop.workspace.click(shop.workspace.moderator, card, "flag")
        assert (await whispered(shop, shop.workspace.moderator)).text == "Thanks. A moderator will have a look."
        await closed(shop)
        (flag,) = await shop.store.feedback.flagged(shop.voice.id, 9)
        assert flag.flagged
        correction = await corrected(shop, reply, "No, we do not.")
        assert correction.state is CorrectionState.PROPOSED


async def test_nothing_is_asked_in_quiet_hours(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    async with shop.serving(asking_hours="always"):
        monkeypatch.setattr(AskingRules, "allow", lambda self, at: False)
        await shop.asked()
        (asked,) = await shop.store.doubts.asked_since(shop.voice.id, shop.clock().replace(year=2000), 9)
        await shop.store.doubts.choose([Doubt(asked.reply_id, shop.voice.id, 4, 0.9, shop.clock())], 3)
        assert shop.running is not None
        await shop.running.board.look()
        assert await cards_in(shop, shop.workspace.review) == []
        monkeypatch.undo()
        await shop.running.board.look()
        assert len(await cards_in(shop, shop.workspace.review)) == 1
