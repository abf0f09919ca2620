"""`/retrain` from the preview to the promoted model, in one message; and back."""

import re

import pytest

from storage.records import RunState
from tests.bot.slack_app.commanding import posted, read, stocked, typed, until_said, working
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message


async def started(shop: Shop) -> Message:
    """An admin types /retrain and presses Start; the message that follows the run."""
    there = shop.workspace
    shown = await typed(shop, there.admin, "/retrain")
    await there.click(there.admin, posted(there.support, shown), "start_retrain")
    dm = await there.dm(there.admin)
    return (await there.until(lambda: there.channel_messages(dm)))[0]


async def test_the_preview_counts_examples_tokens_time_and_what_is_left_out(open_shop: Shop):
    await stocked(open_shop)
    shown = await typed(open_shop, open_shop.workspace.admin, "/retrain")
    said = read(shown)
    assert "*To train on*  16 examples, 20 corrections new to the serving model" in said
    assert "*Kept back*  4 examples to judge by" in said
    assert "per pass" in said
    assert "*Time*  not known until a first run has been measured here" in said
    assert "*Waiting*  0 for approval" in said
    assert "*Cost*  nothing to pay: the tuner trains on this machine" in said
    assert "Start training" in said


async def test_a_dry_run_shows_the_same_and_starts_nothing(open_shop: Shop):
    await stocked(open_shop)
    said = read(await typed(open_shop, open_shop.workspace.admin, "/retrain dry-run"))
    assert "*To train on*  16 examples" in said
    assert "Start training" not in said


async def test_too_few_examples_are_refused_with_the_number_that_is_needed(open_shop: Shop):
    await stocked(open_shop, range(1, 4))
    said = read(await typed(open_shop, open_shop.workspace.admin, "/retrain"))
    assert "*To train on*  3 examples" in said
    assert "3 approved examples" in said
    assert "Start training" not in said


async def test_one_message_goes_from_requested_to_promoted_and_shows_the_evaluation(open_shop: Shop):
    await stocked(open_shop)
    card = await started(open_shop)
    assert "Requested" in read(card)
    async with working(open_shop):
        done = await until_said(open_shop, card, "Promoted")
    [run] = await open_shop.store.runs.recent(open_shop.voice.id, limit=5)
    evaluation = await open_shop.store.runs.evaluation(run.id)
    assert run.state is RunState.PROMOTED
    assert evaluation is not None
    assert evaluation.reason in read(done).replace("\u2060", "")
    assert "Loss 3.00 → 1.00 over 3 steps" in read(done)
    dm = await open_shop.workspace.dm(open_shop.workspace.admin)
    assert len(await open_shop.workspace.channel_messages(dm)) == 1  # one message, edited
    assert "Model 1 has taken over." in read(done)
    assert "Roll back" in read(done)


async def test_the_run_is_told_in_the_ops_channel_where_there_is_one(shop: Shop):
    there = shop.workspace
    await stocked(shop)
    async with shop.serving(slack_ops_channel=there.triage.id):
        shown = await typed(shop, there.admin, "/retrain")
        await there.click(there.admin, posted(there.support, shown), "start_retrain")
        [card] = await there.until(lambda: there.channel_messages(there.triage))
        assert "Requested" in read(card)
        async with working(shop):
            await until_said(shop, card, "Promoted")


async def test_a_worse_model_is_stopped_and_the_message_says_why(open_shop: Shop):
    await stocked(open_shop)
    open_shop.provider.script = lambda model, messages: "I cannot help."
    card = await started(open_shop)
    async with working(open_shop):
        done = await until_said(open_shop, card, "Stopped")
    [run] = await open_shop.store.runs.recent(open_shop.voice.id, limit=1)
    assert run.end_reason in read(done).replace("\u2060", "")
    assert (await open_shop.store.models.current(open_shop.voice.id)).model.number == 0


async def test_two_starts_are_one_run_and_one_message(open_shop: Shop):
    there = open_shop.workspace
    await stocked(open_shop)
    card = await started(open_shop)
    shown = await typed(open_shop, there.admin, "/retrain")
    assert "A run is open" in read(shown)
    await there.click(there.admin, posted(there.support, shown), "start_retrain")
    await there.until(lambda: any("already open" in m.text for m in there.ephemerals(there.admin)))
    assert len(await open_shop.store.runs.recent(open_shop.voice.id, limit=5)) == 1
    assert [m.ts for m in await there.channel_messages(await there.dm(there.admin))] == [card.ts]


async def test_status_and_cancel_speak_of_the_open_run(open_shop: Shop):
    there = open_shop.workspace
    assert "no training run yet" in (await typed(open_shop, there.admin, "/retrain status"))["text"]
    assert (await typed(open_shop, there.admin, "/retrain cancel"))["text"] == "No training run is open."
    await stocked(open_shop)
    card = await started(open_shop)
    assert "*Requested*" in (await typed(open_shop, there.admin, "/retrain status"))["text"]
    assert "Cancelling" in (await typed(open_shop, there.admin, "/retrain cancel"))["text"]
    async with working(open_shop):
        done = await until_said(open_shop, card, "Cancelled")
    assert "Cancelled by" in read(done)
    assert "*Cancelled*" in (await typed(open_shop, there.admin, "/retrain status"))["text"]


