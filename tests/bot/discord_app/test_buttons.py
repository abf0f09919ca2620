"""The buttons under a reply: they act once, for anybody, also after a restart, and tell only who pressed them."""

import asyncio
from typing import Any

import pytest

from bot.discord_app import interactions
from bot.discord_app.interactions import BUSY
from storage.errors import DatabaseUnavailable
from storage.records import Judgement
from tests.bot.discord_app.conftest import Shop
from tests.discord.place import CannotDo


async def judged(shop: Shop) -> list[tuple[str, Judgement]]:
    """Who has judged the first reply, and how."""
    [(_, reply)] = await shop.store.conversations.recent_turns(await conversation(shop), 5)
    assert reply is not None
    given = await shop.store.feedback.for_reply(reply.id)
    people = await shop.store.people.actors(feedback.actor_id for feedback in given)
    return [(people[feedback.actor_id].name, feedback.judgement) for feedback in given]


async def conversation(shop: Shop) -> str:
    """The only conversation's id."""
    [turn] = await shop.store.conversations.asked_by((await customer(shop)).id)
    return turn.conversation_id


async def customer(shop: Shop):
    found = await shop.store.people.find("discord", str(shop.guild.customer.id))
    assert found is not None
    return found


async def test_helpful_is_noted_and_said_to_who_pressed_it_alone(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.click(there.customer, reply, label="Helpful")
    [said] = answer.followups
    assert (said.text, said.ephemeral, said.labels) == ("Thanks, noted as good.", True, ["Undo"])
    assert await judged(open_shop) == [("customer", Judgement.GOOD)]


async def test_the_last_press_counts_and_undo_takes_it_back(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.click(there.customer, reply, label="Helpful")
    answer = await there.click(there.customer, reply, label="Not right")
    assert await judged(open_shop) == [("customer", Judgement.WRONG)]
    undone = await there.click(there.customer, answer.followups[0], label="Undo")
    assert undone.followups[0].text == "Taken back."
    assert await judged(open_shop) == []


async def test_not_right_may_be_explained_in_a_form(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.click(there.customer, reply, label="Not right")
    form = await there.click(there.customer, answer.followups[0], label="Say what was wrong")
    assert form.modal is not None
    assert form.modal["title"] == "What was not right?"
    sent = await there.submit(there.customer, {"reason": ["outdated"], "note": "That was last year."})
    assert sent.text == "Thanks. A moderator will have a look."
    [(_, given)] = await open_shop.store.conversations.recent_turns(await conversation(open_shop), 5)
    assert given is not None
    [feedback] = await open_shop.store.feedback.for_reply(given.id)
    assert (feedback.judgement, feedback.note, feedback.flagged) == (Judgement.OUTDATED, "That was last year.", True)


async def test_buttons_work_after_a_restart(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.restart(open_shop.client("bot-2"))
    answer = await there.click(there.second_customer, reply, label="Helpful")
    assert answer.followups[0].text == "Thanks, noted as good."


async def test_a_form_that_is_sent_after_a_restart_is_saved(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.click(there.customer, reply, label="Not right")
    await there.click(there.customer, answer.followups[0], label="Say what was wrong")
    await there.restart(open_shop.client("bot-2"))
    sent = await there.submit(there.customer, {"reason": ["tone"], "note": "Rude."})
    assert sent.text == "Thanks. A moderator will have a look."
    assert await judged(open_shop) == [("customer", Judgement.TONE)]


async def test_a_double_click_is_one_judgement_and_both_are_answered(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    both = await there.double_click(there.customer, reply, label="Helpful")
    assert all(answer.acknowledged for answer in both)
    assert await judged(open_shop) == [("customer", Judgement.GOOD)]


async def test_a_press_that_is_delivered_twice_acts_once(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.twice():
        answer = await there.click(there.customer, reply, label="Helpful")
    assert len(answer.followups) == 1
    assert await judged(open_shop) == [("customer", Judgement.GOOD)]


async def test_a_form_that_is_delivered_twice_is_saved_once(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.click(there.customer, reply, label="Not right")
    await there.click(there.customer, answer.followups[0], label="Say what was wrong")
    with there.feed.twice():
        sent = await there.submit(there.customer, {"reason": ["tone"]})
    assert (sent.text, len(sent.followups)) == ("Thanks. A moderator will have a look.", 0)


async def test_two_people_at_once_each_have_their_say(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    [good] = [custom_id for custom_id in reply.custom_ids if ":good:" in custom_id]
    await there.click_together([there.customer, there.second_customer], reply, custom_id=good)
    assert sorted(await judged(open_shop)) == [("customer", Judgement.GOOD), ("second_customer", Judgement.GOOD)]


async def test_what_cannot_be_kept_is_said_within_three_seconds(open_shop: Shop, monkeypatch: pytest.MonkeyPatch):
    async def away(*_: object, **__: object) -> bool:
        raise DatabaseUnavailable("The database does not answer.")

    _, reply = await open_shop.asked()
    there = open_shop.guild
    receiver = open_shop.running.app.receiver
    monkeypatch.setattr(receiver, "_keep", away)
    answer = await there.click(there.customer, reply, label="Helpful")
    assert (answer.text, answer.ephemeral) == (BUSY, True)


async def test_a_slow_database_keeps_nobody_from_a_response_in_time(open_shop: Shop, monkeypatch: pytest.MonkeyPatch):
    _, reply = await open_shop.asked()
    there, receiver, may_keep = open_shop.guild, open_shop.running.app.receiver, asyncio.Event()
    keep = receiver._keep

    async def slow(*args: Any) -> bool:
        await there.outside(may_keep.wait())
        return await keep(*args)

    monkeypatch.setattr(interactions, "FIRST_RESPONSE_S", 0.01)
    monkeypatch.setattr(receiver, "_keep", slow)
    answer = await there.click(there.customer, reply, label="Helpful")
    await there.until(lambda: answer.acknowledged)
    assert answer.followups == []
    may_keep.set()
    await there.until(lambda: answer.followups)
    assert answer.followups[0].text == "Thanks, noted as good."


async def test_a_form_that_takes_too_long_to_open_is_a_sentence_in_time(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.click(there.customer, reply, label="Not right")

    async def slow(*_: Any) -> Any:
        await there.outside(asyncio.Event().wait())

    monkeypatch.setitem(open_shop.running.app.registry.opens, "press explain", slow)
    form = await there.click(there.customer, answer.followups[0], label="Say what was wrong")
    await there.pass_time(2)
    await there.until(lambda: form.acknowledged)
    assert (form.modal, form.text, form.ephemeral) == (None, BUSY, True)


async def test_a_reply_that_is_forgotten_is_said_to_be_gone(open_shop: Shop):
    there = open_shop.guild
    question, reply = await open_shop.asked()
    answer = await there.click(there.customer, reply, label="Not right")
    explain = answer.followups[0]
    await there.delete(there.customer, question)
    await there.until(lambda: there.reread(reply) is None)
    with pytest.raises(CannotDo):
        await there.click(there.customer, reply, label="Helpful")
    undone = await there.click(there.customer, explain, label="Undo")
    assert undone.acknowledged


async def test_a_late_press_is_still_noted_and_told_by_a_direct_message(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.late():
        answer = await there.click(there.customer, reply, label="Helpful")
    assert not answer.acknowledged
    assert await judged(open_shop) == [("customer", Judgement.GOOD)]
    assert [said.text for said in there.said_by_bot(there.dm(there.customer))] == ["Thanks, noted as good."]
