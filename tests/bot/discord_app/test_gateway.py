"""The app as it is served, over real sockets to our own stub of Discord: refused, limited, cut off, told twice and too late."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
import pytest
from pydantic import SecretStr

from bot.discord_app import client as client_module
from bot.discord_app.notices import MENTION_ME
from bot.discord_app.outgoing import nonce_of
from bot.discord_app.serve import DiscordRefused, serve_discord
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.discord.conftest import Hurry
from tests.discord.own_stub import GUILD_READY_S, OwnStub


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py waits two seconds for more guilds before it is ready; here they come at once."""
    begin = client_module.FinetoneClient.__init__

    def hasty(self: client_module.FinetoneClient, *args: object, **more: object) -> None:
        begin(self, *args, **more)  # type: ignore[arg-type]
        self._connection.guild_ready_timeout = GUILD_READY_S

    monkeypatch.setattr(client_module.FinetoneClient, "__init__", hasty)


@asynccontextmanager
async def served(shop: Shop, stub: OwnStub, **more: object) -> AsyncGenerator[asyncio.Task[None]]:
    """`finetone serve discord` against the stub, for the length of a block."""
    addresses = {"discord_api_url": stub.api_url, "discord_gateway_url": stub.gateway_url}
    stop = asyncio.Event()
    with stub.aimed():
        serving = asyncio.create_task(serve_discord(shop.program(stub.guild, **(addresses | more)), stop, pause=None))
        try:
            await stub.guild.until(lambda: stub.gateway.identified or serving.done())
            yield serving
        finally:
            stop.set()
            await serving


async def asked(stub: OwnStub, text: str = "Where is my parcel?"):
    return await stub.guild.mention(stub.guild.customer, stub.guild.support, text)


async def test_a_mention_is_answered_over_the_wire(shop: Shop, stub: OwnStub):
    async with served(shop, stub):
        question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
        answer = await stub.guild.click(stub.guild.customer, reply, label="Helpful")
        await stub.guild.until(lambda: answer.followups)
    assert reply.text == ANSWER
    assert [said.text for said in answer.followups] == ["Thanks, noted as good."]
    [posted] = [one for one in stub.rest.sent("POST", "/messages") if one.body["content"] == ANSWER]
    assert posted.body["enforce_nonce"] is True
    posting = await shop.store.postings.at("discord", f"{stub.guild.id}/{reply.channel.id}", str(reply.id))
    assert posting is not None
    assert posted.body["nonce"] == nonce_of(posting)  # the same for whoever sends it again


async def test_without_the_content_intent_it_says_so_and_serves_those_who_mention_it(
    shop: Shop, stub: OwnStub, caplog: pytest.LogCaptureFixture
):
    stub.gateway.approved = discord.Intents.default()
    async with served(shop, stub):
        await stub.guild.until(lambda: len(stub.gateway.identified) == 2)
        question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
        follow_up = await stub.guild.say(stub.guild.customer, reply.channel, "And my refund?")
        [hint] = await stub.guild.until(lambda: stub.guild.replies(follow_up))
    assert (reply.text, hint.text) == (ANSWER, MENTION_ME)
    assert shop.prompts() == ["Where is my parcel?"]
    assert "Switch on “Message Content Intent”" in caplog.text
    assert len(stub.gateway.identified) == 2


@pytest.mark.parametrize("is_revoked_later", [False, True])
async def test_a_token_that_discord_refuses_ends_in_one_sentence(shop: Shop, stub: OwnStub, is_revoked_later: bool):
    more = {} if is_revoked_later else {"discord_token": SecretStr("another")}
    if is_revoked_later:
        stub.gateway.token = "revoked meanwhile"
    with pytest.raises(BaseExceptionGroup) as refused:
        async with served(shop, stub, **more) as serving:
            await asyncio.wait([serving])
    [error] = refused.value.exceptions
    assert isinstance(error, DiscordRefused)
    assert "Press “Reset Token”" in str(error)
    assert "another" not in str(error)


async def test_an_address_where_nobody_listens_ends_in_one_sentence(shop: Shop, stub: OwnStub, hurry: Hurry):
    with pytest.raises(BaseExceptionGroup) as refused:
        async with served(shop, stub, discord_api_url="http://127.0.0.1:9/api/v10") as serving:
            await asyncio.wait([serving])
    [error] = refused.value.exceptions
    assert "FINETONE_DISCORD_API_URL" in str(error)


