"""What is minimised over supervised examples, and the same measured on the validation file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch.nn import functional

from tuner.training.examples import NOT_LEARNED, Example


@dataclass(frozen=True)
class AnswerLoss:
    """Sums over the learned tokens of a batch."""

    total: Any  # cross-entropy and the weighted divergence, in nats; what is minimised
    divergence: float  # from the base, in nats; 0 where it was not asked for
    n_correct: int  # tokens that were the model's first choice
    n_tokens: int


def answer_loss(model: Any, inputs: dict[str, Any], kl: float = 0.0) -> AnswerLoss:
    """Cross-entropy of the answers, plus `kl` times KL(model || base), the base being the model with its adapter off."""
    causal = model.get_base_model()
    mask = inputs["labels"][:, 1:] != NOT_LEARNED
    targets = inputs["labels"][:, 1:][mask]
    logits = _answer_logits(causal, inputs, mask)
    total = functional.cross_entropy(logits, targets, reduction="sum")
    n_correct = int((logits.detach().argmax(-1) == targets).sum())
    divergence = 0.0
    if kl:
        with torch.no_grad(), model.disable_adapter():
            base = _answer_logits(causal, inputs, mask).log_softmax(-1)
        moved = functional.kl_div(base, logits.log_softmax(-1), reduction="sum", log_target=True)
        total, divergence = total + kl * moved, float(moved.detach())
    return AnswerLoss(total, divergence, n_correct, int(targets.numel()))


def _answer_logits(causal: Any, inputs: dict[str, Any], mask: Any) -> Any:
    """Scores of the vocabulary where `mask` is true and nowhere else; float32."""
    given = {key: value for key, value in inputs.items() if key != "labels"}
    hidden = causal.model(**given, use_cache=False).last_hidden_state[:, :-1]
    return causal.lm_head(hidden[mask]).float()


def validation_loss(model: Any, examples: list[Example], size: int, pad_id: int) -> tuple[float, float]:
    """Mean loss and share of tokens guessed first over every learned token, in batches of `size`."""
    total, correct, count = 0.0, 0, 0
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for start in range(0, len(examples), size):
            batch = padded(examples[start : start + size], pad_id)
            batch = {key: value.to(model.device) for key, value in batch.items()}
            loss = answer_loss(model, batch)
            total, correct, count = total + float(loss.total), correct + loss.n_correct, count + loss.n_tokens
    model.train(was_training)
    return total / max(1, count), correct / max(1, count)


def padded(examples: list[Example], pad_id: int) -> dict[str, Any]:
    """A batch as one tensor a key, each example a row, filled up on the right."""
    width = max(len(example["input_ids"]) for example in examples)

    def rows(key: str, filler: int) -> Any:
        return torch.tensor([e[key] + [filler] * (width - len(e[key])) for e in examples])

    mask = [[1] * len(e["input_ids"]) + [0] * (width - len(e["input_ids"])) for e in examples]
    return {
        "input_ids": rows("input_ids", pad_id),
        "labels": rows("labels", NOT_LEARNED),
        "attention_mask": torch.tensor(mask),
    }


def packed(examples: list[Example]) -> dict[str, Any]:
    """A batch as one row, the examples end to end; positions that begin anew keep each from seeing the others.

    transformers 5 makes such a mask from the positions where none is given (masking_utils.py,
    find_packed_sequence_indices). The first token of an example is never an answer to the one before.
    """

    def row(parts: list[list[int]]) -> Any:
        return torch.tensor([list(chain.from_iterable(parts))])

    return {
        "input_ids": row([example["input_ids"] for example in examples]),
        "labels": row([[NOT_LEARNED, *example["labels"][1:]] for example in examples]),
        "position_ids": row([list(range(len(example["input_ids"]))) for example in examples]),
    }
