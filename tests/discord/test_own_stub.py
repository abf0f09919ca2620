"""Our own stub, as discord.py meets it over real sockets: limits, lost answers, reconnects, and doors that stay closed."""

import discord
import pytest

from tests.discord.bare import ANSWER, BareBot, ShardedBot
from tests.discord.conftest import Hurry
from tests.discord.own_stub import OwnStub
from tests.discord.place import Message

both = pytest.mark.parametrize("kind", [BareBot, ShardedBot], ids=["one connection", "sharded"])
Kind = type[BareBot] | type[ShardedBot]


async def asked(stub: OwnStub, text: str = "Where is my parcel?") -> Message:
    return await stub.guild.mention(stub.guild.customer, stub.guild.support, text)


@both
async def test_a_mention_is_answered_over_the_wire(stub: OwnStub, kind: Kind):
    bot = kind()
    async with stub.running(bot):
        question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
    assert (reply.text, reply.reply_to_id, bot.heard_texts[0]) == (ANSWER, question.id, question.text)
    [posted] = stub.rest.sent("POST", "/messages")
    assert posted.body["message_reference"]["message_id"] in (question.id, str(question.id))
    assert question.id > 2**53


async def test_buttons_forms_and_commands_work_over_the_wire(stub: OwnStub):
    guild = stub.guild
    async with stub.running(BareBot()):
        question = await asked(stub)
        [reply] = await guild.until(lambda: guild.replies(question))
        await guild.click(guild.moderator, reply, label="fix")
        await guild.until(lambda: guild.open_modal(guild.moderator))
        saved = await guild.submit(guild.moderator, {"reason": ["tone"]})
        await guild.until(lambda: saved.text)
        assert (saved.text, saved.ephemeral) == (f"Saved: {ANSWER} (tone)", True)
        answer = await guild.slash(guild.admin, guild.ops, "retrain", dry_run=True)
        await guild.until(lambda: answer.followups)
        assert answer.text == "Dry run: True"


async def test_a_file_travels_as_multipart(stub: OwnStub):
    bot = BareBot()
    async with stub.running(bot):
        channel = bot.get_partial_messageable(stub.guild.support.id)
        await channel.send("Long", file=discord.File(__file__, "answer.md", description="All of it"))
    [message] = stub.guild.said_by_bot(stub.guild.support)
    assert list(stub.guild.files(message)) == ["answer.md"]
    assert message.raw["attachments"][0]["description"] == "All of it"
    [posted] = stub.rest.sent("POST", "/messages")
    assert posted.line["files"] == ["answer.md"]
    assert posted.line["payload_json"]["content"] == "Long"


@pytest.mark.parametrize("everywhere", [False, True], ids=["one route", "all routes"])
async def test_discord_py_waits_out_a_limit_of_minutes(stub: OwnStub, hurry: Hurry, everywhere: bool):
    stub.faults.limit_rate("POST", "/channels/*/messages", retry_after_s=240.0, everywhere=everywhere, times=2)
    async with stub.running(BareBot()):
        question = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(question))
    assert hurry.waited_s == [240.0, 240.0]
    assert [one.status for one in stub.rest.sent("POST", "/messages")] == [429, 429, 200]


async def test_a_limit_longer_than_the_client_allows_raises(stub: OwnStub):
    bot = BareBot()
    stub.faults.limit_rate("POST", "/channels/*/messages", retry_after_s=601.0)
    async with stub.running(bot):
        with pytest.raises(discord.RateLimited) as limited:
            await bot.get_partial_messageable(stub.guild.support.id).send("Hello")
    assert limited.value.retry_after == 601.0


async def test_a_limit_by_cloudflare_raises_at_once(stub: OwnStub):
    bot = BareBot()
    stub.faults.limit_rate("POST", "/channels/*/messages", retry_after_s=1.0, by_cloudflare=True)
    async with stub.running(bot):
        with pytest.raises(discord.HTTPException) as banned:
            await bot.get_partial_messageable(stub.guild.support.id).send("Hello")
    assert banned.value.status == 429


async def test_a_message_whose_answer_was_lost_is_not_posted_twice(stub: OwnStub, hurry: Hurry):
    bot = BareBot()
    stub.faults.fail("POST", "/channels/*/messages", status=502, after=True)
    async with stub.running(bot):
        sent = await bot.get_partial_messageable(stub.guild.support.id).send("Hello")
    [message] = stub.guild.said_by_bot(stub.guild.support)
    assert sent.id == message.id
    assert hurry.waited_s == [1]


