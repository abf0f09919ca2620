"""A search is a run judged by examples of the train side: it keeps to its caps, survives its worker, promotes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from curation import searching
from curation.advancing import advance
from curation.dataset import HELD_OUT_FILE, TRAIN_FILE
from curation.prices import Item, Price, PriceKey, Unit
from curation.search import (
    Caps,
    Line,
    SearchRefused,
    Trial,
    caps_of,
    halves,
    outcome,
    plan_of,
    settings_to_try,
    validation_loss,
    warning_of,
)
from curation.tariff import Tariff
from providers.base import ErrorKind, JobEvent, JobState, Method, ProviderError
from providers.fake import FakeProvider
from providers.quirks import OPENAI, TOGETHER, TUNER
from storage.records import Purpose, RecipeKind, Run, RunState, Trigger
from tests.curation.conftest import House, learned

CAPS = Caps(trials=4, minutes=60, cost=None)
LINES = [Line(f"{number}\n".encode(), frozenset({f"group-{number // 2}"})) for number in range(40)]


@dataclass
class Judging(FakeProvider):
    """Tells a validation loss for each trial: by default, fewer epochs are better, and the vendor's own choice is worst."""

    losses: Mapping[int | None, float] = field(
        default_factory=lambda: {None: 9.0, **{number: 1.0 + number / 10 for number in range(1, 9)}}
    )

    async def events(self, job_id: str) -> list[JobEvent]:
        told = await super().events(job_id)
        loss = self.losses.get(self.requests[job_id].n_epochs)
        numbers = {} if loss is None else {"valid_loss": loss}
        return [*told, replace(told[-1], id="last", numbers=numbers)]


async def requested(house: House, provider: FakeProvider, caps: Caps = CAPS) -> Run:
    house.workshop = replace(house.workshop, trainer=provider)
    if not await house.store.corrections.approved(house.voice.id):
        await house.approve(*range(30))
    run, _ = await searching.request_search(house.workshop, house.voice, caps, by=house.admin.id)
    return run


async def look(house: House, run: Run, owner: str = "worker-1") -> Run:
    claimed = await house.store.runs.claim(run.id, owner, now=house.workshop.now(), lease_s=0)
    assert claimed is not None
    return await advance(house.workshop, claimed)


async def finished(house: House, run: Run, minutes_a_look: float = 0.1) -> Run:
    for _ in range(100):
        run = await look(house, run)
        if not run.is_open:
            return run
        house.advance(minutes_a_look * 60)
    raise AssertionError(f"still {run.state}")


async def searched(house: House, provider: FakeProvider, caps: Caps = CAPS) -> Run:
    return await finished(house, await requested(house, provider, caps))


async def test_the_lowest_validation_loss_is_best_and_every_trial_is_told_for_ever(house: House):
    run = await searched(house, Judging(script=learned))
    plan = plan_of(run)
    best = plan.best_first[0]
    assert run.state is RunState.DONE
    assert best.loss == min(one.loss for one in plan.tried if one.loss is not None) < 9.0
    assert f"Best: {best.trial}, validation loss {best.loss:.4f} nats per token, against 9.0000" in run.end_reason
    assert best.trial.settings in run.end_reason
    told = [event for _, event in await house.store.runs.events(run.id) if event.key.startswith("trial-")]
    assert [event.text for event in told] == [
        f"Trial {number} of 4, {one.trial}: validation loss {one.loss:.4f}." for number, one in enumerate(plan.tried, 1)
    ]
    assert [event.numbers["trial_loss"] for event in told] == [one.loss for one in plan.tried]


async def test_nothing_is_promoted_and_no_model_is_counted(house: House):
    run = await searched(house, Judging(script=learned))
    assert (await house.store.models.current(house.voice.id)).model.number == 0
    assert len(await house.store.models.list(house.voice.id)) == 1
    assert await house.store.runs.recent(house.voice.id, 9) == []
    assert await house.store.runs.evaluation(run.id) is None


async def test_nothing_held_out_is_sent(house: House):
    provider = Judging(script=learned)
    run = await searched(house, provider)
    sent = b"".join(provider.files.values()).splitlines()
    assert run.dataset_version_id is not None
    train, held_out = [
        (await house.store.datasets.file(run.dataset_version_id, name)).splitlines()
        for name in (TRAIN_FILE, HELD_OUT_FILE)
    ]
    assert set(sent) == set(train)
    assert not set(sent) & set(held_out)
    assert all(request.validation_file_id for request in provider.requests.values())


