"""Questions in Slack: who is answered, where, and only once."""

import pytest

from bot.office.asking import TOO_FAST
from bot.slack_app.messages import ONLY_FILES
from storage.records import ChannelMode
from tests.bot.slack_app.asking import replies_to, set_mode, silence
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.place import Person

# ---------------------------------------------------------------- where and once


async def test_a_mention_is_answered_in_its_thread(open_shop: Shop):
    question, reply = await open_shop.asked()
    assert reply.root_ts == question.ts
    assert ANSWER in reply.text
    assert open_shop.provider.asked[-1][1][-1].content == "Where is my parcel?"


async def test_a_mention_that_slack_tells_twice_is_answered_once(open_shop: Shop):
    question, _ = await open_shop.asked()
    await silence(open_shop)
    assert [delivery.body.json["event"]["type"] for delivery in open_shop.workspace.deliveries] == [
        "message",
        "app_mention",
    ]
    assert len(await open_shop.workspace.replies(question)) == 1
    assert len(open_shop.provider.asked) == 1


async def test_a_delivery_that_comes_again_is_acknowledged_and_answered_once(open_shop: Shop):
    question, _ = await open_shop.asked()
    there = open_shop.workspace
    for delivery in list(there.deliveries):
        for retry_num in (1, 2):
            assert (await there.redeliver(delivery, retry_num)).status == 200
    await silence(open_shop)
    assert len(await there.replies(question)) == 1


async def test_a_mention_whose_message_event_never_came_is_answered(open_shop: Shop):
    there = open_shop.workspace
    question = await there.post(there.customer, there.support, f"<@{there.bot_user_id}> Where is it?")
    event = there.message_event(there.customer, question) | {"type": "app_mention"}
    assert (await there.deliver(there.event(event), retry_num=1)).status == 200
    assert ANSWER in (await open_shop.reply_to(question)).text


@pytest.mark.parametrize(
    ("age_s", "secret"), [pytest.param(600.0, None, id="stale"), pytest.param(0.0, "another", id="false signature")]
)
async def test_a_delivery_that_may_not_be_slacks_is_refused(open_shop: Shop, age_s: float, secret: str | None):
    there = open_shop.workspace
    question = await there.post(there.customer, there.support, f"<@{there.bot_user_id}> Where is it?")
    body = there.event(there.message_event(there.customer, question))
    assert (await there.deliver(body, age_s=age_s, secret=secret)).status == 401
    await silence(open_shop)
    assert await there.replies(question) == []


async def test_a_follow_up_in_the_thread_needs_no_mention_and_remembers(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    for by in (there.customer, there.second_customer):
        n_before = len(await there.replies(question))
        await there.say(by, there.support, "And when?", thread_ts=question.ts)
        replies = await replies_to(open_shop, question, n_before + 1)
        assert replies[-1].root_ts == question.ts
    assert [message.content for message in open_shop.provider.asked[1][1]][-3:] == [
        "Where is my parcel?",
        ANSWER,
        "And when?",
    ]


async def test_a_reply_in_somebody_elses_thread_is_left_alone(open_shop: Shop):
    there = open_shop.workspace
    await set_mode(open_shop, ChannelMode.AUTO)
    root = await there.post(there.customer, there.support, "Lunch?")
    await there.say(there.second_customer, there.support, "Yes!", thread_ts=root.ts)
    await silence(open_shop)
    assert await there.replies(root) == []


async def test_a_mention_in_somebody_elses_thread_is_answered_there(open_shop: Shop):
    there = open_shop.workspace
    root = await there.post(there.customer, there.support, "Where is my parcel?")
    question = await there.mention(there.second_customer, there.support, "Can you help?", thread_ts=root.ts)
    assert (await open_shop.reply_to(question)).root_ts == root.ts


async def test_each_direct_message_is_a_thread_of_its_own(open_shop: Shop):
    there = open_shop.workspace
    for text in ("First?", "Second?"):
        question = await there.direct_message(there.customer, text)
        assert (await open_shop.reply_to(question)).root_ts == question.ts
        assert [m.content for m in open_shop.provider.asked[-1][1] if m.role != "system"] == [text]


# ---------------------------------------------------------------- when the bot speaks


@pytest.mark.parametrize(
    ("mode", "is_mention", "answered"),
    [
        (ChannelMode.OFF, True, False),
        (ChannelMode.MENTION, True, True),
        (ChannelMode.MENTION, False, False),
        (ChannelMode.AUTO, False, True),
        (ChannelMode.AUTO, True, True),
        (ChannelMode.DRAFT, True, False),
    ],
)
async def test_a_channels_mode_says_when_the_bot_speaks(
    open_shop: Shop, mode: ChannelMode, is_mention: bool, answered: bool
):
    there = open_shop.workspace
    await set_mode(open_shop, mode)
    ask = there.mention if is_mention else there.say
    question = await ask(there.customer, there.support, "Where is my parcel?")
    await silence(open_shop)
    assert len(await there.replies(question)) == (1 if answered else 0)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"bot_id": "B0OTHER"}, id="another bot"),
        pytest.param({"user": "USLACKBOT"}, id="Slackbot"),
        pytest.param({"subtype": "channel_join"}, id="a join"),
        pytest.param({"subtype": "message_replied"}, id="a notice"),
        pytest.param({"hidden": True}, id="hidden"),
    ],
)
async def test_only_people_are_answered(open_shop: Shop, fields: dict[str, object]):
    there = open_shop.workspace
    await set_mode(open_shop, ChannelMode.AUTO)
    said = await there.post(there.customer, there.support, f"<@{there.bot_user_id}> Hello")
    event = there.message_event(there.customer, said) | fields
    assert (await there.deliver(there.event(event))).status == 200
    await silence(open_shop)
    assert await there.replies(said) == []
    assert open_shop.provider.asked == []


