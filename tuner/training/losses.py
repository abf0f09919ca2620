"""What is minimised over supervised examples, and the same measured on the validation file."""

from __future__ import annotations

from typing import Any

import torch

from tuner.training.examples import NOT_LEARNED, Example


def answer_loss(model: Any, inputs: dict[str, Any]) -> tuple[Any, int, int]:
    """Summed cross-entropy over the learned tokens, how many were the model's first choice, and their number."""
    causal = model.get_base_model()
    hidden = causal.model(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
    ).last_hidden_state[:, :-1]
    targets = inputs["labels"][:, 1:]
    mask = targets != NOT_LEARNED
    targets = targets[mask]
    logits = causal.lm_head(hidden[mask]).float()
    loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
    return loss, int((logits.detach().argmax(-1) == targets).sum()), int(targets.numel())


def validation_loss(model: Any, examples: list[Example], size: int, pad_id: int) -> tuple[float, float]:
    """Mean loss and share of tokens guessed first over every learned token, in batches of `size`."""
    total, correct, count = 0.0, 0, 0
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for start in range(0, len(examples), size):
            batch = padded(examples[start : start + size], pad_id)
            batch = {key: value.to(model.device) for key, value in batch.items()}
            loss, n_correct, n_tokens = answer_loss(model, batch)
            total, correct, count = total + float(loss), correct + n_correct, count + n_tokens
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
