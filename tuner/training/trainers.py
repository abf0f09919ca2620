"""TRL's trainers as this server uses them: one for each method, the same settings, batches and adapter for all.

The reference of dpo and kto is the base with the adapter switched off, or a frozen copy of the adapter a job goes on
from, which TRL 1.16 keeps beside it as "ref" (trl/trainer/dpo_trainer.py and kto_trainer.py, `model.add_adapter("ref", …)`; the
practice is Rafailov et al. 2023, section 4: the reference is the supervised model that training begins with,
https://arxiv.org/abs/2305.18290). There is no second copy of the model.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tuner.recipe import Recipe
from tuner.training.batches import EpochSampler, grouped_order
from tuner.training.examples import Example, width
from tuner.training.losses import answer_loss, packed, padded, validation_loss
from tuner.training.model import Loaded


@dataclass(frozen=True)
class Training:
    """What every trainer needs, whatever the method."""

    loaded: Loaded
    recipe: Recipe
    seed: int
    checkpoints: Path  # the folder they are saved in
    callbacks: list[Any]

    @property
    def pad_id(self) -> int:
        return self.loaded.tokenizer.pad_token_id


def trainer_for(method: str, training: Training, examples: list[Example]) -> Any:
    """A TRL trainer of `examples`, which are of the method's shape (tuner/training/examples.py)."""
    match method:
        case "supervised":
            return _answer_trainer(training, examples)
        case "dpo":
            return _pair_trainer(training, examples)
        case _:
            return _flag_trainer(training, examples)


def validation(method: str, training: Training, trainer: Any, examples: list[Example]) -> dict[str, float]:
    """The validation file's numbers under the official names (both pairs are over the whole file); none if it is empty."""
    if not examples:
        return {}
    if method == "supervised":
        loss, accuracy = validation_loss(trainer.model, examples, training.recipe.batch_size, training.pad_id)
        return {
            "valid_loss": loss,
            "valid_mean_token_accuracy": accuracy,
            "full_valid_loss": loss,
            "full_valid_mean_token_accuracy": accuracy,
        }
    if method == "kto":
        examples = with_mismatched_answers(examples, training.recipe.batch_size)
    loss = float(trainer.evaluate(Dataset.from_list(examples))["eval_loss"])
    trainer.model.train()
    return {"valid_loss": loss, "full_valid_loss": loss}


class AnswerTrainer(SFTTrainer):
    """TRL's supervised trainer with a loss that projects only the answers' tokens onto the vocabulary.

    TRL 1.16 scores every position off CUDA (trl/trainer/utils.py, add_fused_lm_head: `compact` needs Triton); with
    a 49k vocabulary and short answers that is the largest part of a step on a CPU.
    """

    kl = 0.0  # weight of the divergence from the base; see Recipe

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        loss = answer_loss(model, inputs, self.kl)
        self._metrics["train"]["mean_token_accuracy"].append(loss.n_correct / max(1, loss.n_tokens))
        if self.kl:
            self._metrics["train"]["kl"].append(loss.divergence / max(1, loss.n_tokens))
        return loss.total / (loss.n_tokens if num_items_in_batch is None else num_items_in_batch)

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return _sampler(self)


class PairTrainer(DPOTrainer):
    """TRL's DPO on examples that already are tokens."""

    def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, dataset_name: str) -> Any:
        return dataset

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return _sampler(self)


class FlagTrainer(KTOTrainer):
    """TRL's KTO on examples that already are tokens, in batches put together before (KTO needs their order fixed)."""

    def _prepare_dataset(self, dataset: Any, processing_class: Any, args: Any, dataset_name: str) -> Any:
        return dataset


def _sampler(trainer: Any) -> EpochSampler:
    lengths = [width(example) for example in trainer.train_dataset]
    size, seed = trainer.args.per_device_train_batch_size, trainer.args.seed
    return EpochSampler(partial(grouped_order, lengths, size, seed), len(lengths))


def _answer_trainer(training: Training, examples: list[Example]) -> AnswerTrainer:
    trainer = AnswerTrainer(
        training.loaded.model,
        args=SFTConfig(**_settings(training), max_length=None, dataset_kwargs={"skip_prepare_dataset": True}),
        data_collator=packed if training.recipe.packing else partial(padded, pad_id=training.pad_id),
        **_common(training, examples),
    )
    trainer.kl = training.recipe.kl
    return trainer


def _pair_trainer(training: Training, examples: list[Example]) -> PairTrainer:
    recipe = training.recipe
    args = DPOConfig(**_settings(training), max_length=None, beta=recipe.beta, disable_dropout=recipe.lora_dropout == 0)
    return PairTrainer(training.loaded.model, args=args, **_common(training, examples))


def _flag_trainer(training: Training, examples: list[Example]) -> FlagTrainer:
    recipe = training.recipe
    order = grouped_order([width(example) for example in examples], recipe.batch_size, training.seed, epoch=0)
    ordered = with_mismatched_answers([examples[index] for index in order], recipe.batch_size)
    good, bad = flag_weights([example["label"] for example in examples])
    args = KTOConfig(
        **_settings(training),
        max_length=None,
        beta=recipe.beta,
        desirable_weight=good,
        undesirable_weight=bad,
        disable_dropout=recipe.lora_dropout == 0,
    )
    return FlagTrainer(training.loaded.model, args=args, **_common(training, ordered))


def with_mismatched_answers(examples: list[Example], batch_size: int) -> list[Example]:
    """Each example with the answer of its neighbour in the batch as `KL_completion_ids`.

    KTO estimates from such pairs how far the model has moved in general (https://arxiv.org/abs/2402.01306, section 4.2;
    the rotation is TRL 1.16's own, kto_trainer.py, add_kl_completion_ids).
    """
    mismatched: list[Example] = []
    for start in range(0, len(examples), batch_size):
        batch = examples[start : start + batch_size]
        mismatched += [
            {**example, "KL_completion_ids": batch[index - 1]["completion_ids"]} for index, example in enumerate(batch)
        ]
    return mismatched


def flag_weights(labels: list[bool]) -> tuple[float, float]:
    """Weights of good and of bad answers: the rarer kind counts for more, so that both count the same in all.

    Equation 8 of https://arxiv.org/abs/2402.01306; both are 1 where one kind is missing.
    """
    n_good = sum(labels)
    n_bad = len(labels) - n_good
    if not n_good or not n_bad:
        return 1.0, 1.0
    return max(1.0, n_bad / n_good), max(1.0, n_good / n_bad)


def _common(training: Training, examples: list[Example]) -> dict[str, Any]:
    recipe = training.recipe
    fresh = LoraConfig(
        r=recipe.lora_r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return dict(
        train_dataset=Dataset.from_list(examples),
        processing_class=training.loaded.tokenizer,
        peft_config=None if isinstance(training.loaded.model, PeftModel) else fresh,
        callbacks=training.callbacks,
    )


def _settings(training: Training) -> dict[str, Any]:
    recipe = training.recipe
    return dict(
        output_dir=str(training.checkpoints),
        num_train_epochs=recipe.n_epochs,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        prediction_loss_only=True,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        lr_scheduler_type="linear",
        use_cpu=not torch.cuda.is_available(),
        bf16=False,  # the weights already are bf16 where that is faster; autocast would only add casts
        activation_checkpointing=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # Reporter asks for saves
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        seed=training.seed,
        data_seed=training.seed,
        remove_unused_columns=False,
    )
