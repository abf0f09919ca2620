"""A base that comes to its end is told in time, once each, and is not trained on when it dies too soon."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from curation import requesting
from curation.shutdowns import BaseDies, Ending, Shutdowns, alarm_of, refusal
from providers.base import ErrorKind, ProviderError
from providers.shutdowns import Shutdown
from storage.records import Voice
from tests.curation.conftest import House

DAY = date(2027, 1, 14)
ENDING = Ending("gpt-4.1-mini", Shutdown(DAY, "https://vendor.example/page", date(2026, 11, 21)))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Listing:
    """A vendor's list of models."""

    dates: dict[str, date] = field(default_factory=dict)
    is_down: bool = False
    looks: int = 0

    async def shutdown_dates(self) -> Mapping[str, date]:
        self.looks += 1
        if self.is_down:
            raise ProviderError("nobody answers", ErrorKind.UNREACHABLE)
        return self.dates


def with_list(house: House, **dates: date) -> Listing:
    listing = Listing(dates)
    house.workshop = replace(house.workshop, catalogue=listing)
    return listing


def voice() -> Voice:
    return Voice("voice_1", "puffin", "Be kind.", "gpt-4.1-mini", LONG_AGO)


@pytest.mark.parametrize(
    ("days_before", "threshold", "said"),
    [
        (61, None, ""),
        (60, 60, "in 60 days"),
        (31, 60, "in 31 days"),
        (30, 30, "in 30 days"),
        (8, 30, "in 8 days"),
        (7, 7, "in 7 days"),
        (1, 7, "in 1 day "),
        (0, 7, "which has come"),
        (-3, 7, "which has come"),
    ],
)
def test_it_is_told_sixty_thirty_and_seven_days_before(days_before: int, threshold: int | None, said: str):
    at = datetime.combine(DAY - timedelta(days=days_before), datetime.min.time(), UTC)
    alarm = alarm_of(ENDING, voice(), serves=True, at=at)
    if threshold is None:
        assert alarm is None
        return
    assert alarm is not None
    assert alarm.key == f"shutdown/gpt-4.1-mini/2027-01-14/{threshold}"
    assert said in alarm.text
    assert "(vendor.example, read 2026-11-21)" in alarm.text
    assert "The model that serves “puffin” stops with it." in alarm.text


@pytest.mark.parametrize(("left", "refused"), [(31, False), (30, True), (1, True), (0, True), (-1, True)])
def test_a_base_is_not_trained_on_within_the_life_a_model_is_expected_to_have(left: int, refused: bool):
    said = refusal(ENDING, DAY - timedelta(days=left), expected_life_days=30)
    assert bool(said) is refused
    if refused:
        assert "gpt-4.1-mini stops on 2027-01-14" in said
        assert "finetone migrate" in said


async def test_the_daily_look_tells_each_warning_once_and_by_whatever_process(house: House):
    listing = with_list(house, base=house.workshop.now().date() + timedelta(days=45))
    first, second = Shutdowns(house.workshop), Shutdowns(house.workshop)
    await first.look()
    await first.look()
    await second.look()
    (alarm,) = await house.store.alarms.since(house.voice.id, LONG_AGO)
    assert "in 45 days" in alarm.text
    assert listing.looks == 2
    house.advance(16 * 86400)
    await first.look()
    assert len(await house.store.alarms.since(house.voice.id, LONG_AGO)) == 2


async def test_a_vendor_that_does_not_answer_is_asked_again_within_the_hour(house: House):
    listing = with_list(house, base=house.workshop.now().date())
    listing.is_down = True
    shutdowns = Shutdowns(house.workshop)
    await shutdowns.look()
    assert await house.store.alarms.since(house.voice.id, LONG_AGO) == []
    listing.is_down = False
    house.advance(3601)
    await shutdowns.look()
    assert len(await house.store.alarms.since(house.voice.id, LONG_AGO)) == 1


async def test_no_run_starts_on_a_dying_base_and_the_preview_says_why(house: House):
    await house.approve(*range(12))
    with_list(house, base=house.workshop.now().date() + timedelta(days=20))
    with pytest.raises(BaseDies, match="base stops on"):
        await house.request()
    assert (await requesting.preview(house.workshop, house.voice)).refusal.startswith("base stops on")
    with_list(house, base=house.workshop.now().date() + timedelta(days=31))
    assert (await house.request()).is_open


async def test_a_vendor_that_does_not_answer_refuses_nobody(house: House):
    await house.approve(*range(12))
    with_list(house).is_down = True
    assert (await house.request()).is_open
