"""Good, not right, flag and retract: the same verb by button, reaction and shortcut; each can be taken back."""

import pytest

from storage.records import Judgement
from tests.bot.slack_app.acting import (
    buttons_of,
    feedback_on,
    form_of,
    parts_of_a_long_reply,
    settled,
    whispered,
    words_of,
)
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message


async def kinds(shop: Shop, reply: Message) -> list[Judgement]:
    return [feedback.judgement for feedback in await feedback_on(shop, reply)]


async def test_of_one_persons_thumbs_the_last_counts(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    for is_good in (True, True, False):
        await there.rate(there.customer, reply, good=is_good)
        await settled(open_shop)
    await there.rate(there.stranger, reply, good=True)
    assert sorted(await kinds(open_shop, reply)) == [Judgement.GOOD, Judgement.WRONG]
    assert [message.text for message in there.ephemerals(there.customer)] == [
        "Thanks, noted as good.",
        "Thanks, noted as good.",
        "Thanks, noted as not right.",
    ]


async def test_a_thumb_is_thanked_for_in_the_thread_it_was_given_in(open_shop: Shop):
    there = open_shop.workspace
    question, reply = await open_shop.asked()
    await there.rate(there.customer, reply, good=True)
    assert (await whispered(open_shop, there.customer)).root_ts == question.ts


async def test_the_undo_of_a_whisper_takes_the_thumb_back(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.rate(there.customer, reply, good=True)
    await there.click(there.customer, await whispered(open_shop, there.customer), "undo")
    assert (await whispered(open_shop, there.customer, 2)).text == "Taken back."
    assert await kinds(open_shop, reply) == []


async def test_what_was_wrong_in_a_persons_own_words_reaches_the_review_list(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.rate(there.customer, reply, good=False)
    await there.click(there.customer, await whispered(open_shop, there.customer), "explain")
    assert words_of(await form_of(open_shop, there.customer)).startswith("What was wrong")
    await there.submit(there.customer, {"reason": "outdated", "note": "The <!channel> moved *last year*."})
    assert (await whispered(open_shop, there.customer, 2)).text == "Thanks. A moderator will have a look."
    (flag,) = await open_shop.store.feedback.flagged(open_shop.voice.id, 10)
    assert (flag.judgement, flag.note) == (Judgement.OUTDATED, "The <!channel> moved *last year*.")
    assert there.open_view(there.customer) is None


async def test_a_moderator_whose_thumb_is_down_may_correct_or_retract_at_once(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.rate(there.moderator, reply, good=False)
    whisper = await whispered(open_shop, there.moderator)
    assert buttons_of(whisper) == ["open_correct", "retract", "undo", "why"]
    await there.click(there.moderator, whisper, "retract")
    assert (await whispered(open_shop, there.moderator, 2)).text.startswith("Retracted.")
    assert await there.reread(reply) is None


@pytest.mark.parametrize(
    ("sign", "judgement", "is_flag"),
    [
        ("thumbsup", Judgement.GOOD, False),
        ("+1::skin-tone-4", Judgement.GOOD, False),
        ("thumbsdown", Judgement.WRONG, False),
        ("triangular_flag_on_post", Judgement.WRONG, True),
    ],
)
async def test_a_moderators_sign_judges_and_taking_it_away_undoes_it(
    open_shop: Shop, sign: str, judgement: Judgement, is_flag: bool
):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.react(there.moderator, reply, sign)
    assert "Thanks" in (await whispered(open_shop, there.moderator)).text
    assert [(f.judgement, f.flagged) for f in await feedback_on(open_shop, reply)] == [(judgement, is_flag)]
    await there.unreact(there.moderator, reply, sign)
    assert (await whispered(open_shop, there.moderator, 2)).text == "Taken back."
    assert await kinds(open_shop, reply) == []


async def test_taking_one_sign_away_leaves_what_another_said_since(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    for sign in ("thumbsdown", "thumbsup"):
        await there.react(there.moderator, reply, sign)
        await settled(open_shop)
    await there.unreact(there.moderator, reply, "thumbsdown")
    assert await kinds(open_shop, reply) == [Judgement.GOOD]


async def test_a_customers_thumb_sign_is_counted_in_silence(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.react(there.customer, reply, "thumbsup")
    assert await kinds(open_shop, reply) == [Judgement.GOOD]
    assert there.ephemerals(there.customer) == []


async def test_signs_that_mean_nothing_to_us_or_stand_elsewhere_do_nothing(open_shop: Shop):
    there = open_shop.workspace
    question, reply = await open_shop.asked()
    await there.react(there.moderator, reply, "tada")
    await there.react(there.moderator, question, "thumbsup")
    assert await kinds(open_shop, reply) == []
    assert there.ephemerals(there.moderator) == []


@pytest.mark.parametrize(("entry", "is_flag"), [("ft_good", False), ("ft_flag", True)])
async def test_a_shortcut_judges_and_offers_undo(open_shop: Shop, entry: str, is_flag: bool):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.shortcut(there.moderator, reply, entry)
    whisper = await whispered(open_shop, there.moderator)
    assert [f.flagged for f in await feedback_on(open_shop, reply)] == [is_flag]
    await there.click(there.moderator, whisper, "undo")
    assert await kinds(open_shop, reply) == []


async def test_a_shortcut_on_a_persons_message_says_that_there_is_nothing_to_do(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.shortcut(there.moderator, question, "ft_flag")
    assert (await whispered(open_shop, there.moderator)).text.startswith("That is not an answer of mine")


async def test_every_part_of_a_long_reply_is_the_reply(open_shop: Shop):
    there = open_shop.workspace
    first, last = await parts_of_a_long_reply(open_shop)
    await there.react(there.moderator, first, "thumbsup")
    assert await kinds(open_shop, last) == [Judgement.GOOD]
    await there.shortcut(there.moderator, last, "ft_flag")
    assert await kinds(open_shop, last) == [Judgement.WRONG]


@pytest.mark.parametrize("way", ["reaction", "shortcut"])
async def test_retracting_any_part_takes_the_whole_reply_away_and_flags_it(open_shop: Shop, way: str):
    there = open_shop.workspace
    first, last = await parts_of_a_long_reply(open_shop)
    if way == "reaction":
        await there.react(there.moderator, first, "wastebasket")
    else:
        await there.shortcut(there.moderator, last, "ft_retract")
    await whispered(open_shop, there.moderator)
    assert await there.replies(first) == []
    assert [f.flagged for f in await open_shop.store.feedback.flagged(open_shop.voice.id, 9)] == [True]


async def test_retracting_what_somebody_deleted_already_is_no_error(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    there.wire.faults.refuse("chat.delete", "message_not_found")
    await there.shortcut(there.moderator, reply, "ft_retract")
    assert (await whispered(open_shop, there.moderator)).text.startswith("Retracted.")


async def test_a_press_delivered_twice_acts_and_whispers_once(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.rate(there.customer, reply, good=True)
    assert (await there.redeliver(there.deliveries[-1])).acknowledged
    assert await kinds(open_shop, reply) == [Judgement.GOOD]
    await whispered(open_shop, there.customer)


async def test_a_reply_that_is_still_being_streamed_is_retracted_as_well(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    there.wire.faults.refuse("chat.delete", "cant_delete_message")
    await there.shortcut(there.moderator, reply, "ft_retract")
    assert (await whispered(open_shop, there.moderator)).text.startswith("Retracted.")
    assert await there.reread(reply) is None


# ---------------------------------------------------------------- why this answer


async def test_the_menu_says_why_an_answer_was_given(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    where = f"{there.team.team_id}/{reply.channel.id}"
    posting = await there.until(lambda: open_shop.store.postings.at("slack", where, reply.ts))
    kept = await open_shop.store.conversations.reply_to(posting.subject)
    assert kept is not None
    await there.shortcut(there.moderator, reply, "ft_why")
    said = (await whispered(open_shop, there.moderator)).text.split("\n")
    assert said[0] == "*Why this answer*"
    assert "*Model*  model 0 (base)" in said
    assert any(line.startswith("*Serving since*  ") and "began with its base model" in line for line in said)
    assert f"*Prompt*  {kept.prompt_hash}" in said


@pytest.mark.parametrize("way", ["button", "reaction"])
async def test_a_moderator_who_finds_an_answer_wrong_may_ask_why_it_was_given(open_shop: Shop, way: str):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    if way == "button":
        await there.rate(there.moderator, reply, good=False)
    else:
        await there.react(there.moderator, reply, "thumbsdown")
    whisper = await whispered(open_shop, there.moderator)
    assert "why" in buttons_of(whisper)
    await there.click(there.moderator, whisper, "why")
    assert (await whispered(open_shop, there.moderator, 2)).text.startswith("*Why this answer*")


async def test_a_customer_whose_thumb_is_down_is_not_offered_the_inside(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.rate(there.customer, reply, good=False)
    assert buttons_of(await whispered(open_shop, there.customer)) == ["explain", "undo"]
