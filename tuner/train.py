"""The training process: one job, TRL and PEFT, resumable at any instant. The only module that trains.

It reads `spec.json` in its job's folder, appends what happens to `progress.jsonl`, and leaves adapters as GGUF files
beside it. It holds a lock on the folder, so a job is never trained twice at once, and ends when its parent does.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUntypedBaseClass=false, reportMissingTypeArgument=false
# pyright: reportIncompatibleMethodOverride=false
# (torch, transformers, trl and peft are loosely typed; nothing of theirs leaves this module)
from __future__ import annotations

import errno
import json
import math
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model_state_dict
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback, set_seed
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from tuner.adapters import SUPPORTED, Shape, write_adapter
from tuner.convert import ensure_training_folder
from tuner.cores import Cores, this_machine
from tuner.disk import FULL_BYTES, DiskFull, free_bytes, require_room
from tuner.errors import TunerError
from tuner.paths import held_lock
from tuner.training_file import Row, parse_lines
from tuner.weights import Base

SAVE_EVERY_S = 10.0  # at most this much work is lost to a kill
KEPT_CHECKPOINTS = 3  # adapters of the last epochs stay servable by their own names (official: at most three)
OUT_OF_MEMORY = "Training ran out of memory. Lower batch_size or max_length."
ADAPTER_BYTES = 4  # per trained parameter: float32
CHECKPOINT_BYTES = 3 * ADAPTER_BYTES  # the adapter and Adam's two moments
BESIDE_BYTES = 8_000_000  # tokenizer, settings and logs beside the numbers of each checkpoint
NOT_LEARNED = -100  # torch's ignore_index: a label that adds nothing to the loss


@dataclass
class Progress:
    """The job's append-only account of itself; the server reads it from where it left off."""

    path: Path

    def write(self, kind: str, **facts: object) -> None:
        line = json.dumps({"kind": kind, "at": time.time(), **facts})
        with self.path.open("ab+") as stream:
            # A killed trainer may have left half a line; start on a fresh one so only that half is lost.
            if stream.tell() and not _ends_with_newline(stream):
                stream.write(b"\n")
            stream.write(line.encode() + b"\n")

    def message(self, text: str, level: str = "info") -> None:
        self.write("message", message=text, level=level)


