"""Slack's stop button: who presses it gets no more of the answer, and what stands there is the answer from then on.

Streams, sessions and the button itself are the project's own stub (tests/slack/own_stub.py), after Slack's documentation.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.slack_app import replying
from bot.slack_app.app import SlackApp
from bot.slack_app.braking import Brake
from bot.slack_app.payloads import Stopped
from bot.slack_app.serve import slack
from bot.slack_app.stopping import STOPPED_AT_ONCE, stopped
from providers.base import ProviderError, Sampling
from providers.fake import FakeProvider
from storage.records import Message as ModelMessage
from storage.records import Reply, ReplySource
from tests.bot.slack_app.asking import ask, is_whole, read, replies_to, silence, the_reply
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.bot.slack_app.slowly import Gate, at_once
from tests.slack.place import Message

__all__ = ["at_once"]

pytestmark = pytest.mark.usefixtures("at_once")


async def saved(shop: Shop, question: Message) -> Reply:
    """The reply as it is kept."""
    turn = await shop.store.conversations.find_turn(
        "slack", f"{shop.workspace.team.team_id}/{question.channel.id}/{question.ts}"
    )
    assert turn is not None
    reply = await shop.store.conversations.reply_to(turn.id)
    assert reply is not None
    return reply


async def growing(shop: Shop) -> tuple[Gate, Message, Message]:
    """A question, and its answer as far as "It is", the model being held at its next word."""
    gate = Gate(shop.provider)
    question = await ask(shop)
    await gate.let(3)
    (shown,) = await replies_to(shop, question, 1)
    return gate, question, shown


@pytest.fixture(params=["streamed", "edited"])
def shop_either_way(request: pytest.FixtureRequest, open_shop: Shop) -> Shop:
    """The app in a workspace with streams, and in one without."""
    if request.param == "edited":
        open_shop.workspace.wire.streams.available = False
    return open_shop


async def test_what_stands_there_is_the_answer_and_no_word_comes_after_it(shop_either_way: Shop):
    there, shop = shop_either_way.workspace, shop_either_way
    gate, question, shown = await growing(shop)
    await there.press_stop(there.customer, shown)
    reply = await the_reply(shop, question)
    assert (reply.ts, read(reply)) == (shown.ts, "It is")
    assert "Stopped on request" in str(reply.blocks)
    await gate.open()
    await silence(shop)
    assert read(await the_reply(shop, question)) == "It is"
    kept = await saved(shop, question)
    assert (kept.text, kept.source, kept.model_name) == ("It is", ReplySource.BASE, "base")
    assert there.wire.statuses.shown == {}
    assert there.wire.sessions.states == {(question.channel.id, question.ts): "active"}
    assert await there.reactions(question.channel, question.ts) == {}


async def test_the_model_is_stopped_and_not_waited_for(open_shop: Shop):
    there = open_shop.workspace
    gate, question, shown = await growing(open_shop)
    n_before = len(open_shop.provider.asked)
    await there.press_stop(there.customer, shown)
    assert is_whole(await the_reply(open_shop, question))  # and the gate is still closed
    await gate.open()
    await silence(open_shop)
    assert len(open_shop.provider.asked) == n_before


async def test_before_the_first_word_it_is_one_line_and_the_conversation_goes_on(open_shop: Shop):
    there = open_shop.workspace
    gate = Gate(open_shop.provider)
    question = await ask(open_shop)
    await gate.reached(0)
    await there.press_stop(there.customer, question)
    reply = await the_reply(open_shop, question)
    assert read(reply) == STOPPED_AT_ONCE
    assert "Stopped on request" not in str(reply.blocks)
    kept = await saved(open_shop, question)
    assert (kept.text, kept.source, kept.model_name) == (STOPPED_AT_ONCE, ReplySource.NOTICE, None)
    await gate.open()
    await there.say(there.customer, there.support, "I mean the blue one.", thread_ts=question.ts)
    _, answer = await replies_to(open_shop, question, 2)
    await silence(open_shop)
    assert ANSWER in (await there.reread(answer) or answer).text


async def test_slack_that_says_so_before_the_event_comes_stops_the_model_too(open_shop: Shop):
    there = open_shop.workspace
    gate, question, shown = await growing(open_shop)
    there.wire.streams.stop_by_user(question.channel.id, question.ts)  # the event is lost
    await gate.open()
    reply = await the_reply(open_shop, question)
    assert read(reply) == read(shown) == "It is"
    assert gate.n_spoken < len(ANSWER.split())
    assert (await saved(open_shop, question)).text == "It is"


async def test_words_that_were_saved_and_not_shown_yet_are_cut_off(open_shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replying, "APPEND_EVERY_S", 1e9)  # what came first is all that is shown before the end
    there = open_shop.workspace
    hold = there.wire.faults.hold("chat.stopStream")
    question = await ask(open_shop)
    await hold.reached()
    (shown,) = await replies_to(open_shop, question, 1)
    assert (await saved(open_shop, question)).text == ANSWER
    there.wire.streams.stop_by_user(question.channel.id, question.ts)
    hold.release()
    reply = await the_reply(open_shop, question)
    assert read(reply) == read(shown) != ANSWER
    assert "Stopped on request" in str(reply.blocks)
    assert (await saved(open_shop, question)).text == read(shown)


async def test_a_press_in_one_thread_stops_nothing_in_another(open_shop: Shop):
    there = open_shop.workspace
    gate, question, _ = await growing(open_shop)
    other = await there.post(there.customer, there.support, "Something else")
    await there.press_stop(there.customer, other)
    await gate.open()
    assert read(await the_reply(open_shop, question)) == ANSWER


async def test_a_press_after_the_answer_changes_nothing(open_shop: Shop):
    there = open_shop.workspace
    question = await ask(open_shop)
    reply = await the_reply(open_shop, question)
    await there.press_stop(there.customer, reply)
    await silence(open_shop)
    assert await the_reply(open_shop, question) == reply
    assert (await saved(open_shop, question)).text == ANSWER


# ---------------------------------------------------------------- several processes


@pytest.fixture
async def other_app(open_shop: Shop) -> AsyncIterator[SlackApp]:
    """A second process on the same database."""
    async with slack(open_shop.program("bot-2"), is_http=True) as running:
        yield running.app


def stop_in(shop: Shop, question: Message, *streams: str) -> Stopped:
    return Stopped(shop.workspace.team.team_id, question.channel.id, question.ts, streams)


async def test_an_answer_that_another_process_edits_ends_in_one_line(open_shop: Shop, other_app: SlackApp):
    open_shop.workspace.wire.streams.available = False
    gate, question, shown = await growing(open_shop)
    assert await stopped(other_app.parts, stop_in(open_shop, question), is_first_try=True) == ""
    await gate.open()
    reply = await the_reply(open_shop, question)
    assert (reply.ts, read(reply)) == (shown.ts, STOPPED_AT_ONCE)
    assert (await saved(open_shop, question)).text == STOPPED_AT_ONCE


async def test_an_answer_that_another_process_streams_is_left_to_what_slack_tells_that_one(
    open_shop: Shop, other_app: SlackApp
):
    there = open_shop.workspace
    gate, question, shown = await growing(open_shop)
    streams = there.wire.streams.stop_by_user(question.channel.id, question.ts)
    assert streams == [shown.ts]
    outcome = await stopped(other_app.parts, stop_in(open_shop, question, *streams), is_first_try=True)
    assert outcome == "whoever streams it hears it from Slack"
    await gate.open()
    assert read(await the_reply(open_shop, question)) == "It is"
    assert (await saved(open_shop, question)).text == "It is"


async def test_a_stop_whose_process_died_leaves_no_answer_to_come(open_shop: Shop, other_app: SlackApp):
    there = open_shop.workspace
    gate, question, shown = await growing(open_shop)
    there.wire.streams.stop_by_user(question.channel.id, question.ts)
    again = stop_in(open_shop, question, shown.ts)
    assert await stopped(other_app.parts, again, is_first_try=False) == ""
    assert await stopped(other_app.parts, again, is_first_try=False) == "nothing was on its way"
    await gate.open()
    assert read(await the_reply(open_shop, question)) == STOPPED_AT_ONCE


async def test_a_thread_that_is_none_of_ours_is_passed_over(open_shop: Shop):
    there = open_shop.workspace
    assert open_shop.running is not None
    message = await there.post(there.customer, there.support, "Hello")
    outcome = await stopped(open_shop.running.app.parts, stop_in(open_shop, message), is_first_try=True)
    assert outcome == "not a thread of ours"


# ---------------------------------------------------------------- the brake


QUESTION = [ModelMessage("user", "Where?")]


async def heard(brake: Brake, into: list[str]) -> None:
    async for chunk in brake.stream("base", QUESTION, Sampling(50)):
        into.append(chunk.text)


async def test_a_brake_that_is_not_put_on_passes_everything():
    words: list[str] = []
    await heard(Brake(FakeProvider(script=lambda model, messages: "one two")), words)
    assert "".join(words) == "one two"


async def test_a_brake_cuts_a_wait_short_and_closes_the_models_stream():
    provider = FakeProvider(script=lambda model, messages: "one two three")
    gate, closed = Gate(provider), asyncio.Event()
    wait = provider.pause
    assert wait is not None

    async def watched(word: int) -> None:
        try:
            await wait(word)
        except asyncio.CancelledError:
            closed.set()
            raise

    provider.pause = watched
    brake, words = Brake(provider), []
    listening = asyncio.create_task(heard(brake, words))
    await gate.let(1)
    brake.put_on()
    await listening
    assert words == ["one"]
    assert closed.is_set()
    assert listening.cancelling() == 0


async def test_a_brake_before_the_first_word_is_an_answer_that_never_came():
    provider = FakeProvider()
    brake = Brake(provider)
    brake.put_on()
    with pytest.raises(ProviderError, match="stopped by a person"):
        await heard(brake, [])
    assert provider.asked == []


async def test_a_shutdown_is_no_stop():
    provider = FakeProvider()
    gate = Gate(provider)
    listening = asyncio.create_task(heard(Brake(provider), []))
    await gate.reached(0)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
