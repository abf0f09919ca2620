"""Who may not: every verb of the team checks the right when it is used, whatever Discord showed."""

import pytest

from bot.discord_app.buttons import Label, row
from bot.discord_app.features import FEATURES
from bot.discord_app.interactions import Registry
from storage.records import ChannelMode, CorrectionState, Feedback, Right
from tests.bot.discord_app.acting import card_in, corrected, corrections, direct, feedback_on, stored, told
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.test_training import stocked
from tests.discord.place import Message


async def forged(shop: Shop, verb: str, about: str) -> Message:
    """A button of ours in front of everybody: an old one, or one that a bot with a stolen token sent."""
    there = shop.guild
    room = there.client.get_partial_messageable(there.support.id)
    sent = await room.send("Press", view=row([Label(verb, about, "Press")]))
    return next(one for one in there.messages(there.support) if one.id == sent.id)


@pytest.mark.parametrize(
    ("verb", "what"),
    [
        ("open_correct", "Only a moderator can correct a reply"),
        ("retract", "Only a moderator can retract a reply"),
        ("send_draft", "Only a moderator can send a draft"),
        ("edit_draft", "Only a moderator can correct a reply"),
        ("drop_draft", "Only a moderator can drop a draft"),
    ],
)
async def test_a_customer_does_nothing_to_a_reply_with_the_teams_buttons(open_shop: Shop, verb: str, what: str):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    button = await forged(open_shop, verb, (await stored(open_shop, reply)).id)
    await there.click(there.customer, button, label="Press")
    assert told(open_shop, there.customer).startswith(f"{what}, and customer is not one.")
    assert [one.text for one in there.replies(question)] == [ANSWER]
    assert await feedback_on(open_shop, reply) == []


@pytest.mark.parametrize("verb", ["approve", "edit", "reject", "expire", "mark_critical", "take_back"])
async def test_a_customer_decides_nothing(open_shop: Shop, verb: str):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    correction = await corrected(open_shop, reply)
    button = await forged(open_shop, verb, correction.id)
    await there.click(there.customer, button, label="Press")
    assert told(open_shop, there.customer).startswith("Only a")
    assert there.open_modal(there.customer) is None
    assert (await open_shop.store.corrections.get(correction.id)).state is CorrectionState.PROPOSED


@pytest.mark.parametrize("label", ["Approve", "Reject", "Edit", "Holds until…"])
async def test_a_moderator_approves_and_rejects_nothing(open_shop: Shop, label: str):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    correction = await corrected(open_shop, reply)
    card = await card_in(open_shop, there.review)
    await there.click(there.moderator, card, label=label)
    assert told(open_shop, there.moderator).startswith("Only an approver can ")
    assert (await open_shop.store.corrections.get(correction.id)).state is CorrectionState.PROPOSED


@pytest.mark.parametrize("verb", ["take", "release"])
async def test_a_customer_takes_and_resolves_no_conversation(open_shop: Shop, verb: str):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.click(there.customer, reply, label="Get a human")
    [hand_over] = await open_shop.store.hand_overs.all_open()
    button = await forged(open_shop, verb, hand_over.id)
    await there.click(there.customer, button, label="Press")
    assert told(open_shop, there.customer).startswith("Only a moderator can ")
    [still] = await open_shop.store.hand_overs.all_open()
    assert (still.taken_by, still.released_at) == (None, None)


@pytest.mark.parametrize("verb", ["start_retrain", "pause_run", "resume_run", "cancel_run", "roll_back"])
async def test_only_admins_train(open_shop: Shop, verb: str):
    there = open_shop.guild
    await stocked(open_shop)
    about = "run_1" if verb != "start_retrain" else open_shop.voice.id
    button = await forged(open_shop, verb, about)
    await there.click(there.approver, button, label="Press")
    assert told(open_shop, there.approver).startswith("Only an admin can ")
    assert await open_shop.store.runs.recent(open_shop.voice.id, limit=5) == []


