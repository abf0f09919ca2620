"""Whether a question is taken now: one sentence where it is not, and what is refused counts for nothing."""

from dataclasses import replace

import pytest

from bot.office.asking import TOO_FAST, Asker, why_not_now
from bot.office.office import Office
from bot.policy import CAP_REACHED
from bot.rates import Latest
from storage.records import ChannelRules
from tests.conftest import Clock

CLEO = Asker("cleo", "shop/support", frozenset({"G1"}), is_staff=False)
MIA = replace(CLEO, key="mia", is_staff=True)
ANYONE = ChannelRules()


@pytest.fixture
def latest(clock: Clock) -> Latest:
    return Latest(clock)


async def test_one_person_may_ask_so_often_a_minute_and_then_again(office: Office, latest: Latest, clock: Clock):
    asked = [await why_not_now(office, latest, ANYONE, CLEO) for _ in range(3)]
    assert asked == ["", "", TOO_FAST]
    clock.advance(61)
    assert await why_not_now(office, latest, ANYONE, CLEO) == ""


async def test_one_channel_may_be_asked_so_often_a_minute(office: Office, latest: Latest):
    people = [replace(CLEO, key=name) for name in "abcd"]
    assert [await why_not_now(office, latest, ANYONE, one) for one in people] == ["", "", "", TOO_FAST]


async def test_a_question_refused_by_the_rules_uses_up_neither_the_minute_nor_the_day(
    office: Office, latest: Latest, clock: Clock
):
    rules = ChannelRules(asking_roles=("G2",), daily_cap=1)
    for _ in range(5):
        assert "only members with certain roles" in await why_not_now(office, latest, rules, CLEO)
    assert await why_not_now(office, latest, ChannelRules(daily_cap=1), CLEO) == ""


async def test_the_day_is_counted_in_the_channels_time_zone(office: Office, latest: Latest, clock: Clock):
    rules = ChannelRules(daily_cap=1, time_zone="Asia/Tokyo")  # nine hours ahead
    clock.now = clock.now.replace(hour=14, minute=0)
    assert await why_not_now(office, latest, rules, CLEO) == ""
    assert await why_not_now(office, latest, rules, CLEO) == CAP_REACHED
    clock.now = clock.now.replace(hour=15, minute=0)  # the next day there
    assert await why_not_now(office, latest, rules, CLEO) == ""


async def test_staff_use_up_no_day_and_are_bound_by_none(office: Office, latest: Latest):
    rules = ChannelRules(daily_cap=1, cooldown_s=300)
    assert await why_not_now(office, latest, rules, MIA) == ""
    assert await why_not_now(office, latest, rules, CLEO) == ""
    assert await why_not_now(office, latest, rules, MIA) == ""


async def test_a_question_that_was_refused_starts_no_cooldown(office: Office, latest: Latest, clock: Clock):
    rules = ChannelRules(cooldown_s=100)
    assert await why_not_now(office, latest, rules, CLEO) == ""
    clock.advance(60)
    assert (await why_not_now(office, latest, rules, CLEO)).startswith("Please wait 3")
    clock.advance(40)
    assert await why_not_now(office, latest, rules, CLEO) == ""
