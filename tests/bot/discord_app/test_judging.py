"""Reactions and the message menu: what a thumb, a flag, a pencil and a bin do, for whom, and where that is read."""

import pytest

from bot.discord_app.signs import SIGNS, sign_of, signs_named
from bot.office.verbs import NOT_MINE, Sign
from bot.settings import SettingsWrong
from storage.records import ChannelMode, Judgement
from tests.bot.discord_app.acting import corrections, direct, feedback_on, judged, saying, stored, told
from tests.bot.discord_app.conftest import ANSWER, Shop

NO_MESSAGES = {"status": 403, "code": 50007, "times": None}


@pytest.mark.parametrize(
    ("emoji", "sign"),
    [
        ("👍", Sign.GOOD),
        ("👍🏽", Sign.GOOD),
        ("✔️", Sign.GOOD),
        ("👎🏿", Sign.WRONG),
        ("⚠️", Sign.FLAG),
        ("✏️", Sign.CORRECT),
        ("🗑️", Sign.RETRACT),
        ("🎓", Sign.TEACH),
        ("😀", None),
        ("good:123456789012345678", None),
        ("", None),
    ],
)
def test_a_sign_is_known_in_every_skin_tone(emoji: str, sign: Sign | None):
    assert sign_of(emoji) is sign


def test_no_picture_stands_for_two_things():
    pictures = [picture for each in SIGNS.values() for picture in each]
    assert len(pictures) == len(set(pictures))
    assert set(SIGNS) == set(Sign)


async def test_a_customers_thumb_is_counted_in_silence(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "👍🏽")
    assert await judged(open_shop, reply) == [Judgement.GOOD]
    assert (there.ephemerals(there.customer), direct(open_shop, there.customer)) == ([], [])


async def test_the_last_sign_of_a_person_counts(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "👍")
    await there.react(there.customer, reply, "👎")
    await there.react(there.second_customer, reply, "👍")
    assert await judged(open_shop, reply) == [Judgement.WRONG, Judgement.GOOD]


async def test_taking_a_reaction_back_takes_its_judgement_back_and_no_later_one(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "👍")
    await there.unreact(there.customer, reply, "👍")
    assert await judged(open_shop, reply) == []
    await there.react(there.customer, reply, "👍")
    await there.react(there.customer, reply, "👎")
    await there.unreact(there.customer, reply, "👍")
    assert await judged(open_shop, reply) == [Judgement.WRONG]


async def test_somebody_keeps_their_name_when_they_take_a_reaction_back(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "👍")
    await there.unreact(there.customer, reply, "👍")
    known = await open_shop.store.people.find("discord", str(there.customer.id))
    assert known is not None
    assert known.name == "customer"