async def test_the_bot_does_not_answer_itself(open_shop: Shop):
    there = open_shop.workspace
    await set_mode(open_shop, ChannelMode.AUTO)
    question, reply = await open_shop.asked()
    event = {**reply.raw, "channel": there.support.id, "channel_type": "channel"}
    await there.deliver(there.event(event))
    await there.deliver(there.event({name: value for name, value in event.items() if name != "bot_id"}))
    await silence(open_shop)
    assert len(await there.replies(question)) == 1


async def test_the_bot_says_who_it_is_when_it_joins_and_greets_nobody_else(open_shop: Shop):
    there = open_shop.workspace
    channel = await there.new_channel("new", [there.customer.user_id])
    await there.invite_bot(channel)
    await there.join(there.second_customer, channel)
    await silence(open_shop)
    said = [m for m in await there.channel_messages(channel) if m.user_id == there.bot_user_id and m.blocks]
    assert len(said) == 1
    assert "/finetone channel" in str(said[0].blocks)


# ---------------------------------------------------------------- what cannot be answered


async def test_an_empty_mention_gets_a_short_help(open_shop: Shop):
    question, reply = await open_shop.asked("")
    assert reply.root_ts == question.ts
    assert "What can I help you with?" in reply.text
    assert open_shop.provider.asked == []


async def told(shop: Shop, person: Person) -> str:
    """What only this person was told."""
    there = shop.workspace
    return (await there.until(lambda: there.ephemerals(person)))[-1].text


async def test_only_a_file_is_told_to_write_words(open_shop: Shop):
    there = open_shop.workspace
    question = await there.post(there.customer, there.support, f"<@{there.bot_user_id}>")
    event = there.message_event(there.customer, question) | {"subtype": "file_share", "files": [{"id": "F1"}]}
    await there.deliver(there.event(event))
    assert await told(open_shop, there.customer) == ONLY_FILES
    assert await there.replies(question) == []


async def test_too_long_a_question_is_told_how_long_it_may_be(open_shop: Shop):
    there = open_shop.workspace
    question = await there.mention(there.customer, there.support, "why? " * 2_000)
    assert "at most 8,000" in await told(open_shop, there.customer)
    assert await there.replies(question) == []


async def test_too_many_questions_of_one_person_are_asked_to_wait(shop: Shop):
    async with shop.serving(questions_per_minute=1):
        await shop.asked()
        there = shop.workspace
        question = await there.mention(there.customer, there.support, "And this one?")
        assert await told(shop, there.customer) == TOO_FAST
        assert await there.replies(question) == []
        other = await there.mention(there.second_customer, there.support, "May I?")
        assert ANSWER in (await shop.reply_to(other)).text


async def test_too_many_questions_in_one_channel_are_asked_to_wait(shop: Shop):
    async with shop.serving(channel_questions_per_minute=1):
        await shop.asked()
        there = shop.workspace
        await there.mention(there.second_customer, there.support, "May I?")
        assert await told(shop, there.second_customer) == TOO_FAST


# ---------------------------------------------------------------- people take over


async def test_staff_writing_in_the_thread_makes_the_bot_step_back(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await there.say(there.moderator, there.support, "Let me look.", thread_ts=question.ts)
    await silence(open_shop)
    for text in ("Thanks!", f"<@{there.bot_user_id}> and you?"):
        await there.say(there.customer, there.support, text, thread_ts=question.ts)
    await silence(open_shop)
    assert len(await there.replies(question)) == 1


async def test_staff_who_ask_are_answered(open_shop: Shop):
    there = open_shop.workspace
    question = await there.mention(there.moderator, there.support, "Where is parcel 7?")
    assert ANSWER in (await open_shop.reply_to(question)).text
    await there.say(there.moderator, there.support, "And parcel 8?", thread_ts=question.ts)
    await replies_to(open_shop, question, 2)


async def test_a_conversation_that_was_handed_over_is_left_to_people_until_it_is_released(open_shop: Shop):
    there, store = open_shop.workspace, open_shop.store
    question, reply = await open_shop.asked()
    await there.click(there.customer, reply, "hand_over")
    await there.until(store.hand_overs.all_open)
    await there.mention(there.customer, there.support, "Hello?", thread_ts=question.ts)
    await silence(open_shop)
    assert len(await there.replies(question)) == 1
    (open_one,) = await store.hand_overs.all_open()
    await store.hand_overs.release(open_one.id, "actor_finetone", at=open_shop.clock())
    await there.mention(there.customer, there.support, "Hello again?", thread_ts=question.ts)
    await replies_to(open_shop, question, 2)
