"""The Home tab and the starter prompts: the team sees where things stand, customers how to ask."""

from tests.bot.slack_app.commanding import read, settled, stocked, until_said, working
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message, Person
from tests.slack.screens import View


async def home(shop: Shop, by: Person) -> View:
    """The Home tab as it is published once somebody opens it."""
    there = shop.workspace
    n_before = len(there.wire.calls_of("views.publish"))
    await there.open_home(by)
    await there.until(lambda: len(there.wire.calls_of("views.publish")) > n_before)
    view = there.home(by)
    assert view is not None
    return view


def actions_of(view: View) -> list[str]:
    """What can be pressed."""
    return [
        element["action_id"]
        for block in view["blocks"]
        for element in block.get("elements", [])
        if "action_id" in element
    ]


async def proposed(shop: Shop, text: str = "It is three days late.") -> None:
    """A moderator corrects a reply."""
    there = shop.workspace
    _, reply = await shop.asked()
    await there.shortcut(there.moderator, reply, "ft_correct")
    await there.until(lambda: there.open_view(there.moderator))
    await there.submit(there.moderator, {"text": text})
    await there.until(lambda: there.channel_messages(there.review))


async def test_customers_and_strangers_see_help_and_no_number(open_shop: Shop):
    await stocked(open_shop)
    for person in (open_shop.workspace.customer, open_shop.workspace.stranger):
        view = await home(open_shop, person)
        assert "Mention me in a channel" in read(view)
        assert not any(sign.isdigit() for sign in read(view))
        assert actions_of(view) == []


async def test_the_team_sees_the_model_the_queue_the_dataset_and_how_people_judge(open_shop: Shop):
    there = open_shop.workspace
    await stocked(open_shop)
    await proposed(open_shop)
    _, reply = await open_shop.asked("Is it blue?")
    await there.rate(there.customer, reply, good=True)
    await settled(open_shop)
    said = read(await home(open_shop, there.moderator))
    assert "*Model 0* serves since" in said
    assert "*Waiting for approval*\n1 correction" in said
    assert "*To train on*\n16 examples, 20 new to model 0" in said
    assert "*Approved*\n100% of 20 decisions" in said
    assert "*Found helpful*\n100% of 1 judgement" in said


async def test_moderators_cannot_approve_from_home_and_approvers_can(open_shop: Shop):
    there = open_shop.workspace
    await proposed(open_shop)
    assert actions_of(await home(open_shop, there.moderator)) == ["home_refresh"]
    view = await home(open_shop, there.approver)
    assert actions_of(view) == ["home_refresh", "approve", "edit", "reject", "expire"]
    await there.click(there.approver, view, "approve")
    await settled(open_shop)
    assert "*Waiting for approval*\n0 corrections" in read(there.home(there.approver) or {})
    [message] = await there.channel_messages(await there.dm(there.approver))
    assert message.text.startswith("Approved.")  # told where they will read it: Home is in no channel


async def test_an_approver_edits_from_home(open_shop: Shop):
    there = open_shop.workspace
    await proposed(open_shop)
    view = await home(open_shop, there.approver)
    await there.click(there.approver, view, "edit")
    await there.until(lambda: there.open_view(there.approver))
    await there.submit(there.approver, {"text": "It is two days late."})
    await settled(open_shop)
    assert "two days" in read(await home(open_shop, there.approver))


async def test_an_admin_retrains_from_home_and_home_shows_the_run(open_shop: Shop):
    there = open_shop.workspace
    await stocked(open_shop)
    view = await home(open_shop, there.admin)
    assert "home_retrain" in actions_of(view)
    assert "Train on 16 examples" in read(view)  # what is asked before it starts
    assert "*Cost*  nothing to pay: the tuner trains on this machine" in read(view)
    await there.click(there.admin, view, "home_retrain")
    dm = await there.dm(there.admin)
    card = (await there.until(lambda: there.channel_messages(dm)))[0]
    assert "*Last run*  Requested" in read(await home(open_shop, there.admin))
    async with working(open_shop):
        await until_said(open_shop, card, "Promoted")
    said = read(await home(open_shop, there.admin))
    assert "*Model 1* serves since" in said
    assert "*Last run*  Promoted" in said


async def test_too_few_examples_are_shown_against_the_number_a_run_needs(open_shop: Shop):
    await stocked(open_shop, range(1, 6))
    said = read(await home(open_shop, open_shop.workspace.admin))
    assert "50% of the 10 examples a run needs at least" in said


