"""Whatever process dies, whenever, and however many there are: each question gets one reply."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot import inbox
from bot.slack_app import noticing
from storage.store import Store, open_store
from tests.bot.slack_app.asking import ask, read, replies_to, silence, the_reply
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.bot.slack_app.dying import dies, dies_after, looks_often, passes, second_process
from tests.bot.slack_app.slowly import Gate, at_once

__all__ = ["at_once", "looks_often"]


# ---------------------------------------------------------------- the process dies

STREAMED = (
    "users.info",
    "reactions.add",
    "assistant.threads.setStatus",
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "reactions.remove",
)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("next_owner", ["bot-1", "bot-2"], ids=["restarted", "taken over"])
@pytest.mark.parametrize("method", STREAMED)
async def test_a_process_that_dies_while_it_streams_leaves_one_reply(shop: Shop, method: str, next_owner: str):
    hold = shop.workspace.wire.faults.hold(method, 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
    passes(shop, 61 if next_owner == "bot-2" else 0)
    async with shop.serving(next_owner):
        reply = await the_reply(shop, question)
    assert read(reply) == ANSWER
    assert await shop.workspace.reactions(question.channel, question.ts) == {}
    assert shop.workspace.wire.statuses.shown == {}


@pytest.mark.parametrize("next_owner", ["bot-1", "bot-2"], ids=["restarted", "taken over"])
async def test_a_process_that_dies_while_it_posts_leaves_one_reply(shop: Shop, next_owner: str):
    hold = shop.workspace.wire.faults.hold("chat.postMessage", 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
    passes(shop, 61 if next_owner == "bot-2" else 0)
    async with shop.serving(next_owner):
        assert read(await the_reply(shop, question)) == ANSWER
    assert len(shop.provider.asked) == 1


@pytest.mark.parametrize("next_owner", ["bot-1", "bot-2"], ids=["restarted", "taken over"])
@pytest.mark.parametrize(
    ("noun", "method"),
    [
        ("conversations", "situation"),
        ("conversations", "take_question"),
        ("conversations", "save_reply_to_post"),
        ("postings", "landed_in_turn"),
        ("inbox", "finish_all"),
    ],
)
async def test_a_process_that_dies_between_two_steps_leaves_one_reply(
    shop: Shop, noun: str, method: str, next_owner: str, monkeypatch: pytest.MonkeyPatch
):
    async with shop.serving("bot-1"):
        with monkeypatch.context() as patch:
            dead = dies_after(shop, getattr(shop.store, noun), method, patch)
            question = await ask(shop)
            await dead.wait()
    passes(shop, 61 if next_owner == "bot-2" else 0)
    async with shop.serving(next_owner):
        assert read(await the_reply(shop, question)) == ANSWER
        await silence(shop)
    assert len(await shop.workspace.replies(question)) == 1
    assert len(shop.provider.asked) == 1


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_process_that_dies_while_it_edits_leaves_one_reply(shop: Shop, method: str):
    shop.workspace.wire.without_ai()
    hold = shop.workspace.wire.faults.hold(method, 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
    passes(shop)
    async with shop.serving("bot-2"):
        assert read(await the_reply(shop, question)) == ANSWER


async def test_a_long_reply_that_was_cut_off_in_the_middle_is_finished(shop: Shop):
    shop.provider.script = lambda model, messages: "\n\n".join(f"Part-{n}.{'-word' * 150}" for n in range(30))
    async with shop.serving("bot-1"):
        first_part = shop.workspace.wire.faults.hold("chat.postMessage", 1)
        second_part = shop.workspace.wire.faults.hold("chat.postMessage", 1)
        question = await ask(shop)
        await first_part.reached()
        first_part.release()
        await dies(shop, second_part)
    passes(shop)
    async with shop.serving("bot-2"):
        replies = await replies_to(shop, question, 3)
        await silence(shop)
        replies = await shop.workspace.replies(question)
    shown = "\n".join(read(reply) for reply in replies)
    assert [shown.count(f"Part-{n}.") for n in range(30)] == [1] * 30


async def test_eyes_that_a_dead_process_left_are_taken_away_by_a_quick_one(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    there = shop.workspace
    hold = there.wire.faults.hold("assistant.threads.setStatus", 1)
    with monkeypatch.context() as patch:
        patch.setattr(noticing, "NOTICED_AFTER_S", 0.0)
        async with shop.serving("bot-1"):
            Gate(shop.provider)
            question = await ask(shop)
            await dies(shop, hold)
    assert await there.reactions(question.channel, question.ts)
    shop.provider.pause = None
    passes(shop)
    async with shop.serving("bot-2"):
        await the_reply(shop, question)
    assert await there.reactions(question.channel, question.ts) == {}
    assert there.wire.statuses.shown == {}


@pytest.mark.usefixtures("at_once")
async def test_what_a_dead_process_had_begun_goes_when_a_person_has_taken_over(shop: Shop):
    there = shop.workspace
    hold = there.wire.faults.hold("chat.appendStream", 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
        there.wire.faults.heal()
        await there.say(there.moderator, there.support, "Let me look.", thread_ts=question.ts)
        await there.until(shop.store.hand_overs.all_open)
    assert len(await there.replies(question)) == 1
    passes(shop)
    async with shop.serving("bot-2"):

        async def is_gone() -> bool:
            return await there.replies(question) == []

        await there.until(is_gone)
        await silence(shop)


async def test_a_reply_of_a_process_that_died_is_not_given_before_its_lease_is_over(shop: Shop):
    gate = Gate(shop.provider)
    hold = shop.workspace.wire.faults.hold("users.info", 1)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await dies(shop, hold)
    shop.workspace.wire.faults.heal()
    await gate.open()
    assert await shop.store.inbox.take_left("slack", owner="bot-2", now=shop.clock(), lease_s=60) == []
    passes(shop)
    async with shop.serving("bot-2"):
        await the_reply(shop, question)


# ---------------------------------------------------------------- several processes


@pytest.fixture
async def both_stores(any_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes' stores on one database, on each kind of database."""
    async with await open_store(any_url) as one, await open_store(any_url) as other:
        yield one, other


