"""Pure: the numbers that a training job told step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

from storage.records import RunEvent

ACCURACIES = ("valid_mean_token_accuracy", "train_mean_token_accuracy", "mean_token_accuracy")
"""What vendors call the share of next tokens that were guessed rightly, the most telling first."""


PAIR_NUMBERS = ("train_reward_margin", "train_reward_accuracy")
"""What jobs on pairs and marks alone tell."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the training texts are predicted at the end; None where the job did not tell."""

    train_loss: float | None
    valid_loss: float | None
    token_accuracy: float | None  # share of tokens, in [0, 1]

    is_of_pairs: bool = False  # the loss is one of preferences, which says nothing of how likely a word is

    @property
    def perplexity(self) -> float | None:
        """e to the power of the held-out loss, else of the training loss: how many words seem possible next."""
        loss = self.valid_loss if self.valid_loss is not None else self.train_loss
        if loss is None or self.is_of_pairs or loss > 50:  # beyond, the number says nothing
            return None
        return exp(loss)


def job_of(event: RunEvent) -> int:
    """Which of a run's jobs told it, from 1; a run of one job does not say."""
    return int(event.numbers.get("job", 1))


def of_job(events: Sequence[RunEvent], job: int) -> list[RunEvent]:
    """Those with numbers of this job, which counts its steps from 1."""
    return [event for event in events if event.numbers and job_of(event) == job]


def curve(events: Sequence[tuple[int, RunEvent]]) -> dict[str, list[Any]]:
    """Losses by step, in step order; null where a step was not measured. A step told twice counts as told last.

    The steps of a second job follow those of the first.
    """
    train: dict[float, float] = {}
    valid: dict[float, float] = {}
    last = {0: 0.0}  # job → its last step, counted on from the jobs before
    for _, event in events:
        if "step" not in event.numbers:
            continue
        job = job_of(event)
        before = max(step for other, step in last.items() if other < job)
        step = event.numbers["step"] + before
        last[job] = max(step, last.get(job, 0.0))
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
    """The last number of each kind, of the last job."""
    newest: dict[str, float] = {}
    for _, event in events:
        if "step" in event.numbers:
            if newest and job_of(event) != int(newest.get("job", 1)):
                newest = {}
            newest.update(event.numbers)
    accuracy = next((newest[name] for name in ACCURACIES if name in newest), None)
    is_of_pairs = any(name in newest for name in PAIR_NUMBERS)
    return Fit(newest.get("train_loss"), newest.get("valid_loss"), accuracy, is_of_pairs)