def _ends_with_newline(stream: Any) -> bool:
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) == b"\n"


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
    spec = json.loads((folder / "spec.json").read_text())
    base = Base(**spec["base"])
    recipe: dict[str, Any] = spec["recipe"]
    model_folder = ensure_training_folder(base, progress.message)
    set_seed(spec["seed"])
    on_gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if on_gpu or has_fast_bf16() else torch.float32
    tokenizer: Any = AutoTokenizer.from_pretrained(model_folder)
    model: Any = AutoModelForCausalLM.from_pretrained(model_folder, dtype=dtype)
    if model.config.model_type not in (*SUPPORTED, "mistral"):
        raise TunerError(f"{base.name} is a {model.config.model_type} model; only llama-family models can be trained.")
    shape = Shape(model.config.num_hidden_layers, model.config.num_attention_heads, model.config.num_key_value_heads)
    exporter = Exporter(folder, shape, recipe["lora_alpha"], spec["job_id"])
    rows = [row for _, row in parse_lines(Path(spec["training_file"]).read_bytes())]
    held_out = (
        [row for _, row in parse_lines(Path(spec["validation_file"]).read_bytes())] if spec["validation_file"] else []
    )
    resume_from = last_checkpoint(folder / "checkpoints")
    if resume_from:
        progress.message(f"Resuming from step {_step_of(resume_from)}")
    common: dict[str, Any] = dict(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=recipe["n_epochs"],
        per_device_train_batch_size=recipe["batch_size"],
        learning_rate=recipe["learning_rate"],
        weight_decay=recipe["weight_decay"],
        lr_scheduler_type="linear",
        use_cpu=not on_gpu,
        bf16=False,  # the weights already are bf16 where that is faster; autocast would only add casts
        activation_checkpointing=False,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # Reporter asks for saves
        save_total_limit=2,
        report_to=[],
        disable_tqdm=True,
        seed=spec["seed"],
        data_seed=spec["seed"],
        remove_unused_columns=False,
    )
    lora = LoraConfig(
        r=recipe["lora_r"],
        lora_alpha=recipe["lora_alpha"],
        lora_dropout=recipe["lora_dropout"],
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    examples, truncated = supervised_examples(rows, tokenizer, recipe["max_length"])
    if truncated:
        progress.message(f"{truncated} examples were cut to {recipe['max_length']} tokens", level="warn")
    if not examples:
        raise TunerError(f"No example has an answer within {recipe['max_length']} tokens. Raise max_length.")
    validation = supervised_examples(held_out, tokenizer, recipe["max_length"])[0]
    reporter = Reporter(progress, exporter, recipe["n_epochs"], validation, tokenizer.pad_token_id)
    trainer: Any = AnswerTrainer(
        model,
        args=SFTConfig(**common, max_length=None, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_list(examples),
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[reporter, Threads(this_machine())],
    )
    n_trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    reporter.checkpoint_bytes = n_trained * CHECKPOINT_BYTES + BESIDE_BYTES
    all_bytes = 3 * reporter.checkpoint_bytes + (KEPT_CHECKPOINTS + 1) * n_trained * ADAPTER_BYTES
    require_room(folder, 0 if resume_from else all_bytes, "training")
    trained_tokens = sum(len(example["input_ids"]) for example in examples) * recipe["n_epochs"]
    progress.write("started", total_steps=math.ceil(len(examples) / recipe["batch_size"]) * recipe["n_epochs"])
    trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
    final = exporter.write(trainer.model, trainer.state.global_step)
    trainer.model.save_pretrained(folder / "adapter")  # PEFT's own layout, for use elsewhere
    progress.write("done", step=trainer.state.global_step, adapter=final, trained_tokens=trained_tokens)


def has_fast_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 itself (measured: 1.8 to 2.2 times float32 with avx512_bf16 alone)."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def supervised_examples(rows: list[Row], tokenizer: Any, max_length: int) -> tuple[list[dict[str, list[int]]], int]:
    """Rows as token ids with labels only on the assistant's words and its end token; and how many were cut.

    Prompt and answer are split where generation begins at serving time, so training sees the very tokens serving sees.
    """
    examples: list[dict[str, list[int]]] = []
    truncated = 0
    for row in rows:
        for segments in _segments(row["messages"], tokenizer):
            ids: list[int] = []
            labels: list[int] = []
            for text, is_learned in segments:
                piece: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"] if text else []
                ids += piece
                labels += piece if is_learned else [NOT_LEARNED] * len(piece)
            truncated += len(ids) > max_length
            ids, labels = ids[:max_length], labels[:max_length]
            if any(label != NOT_LEARNED for label in labels):
                examples.append({"input_ids": ids, "labels": labels})
    return examples, truncated


def _segments(messages: list[Row], tokenizer: Any) -> list[list[tuple[str, bool]]]:
    """A conversation as pieces of text, each learned or not.

    Where the chat template rewrites earlier turns (some drop old reasoning), each learned answer becomes its own example.
    """
    plain = [{"role": "system" if m["role"] == "developer" else m["role"], "content": m["content"]} for m in messages]
    pieces: list[tuple[str, bool]] = []
    done = ""
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = _render(plain[:index], tokenizer, True)
        after = _render(plain[: index + 1], tokenizer, False)
        if not after.startswith(before) or not before.startswith(done):
            return [_alone(plain, i, tokenizer) for i, m in enumerate(messages) if _is_learned(m)]
        answer = after[len(before) :]
        end = (
            answer.rfind(tokenizer.eos_token) + len(tokenizer.eos_token)
            if tokenizer.eos_token in answer
            else len(answer)
        )
        pieces += [(before[len(done) :], False), (answer[:end], _is_learned(message)), (answer[end:], False)]
        done = after
    return [pieces]


def _alone(plain: list[Row], index: int, tokenizer: Any) -> list[tuple[str, bool]]:
    return [(_render(plain[:index], tokenizer, True), False), (plain[index]["content"] + tokenizer.eos_token, True)]


def _is_learned(message: Row) -> bool:
    return message["role"] == "assistant" and message.get("weight", 1) == 1


def _render(messages: list[Row], tokenizer: Any, with_prompt: bool) -> str:
    return tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=with_prompt)


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
        kept = sorted(self._folder.glob("adapter-step-*.gguf"), key=lambda path: _step_of(path.with_suffix("")))
        for old in kept[:-KEPT_CHECKPOINTS]:
            old.unlink()
        return name


class Reporter(TrainerCallback):
    """Tells the progress file about each step, asks for saves, and exports an adapter at the end of each epoch."""

    def __init__(
        self, progress: Progress, exporter: Exporter, n_epochs: int, validation: list[dict[str, list[int]]], pad_id: int
    ) -> None:
        self._progress = progress
        self._exporter = exporter
        self._n_epochs = n_epochs
        self._validation = validation
        self._pad_id = pad_id
        self._saved_at = time.monotonic()
        self.checkpoint_bytes = 0  # what one save takes; known once the model is there

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise TunerError(
                f"The loss became {loss} at step {state.global_step}. Lower learning_rate_multiplier and start again."
            )
        facts: dict[str, float] = {"train_loss": loss}
        if "mean_token_accuracy" in logs:
            facts["train_mean_token_accuracy"] = float(logs["mean_token_accuracy"])
        if self._ends_epoch(state) and self._validation:
            valid_loss, valid_accuracy = validation_loss(kwargs["model"], self._validation, args, self._pad_id)
            facts |= {
                "valid_loss": valid_loss,
                "valid_mean_token_accuracy": valid_accuracy,
                "full_valid_loss": valid_loss,
                "full_valid_mean_token_accuracy": valid_accuracy,
            }
        self._progress.write("step", step=state.global_step, total_steps=state.max_steps, **facts)
        # Exported before the save that follows: a resumed job never misses an epoch's adapter.
        if self._ends_epoch(state) and round(state.epoch) > self._n_epochs - KEPT_CHECKPOINTS:
            adapter = self._exporter.write(kwargs["model"], state.global_step)
            self._progress.write("checkpoint", step=state.global_step, adapter=adapter, metrics=facts)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save = time.monotonic() - self._saved_at > SAVE_EVERY_S or self._ends_epoch(state)
        if control.should_save:
            require_room(Path(args.output_dir).parent, self.checkpoint_bytes, "a checkpoint")

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # The marker comes last: a folder without it was cut off half way and is not resumed from.
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / "complete").touch()
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


