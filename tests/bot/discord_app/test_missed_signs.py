"""Reactions that came while nobody listened: judgements are taken up, once, and nothing else is."""

import pytest

from bot.discord_app import missed_signs
from bot.discord_app.payloads import Place
from bot.discord_app.signs import heard
from bot.office.verbs import Sign
from storage.records import Judgement, PostingKind
from tests.bot.discord_app.acting import feedback_on, judged, stored
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import eventually


async def test_judgements_that_came_while_nobody_listened_are_taken_up_once(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.unheard():
        await there.react(there.customer, reply, "👍🏽")
        await there.react(there.second_customer, reply, "🚩")
        await there.react(there.moderator, reply, "🚩")
        await there.react(there.approver, reply, "🗑️")
        await there.react(there.other_bot, reply, "👎")
    await open_shop.crashes("bot-2")
    given = await feedback_on(open_shop, reply)
    assert sorted((one.judgement, one.flagged) for one in given) == [(Judgement.GOOD, False), (Judgement.WRONG, True)]
    assert there.reread(reply) is not None
    await open_shop.crashes("bot-3")
    assert await feedback_on(open_shop, reply) == given


async def test_what_somebody_has_judged_since_is_left_as_it_is(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.unheard():
        await there.react(there.customer, reply, "👍")
    await there.click(there.customer, reply, label="Not right")
    await open_shop.crashes("bot-2")
    assert await judged(open_shop, reply) == [Judgement.WRONG]


async def test_answers_that_cannot_be_read_stop_nothing(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    there.refuse("GET", f"/channels/{reply.channel.id}/messages/*", status=403, code=50001, times=None)
    await open_shop.crashes("bot-2")
    _, other = await open_shop.asked("Again?")
    assert other.text == ANSWER


async def test_a_judgement_whose_reaction_went_while_nobody_listened_is_taken_back(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "👍")
    await there.react(there.second_customer, reply, "👎")
    with there.feed.unheard():
        await there.unreact(there.customer, reply, "👍")
    await open_shop.crashes("bot-2")
    assert await judged(open_shop, reply) == [Judgement.WRONG]


async def test_a_judgement_by_button_stays_though_there_is_no_reaction(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "👍")
    await there.unreact(there.customer, reply, "👍")
    await there.click(there.customer, reply, label="Helpful")
    await open_shop.crashes("bot-2")
    assert await judged(open_shop, reply) == [Judgement.GOOD]


async def test_a_judgement_is_not_taken_back_where_not_everybody_is_told(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(missed_signs, "MOST_PEOPLE", 1)
    _, reply = await open_shop.asked()
    there = open_shop.guild
    for person in (there.customer, there.second_customer, there.stranger):
        await there.react(person, reply, "👍")
    with there.feed.unheard():
        await there.unreact(there.customer, reply, "👍")
    await open_shop.crashes("bot-2")
    assert len(await judged(open_shop, reply)) == 3


async def test_an_answer_that_a_moderator_deleted_while_nobody_listened_counts_as_flagged(open_shop: Shop):
    open_shop.provider.script = lambda model, messages: "\n\n".join(letter * 1_500 for letter in "ab")
    there = open_shop.guild
    question, first = await open_shop.asked("Tell me")
    reply = await stored(open_shop, first)
    _, second = there.replies(question)
    with there.feed.unheard():
        await there.delete(there.moderator, second)
    await open_shop.crashes("bot-2")
    given = await open_shop.store.feedback.for_reply(reply.id)
    assert [(one.judgement, one.flagged) for one in given] == [(Judgement.WRONG, True)]
    assert there.replies(question) == []


async def test_a_thread_that_was_deleted_while_nobody_listened_is_no_flag(open_shop: Shop):
    there = open_shop.guild
    _, message = await open_shop.asked()
    reply = await stored(open_shop, message)
    with there.feed.unheard():
        await there.delete_channel(message.channel)
    await open_shop.crashes("bot-2")
    assert await open_shop.store.feedback.for_reply(reply.id) == []
    postings = await open_shop.store.postings.of(PostingKind.REPLY, reply.turn_id)
    assert [posting.removed_at is not None for posting in postings] == [True]


async def test_what_is_not_found_in_a_server_that_is_out_of_reach_is_not_gone(open_shop: Shop):
    there = open_shop.guild
    _, message = await open_shop.asked()
    reply = await stored(open_shop, message)
    path = f"/channels/{message.channel.id}/messages/*"
    there.refuse("GET", path, status=404, code=10008, times=None)
    await there.become_unavailable()
    await missed_signs.begin(open_shop.running.app.parts)
    assert await open_shop.store.feedback.for_reply(reply.id) == []


async def test_signs_are_remembered_for_a_day(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(missed_signs, "FORGET_EVERY_S", 0.001)
    async with shop.opened():
        there = shop.guild
        _, reply = await shop.asked()
        place = Place(str(there.id), str(reply.channel.id), str(reply.id))
        await there.react(there.customer, reply, "👍")
        assert await heard(shop.running.app.parts, place) == [(Sign.GOOD, str(there.customer.id))]
        shop.clock.advance(86_400 + 1)

        async def is_forgotten() -> bool:
            return await heard(shop.running.app.parts, place) == []

        await eventually(is_forgotten)
