"""Work that fails is tried again; in the end people read an apology, and nobody reads what went wrong inside."""

import asyncio
import logging

import pytest

from bot.slack_app.messages import APOLOGY
from storage.errors import DatabaseUnavailable
from tests.bot.slack_app.asking import ask, read, replies_to, silence, the_reply
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.bot.slack_app.dying import SECRET, after_failures, fails, looks_often
from tests.bot.slack_app.slowly import at_once

__all__ = ["at_once", "looks_often"]


@pytest.mark.usefixtures("looks_often")
@pytest.mark.parametrize("n_failures", [1, 2])
async def test_what_failed_is_tried_again(open_shop: Shop, n_failures: int, caplog: pytest.LogCaptureFixture):
    fails(open_shop, n_failures)
    question = await ask(open_shop)
    await after_failures(open_shop, n_failures, caplog)
    assert read(await the_reply(open_shop, question)) == ANSWER


@pytest.mark.usefixtures("looks_often")
async def test_after_three_failures_people_read_an_apology_and_the_team_where_to_look(
    shop: Shop, caplog: pytest.LogCaptureFixture
):
    there = shop.workspace
    async with shop.serving(slack_ops_channel=there.review.id):
        fails(shop, 99)
        question = await ask(shop)
        await after_failures(shop, 3, caplog)
        (reply,) = await replies_to(shop, question, 1)
        await silence(shop)
        assert reply.text == APOLOGY
        assert "failed three times" in (await there.channel_messages(there.review))[-1].text
    assert await there.replies(question) == [reply]
    assert SECRET not in str([call.arguments for call in there.wire.calls])


@pytest.mark.usefixtures("at_once", "looks_often")
async def test_the_apology_takes_the_place_of_what_was_begun(open_shop: Shop, caplog: pytest.LogCaptureFixture):
    async def break_off(word: int) -> None:
        if word == 3:
            raise RuntimeError(SECRET)

    open_shop.provider.pause = break_off
    question = await ask(open_shop)
    await after_failures(open_shop, 3, caplog)

    async def apologised() -> bool:
        return [reply.text for reply in await open_shop.workspace.replies(question)] == [APOLOGY]

    await open_shop.workspace.until(apologised)
    await silence(open_shop)
    assert await open_shop.workspace.reactions(question.channel, question.ts) == {}


@pytest.mark.usefixtures("looks_often")
async def test_nobody_is_apologised_to_who_did_not_speak_to_the_bot(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    assert open_shop.running is not None
    monkeypatch.setattr(open_shop.running.app.parts.people, "up_to_date", broken)
    there = open_shop.workspace
    said = await there.say(there.customer, there.support, "Lunch?")
    await after_failures(open_shop, 3, caplog)
    await there.until(lambda: "given up" in caplog.text)
    await silence(open_shop)
    assert await there.replies(said) == []


async def test_no_persons_words_are_logged(open_shop: Shop, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        open_shop.workspace.wire.faults.refuse("chat.postMessage", "internal_failure", 9)
        await ask(open_shop, "say my name is Ann Other")
        await silence(open_shop)
    assert "failed at attempt 1" in caplog.text
    assert "Ann" not in caplog.text


# ---------------------------------------------------------------- the database


async def test_a_delivery_that_cannot_be_kept_is_not_acknowledged_and_answered_when_it_comes_again(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    async def down(*_: object, **__: object) -> None:
        raise DatabaseUnavailable(SECRET)

    there = open_shop.workspace
    question = await there.post(there.customer, there.support, f"<@{there.bot_user_id}> Where is it?")
    body = there.event(there.message_event(there.customer, question))
    with monkeypatch.context() as patch:
        patch.setattr(open_shop.store.inbox, "receive", down)
        answer = await there.deliver(body)
    assert answer.status == 503
    assert SECRET not in answer.text
    assert (await there.deliver(body, retry_num=1)).status == 200
    await the_reply(open_shop, question)


@pytest.mark.usefixtures("looks_often")
@pytest.mark.parametrize("method", ["save_reply_to_post", "take_question", "situation"])
async def test_a_database_that_goes_away_in_the_middle_delays_the_reply(
    open_shop: Shop, method: str, monkeypatch: pytest.MonkeyPatch
):
    gone = asyncio.Event()
    conversations = open_shop.store.conversations
    works = getattr(conversations, method)

    async def down_once(*args: object, **kwargs: object) -> object:
        if not gone.is_set():
            gone.set()
            raise DatabaseUnavailable("away")
        return await works(*args, **kwargs)

    monkeypatch.setattr(conversations, method, down_once)
    question = await ask(open_shop)
    await gone.wait()
    await silence(open_shop)
    open_shop.clock.advance(61)
    assert read(await the_reply(open_shop, question)) == ANSWER