@pytest.mark.parametrize(
    "name",
    [
        "retrain",
        "model status",
        "model rollback",
        "model pause",
        "model resume",
        "model cancel",
        "config channel",
        "dataset export",
    ],
)
async def test_a_command_that_a_server_lets_everybody_see_is_still_the_admins(open_shop: Shop, name: str):
    there = open_shop.guild
    await there.give_role(there.moderator, there.admins)  # whom Discord shows it to
    await there.take_role(there.admin, there.admins)
    parts = open_shop.running.app.parts
    roster = parts.people._roster.members
    object.__setattr__(parts.people._roster, "members", {**roster, Right.ADMIN: frozenset()})
    options = {"mode": "auto"} if name == "config channel" else {}
    answer = await there.slash(there.moderator, there.support, name, **options)
    assert (answer.text or "").startswith("Only an admin can ")
    assert await open_shop.store.channels.get("discord", f"{there.id}/{there.support.id}") is None


async def test_a_right_ends_with_the_role(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await corrected(open_shop, reply)
    card = await card_in(open_shop, there.review)
    await there.take_role(there.approver, there.approvers)
    await there.give_permission(there.review, "view_channel", of=there.approver)
    await there.click(there.approver, card, label="Approve")
    assert told(open_shop, there.approver).startswith("Only an approver can approve a correction")


async def test_a_form_is_checked_again_when_it_is_sent(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.open_menu(there.moderator, reply, "Correct this answer")
    await there.take_role(there.moderator, there.moderators)
    sent = await there.submit(there.moderator, {"text": "Mine now"})
    assert (sent.text or "").startswith("Only a moderator can correct a reply")
    assert await corrections(open_shop) == []


async def test_a_customers_signs_of_the_team_do_nothing(open_shop: Shop):
    question, reply = await open_shop.asked()
    there = open_shop.guild
    for emoji in ("🚩", "✏️", "🗑️", "🎓"):
        await there.react(there.customer, reply, emoji)
    said = await there.say(there.customer, reply.channel, "It is here, says I.")
    await there.react(there.customer, said, "🎓")
    assert {one.text for one in there.replies(question)} == {ANSWER}
    assert (await feedback_on(open_shop, reply), await corrections(open_shop)) == ([], [])
    assert direct(open_shop, there.customer) == []


async def test_a_moderator_of_another_server_is_nobody_here(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    other = await there.second_guild()
    await there.react(there.stranger, reply, "🚩")
    assert await feedback_on(open_shop, reply) == []
    question = await other.mention(other.customer, other.support, "Hello?")
    theirs = other.replies(question)[0]
    await other.react(other.moderator, theirs, "🚩")
    assert await feedback_on_in(open_shop, other.id, theirs) == []


async def feedback_on_in(shop: Shop, guild_id: int, reply: Message) -> list[Feedback]:
    """Every judgement of a reply in another server."""
    posting = await shop.store.postings.at("discord", f"{guild_id}/{reply.channel.id}", str(reply.id))
    assert posting is not None
    found = await shop.store.conversations.reply_to(posting.subject)
    assert found is not None
    return await shop.store.feedback.for_reply(found.id)


async def test_nobody_takes_back_what_another_proposed(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    correction = await corrected(open_shop, reply)
    button = await forged(open_shop, "take_back", correction.id)
    await there.click(there.admin, button, label="Press")
    assert told(open_shop, there.admin).startswith("Only the person who proposed a correction can retract it.")


async def test_a_button_about_something_unknown_says_so(open_shop: Shop):
    there = open_shop.guild
    button = await forged(open_shop, "approve", "corr_nothing")
    await there.click(there.approver, button, label="Press")
    assert told(open_shop, there.approver) == "There is no such correction any more, or there never was."


async def test_a_channel_is_set_up_by_admins_alone(open_shop: Shop):
    there = open_shop.guild
    answer = await there.slash(there.admin, there.support, "config channel", mode="auto")
    assert (answer.text or "").startswith("Set to auto.")
    assert await open_shop.running.app.parts.mode(f"{there.id}/{there.support.id}") is ChannelMode.AUTO


def test_no_two_features_claim_a_verb_and_every_form_that_opens_is_taken():
    registry = Registry(FEATURES)
    forms = {name.removeprefix("form ") for name in registry.works if name.startswith("form ")}
    assert forms == {"correct", "edit", "reject", "expire", "edit_draft", "explain", "settle_on"}
