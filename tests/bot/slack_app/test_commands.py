"""`/finetone` and `/retrain` as people type them: what they show, to whom, and what they change."""

import sqlite3

import pytest

from bot.slack_app.commands import commanded
from bot.slack_app.payloads import Commanded, Person
from storage.records import ChannelMode, CorrectionState
from tests.bot.slack_app.acting import buttons_of, card_in, words_of
from tests.bot.slack_app.commanding import settled, stocked, typed
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Channel

FOR_ADMINS = (
    "/retrain",
    "/retrain now",
    "/retrain dry-run",
    "/retrain status",
    "/retrain pause",
    "/retrain resume",
    "/retrain cancel",
    "/retrain rollback",
    "/retrain promote 3",
    "/finetone channel auto",
    "/finetone channel no-training",
    "/finetone dataset export",
    "/finetone forget <@U000000001|somebody>",
    "/finetone forget <@U000000001|somebody> confirm",
)
FOR_MODERATORS = (
    "/finetone queue",
    "/finetone pairs",
    "/finetone pairs 1 a",
    "/finetone models",
    "/finetone voice",
    "/finetone dataset",
    "/finetone dataset newest",
    "/finetone dataset everything",
)


async def test_only_admins_train_roll_back_set_channels_and_delete_for_others(open_shop: Shop):
    there = open_shop.workspace
    for command in FOR_ADMINS:
        for person in (there.customer, there.stranger, there.moderator, there.approver):
            said = (await typed(open_shop, person, command))["text"]
            assert said.startswith("Only an admin can"), command
            assert said.endswith("is not one.")
    assert await open_shop.store.runs.recent(open_shop.voice.id, limit=5) == []
    assert await open_shop.store.channels.get("slack", f"{there.team.team_id}/{there.support.id}") is None


async def test_only_moderators_see_queue_models_and_voice(open_shop: Shop):
    there = open_shop.workspace
    for command in FOR_MODERATORS:
        for person in (there.customer, there.stranger):
            assert (await typed(open_shop, person, command))["text"].startswith("Only a moderator can"), command
        assert "Only" not in (await typed(open_shop, there.moderator, command))["text"]


@pytest.mark.parametrize("command", ["/finetone", "/finetone help", "/finetone what is this", "/finetone forget-me"])
async def test_help_names_only_what_the_person_may_use(open_shop: Shop, command: str):
    there = open_shop.workspace
    for_customers = (await typed(open_shop, there.customer, command))["text"]
    assert "/finetone forget" in for_customers
    assert "/finetone mydata" in for_customers
    assert "dataset" not in for_customers
    assert "/retrain" not in for_customers
    assert "queue" not in for_customers
    assert "/finetone queue" in (await typed(open_shop, there.moderator, command))["text"]
    assert "/retrain" in (await typed(open_shop, there.admin, command))["text"]


async def test_an_unknown_word_after_retrain_brings_its_help(open_shop: Shop):
    assert "dry-run" in (await typed(open_shop, open_shop.workspace.admin, "/retrain everything"))["text"]
    assert "which model" in (await typed(open_shop, open_shop.workspace.admin, "/retrain promote"))["text"]
    assert "which model" in (await typed(open_shop, open_shop.workspace.admin, "/retrain promote it"))["text"]


async def test_the_queue_lists_what_waits_and_how_much(open_shop: Shop):
    there = open_shop.workspace
    assert (await typed(open_shop, there.moderator, "/finetone queue"))["text"] == "Nothing waits for approval."
    _, reply = await open_shop.asked("Where is <https://example.com|my parcel> *now*?")
    await there.shortcut(there.moderator, reply, "ft_correct")
    await there.until(lambda: there.open_view(there.moderator))
    await there.submit(there.moderator, {"text": "It is <!channel> late."})
    await there.until(lambda: _proposed(open_shop))
    said = (await typed(open_shop, there.moderator, "/finetone queue"))["text"]
    assert said.startswith("*1 correction waits for approval, the oldest first*")
    assert "now" in said
    assert "<" not in said  # nothing in it acts: no link, no mention
    assert "example.com" not in said