async def test_the_card_cancels_for_admins_and_politely_not_for_others(shop: Shop):
    there = shop.workspace
    await stocked(shop)
    async with shop.serving(slack_ops_channel=there.triage.id):
        shown = await typed(shop, there.admin, "/retrain")
        await there.click(there.admin, posted(there.support, shown), "start_retrain")
        [card] = await there.until(lambda: there.channel_messages(there.triage))
        await there.click(there.approver, card, "cancel_run")
        await there.until(lambda: any("Only an admin" in m.text for m in there.ephemerals(there.approver)))
        await there.click(there.admin, card, "cancel_run")
        async with working(shop):
            await until_said(shop, card, "Cancelled")


async def test_somebody_elses_preview_starts_nothing(open_shop: Shop):
    there = open_shop.workspace
    await stocked(open_shop)
    shown = await typed(open_shop, there.admin, "/retrain")
    await there.click(there.moderator, posted(there.support, shown), "start_retrain")
    await there.until(lambda: any("Only an admin" in m.text for m in there.ephemerals(there.moderator)))
    assert await open_shop.store.runs.recent(open_shop.voice.id, limit=1) == []


async def test_a_model_is_rolled_back_and_promoted_again_by_number(open_shop: Shop):
    there = open_shop.workspace
    assert "first to serve" in (await typed(open_shop, there.admin, "/retrain rollback"))["text"]
    await stocked(open_shop)
    card = await started(open_shop)
    async with working(open_shop):
        done = await until_said(open_shop, card, "Promoted")
    await there.click(there.admin, done, "roll_back")
    await there.until(lambda: any("Model 0 serves now." in m.text for m in there.ephemerals(there.admin)))
    assert (await typed(open_shop, there.admin, "/retrain promote 1"))["text"] == "Model 1 serves now."
    assert (await typed(open_shop, there.admin, "/retrain rollback"))["text"] == "Model 0 serves now."
    assert "never served" in (await typed(open_shop, there.admin, "/retrain promote 7"))["text"]
    history = (await typed(open_shop, there.moderator, "/finetone models"))["text"]
    served = [line.split(" since")[0] for line in history.splitlines()]
    assert served == ["→ model 0", "• model 1", "• model 0", "• model 1", "• model 0"]


async def test_an_old_cards_roll_back_changes_nothing_once_another_model_serves(open_shop: Shop):
    there = open_shop.workspace
    await stocked(open_shop)
    card = await started(open_shop)
    async with working(open_shop):
        done = await until_said(open_shop, card, "Promoted")
    for expected in ("Model 0 serves now.", "nothing was changed"):
        await there.click(there.admin, done, "roll_back")
        await there.until(lambda: any(expected in m.text for m in there.ephemerals(there.admin)))  # noqa: B023
    assert (await open_shop.store.models.current(open_shop.voice.id)).model.number == 0


@pytest.mark.parametrize("was_sent", [True, False], ids=["only the answer was lost", "it never arrived"])
async def test_a_start_that_is_cut_short_shows_its_one_message_all_the_same(open_shop: Shop, was_sent: bool):
    there = open_shop.workspace
    await stocked(open_shop)
    dm = await there.dm(there.admin)
    shown = await typed(open_shop, there.admin, "/retrain")
    there.wire.faults.cut("chat.postMessage", after=was_sent)
    await there.click(there.admin, posted(there.support, shown), "start_retrain")
    await there.until(lambda: there.wire.calls_of("chat.postMessage"))
    assert len(await there.channel_messages(dm)) == was_sent

    async def tried_again() -> bool:
        open_shop.clock.advance(120)  # past the lease
        return bool(await there.channel_messages(dm)) and bool(there.ephemerals(there.admin))

    await there.until(tried_again, timeout_s=15)
    [card] = await there.channel_messages(dm)
    async with working(open_shop):
        await until_said(open_shop, card, "Promoted")
    assert len(await open_shop.store.runs.recent(open_shop.voice.id, limit=5)) == 1


async def test_an_ops_channel_that_is_closed_to_the_bot_does_not_stop_a_run(shop: Shop):
    there = shop.workspace
    await stocked(shop)
    async with shop.serving(slack_ops_channel="C0NOWHERE"):
        shown = await typed(shop, there.admin, "/retrain")
        await there.click(there.admin, posted(there.support, shown), "start_retrain")
        await there.until(lambda: any("channel_not_found" in m.text for m in there.ephemerals(there.admin)))
        assert "*Requested*" in (await typed(shop, there.admin, "/retrain status"))["text"]


async def test_a_run_that_was_started_before_a_restart_is_followed_in_the_same_message(shop: Shop):
    await stocked(shop)
    async with shop.serving("bot-1"):
        card = await started(shop)
    async with shop.serving("bot-2"), working(shop):
        await until_said(shop, card, "Promoted")


async def test_a_known_price_is_named_with_its_source_and_its_day_before_anybody_pays(shop: Shop):
    there = shop.workspace
    await stocked(shop)
    own = {"trainer.example/*/training": "20 EUR per 1,000,000 tokens"}
    hosted: dict[str, object] = {"provider": "openai", "api_url": "https://trainer.example/v1", "prices": own}
    async with shop.serving(**hosted):
        said = read(await typed(shop, there.admin, "/retrain"))
        day = shop.clock.now.date().isoformat()
        assert re.search(r"\*Cost\*  0\.\d\d EUR: \d+ tokens × 3 passes, ", said)
        assert f" at 20 EUR per 1,000,000 tokens (FINETONE_PRICES, {day})" in said
