"""Correct and teach: the form, what it saves, the posted reply edited in place, and taking it all back."""

import pytest

from bot import moderation
from storage.records import ChannelMode, Correction, CorrectionState, Judgement, Scope
from tests.bot.slack_app.acting import (
    LONG,
    buttons_of,
    corrected,
    corrections,
    form_of,
    input_of,
    parts_of_a_long_reply,
    settled,
    whispered,
    words_of,
)
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.place import Message
from tests.slack.screens import View

EDIT = {"also": ["edit_posted", "for_training"]}


async def opened(shop: Shop, reply: Message) -> View:
    """The moderator's form for a reply."""
    await shop.workspace.shortcut(shop.workspace.moderator, reply, "ft_correct")
    return await form_of(shop, shop.workspace.moderator)


async def until_edited(shop: Shop, question: Message, n_messages: int, words: str) -> list[Message]:
    """The bot's messages under a question, once there are so many and the last says so."""

    async def found() -> list[Message]:
        said = await shop.workspace.replies(question)
        return said if len(said) == n_messages and words in words_of(said[-1]) else []

    return await shop.workspace.until(found)


async def only(shop: Shop) -> Correction:
    await settled(shop)
    (correction,) = await corrections(shop)
    return correction


async def test_the_form_holds_the_question_the_reply_and_every_choice(open_shop: Shop):
    _, reply = await open_shop.asked("Where is <#C1|ship> *my* parcel?")
    form = await opened(open_shop, reply)
    assert "Where is #ship" in words_of(form)
    assert "*my*" not in words_of(form)
    assert input_of(form, "text")["initial_value"] == ANSWER
    assert [option["value"] for option in input_of(form, "scope")["options"]] == ["voice", "channel", "everyone"]
    ticked = input_of(form, "also")["initial_options"]
    assert [option["text"]["text"] for option in ticked] == ["Also edit the posted reply", "Use for training"]