async def test_the_queue_names_flagged_replies_until_a_moderator_has_looked(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked("Where is <!channel> my parcel?")
    await there.shortcut(there.moderator, reply, "ft_flag")
    await settled(open_shop)
    said = (await typed(open_shop, there.moderator, "/finetone queue"))["text"]
    assert said.startswith("Nothing waits for approval.\n*⚑ Flagged by moderator*  Where is")
    assert "<" not in said
    await there.shortcut(there.moderator, reply, "ft_good")
    await settled(open_shop)
    assert (await typed(open_shop, there.moderator, "/finetone queue"))["text"] == "Nothing waits for approval."


async def _proposed(shop: Shop) -> int:
    return (await shop.store.corrections.count(shop.voice.id))[CorrectionState.PROPOSED]


async def test_the_models_and_the_voice_are_shown_as_they_are(open_shop: Shop):
    there = open_shop.workspace
    assert "→ model 0 since" in (await typed(open_shop, there.moderator, "/finetone models"))["text"]
    voice = (await typed(open_shop, there.moderator, "/finetone voice"))["text"]
    assert voice == "*puffin on base*\nBe kind."


async def test_a_channel_is_set_and_says_so_to_everybody_who_asks(open_shop: Shop):
    there = open_shop.workspace
    assert "set to mention" in (await typed(open_shop, there.customer, "/finetone channel"))["text"]
    said = (await typed(open_shop, there.admin, "/finetone channel auto no-training"))["text"]
    assert said == "Set to auto. I answer every question. Corrections made here may not be trained on."
    assert "set to auto" in (await typed(open_shop, there.customer, "/finetone channel"))["text"]
    question = await there.say(there.customer, there.support, "Where is my parcel?")
    await open_shop.reply_to(question)  # unmentioned
    wrong = (await typed(open_shop, there.admin, "/finetone channel loud"))["text"]
    assert "“loud” is no setting" in wrong
    channel = await open_shop.store.channels.get("slack", f"{there.team.team_id}/{there.support.id}")
    assert channel is not None
    assert (channel.mode, channel.is_training_allowed) == (ChannelMode.AUTO, False)


async def test_drafts_without_a_review_channel_are_refused_with_the_setting_to_set(shop: Shop):
    async with shop.serving(slack_review_channel=""):
        said = (await typed(shop, shop.workspace.admin, "/finetone channel draft"))["text"]
    assert "FINETONE_SLACK_REVIEW_CHANNEL" in said


async def test_forgetting_needs_to_be_confirmed_and_then_nothing_is_left(open_shop: Shop):
    there, store = open_shop.workspace, open_shop.store
    question, reply = await open_shop.asked("Where is the parcel for Zanzibar?")
    await there.shortcut(there.moderator, reply, "ft_correct")
    await there.until(lambda: there.open_view(there.moderator))
    await there.submit(there.moderator, {"text": "Zanzibar takes three weeks."})
    await there.until(lambda: there.channel_messages(there.review))
    said = (await typed(open_shop, there.customer, "/finetone forget"))["text"]
    assert "your 1 question" in said
    assert "`/finetone forget confirm`" in said
    assert [m.text for m in await there.replies(question)] != []  # nothing has happened yet
    said = (await typed(open_shop, there.customer, "/finetone forget confirm"))["text"]
    assert said.startswith("Deleted: your 1 question")
    await gone(open_shop, there.review)  # the card that showed both
    assert await there.replies(question) == []  # and before it the answer in the thread
    assert (await store.corrections.count(open_shop.voice.id))[CorrectionState.ERASED] == 1
    await settled(open_shop)
    dumped = _dumped(open_shop)
    assert "erase_person" in dumped
    assert there.customer.user_id not in dumped
    assert "Zanzibar" not in dumped
    assert "There is nothing to delete." in (await typed(open_shop, there.customer, "/finetone forget"))["text"]


async def test_after_forgetting_the_hand_overs_card_quotes_and_names_nobody(open_shop: Shop):
    there = open_shop.workspace
    _, reply = await open_shop.asked("Where is the parcel for Zanzibar?")
    await there.click(there.customer, reply, "hand_over")
    card = await card_in(open_shop, there.triage, lambda card: "Zanzibar" in words_of(card))
    assert "Deleted" in (await typed(open_shop, there.customer, "/finetone forget confirm"))["text"]
    now = await card_in(open_shop, there.triage, lambda card: "Zanzibar" not in words_of(card))
    assert now.ts == card.ts
    assert "asked for by somebody who was forgotten" in words_of(now)
    assert buttons_of(now) == ["take", "release"]


async def test_forgetting_takes_a_draft_away_that_nobody_has_sent(open_shop: Shop):
    there = open_shop.workspace
    await typed(open_shop, there.admin, "/finetone channel draft")
    await there.say(there.customer, there.support, "Where is my parcel?")
    await there.until(lambda: there.channel_messages(there.review))
    await settled(open_shop)
    assert "Deleted" in (await typed(open_shop, there.customer, "/finetone forget confirm"))["text"]
    await gone(open_shop, there.review)


async def gone(shop: Shop, channel: Channel) -> None:
    """Wait until nothing stands in the channel any more."""

    async def is_empty() -> bool:
        return not await shop.workspace.channel_messages(channel)

    await shop.workspace.until(is_empty)


def _dumped(shop: Shop) -> str:
    """The whole database as text."""
    with sqlite3.connect(shop.data_dir.parent / "app.sqlite") as connection:
        return "\n".join(connection.iterdump())


async def test_an_admin_deletes_another_persons_questions_and_they_are_named_twice(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    user = f"<@{there.customer.user_id}|customer>"
    said = (await typed(open_shop, there.admin, f"/finetone forget {user}"))["text"]
    assert "1 question" in said
    assert "To do it, send the same again with the word confirm at its end." in said
    said = (await typed(open_shop, there.admin, f"/finetone forget {user} confirm"))["text"]
    assert said.startswith("Deleted")

    async def is_unanswered() -> bool:
        return await there.replies(question) == []

    await there.until(is_unanswered)


async def test_an_admin_deletes_the_questions_of_somebody_from_another_company(open_shop: Shop):
    there = open_shop.workspace
    question = await there.mention(there.stranger, there.support, "Where is my pallet?")
    await open_shop.reply_to(question)
    user = f"<@{there.stranger.user_id}|stranger>"
    assert "1 question" in (await typed(open_shop, there.admin, f"/finetone forget {user}"))["text"]


async def test_somebody_who_never_asked_has_nothing_to_delete(open_shop: Shop):
    there = open_shop.workspace
    said = await typed(open_shop, there.admin, f"/finetone forget <@{there.second_customer.user_id}|second>")
    assert said["text"] == "That person has never asked anything here."
    assert (await typed(open_shop, there.customer, "/finetone forget"))["text"] == "There is nothing to delete."


async def test_a_command_that_is_delivered_twice_is_done_once(open_shop: Shop):
    there = open_shop.workspace
    await stocked(open_shop)
    await typed(open_shop, there.admin, "/retrain")
    delivery = there.deliveries[-1]
    n_before = sum(len(posts) for posts in there.wire.responses.values())
    await there.redeliver(delivery)
    await settled(open_shop)
    assert sum(len(posts) for posts in there.wire.responses.values()) == n_before


async def test_what_cannot_be_answered_is_whispered_and_not_done_again(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    there = open_shop.workspace
    monkeypatch.setattr(there.wire, "new_response_url", lambda: f"{there.wire.url}/response/used-up")
    await there.command(there.admin, there.support, "/finetone", "channel auto")
    await there.until(lambda: any("Set to auto." in m.text for m in there.ephemerals(there.admin)))
    await settled(open_shop)
    entries = await open_shop.store.audit.entries(50)
    assert len([entry for entry in entries if "channel" in entry.verb]) == 1


async def test_a_roll_back_that_a_crash_interrupted_is_not_done_twice(open_shop: Shop):
    there = open_shop.workspace
    assert open_shop.running is not None
    admin = Person(there.team.team_id, there.admin.user_id, there.team.team_id)
    again = Commanded(admin, "/retrain", ("rollback",), there.support.id, "")
    respond = there.wire.new_response_url()
    await commanded(open_shop.running.app.parts, again, respond, is_first_try=False)
    assert "may be done already" in there.responses(respond)[0]["text"]