async def test_a_server_error_that_stays_is_raised_after_five_tries(stub: OwnStub, hurry: Hurry):
    bot = BareBot()
    stub.faults.fail("POST", "/channels/*/messages", status=500, times=5)
    async with stub.running(bot):
        with pytest.raises(discord.DiscordServerError):
            await bot.get_partial_messageable(stub.guild.support.id).send("Hello")
    assert hurry.waited_s[:5] == [1, 3, 5, 7, 9]


@both
async def test_op_7_resumes_and_what_was_missed_arrives(stub: OwnStub, kind: Kind):
    bot = kind()
    async with stub.running(bot):
        with stub.gateway.unsent():
            missed = await asked(stub)
            stub.gateway.reconnect()
        [reply] = await stub.guild.until(lambda: stub.guild.replies(missed))
        assert reply.text == ANSWER
    assert (len(stub.gateway.identified), len(stub.gateway.resumed)) == (1, 1)


@both
async def test_op_9_identifies_anew_and_what_was_missed_is_lost(stub: OwnStub, hurry: Hurry, kind: Kind):
    bot = kind()
    async with stub.running(bot):
        with stub.gateway.unsent():
            missed = await asked(stub)
            stub.gateway.invalidate()
        await stub.guild.until(lambda: len(stub.gateway.identified) == 2)
        await stub.guild.until(bot.is_ready)
        later = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(later))
    assert stub.guild.replies(missed) == []
    assert stub.gateway.resumed == []
    assert 5.0 in hurry.waited_s  # discord.py's own pause before it identifies anew


@both
async def test_a_connection_that_is_cut_is_resumed(stub: OwnStub, kind: Kind):
    async with stub.running(kind()):
        stub.gateway.close(1001)
        await stub.guild.until(lambda: stub.gateway.resumed)
        question = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(question))


@both
async def test_an_intent_that_is_not_approved_is_a_clear_error(stub: OwnStub, kind: Kind):
    stub.gateway.approved = discord.Intents.default()
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with stub.running(kind()):
            pass
    assert len(stub.gateway.identified) == 1
    async with stub.running(kind(intents=discord.Intents.default())):
        question = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(question))


@both
async def test_a_token_that_discord_refuses_is_a_clear_error(stub: OwnStub, kind: Kind):
    with pytest.raises(discord.LoginFailure):
        async with stub.running(kind(), token="another"):
            pass
    stub.gateway.token = "revoked meanwhile"
    with pytest.raises(discord.ConnectionClosed) as closed:
        async with stub.running(kind()):
            pass
    assert closed.value.code == 4004


async def test_a_late_interaction_is_unknown(stub: OwnStub, caplog: pytest.LogCaptureFixture):
    guild = stub.guild
    async with stub.running(BareBot()):
        question = await asked(stub)
        [reply] = await guild.until(lambda: guild.replies(question))
        with guild.feed.late():
            answer = await guild.click(guild.customer, reply, label="good")
        [refused] = await guild.until(lambda: stub.rest.sent("POST", "/callback"))
        await guild.until(lambda: refused.status)
    assert (refused.status, refused.code, answer.acknowledged) == (404, 10062, False)
    assert "10062" in caplog.text


async def test_events_and_interactions_may_arrive_twice(stub: OwnStub):
    guild, bot = stub.guild, BareBot()
    async with stub.running(bot):
        with guild.feed.twice():
            question = await asked(stub)
        await guild.until(lambda: len(guild.replies(question)) == 2)
        await guild.click(guild.customer, guild.replies(question)[0], label="good")
        await guild.deliver_again()
        await guild.until(lambda: len(stub.rest.sent("POST", "/callback")) == 2)
        await guild.until(lambda: {one.code for one in stub.rest.sent("POST", "/callback")} == {0, 40060})


async def test_members_are_told_to_a_bot_with_that_intent(stub: OwnStub):
    bot = BareBot(intents=discord.Intents(guilds=True, members=True, guild_messages=True))
    async with stub.running(bot):
        [guild] = bot.guilds
        assert guild.get_member(stub.guild.moderator.id) is not None
        assert [role.name for role in guild.get_member(stub.guild.moderator.id).roles][1:] == ["moderators"]  # type: ignore[union-attr]
