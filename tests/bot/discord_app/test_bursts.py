"""What somebody writes in several messages within moments is one question."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from discord.utils import time_snowflake

from bot.discord_app import bursts
from bot.discord_app.bursts import MOST_MESSAGES, Bursts
from bot.discord_app.payloads import Person, Place, Said
from storage.records import ChannelMode, ThreadMode
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import Gate, eventually
from tests.bot.discord_app.test_changes import are_kept, mention, questions
from tests.discord.guild import BEGINS


class Silence:
    """Nobody goes on until the test says that the silence is over."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.begun = 0  # how often somebody fell silent
        self._over = asyncio.Event()
        shop.pause = self._lasts

    async def _lasts(self) -> None:
        self.begun += 1
        await self.shop.guild.outside(self._over.wait())

    async def ends(self) -> None:
        self._over.set()
        await self.shop.guild.settle()
        self._over.clear()


@pytest.fixture
def silence(shop: Shop) -> Silence:
    return Silence(shop)


@pytest.fixture
async def open_shop(shop: Shop, silence: Silence) -> AsyncIterator[Shop]:
    """The app, serving, where questions may go on."""
    async with shop.opened():
        yield shop


async def test_lines_after_a_mention_need_none_and_are_one_question(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    question = await mention(open_shop, "")
    more = await there.say(there.customer, there.support, "Where is my parcel?")
    last = await there.say(there.customer, there.support, "It is number 7.")
    assert (there.replies(question), open_shop.prompts(), silence.begun) == ([], [], 3)
    await silence.ends()
    assert [reply.text for reply in there.replies(question)] == [ANSWER]
    assert (there.replies(more), there.replies(last)) == ([], [])
    assert open_shop.prompts() == ["Where is my parcel?\nIt is number 7."]
    assert await questions(open_shop) == ["Where is my parcel?\nIt is number 7."]


async def test_somebody_else_and_another_place_are_not_waited_for(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    other = await there.new_channel("other")
    question = await mention(open_shop, "Where is my parcel?")
    await there.say(there.second_customer, there.support, "Mine came yesterday.")
    await there.say(there.customer, other, "Lunch?")
    await silence.ends()
    assert len(there.replies(question)) == 1
    assert open_shop.prompts() == ["Where is my parcel?"]


async def test_what_answers_another_message_is_by_itself(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    said = await there.say(there.second_customer, there.support, "Mine came yesterday.")
    await mention(open_shop, "Where is my parcel?")
    await there.say(there.customer, there.support, "How nice!", reply_to=said)
    await silence.ends()
    assert open_shop.prompts() == ["Where is my parcel?"]


async def test_talk_that_is_not_for_the_bot_is_not_waited_for(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    await there.say(there.customer, there.support, "Lunch?")
    await mention(open_shop, "Where is my parcel?")
    assert silence.begun == 1
    await silence.ends()
    assert open_shop.prompts() == ["Where is my parcel?"]


async def test_each_message_counts_once_however_often_it_comes(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    with there.feed.twice():
        question = await mention(open_shop, "Where is my parcel?")
        await there.say(there.customer, there.support, "It is number 7.")
    await silence.ends()
    assert len(there.replies(question)) == 1
    assert open_shop.prompts() == ["Where is my parcel?\nIt is number 7."]


async def test_the_bot_types_while_it_waits(open_shop: Shop, silence: Silence):
    await mention(open_shop, "Where is my parcel?")
    await open_shop.guild.pass_time(0.4)
    assert open_shop.guild.typed(open_shop.guild.support) == 1
    await silence.ends()


async def test_it_is_waited_for_three_seconds(shop: Shop):
    shop.pause = bursts.pause
    async with shop.opened():
        there = shop.guild
        question = await mention(shop, "Where is my parcel?")
        await there.pass_time(2.9)
        assert there.replies(question) == []
        await there.pass_time(0.2)
        assert len(there.replies(question)) == 1


async def test_drafts_wait_as_well(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    await open_shop.set_channel(there.support, ChannelMode.DRAFT)
    await mention(open_shop, "Where is my parcel?")
    await there.say(there.customer, there.support, "It is number 7.")
    await silence.ends()
    await there.until(lambda: [card for card in there.said_by_bot(there.review) if "It is number 7." in card.shown])
    assert there.typed(there.support) == 0


async def test_follow_ups_in_a_thread_are_one_question_too(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    question = await mention(open_shop, "Where is my parcel?")
    await silence.ends()
    [reply] = there.replies(question)
    first = await there.say(there.customer, reply.channel, "And my refund?")
    await there.say(there.customer, reply.channel, "It is number 7.")
    await silence.ends()
    assert len(there.replies(first)) == 1
    assert open_shop.prompts()[1:] == ["And my refund?\nIt is number 7."]


async def test_staff_who_step_in_meanwhile_are_not_talked_over(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    question = await mention(open_shop, "Where is my parcel?")
    await silence.ends()
    [reply] = there.replies(question)
    follow_up = await there.say(there.customer, reply.channel, "And my refund?")
    await there.say(there.moderator, reply.channel, "I look after this.")
    await silence.ends()
    assert there.replies(follow_up) == []
    assert open_shop.prompts() == ["Where is my parcel?"]


# ---------------------------------------------------------------- edits and deletions


async def test_what_is_edited_or_deleted_in_the_pause_is_asked_as_it_is_then(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    question = await mention(open_shop, "Where is my parcel?")
    wrong = await there.say(there.customer, there.support, "It is number 6.")
    gone = await there.say(there.customer, there.support, "My phone is 0123.")
    await there.edit(there.customer, wrong, "It is number 7.")
    await there.delete(there.customer, gone)
    await silence.ends()
    assert len(there.replies(question)) == 1
    assert open_shop.prompts() == ["Where is my parcel?\nIt is number 7."]


async def test_where_everything_is_deleted_in_the_pause_nothing_is_asked(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    question = await mention(open_shop, "Where is my parcel?")
    more = await there.say(there.customer, there.support, "It is number 7.")
    await there.delete(there.customer, question)
    await there.delete(there.customer, more)
    await silence.ends()
    assert there.said_by_bot(there.support) == []
    assert (open_shop.prompts(), await questions(open_shop)) == ([], [])


async def test_where_the_mention_is_deleted_in_the_pause_the_rest_is_no_question(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    question = await mention(open_shop, "Where is my parcel?")
    more = await there.say(there.customer, there.support, "It is number 7.")
    await there.delete(there.customer, question)
    await silence.ends()
    assert (there.replies(more), open_shop.prompts()) == ([], [])


async def test_where_the_first_message_is_deleted_in_the_pause_the_next_one_is_answered(
    open_shop: Shop, silence: Silence
):
    there = open_shop.guild
    await open_shop.set_channel(there.support, ChannelMode.AUTO)
    first = await there.say(there.customer, there.support, "Hello")
    more = await there.say(there.customer, there.support, "Where is my parcel?")
    await there.delete(there.customer, first)
    await silence.ends()
    assert len(there.replies(more)) == 1
    assert open_shop.prompts() == ["Where is my parcel?"]


async def test_a_part_that_is_edited_while_the_model_thinks_is_answered_as_it_is_now(open_shop: Shop, silence: Silence):
    there, gate = open_shop.guild, Gate(open_shop)
    open_shop.provider.script = lambda model, messages: f"You asked: {messages[-1].content}"
    question = await mention(open_shop, "Where is my parcel?")
    more = await there.say(there.customer, there.support, "It is number 6.")
    await silence.ends()
    await there.edit(there.customer, more, "It is number 7.")
    await there.until(lambda: gate.asked == 2)
    await gate.open()
    assert [reply.text for reply in there.replies(question)] == ["You asked: Where is my parcel?\nIt is number 7."]
    assert await questions(open_shop) == ["Where is my parcel?\nIt is number 7."]


async def test_a_part_that_is_deleted_while_the_model_thinks_is_left_out(open_shop: Shop, silence: Silence):
    there, gate = open_shop.guild, Gate(open_shop)
    question = await mention(open_shop, "Where is my parcel?")
    more = await there.say(there.customer, there.support, "My phone is 0123.")
    await silence.ends()
    await there.delete(there.customer, more)
    await eventually(lambda: are_kept(open_shop, ["Where is my parcel?"]))
    await there.until(lambda: gate.asked == 2)
    await gate.open()
    assert len(there.replies(question)) == 1
    assert open_shop.prompts()[-1] == "Where is my parcel?"


async def test_where_a_bare_mention_is_left_while_the_model_thinks_nothing_is_answered(
    open_shop: Shop, silence: Silence
):
    there, gate = open_shop.guild, Gate(open_shop)
    question = await mention(open_shop, "")
    more = await there.say(there.customer, there.support, "Where is my parcel?")
    await silence.ends()
    await there.delete(there.customer, more)
    await eventually(lambda: are_kept(open_shop, []))
    await gate.open()
    assert there.replies(question) == []


async def test_a_part_that_is_deleted_later_takes_the_question_and_its_answer_along(shop: Shop, silence: Silence):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        question = await mention(shop, "Where is my parcel?")
        more = await there.say(there.customer, there.support, "My phone is 0123.")
        await silence.ends()
        [reply] = there.replies(question)
        await there.restart(shop.client("bot-2"))
        await there.delete(there.customer, more)
        await there.until(lambda: there.reread(reply) is None)
        assert await questions(shop) == []


async def test_a_part_whose_deletion_comes_first_is_left_out(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    await mention(open_shop, "Where is my parcel?")
    await there.say(there.customer, there.support, "It is number 7.")
    told = there.feed.last("MESSAGE_CREATE").payload
    late = told | {"id": str(int(told["id"]) + 1), "content": "My phone is 0123."}
    there.feed.tell("MESSAGE_DELETE", {name: late[name] for name in ("id", "channel_id", "guild_id")})
    await there.settle()
    there.feed.tell("MESSAGE_CREATE", late)
    await there.settle()
    await silence.ends()
    assert open_shop.prompts() == ["Where is my parcel?\nIt is number 7."]


async def test_a_thread_that_is_deleted_in_the_pause_takes_its_words_along(open_shop: Shop, silence: Silence):
    there = open_shop.guild
    await open_shop.set_channel(there.forum, ChannelMode.AUTO)
    post = await there.forum_post(there.customer, there.forum, "Parcel", "Where is my parcel?")
    await there.say(there.customer, post.thread, "It is number 7.")
    await mention(open_shop, "And my refund?")
    await there.delete_channel(post.thread)
    await silence.ends()
    assert await questions(open_shop) == ["And my refund?"]


# ---------------------------------------------------------------- crashes


async def test_a_crash_in_the_pause_loses_no_part_of_the_question(shop: Shop, silence: Silence):
    async with shop.opened():
        there = shop.guild
        question = await mention(shop, "Where is my parcel?")
        await there.say(there.customer, there.support, "It is number 7.")
        gone = await there.say(there.customer, there.support, "My phone is 0123.")
        await there.delete(there.customer, gone)
        await shop.crashes()
        left = asyncio.create_task(shop.taken_up())
        await there.until(lambda: silence.begun > 3)
        await silence.ends()
        await left
        assert len(there.replies(question)) == 1
        assert shop.prompts() == ["Where is my parcel?\nIt is number 7."]


async def test_a_crash_while_the_model_thinks_loses_no_part_of_the_question(shop: Shop, silence: Silence):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        question = await mention(shop, "Where is my parcel?")
        await there.say(there.customer, there.support, "It is number 7.")
        await silence.ends()
        await there.until(lambda: gate.asked == 1)
        await shop.crashes()
        await gate.open()
        begun = silence.begun
        left = asyncio.create_task(shop.taken_up())
        await there.until(lambda: silence.begun > begun)
        await silence.ends()
        await left
        assert len(there.replies(question)) == 1
        assert shop.prompts()[-1] == "Where is my parcel?\nIt is number 7."


# ---------------------------------------------------------------- what goes together


def said(after_s: float, text: str = "More", *, by: str = "1", channel: str = "20", reply_to: str = "") -> Said:
    """A message written this many seconds after the first."""
    message = time_snowflake(BEGINS) + (int(after_s * 1000) << 22)
    person = Person(by, "Ann", (), "10")
    return Said(person, Place("10", channel, str(message)), text, False, False, reply_to, 0)


async def never() -> None:
    await asyncio.Event().wait()


FIRST = said(0, "First")
GOES_ON = {
    "at once": (said(0.5), True),
    "just in time": (said(3), True),
    "too late, or from another time of a gap": (said(3.1), False),
    "somebody else": (said(1, by="2"), False),
    "elsewhere": (said(1, channel="21"), False),
    "an answer to it": (said(1, reply_to=FIRST.place.message), True),
    "an answer to another message": (said(1, reply_to="5"), False),
    "unreadable": (said(1, ""), False),
    "a file": (replace(said(1, ""), n_files=1), True),
}


@pytest.mark.parametrize(("next_one", "is_part"), GOES_ON.values(), ids=GOES_ON)
def test_what_goes_on_with_a_question(next_one: Said, is_part: bool):
    writing = Bursts(never)
    with writing.begun(FIRST) as burst:
        assert (writing.joined(next_one) is burst) is is_part
        assert len(burst.messages) == 1 + is_part


def test_nothing_goes_on_where_nobody_waits_nor_after_the_end():
    off = Bursts(None)
    with off.begun(FIRST):
        assert off.joined(said(1)) is None
    writing = Bursts(never)
    with writing.begun(FIRST) as burst:
        burst.close(is_question=True)
        assert writing.joined(said(1)) is None
    assert writing.joined(said(1)) is None
    assert writing.around(FIRST.place.key) is None


def test_whoever_goes_on_and_on_begins_another_question():
    writing = Bursts(never)
    with writing.begun(FIRST):
        joined = [writing.joined(said(number * 0.1)) for number in range(1, MOST_MESSAGES + 1)]
    assert [burst is not None for burst in joined] == [True] * (MOST_MESSAGES - 1) + [False]


def test_it_reads_as_one_message_in_the_order_it_was_written_in():
    ann, bob = Person("3", "Ann", (), "10"), Person("4", "Bob", (), "10")
    writing = Bursts(never)
    with writing.begun(replace(FIRST, mentioned=(ann,), n_files=1)) as burst:
        writing.joined(replace(said(2, "Third"), is_mention=True))
        writing.joined(replace(said(1, "Second"), mentioned=(ann, bob), n_files=2))
        whole = burst.said
    assert whole.text == "First\nSecond\nThird"
    assert (whole.place, whole.is_mention, whole.n_files) == (FIRST.place, True, 3)
    assert whole.mentioned == (ann, bob)
