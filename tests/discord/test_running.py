"""The bot's life in the harness: started, sharded, waiting, restarted, crashed, away; and what its errors do to a test."""

import asyncio
import io
import json
import threading
from pathlib import Path

import aiosqlite
import discord
import pytest

from tests.discord.bare import ANSWER, BareBot, ShardedBot, build_bare
from tests.discord.guild import Guild, open_guild
from tests.discord.rest import Recorder
from tests.discord.settling import SLICE_S


async def test_an_intent_the_portal_does_not_grant_is_a_clear_error(recorder: Recorder):
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with open_guild(build_bare, recorder, approved=discord.Intents.default()):
            pass


@pytest.mark.parametrize("shard_count", [None, 3], ids=["one shard", "three shards"])
async def test_a_sharded_client_runs_here_too(recorder: Recorder, shard_count: int | None):
    async with open_guild(lambda _: ShardedBot(), recorder, shard_count=shard_count) as guild:
        question = await guild.mention(guild.customer, guild.support, "Where?")
        [reply] = guild.replies(question)
        await guild.restart(ShardedBot())
        answer = await guild.click(guild.customer, reply, label="good")
        assert answer.text == "Thanks for good on reply_1"
        await guild.direct_message(guild.customer, "And here?")
        assert len(guild.said_by_bot(guild.dm(guild.customer))) == 1


async def test_a_restarted_bot_answers_in_the_same_guild(guild: Guild):
    await guild.mention(guild.customer, guild.support, "Where?")
    await guild.restart(BareBot())
    await guild.mention(guild.customer, guild.support, "Where now?")
    assert len(guild.said_by_bot(guild.support)) == 2


async def test_what_happened_while_the_bot_was_away_is_not_told_but_can_be_read(guild: Guild):
    with guild.feed.unheard():
        missed = await guild.mention(guild.customer, guild.support, "Where?")
    client = BareBot()
    await guild.restart(client)
    assert client.heard == []
    channel = client.get_partial_messageable(guild.support.id)
    assert [one.id async for one in channel.history(limit=10)] == [missed.id]


async def test_an_event_may_arrive_twice(guild: Guild, bot: BareBot):
    with guild.feed.twice():
        await guild.say(guild.customer, guild.support, "Where?")
    first, second = bot.heard
    assert first.id == second.id


async def test_a_handler_may_wait_for_a_database_and_verbs_wait_for_it(guild: Guild, tmp_path: Path):
    async with aiosqlite.connect(tmp_path / "a.sqlite") as database:

        @guild.client.event
        async def on_message(message: discord.Message) -> None:
            if not message.author.bot:
                async with database.execute("SELECT 'from the database'") as rows:
                    [(text,)] = await rows.fetchall()
                await message.channel.send(text)

        await guild.say(guild.customer, guild.support, "Where?")
        assert [one.text for one in guild.said_by_bot(guild.support)] == ["from the database"]


async def test_a_worker_that_waits_for_work_holds_nobody_up_once_it_is_named(recorder: Recorder):
    class Working(BareBot):
        async def setup_hook(self) -> None:
            self.work: asyncio.Queue[discord.Message] = asyncio.Queue()
            self.worker = asyncio.create_task(self.answer())
            guilds[0].let_wait(self.worker)

        async def answer(self) -> None:
            while True:
                message = await self.work.get()
                await message.channel.send("Worked")

        async def on_message(self, message: discord.Message) -> None:
            if not message.author.bot:
                self.work.put_nowait(message)

        async def close(self) -> None:
            self.worker.cancel()
            await super().close()

    guilds: list[Guild] = []

    def build(guild: Guild) -> Working:
        guilds.append(guild)
        return Working()

    async with open_guild(build, recorder) as guild:
        await guild.say(guild.customer, guild.support, "Where?")
        [said] = await guild.until(lambda: guild.said_by_bot(guild.support))
        assert said.text == "Worked"