async def test_an_approvers_home_offers_no_training(open_shop: Shop):
    await stocked(open_shop)
    assert "home_retrain" not in actions_of(await home(open_shop, open_shop.workspace.approver))


async def test_refresh_shows_what_changed_meanwhile(open_shop: Shop):
    there = open_shop.workspace
    view = await home(open_shop, there.moderator)
    await proposed(open_shop)
    await there.click(there.moderator, view, "home_refresh")
    await settled(open_shop)
    assert "*Waiting for approval*\n1 correction" in read(there.home(there.moderator) or {})


async def test_opening_the_messages_offers_ways_to_begin(open_shop: Shop):
    there = open_shop.workspace
    dm = await there.open_messages_tab(there.customer)
    prompts = await there.until(lambda: there.wire.statuses.prompts.get(dm.id))
    assert [prompt["title"] for prompt in prompts] == [
        "Where is my order?",
        "How do I return something?",
        "I need a person",
    ]


async def test_without_agents_the_messages_open_all_the_same(open_shop: Shop):
    there = open_shop.workspace
    there.wire.without_ai()
    await there.open_messages_tab(there.customer)
    await there.until(lambda: there.wire.calls_of("assistant.threads.setSuggestedPrompts"))
    question = await there.direct_message(there.customer, "Where is my parcel?")
    await open_shop.reply_to(question)


async def test_a_home_that_slack_refuses_is_drawn_at_the_next_look(open_shop: Shop):
    there = open_shop.workspace
    there.wire.faults.refuse("views.publish", "not_enabled")
    await there.open_home(there.customer)
    await there.until(lambda: there.wire.calls_of("views.publish"))
    assert there.home(there.customer) is None
    assert "Mention me" in read(await home(open_shop, there.customer))


# ---------------------------------------------------------------- what was flagged


async def flagged(shop: Shop) -> tuple[Message, View]:
    """A reply that a customer found wrong in words of their own, and the moderator's Home."""
    there = shop.workspace
    _, reply = await shop.asked("Where is <!channel> my parcel?")
    await there.rate(there.customer, reply, good=False)
    await there.until(lambda: there.ephemerals(there.customer))
    await there.click(there.customer, there.ephemerals(there.customer)[-1], "explain")
    await there.until(lambda: there.open_view(there.customer))
    await there.submit(there.customer, {"reason": "outdated", "note": "You moved *last year*."})
    await settled(shop)
    return reply, await home(shop, there.moderator)


async def test_a_moderator_finds_what_was_flagged_on_home_and_settles_it_there(open_shop: Shop):
    there = open_shop.workspace
    _, view = await flagged(open_shop)
    said = read(view)
    assert "Flagged" in said
    assert "Where is" in said
    assert "<!channel>" not in said
    assert "Out of date, says customer: You moved" in said.replace("\u2060", "")
    assert actions_of(view) == ["home_refresh", "feedback", "open_correct", "why", "retract"]
    await there.click(there.moderator, view, "feedback")
    await settled(open_shop)
    assert "Flagged" not in read(there.home(there.moderator) or {})
    [message] = await there.channel_messages(await there.dm(there.moderator))
    assert message.text == "Thanks, noted as good."


async def test_a_flagged_reply_is_corrected_from_home(open_shop: Shop):
    there = open_shop.workspace
    _, view = await flagged(open_shop)
    await there.click(there.moderator, view, "open_correct")
    await there.until(lambda: there.open_view(there.moderator))
    await there.submit(there.moderator, {"text": "It is two days late."})
    await there.until(lambda: there.channel_messages(there.review))
    assert "Flagged" not in read(await home(open_shop, there.moderator))


async def test_a_flagged_reply_is_retracted_from_home(open_shop: Shop):
    there = open_shop.workspace
    reply, view = await flagged(open_shop)
    await there.click(there.moderator, view, "retract")
    await settled(open_shop)
    assert await there.reread(reply) is None


async def test_who_is_no_moderator_sees_nothing_of_what_was_flagged(open_shop: Shop):
    _, view = await flagged(open_shop)
    assert "Flagged" in read(view)
    there = open_shop.workspace
    for person in (there.customer, there.stranger):
        assert "Flagged" not in read(await home(open_shop, person))
