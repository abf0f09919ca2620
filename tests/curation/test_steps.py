"""A run of two jobs, sft then dpo on the same corrections: one after the other, each once, whatever happens between them."""

from dataclasses import replace
from decimal import Decimal

import pytest

from curation import requesting
from curation.gathering import build_now
from curation.passes import passes_of
from curation.prices import Item, Price, PriceKey, Unit
from curation.recipes import RecipeUnfit, Training
from curation.tariff import Tariff
from providers.base import ErrorKind, JobState, Method, ProviderError
from providers.quirks import CRUSOE, NEBIUS, TUNER
from providers.rows import GoesOn, Quirks
from storage.records import RecipeKind, Run, RunState
from tests.curation.conftest import House, words

TWO = Training(RecipeKind.SFT_DPO, beta=0.2, replay=0.3)


def set_up(house: House, training: Training = TWO, row: Quirks = TUNER) -> None:
    recipe = replace(house.workshop.recipe, training=training)
    house.workshop = replace(house.workshop, recipe=recipe, vendor=row)


@pytest.fixture
async def run(house: House) -> Run:
    """Asked for, nothing done yet."""
    set_up(house)
    await house.approve(*range(30))
    return await house.request()


async def until_step(house: House, run: Run, step: int) -> Run:
    """Look at the run until its first job is kept and its second may be asked for."""
    for _ in range(20):
        run = await house.look(run)
        if run.step == step:
            return run
    raise AssertionError(f"still at step {run.step}, {run.state}")


async def test_the_second_job_goes_on_from_the_first_ones_model_on_the_same_corrections(house: House, run: Run):
    done = await house.finish(run)
    assert done.state is RunState.PROMOTED
    first, second = house.provider.requests.values()
    assert (first.method, first.starts_from, first.replay, first.beta) == (Method.SFT, None, 0.3, None)
    assert (second.method, second.replay, second.beta) == (Method.DPO, None, 0.2)
    assert second.starts_from == house.provider.jobs["ftjob-1"].model_name == "ft:base:local:puffin-1-sft:1"
    assert second.base_model == "base"
    assert (first.run_key, second.run_key) == (run.id, f"{run.id}-2")
    supervised, pairs = (house.provider.files[each.training_file_id] for each in (first, second))
    assert len(supervised.splitlines()) == len(pairs.splitlines())
    assert b"preferred_output" in pairs


async def test_the_model_between_is_no_candidate(house: House, run: Run):
    done = await house.finish(run)
    assert done.candidate_name == "ft:base:local:puffin-1:2"
    models = [model.name for model in await house.store.models.list(house.voice.id)]
    assert models == ["base", "ft:base:local:puffin-1:2"]
    assert "ft:base:local:puffin-1-sft:1" not in {model for model, _ in house.provider.asked}
    [kept] = await house.store.runs.steps(run.id)
    assert (kept.job_id, kept.model_name) == ("ftjob-1", "ft:base:local:puffin-1-sft:1")


async def test_both_jobs_are_told_and_counted(house: House, run: Run):
    await house.finish(run)
    told = await house.events(run)
    assert "Step 1 of 2, by sft: training job ftjob-1 on base." in told
    assert "Step 2 of 2, by dpo: training job ftjob-2 on base." in told
    assert any(
        text.startswith("Step 1 of 2 is done, by sft in ") and text.endswith("The next job goes on from it by dpo.")
        for text in told
    )
    events = [event for _, event in await house.store.runs.events(run.id)]
    assert [event.numbers["job"] for event in events if "train_loss" in event.numbers] == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    [measured] = [event for event in events if event.key == "measured"]
    assert measured.numbers["trained_tokens"] == sum(job.trained_tokens or 0 for job in house.provider.jobs.values())


async def test_a_crash_between_the_two_jobs_loses_none_and_pays_for_no_third(house: House, run: Run):
    """The worker dies right after the first job was kept; another one finds what to do in the rows."""
    between = await until_step(house, run, 2)
    assert (between.state, between.training_file_id, between.job_id) == (RunState.FROZEN, None, None)
    assert len(house.provider.jobs) == 1
    done = await house.finish(between, owner="worker-2")
    assert (done.state, len(house.provider.jobs)) == (RunState.PROMOTED, 2)


async def test_a_worker_that_lost_the_run_keeps_no_step(house: House, run: Run):
    while len(house.provider.jobs) == 0 or house.provider.polls["ftjob-1"] < 2:
        run = await house.look(run)
    stale = run
    await house.store.runs.claim(run.id, "worker-2", now=house.workshop.now(), lease_s=60)
    await house.advance_to_refusal(stale)
    assert await house.store.runs.steps(run.id) == []


