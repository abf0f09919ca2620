"""Replay, the pull towards the base, packing and batches of similar length: on a model of a few thousand numbers."""

import copy
from typing import Any

import pytest

from tests.tuner.conftest import Bench
from tests.tuner.test_http import refused
from tests.tuner.test_jobs import submit
from tuner.training_file import check_rows

torch = pytest.importorskip("torch", reason="the training extra is missing (pip install -e '.[train]')")

from tuner.training.batches import EpochSampler, grouped_order, padding_share  # noqa: E402  (after the check for torch)
from tuner.training.losses import answer_loss, packed, padded  # noqa: E402
from tuner.training.replay import general_rows, with_replay  # noqa: E402

# peft 0.21 asks transformers 5.23 by the old name (get_peft_model, is_gradient_checkpointing).
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

LENGTHS = [5, 80, 7, 70, 6, 75, 8, 66, 9, 6, 5]
OWN = [{"messages": [{"role": "user", "content": str(n)}]} for n in range(60)]


async def test_what_was_asked_against_forgetting_ends_in_the_job_as_numbers(bench: Bench):
    job = await submit(bench.client, extra_body={"replay": 0.25, "kl": 0.1, "packing": True})
    recipe = job.model_dump()["recipe"]
    assert (recipe["replay"], recipe["kl"], recipe["packing"]) == (0.25, 0.1, True)


async def test_nothing_against_forgetting_is_done_unasked(bench: Bench):
    recipe = (await submit(bench.client)).model_dump()["recipe"]
    assert (recipe["replay"], recipe["kl"], recipe["packing"]) == (0.0, 0.0, False)


@pytest.mark.parametrize(
    ("extra", "param"),
    [
        pytest.param({"packing": True}, "packing", id="packing"),
        pytest.param({"replay": 0.1}, "replay", id="replay"),
        pytest.param({"kl": 0.1}, "kl", id="kl"),
    ],
)
@pytest.mark.parametrize("method", ["dpo", "kto"])
async def test_what_only_supervised_jobs_have_is_refused_by_name(
    bench: Bench, method: str, extra: dict[str, Any], param: str
):
    found = await refused(submit(bench.client, method={"type": method}, extra_body=extra))
    assert (found[0], found[2]) == (400, param)
    assert param in found[3]
    assert method in found[3]


async def test_kto_refuses_batches_of_one_which_have_nothing_to_compare(bench: Bench):
    wanted = {"type": "kto", "kto": {"hyperparameters": {"batch_size": 1}}}
    assert (await refused(submit(bench.client, method=wanted)))[2] == "batch_size"


async def test_more_than_half_of_replay_is_refused(bench: Bench):
    assert (await refused(submit(bench.client, extra_body={"replay": 0.6})))[0] == 400


def test_general_examples_are_valid_and_different():
    rows = general_rows()
    check_rows(list(enumerate(rows, start=1)), "supervised")
    assert len({row["messages"][0]["content"] for row in rows}) == len(rows) == 40


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.5])
def test_replay_makes_up_the_promised_share(share: float):
    mixed = with_replay(OWN, general_rows(), share, seed=3)
    assert mixed[: len(OWN)] == OWN
    assert (len(mixed) - len(OWN)) / len(mixed) == pytest.approx(share, abs=0.01)


def test_replay_is_drawn_by_the_seed_and_repeats_only_when_all_have_been_used():
    general = general_rows()
    first = with_replay(OWN, general, 0.25, seed=3)
    assert first == with_replay(OWN, general, 0.25, seed=3)
    assert first != with_replay(OWN, general, 0.25, seed=4)
    texts = [row["messages"][0]["content"] for row in with_replay(OWN, general, 0.5, seed=3)[len(OWN) :]]
    assert (len(texts), len(set(texts[:40]))) == (60, 40)


def test_batches_hold_examples_of_similar_length_and_every_example_once():
    order = grouped_order(LENGTHS, 4, seed=1, epoch=0)
    assert sorted(order) == list(range(len(LENGTHS)))
    assert padding_share(LENGTHS, order, 4) < 0.2 < padding_share(LENGTHS, list(range(len(LENGTHS))), 4)


