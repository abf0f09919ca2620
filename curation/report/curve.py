"""Pure: the numbers that a training job told step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from storage.records import RunEvent

ACCURACIES = ("valid_mean_token_accuracy", "train_mean_token_accuracy", "mean_token_accuracy")
"""What vendors call the share of next tokens that were guessed rightly, the most telling first."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the training texts are predicted at the end; None where the job did not tell."""

    train_loss: float | None
    valid_loss: float | None
    token_accuracy: float | None  # share of tokens, in [0, 1]

    @property
    def perplexity(self) -> float | None:
        """e to the power of the held-out loss, else of the training loss: how many words seem possible next."""
        loss = self.valid_loss if self.valid_loss is not None else self.train_loss
        return None if loss is None or loss > 50 else exp(loss)  # beyond, the number says nothing


def curve(events: Sequence[tuple[int, RunEvent]]) -> dict[str, list[Any]]:
    """Losses by step, in step order; null where a step was not measured. A step told twice counts as told last."""
    train: dict[float, float] = {}
    valid: dict[float, float] = {}
    for _, event in events:
        step = event.numbers.get("step")
        if step is None:
            continue
        for name, losses in (("train_loss", train), ("valid_loss", valid)):
            if name in event.numbers:
                losses[step] = event.numbers[name]
    steps = sorted(train.keys() | valid.keys())
    return {
        "steps": steps,
        "train_loss": [train.get(step) for step in steps],
        "valid_loss": [valid.get(step) for step in steps],
    }


def fit(events: Sequence[tuple[int, RunEvent]]) -> Fit:
    """The last number of each kind."""
    newest: dict[str, float] = {}
    for _, event in events:
        if "step" in event.numbers:
            newest.update(event.numbers)
    accuracy = next((newest[name] for name in ACCURACIES if name in newest), None)
    return Fit(newest.get("train_loss"), newest.get("valid_loss"), accuracy)
