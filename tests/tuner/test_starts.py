"""Preference jobs that go on from a tuned model: what may be started from, and that the reference is that model."""

import json
import math
import sqlite3
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from openai import BadRequestError

from tests.tuner.conftest import (
    DONE,
    QUESTIONS,
    VOICE,
    Bench,
    Running,
    jsonl,
    step,
    wait_for,
)
from tests.tuner.test_jobs import ended
from tests.tuner.test_training import flag_row, pair_row, steps_of
from tuner.background import at_work
from tuner.paths import PEFT_FOLDER, WEIGHTS_FILE
from tuner.recipe import Asked, resolve
from tuner.store import SCHEMA, Store

PAIRS = jsonl([pair_row(question) for question in QUESTIONS])
DPO: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1}}}


async def trained(bench: Bench, **more: Any) -> Any:
    """A supervised job at its end."""
    bench.launcher.scripts = [([step(1), *more.pop("lines", []), DONE], 0)]
    file = await bench.client.files.create(file=("voice.jsonl", VOICE), purpose="fine-tune")
    async with at_work(bench.server.jobs.serve()):
        made = await bench.client.fine_tuning.jobs.create(model="tiny", training_file=file.id, **more)
        return await ended(bench.client, made.id)


async def go_on(bench: Bench, model: str, **more: Any) -> Any:
    """A preference job that starts from `model`."""
    file = await bench.client.files.create(file=("pairs.jsonl", PAIRS), purpose="fine-tune")
    return await bench.client.fine_tuning.jobs.create(
        model=model, training_file=file.id, method=more.pop("method", DPO), **more
    )


async def test_a_preference_job_goes_on_from_a_tuned_model_and_remembers_which(bench: Bench):
    first = await trained(bench, extra_body={"lora_r": 8})
    made = await go_on(bench, first.fine_tuned_model)
    shown = made.model_dump()
    assert (shown["model"], shown["starts_from"], shown["base_model"]) == (
        first.fine_tuned_model,
        first.fine_tuned_model,
        "tiny",
    )
    assert (shown["recipe"]["lora_r"], shown["recipe"]["lora_alpha"]) == (8, 16)
    bench.launcher.scripts = [([step(1), DONE], 0)]
    async with at_work(bench.server.jobs.serve()):
        job = await ended(bench.client, made.id)
    assert job.fine_tuned_model == f"ft:tiny:local::{job.id[6:14]}"
    jobs = bench.server.home.jobs
    assert bench.proven[-1] == (jobs / made.id / DONE["adapter"], jobs / first.id / DONE["adapter"])
    spec = json.loads((jobs / made.id / "spec.json").read_text())
    assert spec["starts_from"] == str(jobs / first.id / PEFT_FOLDER)


async def test_a_job_goes_on_though_its_start_was_deleted_meanwhile(bench: Bench):
    first = await trained(bench)
    made = await go_on(bench, first.fine_tuned_model)
    await bench.client.models.delete(first.fine_tuned_model)
    bench.launcher.scripts = [([step(1), DONE], 0)]
    async with at_work(bench.server.jobs.serve()):
        assert (await ended(bench.client, made.id)).status == "succeeded"
    assert bench.proven[-1][1] is not None


async def refused(bench: Bench, model: str, **more: Any) -> str:
    with pytest.raises(BadRequestError) as caught:
        await go_on(bench, model, **more)
    return caught.value.message


async def test_an_unknown_model_is_named(bench: Bench):
    assert "Model ft:tiny:local:x:1 is not available for fine-tuning" in await refused(bench, "ft:tiny:local:x:1")


async def test_a_deleted_model_is_not_started_from(bench: Bench):
    first = await trained(bench)
    await bench.client.models.delete(first.fine_tuned_model)
    assert f"Model {first.fine_tuned_model} was deleted." in await refused(bench, first.fine_tuned_model)


async def test_a_model_of_another_base_is_not_started_from(bench: Bench):
    first = await trained(bench)
    with sqlite3.connect(bench.server.home.database) as other:
        other.execute("UPDATE models SET base = 'larger'")
    said = await refused(bench, first.fine_tuned_model)
    assert f"{first.fine_tuned_model} was tuned from larger, and this server has tiny loaded." in said


async def test_a_checkpoint_is_not_started_from_and_its_jobs_model_is_named(bench: Bench):
    checkpoint = {"kind": "checkpoint", "step": 1, "adapter": "adapter-step-1.gguf", "metrics": {}}
    first = await trained(bench, lines=[checkpoint])
    said = await refused(bench, f"{first.fine_tuned_model}:ckpt-step-1")
    assert f"is a checkpoint. Start from {first.fine_tuned_model}," in said


async def test_supervised_jobs_start_from_the_base(bench: Bench):
    first = await trained(bench)
    said = await refused(bench, first.fine_tuned_model, method={"type": "supervised"})
    assert "only dpo and kto go on from one; start from the base tiny" in said