def validation_loss(model: Any, examples: list[dict[str, list[int]]], args: Any, pad_id: int) -> tuple[float, float]:
    """Mean loss and share of tokens guessed first, over every learned token of the validation examples."""
    total, correct, count = 0.0, 0, 0
    was_training = model.training
    model.eval()
    with torch.no_grad():
        size = args.per_device_train_batch_size
        for start in range(0, len(examples), size):
            batch = _padded(examples[start : start + size], pad_id, model.device)
            loss, n_correct, n_tokens = answer_loss(model, batch)
            total, correct, count = total + float(loss), correct + n_correct, count + n_tokens
    model.train(was_training)
    return total / max(1, count), correct / max(1, count)


def _padded(examples: list[dict[str, list[int]]], pad_id: int, device: Any) -> dict[str, Any]:
    width = max(len(example["input_ids"]) for example in examples)

    def rows(key: str, filler: int) -> Any:
        return torch.tensor([e[key] + [filler] * (width - len(e[key])) for e in examples], device=device)

    mask = [[1] * len(e["input_ids"]) + [0] * (width - len(e["input_ids"])) for e in examples]
    return {
        "input_ids": rows("input_ids", pad_id),
        "labels": rows("labels", NOT_LEARNED),
        "attention_mask": torch.tensor(mask, device=device),
    }


def last_checkpoint(folder: Path) -> Path | None:
    """The furthest checkpoint that was written whole; half-written ones are removed."""
    if not folder.is_dir():
        return None
    whole: list[Path] = []
    for path in folder.glob("checkpoint-*"):
        if (path / "complete").exists():
            whole.append(path)
        else:
            shutil.rmtree(path, ignore_errors=True)
    return max(whole, key=_step_of, default=None)


def _step_of(path: Path) -> int:
    return int(path.name.rsplit("-", 1)[1])
