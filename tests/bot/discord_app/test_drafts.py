"""Draft-only channels: moderators see a reply first, and send it, change it or drop it; once, whoever is faster."""

from bot.discord_app.surface import DraftTable
from bot.office import drafts
from bot.office.drafts import DECIDED, DECIDING
from storage.records import ChannelMode, ChannelRules, CorrectionState, PostingKind, ThreadMode
from tests.bot.discord_app.acting import card_in, corrections, field, told, until_said
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.discord.place import Message


async def drafted(
    shop: Shop, text: str = "Where is my parcel?", rules: ChannelRules | None = None
) -> tuple[Message, Message]:
    """A question in a draft-only channel, and the draft's card."""
    await shop.set_channel(shop.guild.support, ChannelMode.DRAFT, rules)
    question = await shop.guild.mention(shop.guild.customer, shop.guild.support, text)
    return question, await card_in(shop, shop.guild.review)


async def test_a_draft_is_shown_to_the_moderators_alone(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop, "say **Soon** [x](https://evil.example)")
    assert there.replies(question) == []
    assert there.thread_of(question) is None
    assert card.shown.split("\n")[0].startswith("**Draft** · [See the question](https://discord.com/channels/")
    assert card.shown.split("\n")[-1] == "**Soon** x"
    assert card.labels == ["Send", "Edit and send", "Drop"]


async def test_a_draft_that_is_sent_stands_where_every_answer_stands(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    await there.click(there.moderator, card, label="Send")
    assert told(open_shop, there.moderator) == "Sent."
    [reply] = there.replies(question)
    assert (reply.text, reply.labels) == (ANSWER, ["Helpful", "Not right", "Get a human"])
    assert there.thread_of(question) == reply.channel
    closed = await until_said(open_shop, card, "**Sent by moderator.**")
    assert closed.labels == []


async def test_a_draft_is_sent_under_its_question_where_a_channel_wants_no_threads(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop, rules=ChannelRules(threads=ThreadMode.CHANNEL))
    await there.click(there.moderator, card, label="Send")
    [reply] = there.replies(question)
    assert (reply.channel, reply.reply_to_id) == (there.support, question.id)


async def test_a_draft_of_a_forum_post_is_sent_in_the_post(open_shop: Shop):
    there = open_shop.guild
    await open_shop.set_channel(there.forum, ChannelMode.DRAFT)
    post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
    card = await card_in(open_shop, there.review)
    await there.click(there.moderator, card, label="Send")
    assert [one.text for one in there.said_by_bot(post.thread)] == [ANSWER]
    assert there.rest.sent("POST", "/threads") == []


async def test_a_draft_is_sent_once_however_often_it_is_pressed(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    [send] = [one for one in card.custom_ids if ":send_draft:" in one]
    answers = await there.click_together([there.moderator, there.admin], card, custom_id=send)
    assert sorted(answer.followups[0].text for answer in answers) == ["Sent.", DECIDED]
    assert len(there.replies(question)) == 1


async def test_a_draft_is_changed_and_sent_and_proposed_as_a_correction(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    opened = await there.click(there.moderator, card, label="Edit and send")
    assert opened.modal is not None
    assert (opened.modal["title"], field(opened.modal, "text")["value"]) == ("Edit and send", ANSWER)
    sent = await there.submit(there.moderator, {"text": "It is *here*."})
    assert sent.text == "Sent. Saved. It waits for approval in the review list."
    assert [reply.text for reply in there.replies(question)] == ["It is *here*."]
    assert [(one.corrected_text, one.state) for one in await corrections(open_shop)] == [
        ("It is *here*.", CorrectionState.PROPOSED)
    ]
    closed = await until_said(open_shop, card, "**Sent by moderator.**")
    assert "It is *here*." in closed.shown


async def test_a_draft_that_is_sent_unchanged_from_the_form_proposes_nothing(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    await there.click(there.moderator, card, label="Edit and send")
    sent = await there.submit(there.moderator, {})
    assert sent.text == "Sent."
    assert [reply.text for reply in there.replies(question)] == [ANSWER]
    assert await corrections(open_shop) == []


async def test_a_dropped_draft_is_a_flag_and_nobody_reads_it(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    await there.click(there.moderator, card, label="Drop")
    assert told(open_shop, there.moderator) == "Dropped. It counts as flagged."
    await until_said(open_shop, card, "**Dropped by moderator.**")
    assert there.replies(question) == []
    turn = await open_shop.store.conversations.find_turn("discord", f"{there.id}/{there.support.id}/{question.id}")
    assert turn is not None
    reply = await open_shop.store.conversations.reply_to(turn.id)
    assert reply is not None
    assert [flag.flagged for flag in await open_shop.store.feedback.for_reply(reply.id)] == [True]


async def test_a_draft_whose_question_was_deleted_goes_with_it(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    await there.delete(there.customer, question)
    assert there.reread(card) is None


async def test_a_draft_that_discord_does_not_take_may_be_sent_again(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    await there.take_permission(there.support, "send_messages", "send_messages_in_threads", "create_public_threads")
    await there.click(there.moderator, card, label="Send")
    assert told(open_shop, there.moderator) == "It was not sent: not allowed to write there."
    await there.give_permission(there.support, "send_messages", "send_messages_in_threads", "create_public_threads")
    await there.click(there.moderator, card, label="Send")
    assert told(open_shop, there.moderator) == "Sent."
    assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_a_draft_survives_a_restart(open_shop: Shop):
    there = open_shop.guild
    question, card = await drafted(open_shop)
    await open_shop.crashes("bot-2")
    await there.click(there.moderator, card, label="Send")
    assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_while_somebody_decides_nobody_else_does_and_a_dead_press_is_finished(open_shop: Shop):
    there, parts = open_shop.guild, open_shop.running.app.parts
    question, card = await drafted(open_shop)
    turn = await open_shop.store.conversations.find_turn("discord", f"{there.id}/{there.support.id}/{question.id}")
    assert turn is not None
    [posting] = await open_shop.store.postings.of(PostingKind.DRAFT, turn.id)
    assert await open_shop.store.postings.advance(posting.id, "", DECIDING)  # a press is at it, or died at it
    await there.click(there.moderator, card, label="Send")
    assert told(open_shop, there.moderator) == DECIDED
    assert there.replies(question) == []
    moderator = await open_shop.store.people.find("discord", str(there.moderator.id))
    reply = await open_shop.store.conversations.reply_to(turn.id)
    assert moderator is not None
    assert reply is not None
    again = await drafts.send(parts, DraftTable(parts), moderator, reply.id, is_first_try=False)
    assert again.text == "Sent."
    assert [one.text for one in there.replies(question)] == [ANSWER]


async def test_a_draft_in_a_channels_language_was_written_in_it(open_shop: Shop):
    await drafted(open_shop, rules=ChannelRules(language="German"))
    [(_, messages)] = open_shop.provider.asked
    assert messages[0].content.endswith("Answer in German.")


async def test_without_a_review_channel_nothing_is_sent(shop: Shop):
    async with shop.opened(discord_review_channel=""):
        there = shop.guild
        await shop.set_channel(there.support, ChannelMode.DRAFT)
        question = await there.mention(there.customer, there.support, "Where?")
        assert there.replies(question) == []