async def test_another_rank_than_the_adapters_is_refused(bench: Bench):
    first = await trained(bench)
    said = await refused(bench, first.fine_tuned_model, extra_body={"lora_r": 32})
    assert f"lora_r is 32, and {first.fine_tuned_model} has 16" in said


async def test_weights_that_somebody_removed_are_missed_before_the_job_is_made(bench: Bench):
    first = await trained(bench)
    (bench.server.home.jobs / first.id / PEFT_FOLDER / WEIGHTS_FILE).unlink()
    assert f"The weights of {first.fine_tuned_model} are no longer in" in await refused(bench, first.fine_tuned_model)


def test_a_database_of_an_earlier_version_gets_the_new_column(tmp_path: Path):
    with sqlite3.connect(tmp_path / "tuner.sqlite") as old:
        old.executescript(SCHEMA.replace(", starts_from TEXT", ""))
    store = Store(tmp_path / "tuner.sqlite")
    assert store.open_jobs() == []
    store.close()
    Store(tmp_path / "tuner.sqlite").close()  # and is opened again as it is
    with sqlite3.connect(tmp_path / "tuner.sqlite") as now:
        assert "starts_from" in {row[1] for row in now.execute("PRAGMA table_info(jobs)")}


# The same with torch: on a model of a few thousand numbers, then on the real one.


@pytest.fixture
def tiny(tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed

    set_seed(7)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=8,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
        )
    )


@pytest.mark.real_model
@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft 0.21 and trl 1.16 ask transformers 5.23 by old names
@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_the_frozen_reference_is_the_model_the_job_starts_from(tokenizer: Any, tiny: Any, tmp_path: Path, method: str):
    import torch
    from peft import LoraConfig, get_peft_model

    from tuner.adapters import Shape
    from tuner.training.examples import examples_of
    from tuner.training.model import Loaded, going_on
    from tuner.training.trainers import Training, trainer_for

    # An adapter that already says something: the base with it and without it are far apart.
    started = get_peft_model(tiny, LoraConfig(r=4, lora_alpha=64, target_modules="all-linear", init_lora_weights=False))
    started.save_pretrained(tmp_path / PEFT_FOLDER)
    questions = QUESTIONS[:4]
    rows = [pair_row(q) if method == "dpo" else flag_row(q, i % 2 > 0) for i, q in enumerate(questions)]
    examples, _ = examples_of(method, rows, tokenizer, 2048)
    going = going_on(Loaded(started.unload(), tokenizer, Shape(1, 2, 1)), tmp_path / PEFT_FOLDER, 0.0)
    recipe = resolve(Asked(n_epochs=2, learning_rate=0.05), method, len(rows), 2048)
    second = trainer_for(method, Training(going, recipe, 7, tmp_path, []), examples)
    before = {name: value.detach().clone() for name, value in second.model.named_parameters()}
    trained_names = {name for name, value in second.model.named_parameters() if value.requires_grad}
    second.train()
    after = dict(second.model.named_parameters())
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert moved <= trained_names
    assert all(".default." in name for name in moved), "the reference and the base stand still"
    losses = [entry["loss"] for entry in second.state.log_history if "loss" in entry]
    assert losses[0] == pytest.approx(math.log(2) if method == "dpo" else 0.5, abs=1e-4), "no distance at the start"


def trainer(server: Running) -> psutil.Process:
    """The process that trains for the server."""
    below = psutil.Process(server.process.pid).children(recursive=True)
    return next(process for process in below if "train" in process.cmdline())


@pytest.mark.slow
@pytest.mark.real_model
def test_a_dpo_job_goes_on_from_the_tuned_voice_and_survives_a_kill(server: Running, tuned: Any):
    """The supervised model already prefers the wanted answers; DPO from it begins at ln 2 and widens the gap."""
    client = server.client
    file = client.files.create(file=("pairs.jsonl", PAIRS), purpose="fine-tune")
    wanted: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 3, "batch_size": 2}}}
    job = client.fine_tuning.jobs.create(model=tuned.fine_tuned_model, training_file=file.id, seed=7, method=wanted)
    deadline = time.monotonic() + 200
    while len(steps_of(client, job.id)) < 8 and time.monotonic() < deadline:  # six a pass; saved after each pass
        time.sleep(0.1)
    trainer(server).kill()
    done = wait_for(client, job.id)
    assert done.status == "succeeded", done.error
    told = [event.message for event in client.fine_tuning.jobs.list_events(job.id, limit=100)]
    assert any(message.startswith("Resuming from step ") for message in told)
    steps = steps_of(client, job.id)
    assert [each["step"] for each in steps] == list(range(1, 19))
    assert steps[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-3)
    assert steps[-1]["train_loss"] < steps[0]["train_loss"]
    answer = client.chat.completions.create(
        model=done.fine_tuned_model, messages=[{"role": "user", "content": QUESTIONS[0]}], max_tokens=24, temperature=0
    )
    assert "crew" in (answer.choices[0].message.content or "")
