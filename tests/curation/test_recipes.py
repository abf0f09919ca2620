"""A run trains by the recipe of the settings, from the base on everything, in the shape of whoever trains."""

import json
from dataclasses import replace

import pytest

from curation import requesting
from curation.recipes import RecipeUnfit, Training
from providers.quirks import AZURE, CRUSOE, TOGETHER, TUNER, Method
from providers.rows import Quirks
from storage.records import RecipeKind, Run, RunState
from tests.curation.conftest import House


def with_recipe(house: House, training: Training, row: Quirks = TUNER) -> None:
    recipe = replace(house.workshop.recipe, training=training)
    house.workshop = replace(house.workshop, recipe=recipe, vendor=row)


async def ran(house: House, training: Training, row: Quirks = TUNER) -> Run:
    with_recipe(house, training, row)
    await house.approve(*range(30))
    return await house.finish(await house.request())


def sent(house: House) -> list[dict[str, object]]:
    (content,) = house.provider.files.values()
    return [json.loads(line) for line in content.decode("utf-8-sig").splitlines()]


async def test_pairs_are_each_correction_over_the_reply_it_corrects(house: House):
    run = await ran(house, Training(RecipeKind.DPO, beta=0.2))
    assert run.state is RunState.PROMOTED
    (request,) = house.provider.requests.values()
    assert (request.method, request.beta, request.base_model) == (Method.DPO, 0.2, "base")
    version = await house.store.datasets.get(str(run.dataset_version_id))
    assert len(sent(house)) == version.train_count
    for row in sent(house):
        assert row["non_preferred_output"] == [{"role": "assistant", "content": "old"}]
        assert str(row["preferred_output"]).count("Answer ") == 1


async def test_labels_are_true_for_what_was_approved_and_false_for_what_it_corrects(house: House):
    await ran(house, Training(RecipeKind.KTO))
    (request,) = house.provider.requests.values()
    assert request.method is Method.KTO
    labels = {(row["completion"][0]["content"] == "old", row["label"]) for row in sent(house)}  # type: ignore[index]
    assert labels == {(True, False), (False, True)}


async def test_the_supervised_recipe_sends_the_versions_own_file_to_the_tuner(house: House):
    run = await ran(house, Training(replay=0.3))
    (content,) = house.provider.files.values()
    assert content == await house.store.datasets.file(str(run.dataset_version_id), "train.jsonl")
    (request,) = house.provider.requests.values()
    assert (request.method, request.replay) == (Method.SFT, 0.3)


@pytest.mark.parametrize(
    ("row", "begins"), [(AZURE, b"\xef\xbb\xbf{"), (TOGETHER, b"{")], ids=lambda value: str(value)[:20]
)
async def test_a_vendor_gets_the_file_in_its_own_shape(house: House, row: Quirks, begins: bytes):
    run = await ran(house, Training(), row)
    (content,) = house.provider.files.values()
    assert content.startswith(begins)
    assert run.state is RunState.PROMOTED


async def test_a_recipe_the_vendor_does_not_know_starts_no_run(house: House):
    with pytest.raises(
        RecipeUnfit, match=r"crusoe trains by sft, not by dpo\. These do: azure, openai, together, tuner"
    ):
        await ran(house, Training(RecipeKind.DPO), CRUSOE)
    assert (await house.store.runs.open_runs(), house.provider.files) == ([], {})


async def test_too_few_pairs_start_no_run_and_name_the_recipe_that_would_do(house: House):
    with pytest.raises(RecipeUnfit, match=r"at least 1000 needed at tuner\..* Set FINETONE_RECIPE=sft"):
        await ran(house, Training(RecipeKind.DPO), replace(TUNER, minimum_examples=1000))
    shown = await requesting.preview(house.workshop, house.voice)
    assert "at least 1000 needed at tuner" in shown.refusal


async def test_a_vendor_that_changed_since_the_request_stops_the_run_before_anything_is_paid(house: House):
    await house.approve(*range(30))
    with_recipe(house, Training(RecipeKind.DPO))
    run = await house.request()
    with_recipe(house, Training(RecipeKind.DPO), CRUSOE)
    run = await house.finish(run)
    assert run.state is RunState.STOPPED
    assert "crusoe trains by sft, not by dpo" in run.end_reason
    assert house.provider.files == {}
