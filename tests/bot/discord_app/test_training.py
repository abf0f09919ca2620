"""`/retrain` and `/model`: what a run would do, its one message in the ops channel, cancelling, going back."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from bot.discord_app.commands import INTERRUPTED, model_rollback
from bot.discord_app.interactions import Asked
from bot.discord_app.payloads import Person, Place
from bot.office.verbs import Said
from curation.worker import work
from providers.base import Message as ModelMessage
from storage.records import Right
from tests.bot.discord_app.acting import card_in, direct, told, until_said
from tests.bot.discord_app.conftest import Shop
from tests.curation.conftest import House
from tests.discord.clicking import Answer
from tests.discord.place import Message


def learns(model: str, messages: Sequence[ModelMessage]) -> str:
    """The base knows nothing; a tuned model has learned the approved answers."""
    question = messages[-1].content
    return "I cannot help." if model == "base" else question.replace("Question", "Answer").replace("?", ".")


async def stocked(shop: Shop, numbers: range = range(1, 21)) -> House:
    """Approved corrections, enough to train on, by somebody at the command line."""
    shop.clock.now = datetime.now(UTC)  # the fake vendor stamps its jobs with the wall clock
    shop.provider.script = learns
    ada = await shop.store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=shop.clock())
    house = House(shop.program(shop.guild).workshop, shop.provider, shop.voice, ada)
    await house.approve(*numbers)
    return house


@asynccontextmanager
async def working(shop: Shop) -> AsyncGenerator[None]:
    """A worker that trains, for the length of a block."""
    stop = asyncio.Event()
    program = shop.program(shop.guild, "worker-1")
    task = asyncio.create_task(work(program.workshop, "worker-1", program.pace, stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def previewed(shop: Shop) -> Answer:
    return await shop.guild.slash(shop.guild.admin, shop.guild.ops, "retrain")


async def started(shop: Shop) -> Message:
    """The message that follows a run."""
    there, answer = shop.guild, await previewed(shop)
    assert answer.message is not None
    await there.click(there.admin, answer.message, label="Start training")
    assert told(shop, there.admin) == "Training run started."
    return await card_in(shop, there.ops, "Training run")


async def test_the_preview_says_what_a_run_would_do_and_asks(open_shop: Shop):
    await stocked(open_shop)
    answer = await previewed(open_shop)
    assert answer.ephemeral
    assert answer.text is not None
    lines = answer.text.split("\n")
    assert lines[0] == "**What a training run would do now**"
    assert lines[1] == "**To train on**  16 examples, 20 corrections new to the serving model"
    assert any(line.startswith("**Tokens**  ") for line in lines)
    assert answer.message is not None
    assert answer.message.labels == ["Start training"]
    dry = await open_shop.guild.slash(open_shop.guild.admin, open_shop.guild.ops, "retrain", dry_run=True)
    assert dry.message is not None
    assert (dry.text, dry.message.labels) == (answer.text, [])


async def test_too_few_examples_are_refused_politely(open_shop: Shop):
    await stocked(open_shop, range(1, 4))
    answer = await previewed(open_shop)
    assert answer.text is not None
    assert "3 approved examples, at least 12 needed" in answer.text
    assert answer.message is not None
    assert answer.message.labels == []


async def test_a_run_is_followed_in_one_message_to_its_promotion_and_back(open_shop: Shop):
    there = open_shop.guild
    await stocked(open_shop)
    card = await started(open_shop)
    assert card.labels == ["Pause", "Cancel"]
    async with working(open_shop):
        promoted = await until_said(open_shop, card, "**Training run** · Promoted")
    assert "Model 1 has taken over." in promoted.shown
    assert promoted.labels == ["Roll back"]
    assert len(there.said_by_bot(there.ops)) == 1
    history = await there.slash(there.admin, there.ops, "model history")
    assert (history.text or "").startswith("→ model 1 since ")
    await there.click(there.admin, promoted, label="Roll back")
    sure = there.ephemerals(there.admin)[-1]
    assert (sure.text, sure.labels) == ("The model before it serves again.", ["Roll back"])
    await there.click(there.admin, sure, label="Roll back")
    assert told(open_shop, there.admin) == "Model 0 serves now."
    await there.click(there.admin, sure, label="Roll back")
    assert told(open_shop, there.admin) == (
        "Model 0 serves now, and it is not from this run, so nothing was changed. "
        "`/model rollback` serves the model before it."
    )


async def test_two_clicks_start_one_run_with_one_message(open_shop: Shop):
    there = open_shop.guild
    await stocked(open_shop)
    answer = await previewed(open_shop)
    assert answer.message is not None
    first, second = await there.double_click(there.admin, answer.message, label="Start training")
    said = sorted(one.followups[0].text for one in (first, second))
    assert said[0].startswith("A training run is already open")
    assert said[1] == "Training run started."
    assert len(await open_shop.store.runs.recent(open_shop.voice.id, limit=5)) == 1
    await card_in(open_shop, there.ops)
    assert len(there.said_by_bot(there.ops)) == 1


async def test_a_run_is_cancelled_on_its_message_and_by_a_command(open_shop: Shop):
    there = open_shop.guild
    await stocked(open_shop)
    card = await started(open_shop)
    await there.click(there.admin, card, label="Cancel")
    sure = there.ephemerals(there.admin)[-1]
    assert (sure.text, sure.labels) == ("The training job is stopped.", ["Cancel the run"])
    await there.click(there.admin, sure, label="Cancel the run")
    assert told(open_shop, there.admin) == "Cancelling. The training job is stopped at the provider first."
    async with working(open_shop):
        over = await until_said(open_shop, card, "**Training run** · Cancelled")
    assert over.labels == []
    none = await there.slash(there.admin, there.ops, "model cancel")
    assert none.text == "No training run is open."


async def test_the_progress_of_a_run_without_an_ops_channel_is_told_in_private(shop: Shop):
    async with shop.opened(discord_ops_channel=""):
        there = shop.guild
        await stocked(shop)
        answer = await previewed(shop)
        assert answer.message is not None
        await there.click(there.admin, answer.message, label="Start training")
        [card] = direct(shop, there.admin)
        assert card.shown.startswith("**Training run** · ")
        await there.click(there.admin, card, label="Cancel")
        await there.click(there.admin, there.ephemerals(there.admin)[-1], label="Cancel the run")
        run = await shop.store.runs.open_run(shop.voice.id)
        assert run is not None
        assert run.cancel_requested_by is not None


async def test_the_status_says_what_serves_and_where_the_run_stands(open_shop: Shop):
    there = open_shop.guild
    await stocked(open_shop)
    before = await there.slash(there.admin, there.ops, "model status")
    assert before.text is not None
    assert before.text.split("\n")[-1] == "There has been no training run yet. `/retrain` shows what one would do."
    await started(open_shop)
    now = await there.slash(there.admin, there.ops, "model status")
    assert now.text is not None
    assert now.text.split("\n")[0] == "**Requested**"
    assert now.text.split("\n")[1].startswith("→ model 0 since ")


async def test_going_back_by_a_command_names_the_model_or_says_that_there_is_none(open_shop: Shop):
    there = open_shop.guild
    nothing = await there.slash(there.admin, there.ops, "model rollback")
    assert nothing.text == "Model 0 was the first to serve, so there is nothing before it to go back to."
    await stocked(open_shop)
    card = await started(open_shop)
    async with working(open_shop):
        await until_said(open_shop, card, "Promoted")
    back = await there.slash(there.admin, there.ops, "model rollback")
    assert back.text == "Model 0 serves now."
    again = await there.slash(there.admin, there.ops, "model rollback", number=1)
    assert again.text == "Model 1 serves now."


async def test_a_rollback_that_was_interrupted_is_not_done_again(open_shop: Shop):
    parts = open_shop.running.app.parts
    by = Person("1", "admin", (), "1")
    asked = Asked("1", "t", "1", "command", "model_rollback", "", by, Place("1", "1", ""))
    actor = await open_shop.store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=open_shop.clock())
    assert await model_rollback(parts, actor, replace(asked, is_first_try=False)) == Said(INTERRUPTED)
