"""What happens beside each training step: it is told, saved and exported, and given as many threads as are free."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from tuner.cores import Cores
from tuner.disk import require_room
from tuner.errors import TunerError
from tuner.training.checkpoints import COMPLETE, KEPT_ADAPTERS, Exporter
from tuner.training.progress import Progress

SAVE_EVERY_S = 10.0  # at most this much work is lost to a kill

# TRL's names for what is worth telling, and ours; a method reports those it has.
METRICS = {
    "mean_token_accuracy": "train_mean_token_accuracy",
    "rewards/accuracies": "train_reward_accuracy",  # dpo: share of pairs whose preferred answer gained more
    "rewards/margins": "train_reward_margin",  # how much more, in beta times nats
    "kl": "train_kl",  # nats
}

Validate = Callable[[], dict[str, float]]  # measures the model on held-out examples; empty where there are none


class Reporter(TrainerCallback):
    """Tells the progress file about each step, asks for saves, and exports an adapter at the end of each epoch."""

    def __init__(self, progress: Progress, exporter: Exporter, n_epochs: int) -> None:
        self._progress = progress
        self._exporter = exporter
        self._n_epochs = n_epochs
        self._saved_at = time.monotonic()
        # Both known once the trainer is there:
        self.checkpoint_bytes = 0  # what one save takes
        self.validate: Validate = dict

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TunerError(
                f"The loss became {loss} at step {state.global_step}. Lower learning_rate_multiplier and start again."
            )
        facts = {"train_loss": loss} | {ours: float(logs[theirs]) for theirs, ours in METRICS.items() if theirs in logs}
        if self._ends_epoch(state):
            facts |= self.validate()
        self._progress.write("step", step=state.global_step, total_steps=state.max_steps, **facts)
        # Exported before the save that follows: a resumed job never misses an epoch's adapter.
        if self._ends_epoch(state) and round(state.epoch) > self._n_epochs - KEPT_ADAPTERS:
            adapter = self._exporter.write(kwargs["model"], state.global_step)
            self._progress.write("checkpoint", step=state.global_step, adapter=adapter, metrics=facts)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save = time.monotonic() - self._saved_at > SAVE_EVERY_S or self._ends_epoch(state)
        if control.should_save:
            require_room(Path(args.output_dir).parent, self.checkpoint_bytes, "a checkpoint")

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / COMPLETE).touch()
        self._saved_at = time.monotonic()

    def _ends_epoch(self, state: Any) -> bool:
        steps_per_epoch = state.max_steps // self._n_epochs
        return steps_per_epoch > 0 and state.global_step % steps_per_epoch == 0


class Threads(TrainerCallback):
    """Gives each step as many threads as others leave cores."""

    def __init__(self, cores: Cores) -> None:
        self._cores = cores

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        torch.set_num_threads(self._cores.free())