async def test_a_second_create_without_an_answer_is_looked_up_and_not_paid_again(house: House, run: Run):
    await until_step(house, run, 2)
    house.provider.fail_next("create_job", ErrorKind.AMBIGUOUS)
    with pytest.raises(ProviderError, match="told to fail create_job"):
        await house.look(run)
    assert len(house.provider.jobs) == 2  # it was made, and nobody was told
    done = await house.finish(await house.store.runs.get(run.id))
    assert (done.state, len(house.provider.jobs)) == (RunState.PROMOTED, 2)


@pytest.mark.parametrize("step", [1, 2])
async def test_cancelling_cancels_the_job_of_the_step_and_asks_for_no_other(house: House, run: Run, step: int):
    while len(house.provider.jobs) < step:
        await house.look(run)
    await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
    done = await house.finish(await house.store.runs.get(run.id))
    assert done.state is RunState.CANCELLED
    assert [job.state for job in house.provider.jobs.values()] == [
        *[JobState.SUCCEEDED] * (step - 1),
        JobState.CANCELLED,
    ]


async def test_a_pause_between_the_jobs_pays_for_nothing_until_it_is_resumed(house: House, run: Run):
    between = await until_step(house, run, 2)
    await house.store.runs.pause(run.id, house.admin.id, "", at=house.workshop.now())
    assert await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1) is None
    await house.advance_to_refusal(between)
    assert len(house.provider.jobs) == 1
    await house.store.runs.resume(run.id, house.admin.id, at=house.workshop.now())
    assert (await house.finish(between)).state is RunState.PROMOTED
    assert len(house.provider.jobs) == 2


async def test_a_first_job_that_fails_ends_the_run_without_a_second(house: House, run: Run):
    house.provider.final_state = JobState.FAILED
    done = await house.finish(run)
    assert (done.state, len(house.provider.jobs)) == (RunState.FAILED, 1)


async def test_the_run_keeps_its_recipe_though_the_settings_change(house: House, run: Run):
    await until_step(house, run, 2)
    set_up(house, Training(RecipeKind.SFT))
    assert (await house.finish(run)).state is RunState.PROMOTED
    assert len(house.provider.jobs) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (NEBIUS, "nebius trains by sft, not by dpo"),
        (CRUSOE, "crusoe trains by sft, not by dpo"),
        (
            replace(TUNER, name="bases-only", goes_on=GoesOn.NOWHERE),
            "sft_dpo trains by dpo from the model that sft made, and bases-only starts every job from a base model. "
            "These go on from a tuned one: azure, openai, together, tuner. Set FINETONE_RECIPE=sft",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Quirks) else "",
)
async def test_a_vendor_that_cannot_do_both_says_so_before_the_first_is_paid(house: House, row: Quirks, said: str):
    set_up(house, row=row)
    await house.approve(*range(30))
    with pytest.raises(RecipeUnfit) as refused:
        await house.request()
    assert said in str(refused.value)
    assert said in (await requesting.preview(house.workshop, house.voice)).refusal
    assert house.provider.files == {}


async def test_too_few_pairs_for_the_second_job_stop_the_run_before_the_first(house: House, run: Run):
    set_up(house, row=replace(TUNER, minimum_examples=25))
    done = await house.finish(run)
    assert done.state is RunState.STOPPED
    assert "lines to train on by dpo, at least 25 needed" in done.end_reason
    assert house.provider.files == {}


async def test_the_preview_reckons_both_jobs(house: House):
    price = Price(Decimal(1000), Unit.MILLION_TOKENS, "USD", "https://prices.example/", house.workshop.now().date())
    set_up(house)
    house.workshop = replace(
        house.workshop, tariff=Tariff("shop", prices={PriceKey("shop", "base", Item.TRAINING): price})
    )
    await house.approve(*range(30))
    shown = await requesting.preview(house.workshop, house.voice)
    dataset = await build_now(house.store, house.voice, house.workshop.press, at=house.workshop.now())
    sft, dpo = passes_of(dataset, RecipeKind.SFT_DPO, words)
    assert shown.passes == (sft, dpo)
    assert (sft.lines, sft.tokens) == (len(dataset.train), dataset.train_tokens)
    assert dpo.lines == len(dataset.train)
    assert f"{sft.tokens + dpo.tokens:,} tokens" in shown.cost


async def test_a_pair_is_read_with_its_prompt_twice(house: House):
    await house.approve(*range(30))
    dataset = await build_now(house.store, house.voice, house.workshop.press, at=house.workshop.now())
    [dpo] = passes_of(dataset, RecipeKind.DPO, words)
    [kto] = passes_of(dataset, RecipeKind.KTO, words)
    # "Be kind.", a question and an answer make a line; "old" is what was answered.
    answers = sum(words([example.answer]) for example in dataset.train)
    assert dpo.tokens == 2 * dataset.train_tokens - answers + len(dataset.train)
    assert (kto.lines, kto.tokens) == (2 * dpo.lines, dpo.tokens)
