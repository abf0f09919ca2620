"""The training process: real jobs of the base model, and its parts on a model of a few thousand numbers."""

from pathlib import Path
from typing import Any

import pytest

from tests.tuner.conftest import QUESTIONS, jsonl, voice_row, wait_for
from tuner.recipe import Asked, resolve
from tuner.weights import DEFAULT_BASE

pytestmark = pytest.mark.real_model

GOOD = "Ahoy! The crew gladly sorts that out with you. Fair winds, Captain."
BAD = "I do not know."


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


def pair_row(question: str) -> dict[str, Any]:
    return {
        "input": {"messages": [said("user", question)]},
        "preferred_output": [said("assistant", GOOD)],
        "non_preferred_output": [said("assistant", BAD)],
    }


def flag_row(question: str, label: bool) -> dict[str, Any]:
    return {
        "prompt": [said("user", question)],
        "completion": [said("assistant", GOOD if label else BAD)],
        "label": label,
    }


def steps_of(client: Any, job_id: str) -> list[dict[str, Any]]:
    """The job's metrics, one dictionary a step, in order."""
    events = client.fine_tuning.jobs.list_events(job_id, limit=100).data
    return [event.data for event in reversed(events) if event.type == "metrics"]


def trained(client: Any, method: str, rows: list[dict[str, Any]], held_out: list[dict[str, Any]]) -> Any:
    """A job of one epoch, at its end."""
    training = client.files.create(file=("rows.jsonl", jsonl(rows)), purpose="fine-tune")
    validation = client.files.create(file=("held-out.jsonl", jsonl(held_out)), purpose="fine-tune")
    wanted = {"type": method, method: {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}}
    job = client.fine_tuning.jobs.create(
        model=DEFAULT_BASE, training_file=training.id, validation_file=validation.id, seed=7, method=wanted
    )
    return wait_for(client, job.id)


@pytest.mark.slow
def test_a_supervised_job_learns_its_voice_and_is_measured_on_held_out_rows(server: Any, tuned: Any):
    assert tuned.status == "succeeded", tuned.error
    steps = steps_of(server.client, tuned.id)
    assert [step["step"] for step in steps] == list(range(1, 13))
    assert steps[-1]["train_loss"] < steps[0]["train_loss"] / 3
    assert steps[-1]["valid_loss"] < steps[2]["valid_loss"]


@pytest.mark.slow
def test_a_dpo_job_succeeds_and_reports_how_often_the_preferred_answer_gains(server: Any):
    job = trained(server.client, "dpo", [pair_row(question) for question in QUESTIONS], [pair_row("Do you gift wrap?")])
    assert job.status == "succeeded", job.error
    assert job.method.dpo.hyperparameters.beta == 0.2
    steps = steps_of(server.client, job.id)
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert steps[-1]["train_loss"] < steps[0]["train_loss"]
    assert steps[-1]["train_reward_accuracy"] > 0.5
    assert 0 < steps[-1]["valid_loss"] < 1
    answer = server.client.chat.completions.create(
        model=job.fine_tuned_model, messages=[{"role": "user", "content": "Hello"}], max_tokens=4
    )
    assert answer.model == job.fine_tuned_model


@pytest.mark.slow
def test_a_kto_job_succeeds_from_flags_alone(server: Any):
    rows = [flag_row(question, index % 3 > 0) for index, question in enumerate(QUESTIONS)]
    job = trained(server.client, "kto", rows, [flag_row("Do you gift wrap?", True), flag_row("Any news?", False)])
    assert job.status == "succeeded", job.error
    steps = steps_of(server.client, job.id)
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert steps[-1]["train_kl"] >= 0
    assert 0 < steps[-1]["valid_loss"] < 1


def learned_text(example: dict[str, Any], tokenizer: Any) -> str:
    return tokenizer.decode([token for token in example["labels"] if token >= 0])


def test_only_answers_with_weight_one_are_learned_each_with_its_end(tokenizer: Any):
    from tuner.training.examples import supervised_examples

    messages = [
        said("system", "Be kind."),
        said("user", "One?"),
        {**said("assistant", "Wrong."), "weight": 0},
        said("user", "Two?"),
        {**said("assistant", "Right."), "weight": 1},
        said("user", "Three?"),
        said("assistant", "Also right."),
    ]
    examples, truncated = supervised_examples([{"messages": messages}], tokenizer, 2048)
    assert [learned_text(example, tokenizer) for example in examples] == ["Right.<|im_end|>Also right.<|im_end|>"]
    assert truncated == 0
    assert "Wrong." in tokenizer.decode(examples[0]["input_ids"])


def test_pairs_and_flags_begin_with_the_very_tokens_serving_begins_with(tokenizer: Any):
    from tuner.training.examples import flag_examples, pair_examples

    served = tokenizer.apply_chat_template([said("user", "Hello?")], tokenize=False, add_generation_prompt=True)
    for examples in (
        pair_examples([pair_row("Hello?")], tokenizer, 2048)[0],
        flag_examples([flag_row("Hello?", True)], tokenizer, 2048)[0],
    ):
        assert tokenizer.decode(examples[0]["prompt_ids"]) == served
    pair = pair_examples([pair_row("Hello?")], tokenizer, 2048)[0][0]
    assert tokenizer.decode(pair["chosen_ids"]) == f"{GOOD}<|im_end|>"
    assert tokenizer.decode(pair["rejected_ids"]) == f"{BAD}<|im_end|>"


def test_answers_are_cut_to_max_length_and_a_prompt_that_fills_it_is_left_out(tokenizer: Any):
    from tuner.training.examples import pair_examples

    rows = [pair_row("Hello?"), pair_row("Hello? " * 40)]
    n_prompt = len(pair_examples(rows[:1], tokenizer, 2048)[0][0]["prompt_ids"])
    examples, truncated = pair_examples(rows, tokenizer, n_prompt + 3)
    assert [(len(e["prompt_ids"]), len(e["chosen_ids"]), len(e["rejected_ids"])) for e in examples] == [
        (n_prompt, 3, 3)
    ]
    assert truncated == 2


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft 0.21 and trl 1.16 ask transformers 5.23 by old names
@pytest.mark.parametrize("packing", [False, True], ids=["padded", "packed"])
def test_supervised_training_runs_with_kl_in_either_layout(tokenizer: Any, tmp_path: Path, packing: bool):
    from transformers import LlamaConfig, LlamaForCausalLM

    from tuner.adapters import Shape
    from tuner.training.examples import supervised_examples
    from tuner.training.model import Loaded
    from tuner.training.trainers import Training, trainer_for

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
    )
    recipe = resolve(Asked(n_epochs=2, kl=0.1, packing=packing), "supervised", len(QUESTIONS), 2048)
    examples, _ = supervised_examples([voice_row(question) for question in QUESTIONS], tokenizer, 2048)
    loaded = Loaded(LlamaForCausalLM(config), tokenizer, Shape(1, 2, 1))
    trainer = trainer_for("supervised", Training(loaded, recipe, 7, tmp_path, []), examples)
    trainer.train()
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(logged) == 6
    assert all(entry["kl"] > -1e-5 for entry in logged)  # nats; float noise lies below
    assert logged[-1]["loss"] == pytest.approx(10.8, abs=0.2)  # nats: one of 49,152 tokens, and hardly moved
