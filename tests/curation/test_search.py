"""A search is judged by validation examples of the train side, keeps to its caps, and never touches what is held out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from curation.dataset import Dataset
from curation.gathering import build_now
from curation.prices import Item, Price, PriceKey, Unit
from curation.search import Caps, SearchRefused, Trial, Tried, halves, plan, search, validation_loss
from curation.tariff import Tariff
from providers.base import JobEvent, JobState
from providers.fake import FakeProvider
from providers.quirks import OPENAI, TOGETHER, TUNER
from tests.curation.conftest import House, learned

CAPS = Caps(trials=10, minutes=60, cost=None)
TRIALS = [Trial(), Trial(2, 1.0, 8), Trial(4, 2.0, 16)]


@dataclass
class Judging(FakeProvider):
    """Tells a validation loss by the number of epochs that were asked for."""

    losses: Mapping[int | None, float] = field(default_factory=lambda: {None: 2.0, 2: 1.5, 4: 1.75})

    async def events(self, job_id: str) -> list[JobEvent]:
        told = await super().events(job_id)
        loss = self.losses.get(self.requests[job_id].n_epochs)
        numbers = {} if loss is None else {"valid_loss": loss}
        return [*told, replace(told[-1], id="last", numbers=numbers)]


async def searched(house: House, provider: FakeProvider, caps: Caps = CAPS) -> tuple[list[Tried], Dataset, list[str]]:
    house.workshop = replace(house.workshop, trainer=provider)
    if not await house.store.corrections.approved(house.voice.id):
        await house.approve(*range(30))
    dataset = await build_now(house.store, house.voice, house.workshop.press, at=house.workshop.now())
    said: list[str] = []

    async def wait(seconds: float) -> None:
        house.advance(seconds)

    found = await search(house.workshop, house.voice, dataset, TRIALS, caps, poll_s=60.0, tell=said.append, wait=wait)
    return found, dataset, said


async def test_the_lowest_validation_loss_is_best_and_the_audit_keeps_them_all(house: House):
    found, dataset, _ = await searched(house, Judging(script=learned))
    assert [(one.trial, one.loss) for one in found] == [(TRIALS[1], 1.5), (TRIALS[2], 1.75), (TRIALS[0], 2.0)]
    [entry] = await house.store.audit.entries(1)
    assert (entry.verb, entry.detail["dataset"], len(entry.detail["tried"])) == ("search", dataset.id, 3)
    assert (await house.store.models.current(house.voice.id)).model.number == 0


async def test_nothing_held_out_is_sent_and_each_group_is_on_one_side(house: House):
    provider = Judging(script=learned)
    _, dataset, _ = await searched(house, provider)
    sent = b"".join(provider.files.values())
    for example in dataset.held_out:
        assert f'"{example.question}"'.encode() not in sent
    parts = halves(dataset, 1, seed=7)
    assert parts.n_learned + parts.n_validation == len(dataset.train)
    assert set(parts.learned.splitlines()).isdisjoint(parts.validation.splitlines())
    assert halves(dataset, 1, seed=7) == parts
    assert all(request.validation_file_id for request in provider.requests.values())


async def test_a_second_search_goes_on_with_the_jobs_of_the_first(house: House):
    provider = Judging(script=learned)
    await searched(house, provider)
    await searched(house, provider)
    assert len(provider.jobs) == 3


async def test_no_trial_begins_beyond_the_money(house: House):
    provider = Judging(script=learned)
    key = PriceKey("openai", "base", Item.TRAINING)
    price = Price(Decimal("1"), Unit.THOUSAND_TOKENS, "USD", "https://vendor.example", date(2026, 11, 22))
    house.workshop = replace(house.workshop, tariff=Tariff("openai", prices={key: price}))
    found, _, said = await searched(house, provider, replace(CAPS, cost=Decimal("0.0001")))
    assert (found, len(provider.jobs)) == ([], 0)
    assert "0.0001 is the cap" in said[-1]


async def test_a_cap_on_an_unknown_price_is_refused_and_not_ignored(house: House):
    house.workshop = replace(house.workshop, tariff=Tariff("openai"))
    with pytest.raises(SearchRefused, match="No price of training base at openai is known"):
        await searched(house, Judging(script=learned), replace(CAPS, cost=Decimal(5)))


async def test_the_trial_under_way_when_the_time_is_over_is_cancelled_and_none_follows(house: House):
    provider = Judging(script=learned)
    found, _, said = await searched(house, provider, replace(CAPS, minutes=1.0))
    assert [one.loss for one in found] == [None]
    assert {job.state for job in provider.jobs.values()} == {JobState.CANCELLED}
    assert said[-1] == "1 minutes are over."


async def test_a_failed_trial_is_said_and_the_others_go_on(house: House):
    provider = Judging(script=learned, losses={2: 1.5})
    found, _, _ = await searched(house, provider)
    assert (found[0].trial, found[0].loss) == (TRIALS[1], 1.5)
    assert [one.loss for one in found[1:]] == [None, None]
    assert "told no validation loss" in found[1].said


async def test_too_few_examples_are_refused(house: House):
    await house.approve(*range(12))
    dataset = await build_now(house.store, house.voice, house.workshop.press, at=house.workshop.now())
    with pytest.raises(SearchRefused, match="Approve more corrections first"):
        halves(dataset, 10, seed=7)


def test_the_plan_begins_with_what_runs_take_now_and_asks_for_nothing_the_vendor_cannot():
    trials = plan(TUNER, seed=7, count=8)
    assert trials[0] == Trial()
    assert len(set(trials)) == 8
    assert trials == plan(TUNER, seed=7, count=8) != plan(TUNER, seed=8, count=8)
    assert {trial.lora_r for trial in plan(OPENAI, 7, 20)} == {None}
    assert {trial.learning_rate_multiplier for trial in plan(TOGETHER, 7, 20)} == {None}


def test_the_whole_files_loss_counts_before_a_samples():
    def event(**numbers: float) -> JobEvent:
        return JobEvent("e", datetime(2026, 1, 1, tzinfo=UTC), "info", "", numbers)

    assert validation_loss([event(valid_loss=1.0), event(full_valid_loss=2.0, valid_loss=3.0)]) == 2.0
    assert validation_loss([event(valid_loss=1.0), event(valid_loss=0.5)]) == 0.5
    assert validation_loss([event(train_loss=1.0)]) is None