async def test_a_correction_is_kept_as_a_pair_with_everything_that_was_chosen(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    chosen = {"reason": "tone", "scope": "channel", "note": "We say *ahoy*.", "also": ["edit_posted"]}
    pair = await corrected(open_shop, reply, "Ahoy, it sails!", **chosen)
    assert (pair.question, pair.served_text, pair.corrected_text) == (
        "Where is my parcel?",
        ANSWER,
        "Ahoy, it sails!",
    )
    assert (pair.reason, pair.scope, pair.note) == (Judgement.TONE, Scope.CHANNEL, "We say *ahoy*.")
    assert not pair.is_for_training
    assert pair.state is CorrectionState.PROPOSED
    whisper = await whispered(open_shop, there.moderator)
    assert whisper.text == "Saved. It waits for approval in the review list."


async def test_the_posted_reply_is_edited_in_place_with_its_controls(open_shop: Shop):
    question, reply = await open_shop.asked()
    assert "AI reply, a teammate can correct it" in words_of(reply)
    await corrected(open_shop, reply, "Ahoy, it **sails**, <!channel>!", **EDIT)
    (edited,) = await until_edited(open_shop, question, 1, "Edited by a teammate")
    assert edited.ts == reply.ts
    assert edited.blocks[0]["text"] == "Ahoy, it **sails**, &lt;!\u200dchannel&gt;!"
    assert "AI reply" not in words_of(edited)
    assert buttons_of(edited) == ["feedback", "hand_over"]


async def test_a_posted_reply_stays_where_the_moderator_wants_it_so(open_shop: Shop):
    question, reply = await open_shop.asked()
    await corrected(open_shop, reply, "Ahoy, it sails!", also=["for_training"])
    assert [words_of(one) for one in await open_shop.workspace.replies(question)] == [words_of(reply)]


async def test_an_edited_reply_takes_as_many_messages_as_its_new_words(open_shop: Shop):
    there = open_shop.workspace
    first, last = await parts_of_a_long_reply(open_shop)
    question = (await there.thread(first.channel, first.root_ts))[0]
    empty = {f"text_{number}": "" for number in range(1, 5)}
    await corrected(open_shop, last, "Short.", **EDIT, **empty)
    (edited,) = await until_edited(open_shop, question, 1, "Short.")
    assert edited.ts == first.ts
    assert buttons_of(edited) == ["feedback", "hand_over"]
    (pair,) = await corrections(open_shop)
    moderator = await open_shop.store.people.actor(pair.proposed_by)
    draft = moderation.Draft(f"{LONG}\n\nThe end.", Judgement.TONE, edits_posted=True)
    assert pair.reply_id is not None
    await moderation.correct(open_shop.store, moderator, pair.reply_id, draft, now=open_shop.clock())
    again = await until_edited(open_shop, question, 2, "The end.")
    assert again[0].ts == first.ts
    assert buttons_of(again[0]) == []


async def test_a_long_reply_is_offered_in_pieces_and_comes_back_whole(open_shop: Shop):
    there = open_shop.workspace
    _, last = await parts_of_a_long_reply(open_shop)
    form = await opened(open_shop, last)
    pieces = [f"text_{number}" if number else "text" for number in range(5)]
    assert all(len(input_of(form, name)["initial_value"]) <= 2700 for name in pieces)
    assert "What it should have been (part 5 of 5)" in words_of(form)
    changed = input_of(form, "text_4")["initial_value"].replace("12.11:", "eleven")
    await there.submit(there.moderator, {"text_4": changed})
    assert (await only(open_shop)).corrected_text == LONG.replace("12.11:", "eleven")


async def test_a_field_that_is_wrong_keeps_the_form_open_and_says_why(open_shop: Shop):
    there = open_shop.workspace
    _, last = await parts_of_a_long_reply(open_shop)
    await opened(open_shop, last)
    answer = await there.submit(there.moderator, {f"text_{number}": "x" * 3000 for number in range(1, 5)})
    assert answer.json["response_action"] == "errors"
    assert "at most 12,000 are taken" in answer.json["errors"]["text"]
    answer = await there.submit(there.moderator, {"text": " \u200b ", **{f"text_{n}": "" for n in range(1, 5)}})
    assert answer.json["errors"] == {"text": "The correction is empty. Write what the reply should have been."}
    assert await corrections(open_shop) == []
    await there.submit(there.moderator, {"text": "Ahoy", **{f"text_{n}": "" for n in range(1, 5)}})
    assert (await only(open_shop)).corrected_text == "Ahoy"


async def test_a_form_sent_after_a_restart_is_saved(shop: Shop):
    there = shop.workspace
    async with shop.serving("bot-1"):
        _, reply = await shop.asked()
        await opened(shop, reply)
    async with shop.serving("bot-2"):
        await there.submit(there.moderator, {"text": "Ahoy"})
        assert (await only(shop)).corrected_text == "Ahoy"


async def test_a_form_delivered_twice_is_one_correction_and_one_whisper(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await corrected(open_shop, reply)
    again = await there.redeliver(there.deliveries[-1])
    assert again.acknowledged
    await only(open_shop)
    await whispered(open_shop, there.moderator)


async def test_a_press_that_slack_forgot_is_asked_for_again(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    there.wire.faults.refuse("views.open", "expired_trigger_id")
    await there.shortcut(there.moderator, reply, "ft_correct")
    assert "Please press again" in (await whispered(open_shop, there.moderator)).text


async def test_a_correction_equal_to_the_reply_is_not_saved_and_says_so(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await opened(open_shop, reply)
    await there.submit(there.moderator, {})
    assert "the same as the reply" in (await whispered(open_shop, there.moderator)).text
    assert await corrections(open_shop) == []


async def test_undo_takes_a_correction_back_and_the_posted_reply_too(open_shop: Shop):
    there = open_shop.workspace
    question, reply = await open_shop.asked()
    await corrected(open_shop, reply, "Ahoy, it sails!", **EDIT)
    await until_edited(open_shop, question, 1, "Ahoy, it sails!")
    await there.click(there.moderator, await whispered(open_shop, there.moderator), "take_back")
    (restored,) = await until_edited(open_shop, question, 1, ANSWER)
    assert "AI reply, a teammate can correct it" in words_of(restored)
    assert (await only(open_shop)).state is CorrectionState.RETRACTED


async def test_the_sign_for_correcting_offers_the_form(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.react(there.moderator, reply, "pencil2")
    await there.click(there.moderator, await whispered(open_shop, there.moderator), "open_correct")
    assert input_of(await form_of(open_shop, there.moderator), "text")["initial_value"] == ANSWER


async def test_where_training_is_not_allowed_it_is_not_offered(open_shop: Shop):
    there = open_shop.workspace
    place = f"{there.team.team_id}/{there.support.id}"
    await open_shop.store.channels.set(
        "slack", place, ChannelMode.MENTION, False, "actor_finetone", at=open_shop.clock()
    )
    _, reply = await open_shop.asked()
    form = await opened(open_shop, reply)
    assert "Use for training" not in words_of(form)
    await there.submit(there.moderator, {"text": "Ahoy"})
    assert not (await only(open_shop)).is_for_training


# ---------------------------------------------------------------- teaching


@pytest.mark.parametrize("way", ["ft_teach", "ft_correct", "mortar_board"])
async def test_a_persons_answer_becomes_the_correction_of_the_bots(open_shop: Shop, way: str):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    person = there.second_customer.user_id
    better = await there.say(there.moderator, there.support, f"Ahoy <@{person}>, tomorrow &amp; free!", question.ts)
    if way == "mortar_board":
        await there.react(there.moderator, better, way)
    else:
        await there.shortcut(there.moderator, better, way)
    assert (await whispered(open_shop, there.moderator)).text.startswith("Saved.")
    pair = await only(open_shop)
    assert (pair.served_text, pair.corrected_text) == (ANSWER, "Ahoy @customer, tomorrow & free!")


async def test_taking_the_teaching_sign_away_takes_the_lesson_back(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    better = await there.say(there.moderator, there.support, "Ahoy, tomorrow!", question.ts)
    await there.react(there.moderator, better, "mortar_board")
    await only(open_shop)
    await there.unreact(there.moderator, better, "mortar_board")
    assert (await only(open_shop)).state is CorrectionState.RETRACTED


@pytest.mark.parametrize("way", ["ft_teach", "mortar_board"])
async def test_nothing_is_learnt_from_a_message_without_an_answer_of_ours_before_it(open_shop: Shop, way: str):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    if way == "ft_teach":
        await there.shortcut(there.moderator, question, way)
    else:
        await there.react(there.moderator, question, way)
    assert "nothing to learn from" in (await whispered(open_shop, there.moderator)).text
    assert await corrections(open_shop) == []


async def test_the_bots_own_answer_teaches_nothing(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked()
    await there.shortcut(there.moderator, reply, "ft_teach")
    assert "That is an answer of mine" in (await whispered(open_shop, there.moderator)).text
    await there.react(there.moderator, reply, "books")
    assert "That is an answer of mine" in (await whispered(open_shop, there.moderator, 2)).text
