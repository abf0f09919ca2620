"""Runs that start by themselves: at the time a schedule names, and once enough was approved; never twice for one reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from curation.requesting import request
from curation.triggers import LOOK_S, ScheduleUnreadable, Watch, When
from curation.workshop import Workshop
from storage.ids import new_id
from storage.records import Held, Hold, Run, Trigger, Voice
from tests.conftest import Clock
from tests.curation.conftest import House

NIGHTLY = When("0 3 * * *", time_zone=ZoneInfo("Europe/Berlin"))


def clock_of(house: House) -> Clock:
    clock = house.workshop.now
    assert isinstance(clock, Clock)
    return clock


async def runs(house: House) -> list[Run]:
    return await house.store.runs.recent(house.voice.id, limit=10)


async def looked(house: House, watch: Watch, after_s: float = LOOK_S) -> list[Run]:
    clock_of(house).now += timedelta(seconds=after_s)
    await watch.look()
    return await runs(house)


def test_a_schedule_is_read_in_its_own_time_zone_through_a_change_of_clocks():
    friday = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert NIGHTLY.next_tick(friday) == datetime(2026, 10, 25, 2, tzinfo=UTC)
    assert NIGHTLY.next_tick(datetime(2026, 10, 25, 2, tzinfo=UTC)) == datetime(2026, 10, 26, 2, tzinfo=UTC)
    assert When().next_tick(friday) is None


@pytest.mark.parametrize("schedule", ["nightly", "0 3 * *", "61 3 * * *", "0 3 31 2 *"])
def test_what_is_no_schedule_is_refused_with_one_that_is(schedule: str):
    with pytest.raises(ScheduleUnreadable, match=r"is no schedule .* “0 3 \* \* \*” is every night at three"):
        When(schedule)


async def test_the_schedule_starts_one_run_when_its_time_comes(house: House):
    await house.approve(*range(12))
    watch = Watch(house.workshop, NIGHTLY)
    assert await looked(house, watch) == []
    (run,) = await looked(house, watch, 86_400)
    assert (run.trigger, run.requested_by) == (Trigger.SCHEDULE, "actor_finetone")
    await house.finish(run)
    assert await looked(house, watch) == await runs(house)
    assert len(await runs(house)) == 1


async def test_two_workers_and_a_person_make_one_run_of_a_night(house: House):
    await house.approve(*range(12))
    watches = [Watch(house.workshop, NIGHTLY) for _ in range(2)]
    asked = await house.request()
    for watch in watches:
        assert [run.id for run in await looked(house, watch, 86_400)] == [asked.id]


async def test_nothing_new_by_night_is_no_run_and_is_not_tried_again_that_night(house: House):
    await house.approve(*range(12))
    await house.finish(await house.request())
    watch = Watch(house.workshop, NIGHTLY)
    assert len(await looked(house, watch, 86_400)) == 1
    assert len(await looked(house, watch)) == 1


async def test_enough_newly_approved_corrections_start_a_run_and_are_counted_anew_from_it(house: House):
    watch = Watch(house.workshop, When(after_approved=12))
    await house.approve(*range(11))
    assert await looked(house, watch) == []
    await house.approve(11)
    (run,) = await looked(house, watch)
    assert run.trigger is Trigger.COUNT
    await house.finish(run)
    clock_of(house).now += timedelta(seconds=1)
    await house.approve(*range(12, 23))
    assert len(await looked(house, watch)) == 1
    await house.approve(23)
    assert len(await looked(house, watch)) == 2


async def test_too_few_examples_are_tried_again_only_when_there_are_more(house: House, monkeypatch: pytest.MonkeyPatch):
    watch = Watch(house.workshop, When(after_approved=3))
    await house.approve(*range(5))
    asked: list[str] = []

    async def counted(workshop: Workshop, voice: Voice, *, by: str, trigger: Trigger) -> tuple[Run, bool]:
        asked.append("once")
        return await request(workshop, voice, by=by, trigger=trigger)

    monkeypatch.setattr("curation.triggers.request", counted)
    for _ in range(3):
        assert await looked(house, watch) == []
    assert asked == ["once"]
    await house.approve(*range(5, 12))
    assert len(await looked(house, watch)) == 1


async def test_while_a_flood_is_held_nothing_starts_by_itself(house: House):
    await house.approve(*range(12))
    at = house.workshop.now()
    hold = Hold(new_id("hold", at), house.voice.id, Held.CORRECTIONS, at, "64 corrections came today.")
    await house.store.holds.place(hold, house.admin.id)
    watch = Watch(house.workshop, When(after_approved=1))
    assert await looked(house, watch) == []
    await house.store.holds.release(hold.id, house.admin.id, at=at)
    assert len(await looked(house, watch)) == 1


async def test_without_a_reason_nobody_looks(house: House):
    await house.approve(*range(12))
    house.workshop = replace(house.workshop)
    assert await looked(house, Watch(house.workshop, When()), 86_400) == []