@pytest.mark.usefixtures("program")
async def test_two_processes_that_hear_the_same_answer_each_question_once(shop: Shop, both_stores: tuple[Store, Store]):
    one, other = both_stores
    voice = await one.voices.ensure("puffin", "Be kind.", "base", at=shop.clock())
    first, second = replace(shop, store=one, voice=voice), replace(shop, store=other, voice=voice)
    there = shop.workspace
    async with first.serving("bot-1"), second_process(second) as courier:
        questions = [await there.post(there.customer, there.support, f"<@{there.bot_user_id}> {n}?") for n in range(6)]
        events = [there.message_event(there.customer, question) for question in questions]
        bodies = [
            there.event(event | kind) for event in events for kind in ({"type": "message"}, {"type": "app_mention"})
        ]
        answers = await asyncio.gather(
            *(there.deliver(body) for body in bodies),
            *(courier.post(body, retry_num=1, age_s=0.0, secret=None) for body in bodies),
        )
        assert {answer.status for answer in answers} == {200}
        for question in questions:
            await the_reply(shop, question)
    assert len(shop.provider.asked) == len(questions)


# ---------------------------------------------------------------- shutdown


async def test_shutdown_waits_for_what_has_begun(shop: Shop):
    gate = Gate(shop.provider)
    async with shop.serving():
        question = await ask(shop)
        await gate.reached(0)
        opening = asyncio.create_task(opened_soon(gate))
    await opening
    assert len(await shop.workspace.replies(question)) == 1


async def opened_soon(gate: Gate) -> None:
    await asyncio.sleep(0.1)
    await gate.open()


async def test_shutdown_leaves_what_takes_too_long_to_the_next_process_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inbox, "DRAIN_S", 0.05)
    gate = Gate(shop.provider)
    async with shop.serving("bot-1"):
        question = await ask(shop)
        await gate.reached(0)
    await gate.open()
    async with shop.serving("bot-2"):
        assert read(await the_reply(shop, question)) == ANSWER
