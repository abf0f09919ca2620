"""A base that nears its end: once, by whatever process, a run on the base that is to follow it; without one, nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from curation import requesting
from curation.shutdowns import BaseDies, Shutdowns
from curation.succession import EVERY, Succession
from providers.base import ErrorKind, ProviderError
from storage.ids import new_id
from storage.records import Held, Hold, Run, RunState, Trigger
from tests.curation.conftest import House

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Listing:
    """A vendor's list of models."""

    dates: dict[str, date] = field(default_factory=dict)
    is_down: bool = False

    async def shutdown_dates(self) -> Mapping[str, date]:
        if self.is_down:
            raise ProviderError("nobody answers", ErrorKind.UNREACHABLE)
        return self.dates


def ends_in(house: House, successor: str = "next", **days: int) -> Listing:
    """Let bases end in so many days, and the settings name a successor."""
    today = house.workshop.now().date()
    listing = Listing({base: today + timedelta(days=left) for base, left in days.items()})
    recipe = replace(house.workshop.recipe, successor_base=successor)
    house.workshop = replace(house.workshop, catalogue=listing, recipe=recipe)
    return listing


async def looked(house: House, succession: Succession) -> list[Run]:
    """The runs there are, newest first, after the next look."""
    house.advance(EVERY.total_seconds())
    await succession.look()
    return await house.store.runs.recent(house.voice.id, limit=10)


@pytest.mark.parametrize(("left", "runs"), [(61, 0), (60, 1), (20, 1), (0, 1), (-5, 1)])
async def test_a_base_within_sixty_days_of_its_end_starts_a_run_on_its_successor(house: House, left: int, runs: int):
    await house.approve(*range(12))
    ends_in(house, base=left)
    await Succession(house.workshop).look()
    found = await house.store.runs.recent(house.voice.id, limit=10)
    assert [(run.trigger, run.base_model, run.requested_by) for run in found] == [
        (Trigger.SHUTDOWN, "next", "actor_finetone")
    ] * runs


async def test_it_is_one_run_for_a_base_whatever_restarts_and_whatever_became_of_it(house: House):
    await house.approve(*range(12))
    ends_in(house, base=45)
    first, second = Succession(house.workshop), Succession(house.workshop)
    (run,) = await looked(house, first)
    assert await looked(house, second) == [run]
    claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
    assert claimed is not None
    await house.store.runs.advance(
        run.id, claimed.epoch, run.state, RunState.FAILED, at=house.workshop.now(), end_reason="The vendor said no."
    )
    house.advance(86_400)
    for succession in (first, second, Succession(house.workshop)):
        (still,) = await looked(house, succession)
        assert still.id == run.id


async def test_a_run_a_person_started_on_the_successor_is_the_one(house: House):
    await house.approve(*range(12))
    ends_in(house, base=45)
    assert (await house.request()).base_model == "next"
    (run,) = await looked(house, Succession(house.workshop))
    assert run.trigger is Trigger.PERSON


async def test_an_open_run_on_the_old_base_is_joined_and_the_successor_follows_when_it_is_over(house: House):
    await house.approve(*range(12))
    house.provider.base_models |= {"next"}
    old = await house.request()
    ends_in(house, base=45)
    succession = Succession(house.workshop)
    assert [run.id for run in await looked(house, succession)] == [old.id]
    await house.finish(old)
    newest, before = await looked(house, succession)
    assert (newest.base_model, before.base_model) == ("next", "base")
    await house.finish(newest)
    assert [request.base_model for request in house.provider.requests.values()] == ["base", "next"]


async def test_without_a_successor_nothing_starts_and_admins_are_told_what_to_do(house: House):
    await house.approve(*range(12))
    ends_in(house, "", base=20)
    assert await looked(house, Succession(house.workshop)) == []
    with pytest.raises(BaseDies, match="finetone migrate --base B"):
        await house.request()
    await Shutdowns(house.workshop).look()
    (alarm,) = await house.store.alarms.since(house.voice.id, LONG_AGO)
    assert "finetone migrate --base B" in alarm.text
    assert "FINETONE_SUCCESSOR_BASE=B" in alarm.text


async def test_with_a_successor_admins_are_told_that_runs_go_over_to_it(house: House):
    ends_in(house, base=20)
    await Shutdowns(house.workshop).look()
    (alarm,) = await house.store.alarms.since(house.voice.id, LONG_AGO)
    assert alarm.text.endswith(
        "Runs train on next now (FINETONE_SUCCESSOR_BASE), and one starts by itself. Once a model of it serves, set "
        "FINETONE_BASE_MODEL=next."
    )


async def test_a_successor_that_dies_as_well_is_not_trained_on(house: House):
    await house.approve(*range(12))
    ends_in(house, base=45, next=25)
    assert await looked(house, Succession(house.workshop)) == []
    assert (await house.request()).base_model == "base"
    ends_in(house, base=20, next=25)
    assert len(await looked(house, Succession(house.workshop))) == 1
    await Shutdowns(house.workshop).look()
    told = [alarm.text for alarm in await house.store.alarms.since(house.voice.id, LONG_AGO)]
    assert any(text.startswith("next stops on") and "finetone migrate" in text for text in told)


async def test_too_few_examples_a_flood_and_a_silent_vendor_only_put_it_off(house: House):
    listing = ends_in(house, base=45)
    succession = Succession(house.workshop)
    assert await looked(house, succession) == []
    await house.approve(*range(12))
    at = house.workshop.now()
    hold = Hold(new_id("hold", at), house.voice.id, Held.CORRECTIONS, at, "64 corrections came today.")
    await house.store.holds.place(hold, house.admin.id)
    assert await looked(house, succession) == []
    await house.store.holds.release(hold.id, house.admin.id, at=at)
    listing.is_down = True
    assert await looked(house, succession) == []
    listing.is_down = False
    assert len(await looked(house, succession)) == 1


async def test_the_preview_says_on_which_base_and_why(house: House):
    await house.approve(*range(12))
    ends_in(house, base=45)
    shown = await requesting.preview(house.workshop, house.voice)
    assert shown.refusal == ""
    assert shown.instead.startswith("It trains on next (FINETONE_SUCCESSOR_BASE), because base stops on ")
    assert shown.instead.endswith(", in 45 days.")
    ends_in(house, base=300)
    assert (await requesting.preview(house.workshop, house.voice)).instead == ""


async def test_once_the_settings_name_the_successor_as_the_base_nothing_more_starts(house: House):
    await house.approve(*range(12))
    house.voice = await house.store.voices.ensure("puffin", "Be kind.", "next", at=house.workshop.now())
    ends_in(house, base=5)
    assert await looked(house, Succession(house.workshop)) == []
