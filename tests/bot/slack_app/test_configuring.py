"""`/finetone channel`: what is set is shown to anybody, and an admin changes it in a form."""

from typing import Any

import pytest

from bot.slack_app.channel_form import GROUPS_OFFERED, Standing, channel_form, faults
from bot.slack_app.configuring import IN_PRIVATE
from bot.slack_app.form_parts import About
from storage.records import Channel, ChannelMode, ChannelRules
from tests.bot.slack_app.acting import form_of, input_of, whispered
from tests.bot.slack_app.commanding import posted, typed
from tests.bot.slack_app.conftest import Shop
from tests.bot.slack_app.test_rights import lose_the_group
from tests.slack.payloads import view_violations
from tests.slack.place import Message, Person
from tests.slack.screens import View

ALL: dict[str, Any] = {
    "mode": "auto",
    "training": [],
    "hours": "Mon-Fri 09:00-17:30",
    "time_zone": "Europe/Berlin",
    "daily_cap": "200",
    "cooldown": "90",
    "language": "German",
}
RULES = ChannelRules(
    language="German",
    cooldown_s=90,
    opening_hours="Mon-Fri 09:00-17:30",
    time_zone="Europe/Berlin",
    daily_cap=200,
)


async def shown_to(shop: Shop, person: Person) -> Message:
    return posted(shop.workspace.support, await typed(shop, person, "/finetone channel"))


async def opened(shop: Shop) -> View:
    """The form, on an admin's screen."""
    there = shop.workspace
    await there.click(there.admin, await shown_to(shop, there.admin), "open_channel")
    return await form_of(shop, there.admin)


async def kept(shop: Shop) -> Channel:
    there = shop.workspace
    found = await shop.store.channels.get("slack", f"{there.team.team_id}/{there.support.id}")
    assert found is not None
    return found


async def test_everything_set_in_the_form_is_kept_and_read_back_and_fills_the_form_again(open_shop: Shop):
    there = open_shop.workspace
    await opened(open_shop)
    await there.submit(there.admin, ALL)
    said = (await whispered(open_shop, there.admin)).text
    assert said.splitlines() == [
        "Set to auto. I answer every question. Corrections made here may not be trained on.",
        "*Language*  German",
        "*Hours*  Mon-Fri 09:00-17:30 (Europe/Berlin)",
        "*Cooldown*  2 minutes between two questions of one person",
        "*At most*  200 questions a day",
    ]
    channel = await kept(open_shop)
    assert (channel.mode, channel.is_training_allowed, channel.rules) == (ChannelMode.AUTO, False, RULES)
    for person in (there.customer, there.admin):
        shown = (await shown_to(open_shop, person)).text
        assert shown.startswith("This channel is set to auto.")
        assert shown.splitlines()[1:] == said.splitlines()[1:]
    form = await opened(open_shop)
    assert input_of(form, "hours")["initial_value"] == RULES.opening_hours
    assert input_of(form, "daily_cap")["initial_value"] == "200"
    assert input_of(form, "mode")["initial_option"]["value"] == "auto"
    assert "initial_options" not in input_of(form, "training")
    await there.submit(there.admin)  # nothing changed
    assert (await kept(open_shop)).rules == RULES


async def test_rules_are_taken_off_again(open_shop: Shop):
    there = open_shop.workspace
    await opened(open_shop)
    await there.submit(there.admin, ALL)
    await whispered(open_shop, there.admin)
    await opened(open_shop)
    await there.submit(
        there.admin,
        {"mode": "mention", "training": ["may"], "hours": "", "daily_cap": "0", "cooldown": "0", "language": ""},
    )
    said = (await whispered(open_shop, there.admin, 2)).text
    assert said.splitlines()[1:] == []
    assert (await kept(open_shop)).rules == ChannelRules(time_zone="Europe/Berlin")


async def test_what_cannot_be_meant_is_said_in_the_form_and_nothing_is_set(open_shop: Shop):
    there = open_shop.workspace
    await opened(open_shop)
    answer = await there.submit(there.admin, ALL | {"hours": "nine to five", "time_zone": "Berlin"})
    assert answer.json["response_action"] == "errors"
    assert "Write them such as Mon-Fri 09:00-17:30" in answer.json["errors"]["hours"]
    assert "Europe/Berlin" in answer.json["errors"]["time_zone"]
    assert there.open_view(there.admin)
    assert await open_shop.store.channels.get("slack", f"{there.team.team_id}/{there.support.id}") is None