async def test_a_reaction_that_is_told_twice_is_one_judgement(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    with there.feed.twice():
        await there.react(there.moderator, reply, "🚩")
    [flag] = await feedback_on(open_shop, reply)
    assert flag.flagged


async def test_every_part_of_a_long_reply_is_the_one_reply(open_shop: Shop):
    there = open_shop.guild
    open_shop.provider.script = saying("\n\n".join(letter * 1_500 for letter in "ab"))
    question = await there.mention(there.customer, there.support, "Tell me all")
    first, last = there.replies(question)
    await there.react(there.customer, first, "👎")
    await there.react(there.customer, last, "👍")
    assert await judged(open_shop, first) == await judged(open_shop, last) == [Judgement.GOOD]


async def test_the_flag_is_a_moderators_sign(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.customer, reply, "🚩")
    assert await feedback_on(open_shop, reply) == []
    await there.react(there.moderator, reply, "🚩")
    [flag] = await feedback_on(open_shop, reply)
    assert (flag.judgement, flag.flagged) == (Judgement.WRONG, True)
    await there.unreact(there.moderator, reply, "🚩")
    assert await feedback_on(open_shop, reply) == []


async def test_the_role_is_looked_at_when_the_reaction_comes(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.take_role(there.moderator, there.moderators)
    await there.react(there.moderator, reply, "🚩")
    assert await feedback_on(open_shop, reply) == []
    await there.give_role(there.customer, there.moderators)
    await there.react(there.customer, reply, "🚩")
    assert [flag.flagged for flag in await feedback_on(open_shop, reply)] == [True]


async def test_bots_and_messages_of_others_are_left_alone(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.other_bot, reply, "👎")
    await there.react(there.bot, reply, "👎")
    await there.react(there.moderator, question, "👎")
    assert await feedback_on(open_shop, reply) == []


async def test_a_pencil_brings_a_button_in_private_that_opens_the_form(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.moderator, reply, "✏️")
    [message] = direct(open_shop, there.moderator)
    assert message.shown.startswith("What should that answer have been?\n-# https://discord.com/channels/")
    assert message.labels == ["Correct this answer"]
    assert there.said_by_bot(there.review) == []
    opened = await there.click(there.moderator, message, label="Correct this answer")
    assert opened.modal is not None
    sent = await there.submit(there.moderator, {"text": "It is here."})
    assert sent.text == "Saved. It waits for approval in the review list."
    [correction] = await corrections(open_shop)
    assert correction.corrected_text == "It is here."


async def test_the_button_of_a_pencil_works_after_a_restart_and_for_nobody_without_the_right(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.moderator, reply, "📝")
    await open_shop.crashes("bot-2")
    [message] = direct(open_shop, there.moderator)
    assert (await there.click(there.moderator, message, label="Correct this answer")).modal is not None
    await there.take_role(there.moderator, there.moderators)
    refused = await there.click(there.moderator, message, label="Correct this answer")
    assert (refused.modal, refused.text) == (
        None,
        "Only a moderator can correct a reply, and moderator is not one.",
    )


async def test_who_takes_no_direct_messages_finds_the_button_in_the_review_channel(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    there.refuse("POST", f"/channels/{there.dm(there.moderator).id}/messages", message="", **NO_MESSAGES)  # type: ignore[arg-type]
    await there.react(there.moderator, reply, "✏️")
    [message] = there.said_by_bot(there.review)
    assert message.shown.startswith("**moderator**  What should that answer have been?")
    opened = await there.click(there.moderator, message, label="Correct this answer")
    assert opened.modal is not None


async def test_a_moderators_thumb_down_brings_what_may_be_done_next(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    await there.react(there.moderator, reply, "👎")
    [message] = direct(open_shop, there.moderator)
    assert message.labels == ["Correct this answer", "Retract", "Undo"]
    asked = await there.click(there.moderator, message, label="Retract")
    [sure] = asked.followups
    assert (sure.shown, sure.labels) == ("The answer is removed for everybody.", ["Retract"])
    assert there.reread(reply) is not None
    done = await there.click(there.moderator, sure, label="Retract")
    assert done.followups[0].text == "Retracted. The message is removed, and the reply counts as flagged."
    assert there.replies(question) == []


async def test_a_bin_takes_every_part_away_and_counts_as_a_flag(open_shop: Shop):
    there = open_shop.guild
    open_shop.provider.script = saying("\n\n".join(letter * 1_500 for letter in "ab"))
    question = await there.mention(there.customer, there.support, "Tell me all")
    first, _ = there.replies(question)
    await there.react(there.moderator, first, "🗑️")
    assert there.replies(question) == []
    assert [flag.flagged for flag in await feedback_on(open_shop, first)] == [True]
    assert [one.shown.split("\n")[0] for one in direct(open_shop, there.moderator)] == [
        "Retracted. The message is removed, and the reply counts as flagged."
    ]


async def test_a_reply_that_a_moderator_deletes_counts_as_a_flag(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.delete(there.moderator, reply)
    [flag] = await feedback_on(open_shop, reply)
    assert (flag.judgement, flag.flagged) == (Judgement.WRONG, True)


# ---------------------------------------------------------------- the menu


async def test_the_menu_marks_good_and_flags(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    answer = await there.open_menu(there.moderator, reply, "Mark good")
    assert (answer.text, answer.ephemeral) == ("Thanks, noted as good.", True)
    assert await judged(open_shop, reply) == [Judgement.GOOD]
    flagged = await there.open_menu(there.moderator, reply, "Flag")
    assert (flagged.text, flagged.message.labels if flagged.message else []) == (
        "Thanks. A moderator will have a look.",
        ["Undo"],
    )
    assert [feedback.flagged for feedback in await feedback_on(open_shop, reply)] == [True]


async def test_the_menu_says_why_an_answer_was_given_and_to_moderators_alone(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    kept = (await stored(open_shop, reply)).prompt_hash
    answer = await there.open_menu(there.moderator, reply, "Why this answer?")
    assert answer.text is not None
    assert answer.text.split("\n")[0] == "**Why this answer**"
    assert "**Model**  model 0 (base)" in answer.text
    assert "**Serving since**  21 Nov 2026, 09:00 UTC: The voice began with its base model." in answer.text
    assert f"**Prompt**  {kept}" in answer.text
    await there.take_role(there.moderator, there.moderators)
    await there.give_permission(there.support, "manage_messages", of=there.moderator)
    await there.open_menu(there.moderator, reply, "Why this answer?")
    assert told(open_shop, there.moderator).startswith("Only a moderator can see where an answer comes from")


@pytest.mark.parametrize("name", ["Correct this answer", "Mark good", "Flag", "Why this answer?"])
async def test_a_message_of_somebody_else_is_no_answer_of_ours(open_shop: Shop, name: str):
    question, _ = await open_shop.asked()
    there = open_shop.guild
    answer = await there.open_menu(there.moderator, question, name)
    assert (answer.text, answer.ephemeral) == (NOT_MINE, True)


async def test_a_direct_message_can_be_judged_by_a_thumb(shop: Shop):
    async with shop.opened(discord_direct_messages=True):
        there = shop.guild
        question = await there.direct_message(there.customer, "Where is my parcel?")
        [reply] = [one for one in there.messages(there.dm(there.customer)) if one.text == ANSWER]
        await there.react(there.customer, reply, "👍")
        turn = await shop.store.conversations.find_turn("discord", f"@me/{question.channel.id}/{question.id}")
        assert turn is not None
        given = await shop.store.conversations.reply_to(turn.id)
        assert given is not None
        assert [one.judgement for one in await shop.store.feedback.for_reply(given.id)] == [Judgement.GOOD]
        known = await shop.store.people.find("discord", str(there.customer.id))
        assert known is not None
        assert known.name == "customer"  # Discord does not tell it with a reaction in private


async def test_a_channel_that_is_off_keeps_its_answers_judgeable(open_shop: Shop):
    _, reply = await open_shop.asked()
    await open_shop.set_channel(open_shop.guild.support, ChannelMode.OFF)
    await open_shop.guild.react(open_shop.guild.customer, reply, "👍")
    assert await judged(open_shop, reply) == [Judgement.GOOD]


PARROT, SAD = "parrot:81234", "sad_parrot:81235"


async def test_a_servers_own_emoji_judge_where_a_setting_names_them(shop: Shop):
    async with shop.opened(discord_signs="good=:parrot:, wrong=81235"):
        there = shop.guild
        _, reply = await shop.asked()
        await there.react(there.customer, reply, PARROT)
        await there.react(there.second_customer, reply, SAD)
        await there.react(there.stranger, reply, "other:81236")
        assert sorted(await judged(shop, reply)) == [Judgement.GOOD, Judgement.WRONG]
        await there.unreact(there.customer, reply, PARROT)
        with there.feed.unheard():
            await there.react(there.stranger, reply, PARROT)
            await there.unreact(there.second_customer, reply, SAD)
        await shop.crashes("bot-2")
        assert await judged(shop, reply) == [Judgement.GOOD]


async def test_a_servers_own_emoji_are_nothing_where_no_setting_names_them(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.react(there.customer, reply, PARROT)
    assert await judged(open_shop, reply) == []


def test_a_setting_may_name_any_picture_and_comes_first():
    named = signs_named("teach=🎉, flag=👍🏽")
    assert (sign_of("🎉", named), sign_of("👍", named), sign_of("👎", named)) == (Sign.TEACH, Sign.FLAG, Sign.WRONG)


@pytest.mark.parametrize("item", ["parrot", "great=parrot", "good=", "=parrot", "Good=parrot"])
def test_a_setting_that_cannot_be_read_is_named_with_the_next_step(item: str):
    with pytest.raises(SettingsWrong, match=r"FINETONE_DISCORD_SIGNS has .*such as good=parrot") as raised:
        signs_named(f"good=parrot,{item}")
    assert repr(item) in str(raised.value)


async def test_reactions_that_are_cleared_take_their_judgements_along_and_no_others(open_shop: Shop):
    there = open_shop.guild
    _, reply = await open_shop.asked()
    await there.react(there.customer, reply, "👍")
    await there.react(there.second_customer, reply, "👎")
    await there.click(there.stranger, reply, label="Helpful")
    await there.clear_reactions(there.moderator, reply, "👎")
    assert await judged(open_shop, reply) == [Judgement.GOOD, Judgement.GOOD]
    await there.react(there.approver, reply, "😀")
    await there.clear_reactions(there.moderator, reply, "😀")
    assert len(await judged(open_shop, reply)) == 2
    await there.clear_reactions(there.moderator, reply)
    [left] = await feedback_on(open_shop, reply)
    pressed = await open_shop.store.people.find("discord", str(there.stranger.id))
    assert pressed is not None
    assert left.actor_id == pressed.id
