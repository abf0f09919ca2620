"""The training process: one job, resumable at any instant.

It reads `spec.json` in its job's folder, appends what happens to `progress.jsonl`, and leaves adapters as GGUF files
beside it. It holds a lock on the folder, so a job is never trained twice at once, and ends when its parent does.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import set_seed

from tuner.cores import this_machine
from tuner.disk import FULL_BYTES, DiskFull, free_bytes, require_room
from tuner.errors import TunerError
from tuner.paths import PEFT_FOLDER, held_lock
from tuner.recipe import Recipe, total_steps
from tuner.training import checkpoints, model
from tuner.training.callbacks import Reporter, Threads
from tuner.training.examples import Example, examples_of, n_tokens
from tuner.training.progress import Progress
from tuner.training.replay import general_rows, with_replay
from tuner.training.trainers import Training, trainer_for, validation
from tuner.training_file import Row, parse_lines
from tuner.weights import Base

OUT_OF_MEMORY = "Training ran out of memory. Lower batch_size or max_length."


@dataclass(frozen=True)
class Spec:
    """What the server asks for."""

    job_id: str
    base: Base
    method: str
    rows: list[Row]
    held_out: list[Row]  # of the validation file; empty where none was given
    recipe: Recipe
    seed: int
    starts_from: Path | None = None  # the folder of the adapter it goes on training, in PEFT's layout


def read_spec(path: Path) -> Spec:
    spec = json.loads(path.read_text())
    held_out = spec["validation_file"]
    return Spec(
        job_id=spec["job_id"],
        base=Base(**spec["base"]),
        method=spec["method"],
        rows=_rows(Path(spec["training_file"])),
        held_out=_rows(Path(held_out)) if held_out else [],
        recipe=Recipe(**spec["recipe"]),
        seed=spec["seed"],
        starts_from=Path(start) if (start := spec.get("starts_from")) else None,
    )


def _rows(path: Path) -> list[Row]:
    return [row for _, row in parse_lines(path.read_bytes())]


def run(folder: Path) -> int:
    """Train the job in `folder` to its end; 0 when it is done or failed with a sentence, else the reason to try again.

    Waits while another process trains the same job.
    """
    os.nice(10)  # replies to people come first
    progress = Progress(folder / "progress.jsonl")
    with held_lock(folder / "lock"):
        try:
            _train(folder, progress)
        except DiskFull as error:
            return _give_up(progress, "disk_full", str(error))
        except TunerError as error:
            return _give_up(progress, "training_failed", str(error))
        except (MemoryError, torch.OutOfMemoryError):
            return _give_up(progress, "out_of_memory", OUT_OF_MEMORY)
        # torch reports a failed CPU allocation ("can't allocate memory") as RuntimeError, and so a full disk
        # (PyTorchFileWriter: "unexpected pos"); safetensors has its own for the latter.
        except (OSError, RuntimeError, SafetensorError) as error:
            if getattr(error, "errno", None) == errno.ENOSPC or free_bytes(folder) < FULL_BYTES:
                return errno.ENOSPC  # there may be no room to say so in the progress file
            if "can't allocate memory" not in str(error):
                raise
            return _give_up(progress, "out_of_memory", OUT_OF_MEMORY)
    return 0


def _give_up(progress: Progress, code: str, message: str) -> int:
    """Say why, once and for all; the exit status of a job that needs no second try, unless that could not be said."""
    try:
        progress.write("failed", code=code, message=message)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return errno.ENOSPC
    return 0


def _train(folder: Path, progress: Progress) -> None:
    spec = read_spec(folder / "spec.json")
    recipe = spec.recipe
    set_seed(spec.seed)
    loaded = model.load(spec.base, progress.message)
    if spec.starts_from is not None:
        loaded = model.going_on(loaded, spec.starts_from, recipe.lora_dropout)
    exporter = checkpoints.Exporter(folder, loaded.shape, recipe.lora_alpha, spec.job_id)
    resume_from = checkpoints.last_checkpoint(folder / "checkpoints")
    if resume_from:
        progress.message(f"Resuming from step {checkpoints.step_of(resume_from)}")
    examples, held_out = _examples(spec, loaded.tokenizer, progress)
    reporter = Reporter(progress, exporter, recipe.n_epochs)
    callbacks = [reporter, Threads(this_machine())]
    training = Training(loaded, recipe, spec.seed, folder / "checkpoints", callbacks)
    trainer = trainer_for(spec.method, training, examples)
    reporter.validate = lambda: validation(spec.method, training, trainer, held_out)
    n_trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    n_frozen = n_trained if spec.starts_from is not None else 0  # the reference adapter, which is saved with the other
    reporter.checkpoint_bytes = checkpoints.checkpoint_bytes(n_trained, n_frozen)
    require_room(folder, 0 if resume_from else checkpoints.all_bytes(n_trained, n_frozen), "training")
    progress.write("started", total_steps=total_steps(len(examples), recipe))
    trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
    final = exporter.write(trainer.model, trainer.state.global_step)
    trainer.model.save_pretrained(folder / PEFT_FOLDER, selected_adapters=["default"])
    trained_tokens = sum(n_tokens(example) for example in examples) * recipe.n_epochs
    progress.write("done", step=trainer.state.global_step, adapter=final, trained_tokens=trained_tokens)


def _examples(spec: Spec, tokenizer: Any, progress: Progress) -> tuple[list[Example], list[Example]]:
    """The training and the validation examples. Raises TunerError where none is left to train on."""
    max_length = spec.recipe.max_length
    rows = spec.rows
    if spec.recipe.replay:
        rows = with_replay(rows, general_rows(), spec.recipe.replay, spec.seed)
    examples, truncated = examples_of(spec.method, rows, tokenizer, max_length)
    if truncated:
        progress.message(f"{truncated} examples were cut to {max_length} tokens", level="warn")
    if not examples:
        raise TunerError(f"No example has an answer within {max_length} tokens. Raise max_length.")
    return examples, examples_of(spec.method, spec.held_out, tokenizer, max_length)[0]