async def test_a_bot_that_is_busy_is_waited_for_though_a_worker_waits(guild: Guild):
    idle = asyncio.Event()

    @guild.client.event
    async def on_message(message: discord.Message) -> None:
        if message.author.bot:
            return
        guild.let_wait(asyncio.create_task(idle.wait()))
        await asyncio.to_thread(threading.Event().wait, 2 * SLICE_S)
        await message.channel.send("Done")

    await guild.say(guild.customer, guild.support, "Where?")
    assert [one.text for one in guild.said_by_bot(guild.support)] == ["Done"]


async def test_what_a_handler_raises_fails_the_test_that_does_not_expect_it(recorder: Recorder):
    async def run() -> None:
        async with open_guild(build_bare, recorder) as guild:

            @guild.client.event
            async def on_message(message: discord.Message) -> None:
                raise ValueError("a bug")

            await guild.say(guild.customer, guild.support, "Where?")

    with pytest.raises(ExceptionGroup) as raised:
        await run()
    assert "a bug" in str(raised.value.exceptions)


async def test_nobody_waits_for_what_comes_from_outside(guild: Guild):
    model = asyncio.Event()

    @guild.client.event
    async def on_message(message: discord.Message) -> None:
        if not message.author.bot:
            await guild.outside(model.wait())
            await message.channel.send("At last")

    await guild.say(guild.customer, guild.support, "Where?")
    assert guild.said_by_bot(guild.support) == []
    model.set()
    [reply] = await guild.until(lambda: guild.said_by_bot(guild.support))
    assert reply.text == "At last"


async def test_time_passes_when_it_is_turned(guild: Guild):
    @guild.client.event
    async def on_message(message: discord.Message) -> None:
        if not message.author.bot:
            async with message.channel.typing():
                await asyncio.sleep(60)
            await message.channel.send("A minute later")

    await guild.say(guild.customer, guild.support, "Where?")
    assert guild.typed(guild.support) == 1
    await guild.pass_time(61)
    assert [one.text for one in guild.said_by_bot(guild.support)] == ["A minute later"]
    assert guild.typed(guild.support) > 10


async def test_what_was_in_flight_is_lost_in_a_crash(guild: Guild):
    model = asyncio.Event()

    @guild.client.event
    async def on_message(message: discord.Message) -> None:
        await guild.outside(model.wait())
        await message.channel.send("Never")

    await guild.say(guild.customer, guild.support, "Where?")
    await guild.crash(BareBot())
    model.set()
    await guild.mention(guild.customer, guild.support, "And now?")
    assert [one.text for one in guild.said_by_bot(guild.support)] == [ANSWER]


async def test_what_comes_from_outside_may_be_awaited_with_a_timeout_while_the_bot_types(guild: Guild):
    model = asyncio.Event()

    @guild.client.event
    async def on_message(message: discord.Message) -> None:
        if not message.author.bot:
            async with message.channel.typing(), asyncio.timeout(30):
                await asyncio.wait_for(guild.outside(model.wait()), 20)
            await message.channel.send("At last")

    question = await guild.say(guild.customer, guild.support, "Where?")
    await guild.delete(guild.customer, question)
    assert guild.typed(guild.support) == 1
    model.set()
    await guild.until(lambda: guild.said_by_bot(guild.support))


async def test_what_discord_refuses_on_demand_reaches_the_bot(guild: Guild):
    guild.refuse("PATCH", "/channels/*/messages/*", status=400, code=30046)
    sent = await guild.client.get_partial_messageable(guild.support.id).send("Old")
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content="New")
    assert refused.value.code == 30046
    await sent.edit(content="Newer")
    assert [one.text for one in guild.said_by_bot(guild.support)] == ["Newer"]


async def test_the_recorder_writes_what_was_sent_as_lines(guild: Guild):
    channel = guild.client.get_partial_messageable(guild.support.id)
    await channel.send("Kurz und bündig")
    await channel.send("Long", file=discord.File(io.BytesIO(b"# All of it"), "answer.md"))
    short, long = [json.loads(line) for line in guild.rest.lines[-2:]]
    path = f"/channels/{guild.support.id}/messages"
    assert (short["method"], short["path"], short["json"]["content"]) == ("POST", path, "Kurz und bündig")
    assert (long["payload_json"]["content"], long["files"], long["status"]) == ("Long", ["answer.md"], 200)