async def test_op_7_resumes_and_nothing_is_missed_or_said_twice(shop: Shop, stub: OwnStub):
    async with served(shop, stub):
        first = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(first))
        with stub.gateway.unsent():
            missed = await asked(stub, "And my refund?")
            stub.gateway.reconnect()
        await stub.guild.until(lambda: stub.guild.replies(missed))
        await stub.guild.until(lambda: len(stub.gateway.resumed) == 1)
    assert [len(stub.guild.replies(one)) for one in (first, missed)] == [1, 1]


async def test_op_9_begins_anew_and_what_was_missed_is_fetched_once(shop: Shop, stub: OwnStub, hurry: Hurry):
    async with served(shop, stub):
        first = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(first))
        with stub.gateway.unsent():
            missed = await asked(stub, "And my refund?")
            stub.gateway.invalidate()
        [reply] = await stub.guild.until(lambda: stub.guild.replies(missed))
        later = await asked(stub, "And now?")
        await stub.guild.until(lambda: stub.guild.replies(later))
    assert reply.text == ANSWER
    assert [len(stub.guild.replies(one)) for one in (first, missed, later)] == [1, 1, 1]
    assert sorted(shop.prompts()) == ["And my refund?", "And now?", "Where is my parcel?"]


async def test_what_arrives_twice_is_answered_once(shop: Shop, stub: OwnStub):
    async with served(shop, stub):
        with stub.guild.feed.twice():
            question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
        with stub.guild.feed.twice():
            answer = await stub.guild.click(stub.guild.customer, reply, label="Helpful")
        await stub.guild.until(lambda: answer.followups)
        later = await asked(stub, "And now?")
        await stub.guild.until(lambda: stub.guild.replies(later))
    assert len(stub.guild.replies(question)) == 1
    assert len(answer.followups) == 1
    assert [one.code for one in stub.rest.sent("POST", "/callback")] == [0]


async def test_a_limit_of_minutes_is_waited_out_and_the_answer_comes_once(
    shop: Shop, stub: OwnStub, hurry: Hurry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("bot.discord_app.outgoing.asyncio", hurry)
    stub.faults.limit_rate("POST", "/channels/*/messages", retry_after_s=240.0, times=2)
    async with served(shop, stub):
        question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
    assert reply.text == ANSWER
    assert hurry.waited_s.count(240.0) == 2
    assert "Discord asks us to wait 240 s" in caplog.text
    assert len(shop.prompts()) == 1


async def test_a_limit_by_cloudflare_is_waited_out_as_well(
    shop: Shop, stub: OwnStub, hurry: Hurry, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.discord_app.outgoing.asyncio", hurry)
    stub.faults.limit_rate("POST", "/channels/*/messages", retry_after_s=1.0, by_cloudflare=True)
    async with served(shop, stub):
        question = await asked(stub)
        await stub.guild.until(lambda: stub.guild.replies(question))
    assert 60.0 in hurry.waited_s


async def test_an_answer_whose_sending_was_never_confirmed_stands_once(shop: Shop, stub: OwnStub, hurry: Hurry):
    stub.faults.fail("POST", "/channels/*/messages", status=502, after=True)
    async with served(shop, stub):
        question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
        answer = await stub.guild.click(stub.guild.customer, reply, label="Helpful")
        await stub.guild.until(lambda: answer.followups)
    assert len(stub.guild.replies(question)) == 1


async def test_a_press_that_comes_too_late_is_done_and_told_otherwise(shop: Shop, stub: OwnStub):
    async with served(shop, stub):
        question = await asked(stub)
        [reply] = await stub.guild.until(lambda: stub.guild.replies(question))
        with stub.guild.feed.late():
            await stub.guild.click(stub.guild.customer, reply, label="Helpful")
        [told] = await stub.guild.until(lambda: stub.guild.said_by_bot(stub.guild.dm(stub.guild.customer)))
    assert told.text == "Thanks, noted as good."
    assert [one.code for one in stub.rest.sent("POST", "/callback")] == [10062]


async def test_a_stop_waits_for_the_answer_that_is_on_its_way(shop: Shop, stub: OwnStub):
    held, at_it = asyncio.Event(), asyncio.Event()

    async def slow(word: int) -> None:
        at_it.set()
        await held.wait()

    shop.provider.pause = slow
    stop = asyncio.Event()
    addresses = {"discord_api_url": stub.api_url, "discord_gateway_url": stub.gateway_url}
    with stub.aimed():
        serving = asyncio.create_task(serve_discord(shop.program(stub.guild, **addresses), stop, pause=None))
        await stub.guild.until(lambda: stub.gateway.identified)
        question = await asked(stub)
        await at_it.wait()
        stop.set()
        held.set()
        await serving
    assert [reply.text for reply in stub.guild.replies(question)] == [ANSWER]