@pytest.mark.parametrize("deaths", range(1, 30, 3))
async def test_a_search_whose_worker_dies_goes_on_without_paying_again(house: House, deaths: int):
    """Another worker takes over after each look; once, a job's creation is not answered although it exists."""
    provider = Judging(script=learned)
    run = await requested(house, provider)
    for number in range(100):
        if number == deaths:
            provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
        try:
            run = await look(house, run, f"worker-{number}")
        except ProviderError:
            continue
        if not run.is_open:
            break
        house.advance(31)
    assert run.state is RunState.DONE
    assert len(provider.jobs) == 4
    assert len(plan_of(run).tried) == 4


async def test_a_step_that_was_not_saved_is_repeated_with_the_same_job(house: House):
    provider = Judging(script=learned)
    run = await requested(house, provider)
    while not provider.jobs:
        before, run = run, await look(house, run)
    unsaved = await house.store.runs.claim(run.id, "worker-2", now=house.workshop.now(), lease_s=0)
    assert unsaved is not None
    await advance(house.workshop, replace(unsaved, job_id=None, creates=before.creates, create_tried_at=None))
    assert len(provider.jobs) == 1


async def test_no_trial_begins_beyond_the_money(house: House):
    provider = Judging(script=learned)
    key = PriceKey("openai", "base", Item.TRAINING)
    price = Price(Decimal("1"), Unit.THOUSAND_TOKENS, "USD", "https://vendor.example", date(2026, 11, 22))
    house.workshop = replace(house.workshop, tariff=Tariff("openai", prices={key: price}))
    run = await searched(house, provider, replace(CAPS, cost=Decimal("0.0001")))
    assert (run.state, len(provider.jobs)) == (RunState.DONE, 0)
    assert "0.0001 is the cap" in run.end_reason
    assert "nothing can be chosen" in run.end_reason
    first = plan_of(await searched(house, Judging(script=learned), replace(CAPS, trials=1))).spent
    capped = Judging(script=learned)
    run = await searched(house, capped, replace(CAPS, cost=first * 2))
    assert 0 < plan_of(run).spent <= first * 2
    assert len(capped.jobs) < 4


async def test_a_cap_on_an_unknown_price_is_refused_and_not_ignored(house: House):
    house.workshop = replace(house.workshop, tariff=Tariff("openai"))
    with pytest.raises(SearchRefused, match="No price of training base at openai is known"):
        await requested(house, Judging(script=learned), replace(CAPS, cost=Decimal(5)))


async def test_the_trial_under_way_when_the_time_is_over_is_cancelled_and_none_follows(house: House):
    provider = Judging(script=learned)
    run = await requested(house, provider, replace(CAPS, minutes=1.0))
    run = await finished(house, run, minutes_a_look=2.0)
    assert [one.loss for one in plan_of(run).tried] in ([], [None])
    assert JobState.SUCCEEDED not in {job.state for job in provider.jobs.values()}
    assert run.end_reason.startswith("1 minutes are over.")


async def test_a_failed_trial_is_said_and_the_others_go_on(house: House):
    provider = Judging(script=learned, losses={})
    run = await requested(house, provider)
    told = plan_of(run).trials[1]
    provider.losses = {told.n_epochs: 1.5}
    run = await finished(house, run)
    best, *others = plan_of(run).best_first
    assert (best.trial, best.loss) == (told, 1.5)
    assert {one.said for one in others if one.loss is None} == {"the vendor told no validation loss."}


async def test_a_search_is_cancelled_with_its_job_and_stands_still_while_paused(house: House):
    provider = Judging(script=learned)
    run = await requested(house, provider)
    while not provider.jobs:
        run = await look(house, run)
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    paused = await house.store.runs.get(run.id)
    assert await advance(house.workshop, paused) == paused
    await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
    run = await finished(house, await house.store.runs.get(run.id))
    assert (run.state, run.end_reason) == (RunState.CANCELLED, "Cancelled by Ada.")
    assert {job.state for job in provider.jobs.values()} == {JobState.CANCELLED}


async def test_a_second_request_joins_the_open_search_and_a_retrain_does_not(house: House):
    run = await requested(house, Judging(script=learned))
    assert await searching.request_search(house.workshop, house.voice, CAPS, by=house.admin.id) == (run, False)
    assert (await house.request()).id != run.id


async def test_a_drill_asked_for_as_a_run_trains_and_promotes_nothing(house: House):
    run, _ = await house.store.runs.request(
        house.voice.id, "other", Trigger.PERSON, house.admin.id, at=house.workshop.now(), purpose=Purpose.DRILL
    )
    run = await look(house, run)
    assert (run.state, house.provider.jobs) == (RunState.STOPPED, {})
    assert "`finetone migrate` does one" in run.end_reason


