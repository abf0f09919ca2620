"""Hyperparameters: what the caller asked for, and the numbers `auto` becomes. Pure.

The defaults are the measured recipe (learning.md): LoRA r=16 on every linear layer, lr 5e-4, batch 4, linear decay,
about 6 epochs for 50 examples.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

LEARNING_RATES = {"supervised": 5e-4, "dpo": 5e-5, "kto": 5e-5}  # preference losses need a tenth (TRL's own ratio)
DEFAULT_BETA = 0.1  # TRL's and the official default


@dataclass(frozen=True)
class Asked:
    """Hyperparameters as asked for; None stands for `auto`."""

    n_epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    beta: float | None = None
    lora_r: int | None = None
    lora_alpha: int | None = None
    lora_dropout: float | None = None
    weight_decay: float | None = None
    learning_rate: float | None = None
    max_length: int | None = None
    packing: bool | None = None
    replay: float | None = None
    kl: float | None = None


@dataclass(frozen=True)
class Recipe:
    """The numbers a job trains with."""

    n_epochs: int
    batch_size: int  # examples per optimiser step
    learning_rate_multiplier: float
    learning_rate: float  # absolute, after the multiplier
    beta: float  # dpo and kto only
    lora_r: int
    lora_alpha: int
    lora_dropout: float  # share of activations dropped before the adapter, 0 to 1
    weight_decay: float
    max_length: int  # tokens per example
    packing: bool  # the examples of a batch end to end in one row: nothing is filled up (supervised only)
    # Against forgetting, supervised only. Jobs from before these existed have neither.
    replay: float = 0.0  # share of the examples that are general ones from tuner/general.jsonl, 0 to 0.5
    kl: float = 0.0  # weight of the divergence from the base on the answers' tokens, in the same nats as the loss

    def document(self) -> dict[str, float | int | bool]:
        return asdict(self)


def resolve(asked: Asked, method: str, n_examples: int, context_tokens: int) -> Recipe:
    """Turn what was asked into numbers; `auto` follows the number of examples and the base's context length."""
    multiplier = asked.learning_rate_multiplier if asked.learning_rate_multiplier is not None else 1.0
    rate = asked.learning_rate if asked.learning_rate is not None else LEARNING_RATES[method] * multiplier
    r = asked.lora_r if asked.lora_r is not None else 16
    return Recipe(
        n_epochs=asked.n_epochs if asked.n_epochs is not None else auto_epochs(n_examples, method),
        batch_size=asked.batch_size if asked.batch_size is not None else auto_batch_size(n_examples),
        learning_rate_multiplier=multiplier,
        learning_rate=rate,
        beta=asked.beta if asked.beta is not None else DEFAULT_BETA,
        lora_r=r,
        lora_alpha=asked.lora_alpha if asked.lora_alpha is not None else 2 * r,
        lora_dropout=asked.lora_dropout if asked.lora_dropout is not None else 0.0,
        weight_decay=asked.weight_decay if asked.weight_decay is not None else 0.0,
        max_length=min(asked.max_length or context_tokens, context_tokens),
        packing=bool(asked.packing),
        replay=asked.replay or 0.0,
        kl=asked.kl or 0.0,
    )


def auto_epochs(n_examples: int, method: str = "supervised") -> int:
    """About 480 examples seen in all: 6 epochs for 80, never more than 8 nor less than 2 (preferences: at most 3)."""
    epochs = max(2, min(8, round(480 / max(1, n_examples))))
    return epochs if method == "supervised" else min(3, epochs)


def auto_batch_size(n_examples: int) -> int:
    """4 up to 500 examples, then 8, from 5,000 on 16."""
    return 4 if n_examples < 500 else 8 if n_examples < 5000 else 16


def total_steps(n_examples: int, recipe: Recipe) -> int:
    return math.ceil(n_examples / recipe.batch_size) * recipe.n_epochs
