"""What a job leaves on disk while it trains: checkpoints to go on from, and adapters to serve."""

# pyright: reportUnknownVariableType=false
from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from peft import get_peft_model_state_dict

from tuner.adapters import Shape, write_adapter

KEPT_ADAPTERS = 3  # those of the last epochs stay servable by their own names (official: at most three)
ADAPTER_BYTES = 4  # per trained parameter: float32
CHECKPOINT_BYTES = 3 * ADAPTER_BYTES  # the adapter and Adam's two moments
BESIDE_BYTES = 8_000_000  # tokenizer, settings and logs beside the numbers of each checkpoint
COMPLETE = "complete"  # an empty file, written last: a checkpoint without it was cut off half way


def checkpoint_bytes(n_trained: int, n_frozen: int = 0) -> int:
    """What one checkpoint takes on disk: of `n_trained` parameters, and `n_frozen` of an adapter kept for reference."""
    return n_trained * CHECKPOINT_BYTES + n_frozen * ADAPTER_BYTES + BESIDE_BYTES


def all_bytes(n_trained: int, n_frozen: int = 0) -> int:
    """What a whole job takes at its fullest: two kept checkpoints and one being written, every adapter and one more."""
    return 3 * checkpoint_bytes(n_trained, n_frozen) + (KEPT_ADAPTERS + 1) * n_trained * ADAPTER_BYTES


def last_checkpoint(folder: Path) -> Path | None:
    """The furthest checkpoint that was written whole; half-written ones are removed."""
    if not folder.is_dir():
        return None
    whole: list[Path] = []
    for path in folder.glob("checkpoint-*"):
        if (path / COMPLETE).exists():
            whole.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return max(whole, key=step_of, default=None)


def step_of(path: Path) -> int:
    return int(path.name.rsplit("-", 1)[1])


class Exporter:
    """Writes the model's adapter as `adapter-step-N.gguf` in the job's folder, keeping the last few."""

    def __init__(self, folder: Path, shape: Shape, alpha: float, name: str) -> None:
        self._folder = folder
        self._shape = shape
        self._alpha = alpha
        self._name = name

    def write(self, model: Any, step: int) -> str:
        name = f"adapter-step-{step}.gguf"
        if not (self._folder / name).exists():
            tensors = {key: value.float().cpu().numpy() for key, value in get_peft_model_state_dict(model).items()}
            write_adapter(self._folder / name, tensors, self._alpha, self._shape, self._name)
        kept = sorted(self._folder.glob("adapter-step-*.gguf"), key=lambda path: step_of(path.with_suffix("")))
        for old in kept[:-KEPT_ADAPTERS]:
            old.unlink()
        return name