async def test_user_groups_are_chosen_by_name_and_taken_off_again(open_shop: Shop):
    there = open_shop.workspace
    there.wire.usergroups.names = {"S0A": "Partners <!channel>", "S0B": "Customers"}
    form = await opened(open_shop)
    assert [one["text"]["text"] for one in input_of(form, "groups")["options"]] == [
        "Partners <!\u200dchannel>",
        "Customers",
    ]
    await there.submit(there.admin, {"groups": ["S0B", "S0A"]})
    said = (await whispered(open_shop, there.admin)).text
    assert "*Answers only*" in said
    assert "Customers" in said
    assert "<!channel>" not in said
    assert set((await kept(open_shop)).rules.asking_roles) == {"S0A", "S0B"}
    del there.wire.usergroups.names["S0A"]
    assert "a deleted group" in (await shown_to(open_shop, there.customer)).text
    form = await opened(open_shop)
    assert {one["value"] for one in input_of(form, "groups")["initial_options"]} == {"S0A", "S0B"}
    await there.submit(there.admin, {"groups": []})
    await whispered(open_shop, there.admin, 2)
    assert (await kept(open_shop)).rules.asking_roles == ()


async def test_groups_that_slack_does_not_tell_stay_as_they_are(open_shop: Shop):
    there = open_shop.workspace
    there.wire.usergroups.names = {"S0A": "Partners"}
    await opened(open_shop)
    await there.submit(there.admin, {"groups": ["S0A"]})
    await whispered(open_shop, there.admin)
    there.wire.faults.refuse("usergroups.list", "missing_scope", times=9)
    assert "*Answers only*  S0A" in (await shown_to(open_shop, there.customer)).text
    await opened(open_shop)
    await there.submit(there.admin, {"daily_cap": "7"})
    await whispered(open_shop, there.admin, 2)
    rules = (await kept(open_shop)).rules
    assert (rules.asking_roles, rules.daily_cap) == (("S0A",), 7)


async def test_only_an_admin_has_the_button_and_only_an_admins_press_opens_the_form(open_shop: Shop):
    there = open_shop.workspace
    for person in (there.customer, there.moderator, there.approver):
        assert "Change" not in str((await shown_to(open_shop, person)).blocks)
    shown = await shown_to(open_shop, there.admin)
    await there.click(there.moderator, shown, "open_channel")
    assert "Only an admin can set up a channel" in (await whispered(open_shop, there.moderator)).text
    assert there.open_view(there.moderator) is None


async def test_who_is_no_admin_any_more_sets_nothing_by_a_form_they_have_open(shop: Shop):
    there = shop.workspace
    there.wire.usergroups.members["S0MODS"] = [there.admin.user_id]
    async with shop.serving(slack_admins="S0MODS"):
        await opened(shop)
        await lose_the_group(shop)
        await there.submit(there.admin, ALL)
        assert "Only an admin can set up a channel" in (await whispered(shop, there.admin)).text
        assert await shop.store.channels.list("slack") == []


async def test_in_direct_messages_there_is_nothing_to_set(open_shop: Shop):
    there = open_shop.workspace
    dm = await there.dm(there.admin)
    for words in ("", " off"):
        assert (await typed(open_shop, there.admin, f"/finetone channel{words}", dm))["text"] == IN_PRIVATE
    assert await open_shop.store.channels.list("slack") == []


# ---------------------------------------------------------------- the form


@pytest.mark.parametrize("rules", [ChannelRules(), RULES, ChannelRules(asking_roles=("S0GONE",))], ids=str)
@pytest.mark.parametrize("n_groups", [0, 1, 150])
def test_whatever_it_is_filled_with_slack_takes_the_form(rules: ChannelRules, n_groups: int):
    groups = [(f"S{number}", f"Group {number} " + "x" * 50) for number in range(n_groups)]
    form = channel_form(About(channel="C1"), Standing(ChannelMode.DRAFT, True, rules), groups)
    assert view_violations(form) == []
    if n_groups:
        offered = input_of(form, "groups")
        assert len(offered["options"]) <= GROUPS_OFFERED
        assert all(option in offered["options"] for option in offered.get("initial_options", []))


def test_every_fault_is_said_where_it_is():
    wrong = {"hours": "x", "time_zone": "x", "daily_cap": "x", "cooldown": "3601", "language": "x", "groups": ["x"]}
    assert set(faults(wrong)) == {"hours", "time_zone", "daily_cap", "cooldown"}