async def test_too_few_examples_are_refused_before_anything_begins(house: House):
    await house.approve(*range(12))
    with pytest.raises(SearchRefused, match="Approve more corrections first"):
        await searching.request_search(house.workshop, house.voice, CAPS, by=house.admin.id)


def test_each_group_is_on_one_side_and_the_draw_is_stable():
    parts = halves(LINES, 10, seed=7)
    learned_from, judged_by = parts.learned.split(), parts.validation.split()
    assert (parts.n_learned, parts.n_validation) == (len(learned_from), len(judged_by)) == (32, 8)
    assert {int(line) // 2 for line in learned_from}.isdisjoint(int(line) // 2 for line in judged_by)
    assert halves(LINES, 10, seed=7) == parts != halves(LINES, 10, seed=8)


def test_a_line_that_belongs_to_both_sides_is_on_neither():
    both = Line(b"both\n", frozenset({f"group-{number}" for number in range(20)}))
    parts = halves([*LINES, both], 10, seed=7)
    assert b"both\n" not in parts.learned + parts.validation


def test_an_off_topic_line_is_learned_and_judges_nothing():
    parts = halves([*LINES, Line(b"off\n", frozenset())], 10, seed=7)
    assert b"off\n" in parts.learned
    assert b"off\n" not in parts.validation


def test_what_is_tried_begins_with_what_runs_take_now_and_asks_for_nothing_the_vendor_cannot():
    now = Trial(3, 1.0, 8)
    trials = settings_to_try(TUNER, now, seed=7, count=96)
    assert trials[0] == now
    assert len(set(trials)) == len(trials) == 96
    assert trials == settings_to_try(TUNER, now, seed=7, count=96) != settings_to_try(TUNER, now, seed=8, count=96)
    assert {trial.lora_r for trial in settings_to_try(OPENAI, Trial(), 7, 20)} == {None}
    assert {trial.learning_rate_multiplier for trial in settings_to_try(TOGETHER, Trial(), 7, 20)} == {None}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("0", "60", ""), "Trials are '0': give a whole number from 1 to 96"),
        (("six", "60", ""), "Trials are 'six'"),
        (("6", "-1", ""), "Minutes are '-1'"),
        (("6", "nan", ""), "Minutes are 'nan'"),
        (("6", "60", "much"), "The highest cost is 'much', which is no amount"),
        (("6", "60", "-2"), "The highest cost is '-2'"),
        (("6", "60", "inf"), "The highest cost is 'inf'"),
    ],
    ids=str,
)
def test_caps_that_are_none_are_named(given: tuple[str, str, str], said: str):
    with pytest.raises(SearchRefused, match=said):
        caps_of(*given)


def test_caps_as_people_write_them():
    assert caps_of("6", "1.5", "2.50") == Caps(6, 1.5, Decimal("2.50"))
    assert caps_of("6", "60", "").cost is None


async def test_where_todays_settings_are_best_nothing_is_advised(house: House):
    run = await searched(house, Judging(script=learned, losses={None: 0.5}))
    assert "What runs take now (as the vendor chooses) is best" in run.end_reason
    assert "Leave the settings as they are." in outcome(plan_of(run), "All trials are done.", RecipeKind.SFT)


def test_the_whole_files_loss_counts_before_a_samples():
    def event(**numbers: float) -> JobEvent:
        return JobEvent("e", datetime(2026, 1, 1, tzinfo=UTC), "info", "", numbers)

    assert validation_loss([event(valid_loss=1.0), event(full_valid_loss=2.0, valid_loss=3.0)]) == 2.0
    assert validation_loss([event(valid_loss=1.0), event(valid_loss=0.5)]) == 0.5
    assert validation_loss([event(train_loss=1.0)]) is None


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (RecipeKind.DPO, "runs learn each correction over the reply it corrects."),
        (RecipeKind.KTO, "runs learn corrections and marks."),
        (RecipeKind.SFT_DPO, "the second job, which takes the same settings."),
    ],
)
async def test_a_search_says_before_and_after_that_runs_train_otherwise(house: House, recipe: RecipeKind, said: str):
    assert warning_of(RecipeKind.SFT) == ""
    training = replace(house.workshop.recipe.training, recipe=recipe)
    house.workshop = replace(house.workshop, recipe=replace(house.workshop.recipe, training=training))
    provider = Judging(script=learned)
    run = await searched(house, provider)
    shown = await searching.preview_search(house.workshop, house.voice, CAPS)
    assert shown.warning.startswith(f"FINETONE_RECIPE is {recipe}, so runs learn ")
    assert said in shown.warning
    assert "its settings are for the answers’ job only" in shown.warning
    assert run.end_reason.endswith(f"Nothing was changed. {shown.warning}")
    assert {request.method for request in provider.requests.values()} == {Method.SFT}
