"""What goes wrong has a clear outcome: people read a sentence, the team hears once what to do, and nothing is tried for ever."""

import pytest

from bot.answering import NO_ANSWER
from bot.discord_app.notices import APOLOGY
from providers.base import ErrorKind
from storage.records import ChannelMode, ThreadMode
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import Gate
from tests.discord.place import Message


async def mention(shop: Shop, text: str = "Where is my parcel?") -> Message:
    return await shop.guild.mention(shop.guild.customer, shop.guild.support, text)


def told(shop: Shop) -> list[str]:
    """What the team was told in the ops channel."""
    return [message.text for message in shop.guild.said_by_bot(shop.guild.ops)]


async def test_typing_is_shown_within_a_second_and_goes_on(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    await mention(open_shop)
    assert there.typed(there.support) == 0
    await there.pass_time(1)
    assert there.typed(there.support) == 1
    await there.pass_time(10)
    assert there.typed(there.support) == 2
    await gate.open()
    await there.pass_time(20)
    assert there.typed(there.support) == 2


async def test_typing_that_is_refused_keeps_nobody_from_an_answer(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    there.refuse("POST", "/channels/*/typing", status=403, code=50013, times=None)
    question = await mention(open_shop)
    await there.pass_time(1)
    await gate.open()
    assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_where_threads_cannot_be_opened_the_answer_stands_in_the_channel(open_shop: Shop):
    there = open_shop.guild
    await there.take_permission(there.support, "create_public_threads")
    question = await mention(open_shop)
    [reply] = there.replies(question)
    assert (reply.channel, reply.reply_to_id) == (there.support, question.id)
    assert told(open_shop) == []


async def test_a_channel_that_cannot_be_written_in_is_told_to_the_team_once_by_the_permissions_name(open_shop: Shop):
    there = open_shop.guild
    await there.take_permission(there.support, "send_messages", "send_messages_in_threads")
    await mention(open_shop)
    await mention(open_shop)
    assert told(open_shop) == [
        f"I cannot answer in <#{there.support.id}>: I lack Send Messages there. Give it to my role, then I go on by myself."
    ]
    assert open_shop.prompts() == []
    await there.give_permission(there.support, "send_messages", "send_messages_in_threads")
    question = await mention(open_shop)
    assert [reply.text for reply in there.replies(question)] == [ANSWER]
    await there.take_permission(there.support, "send_messages", "send_messages_in_threads")
    await mention(open_shop)
    assert len(told(open_shop)) == 2


async def test_a_permission_lost_while_the_model_thinks_is_told_too(shop: Shop):
    async with shop.opened(discord_thread_mode=ThreadMode.CHANNEL):
        there, gate = shop.guild, Gate(shop)
        question = await mention(shop)
        await there.take_permission(there.support, "send_messages")
        await gate.open()
        assert there.replies(question) == []
        [said] = told(shop)
        assert "Send Messages" in said


async def test_a_refusal_nobody_can_explain_is_told_as_such(open_shop: Shop):
    there = open_shop.guild
    there.refuse("POST", "/channels/*/messages/*/threads", status=403, code=50013, times=None)
    there.refuse("POST", f"/channels/{there.support.id}/messages", status=403, code=50013, times=None)
    await mention(open_shop)
    assert told(open_shop) == [
        f"I cannot answer in <#{there.support.id}>: I lack a permission (Discord did not say which) there. "
        "Give it to my role, then I go on by myself."
    ]


async def test_a_model_that_is_away_leaves_an_apology_with_a_way_to_a_person(open_shop: Shop):
    open_shop.provider.fail_next("stream", ErrorKind.UNREACHABLE, times=99)
    question = await mention(open_shop)
    [reply] = open_shop.guild.replies(question)
    assert reply.text == NO_ANSWER
    assert "Get a human" in reply.labels


async def test_what_fails_three_times_is_given_up_with_an_apology_and_told_to_the_team(
    shop: Shop, caplog: pytest.LogCaptureFixture
):
    async def broken(word: int) -> None:
        raise RuntimeError("a secret of the inside")

    async with shop.opened():
        there = shop.guild
        shop.provider.pause = broken
        question = await mention(shop)
        for _ in range(3):
            assert there.replies(question) == []
            await shop.taken_up()
        [reply] = there.replies(question)
        assert (reply.text, reply.labels) == (APOLOGY, ["Get a human"])
        [said] = told(shop)
        assert said.startswith("A delivery failed three times: message `event_")
        assert "secret" not in str([request.line for request in shop.recorder.requests])
        await shop.taken_up()
        assert len(there.replies(question)) == 1


@pytest.mark.parametrize(("said_to", "apologies"), [("Lunch?", []), ("{bot} where is it?", [APOLOGY])])
async def test_only_who_spoke_to_the_bot_reads_that_it_failed_before_it_knew_what_was_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, said_to: str, apologies: list[str]
):
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    async with shop.opened():
        there = shop.guild
        monkeypatch.setattr(shop.running.app.parts.people, "up_to_date", broken)
        said = await there.say(there.customer, there.support, said_to.format(bot=there.bot.mention))
        for _ in range(4):
            await shop.taken_up()
        assert [reply.text for reply in there.replies(said)] == apologies
        assert len(told(shop)) == 1


async def test_a_persons_words_are_never_logged(open_shop: Shop, caplog: pytest.LogCaptureFixture):
    with caplog.at_level("INFO"):
        await mention(open_shop, "My number is 4111")
        await open_shop.set_channel(open_shop.guild.support, ChannelMode.OFF)
        await mention(open_shop, "My number is 4111")
    assert "4111" not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("bot"))


async def test_a_channel_deleted_while_the_model_thinks_leaves_nothing_to_say(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    other = await there.new_channel("other")
    await there.mention(there.customer, other, "Where is my parcel?")
    await there.delete_channel(other)
    await gate.open()
    question = await mention(open_shop)
    assert len(there.replies(question)) == 1
    assert told(open_shop) == []


async def test_a_server_that_throws_the_bot_out_while_the_model_thinks_ends_in_silence(open_shop: Shop):
    there, gate = open_shop.guild, Gate(open_shop)
    await mention(open_shop)
    await there.remove_bot()
    await gate.open()
    assert open_shop.recorder.violations == []


async def test_an_outage_of_the_server_is_no_farewell(open_shop: Shop):
    there = open_shop.guild
    await open_shop.asked()
    await there.become_unavailable()
    await there.become_available()
    question = await mention(open_shop, "And my refund?")
    assert [reply.text for reply in there.replies(question)] == [ANSWER]