def test_a_smaller_batch_comes_last_so_that_all_others_stay_whole():
    lengths = [length for length in range(1, 75)]
    for epoch in range(20):
        order = grouped_order(lengths, 8, seed=1, epoch=epoch)
        batches = [order[at : at + 8] for at in range(0, 74, 8)]
        assert [len(batch) for batch in batches] == [8] * 9 + [2]
        assert max(max(batch) - min(batch) for batch in batches[:-1]) < 8


def test_the_order_is_the_same_for_a_resumed_job_and_new_in_each_epoch():
    sampler = EpochSampler(lambda epoch: grouped_order(LENGTHS, 4, 1, epoch), len(LENGTHS))
    first = list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    resumed = EpochSampler(lambda epoch: grouped_order(LENGTHS, 4, 1, epoch), len(LENGTHS))
    resumed.set_epoch(1)
    assert list(resumed) == second != first


@pytest.mark.parametrize("lengths", [[], [5]], ids=["none", "one"])
def test_an_order_of_few_examples(lengths: list[int]):
    assert grouped_order(lengths, 4, 1, 0) == list(range(len(lengths)))
    assert padding_share(lengths, list(range(len(lengths))), 4) == 0


@pytest.fixture
def tiny() -> Any:
    """A llama with random weights and a random adapter."""
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        initializer_range=0.3,  # wide enough that an adapter can move the scores
    )
    adapter = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    return get_peft_model(LlamaForCausalLM(config), adapter)


def example(ids: list[int], n_prompt: int) -> dict[str, list[int]]:
    return {"input_ids": ids, "labels": [-100] * n_prompt + ids[n_prompt:]}


EXAMPLES = [example([3, 4, 5, 6, 7, 8], 3), example([9, 10, 11], 1), example([12, 13, 14, 15], 2)]


def test_without_kl_the_loss_is_the_plain_loss(tiny: Any):
    batch = padded(EXAMPLES, 0)
    logits = tiny(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    plain = torch.nn.functional.cross_entropy(
        logits.reshape(-1, 32), batch["labels"][:, 1:].reshape(-1), reduction="sum"
    )
    loss = answer_loss(tiny, batch, kl=0.0)
    assert float(loss.total.detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    assert (loss.n_tokens, loss.divergence) == (7, 0.0)


def test_kl_adds_its_weight_times_the_divergence_from_the_base(tiny: Any):
    batch = padded(EXAMPLES, 0)
    plain, pulled = answer_loss(tiny, batch), answer_loss(tiny, batch, kl=0.5)
    assert pulled.divergence > 0
    added = float((pulled.total - plain.total).detach())
    assert added == pytest.approx(0.5 * pulled.divergence, rel=1e-2)


def test_a_model_trained_with_kl_stays_nearer_to_the_base(tiny: Any):
    batch = padded(EXAMPLES, 0)

    def divergence_after_training(model: Any, kl: float) -> float:
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.02)
        for _ in range(30):
            optimizer.zero_grad()
            answer_loss(model, batch, kl).total.backward()
            optimizer.step()
        return answer_loss(model, batch, kl=1.0).divergence

    free = divergence_after_training(copy.deepcopy(tiny), 0.0)
    assert divergence_after_training(tiny, 5.0) < free / 2


def test_an_adapter_that_does_nothing_has_no_divergence(tiny: Any):
    for name, parameter in tiny.named_parameters():
        if "lora_B" in name:
            parameter.data.zero_()
    assert answer_loss(tiny, padded(EXAMPLES, 0), kl=1.0).divergence == pytest.approx(0, abs=1e-6)


def test_a_packed_batch_has_the_same_loss_as_a_padded_one_and_no_filler(tiny: Any):
    batch = packed(EXAMPLES)
    assert batch["input_ids"].shape == (1, sum(len(e["input_ids"]) for e in EXAMPLES))
    for kl in (0.0, 0.5):
        one, other = answer_loss(tiny, padded(EXAMPLES, 0), kl), answer_loss(tiny, batch, kl)
        assert float(one.total.detach()) == pytest.approx(float(other.total.detach()), rel=1e-4)
        assert (one.n_tokens, one.n_correct) == (other.n_tokens, other.n_correct)
