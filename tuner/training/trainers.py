"""TRL's trainers as this server uses them."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tuner.recipe import Recipe
from tuner.training.examples import Example
from tuner.training.losses import answer_loss
from tuner.training.model import Loaded


class AnswerTrainer(SFTTrainer):
    """TRL's supervised trainer with a loss that projects only the answers' tokens onto the vocabulary.

    TRL 1.16 scores every position off CUDA (trl/trainer/utils.py, add_fused_lm_head: `compact` needs Triton); with
    a 49k vocabulary and short answers that is the largest part of a step on a CPU.
    """

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        loss_sum, n_correct, n_tokens = answer_loss(model, inputs)
        self._metrics["train"]["mean_token_accuracy"].append(n_correct / max(1, n_tokens))
        return loss_sum / (n_tokens if num_items_in_batch is None else num_items_in_batch)


def answer_trainer(
    loaded: Loaded, recipe: Recipe, seed: int, checkpoints: Path, examples: list[Example], callbacks: list[Any]
) -> Any:
    """A trainer on supervised examples, which saves where `checkpoints` says."""
    return AnswerTrainer(
        loaded.model,
        args=SFTConfig(
            **_settings(recipe, seed, checkpoints),
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list(examples),
        processing_class=loaded.tokenizer,
        peft_config=_lora(recipe),
        callbacks=callbacks,
    )


def _settings(recipe: Recipe, seed: int, checkpoints: Path) -> dict[str, Any]:
    return dict(
        output_dir=str(checkpoints),
        num_train_epochs=recipe.n_epochs,
        per_device_train_batch_size=recipe.batch_size,
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
        seed=seed,
        data_seed=seed,
        remove_unused_columns=False,
    )


def _lora(recipe: Recipe) -> LoraConfig:
    return LoraConfig(
        r=recipe.lora_r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
