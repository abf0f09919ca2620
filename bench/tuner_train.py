"""How fast the tuner trains, against a plain TRL script on the same rows with the same adapter, batch and passes.

Each side runs alone in a process of its own, by turns. Its time is that of the training loop, saves included, from the
moment model and rows are loaded; its memory is the process's highest resident set. Trained tokens are those of the rows,
counted once for both: filler trains nobody.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report import Promise, arguments, finish
from tuner.paths import weights_dir
from tuner.recipe import Asked, resolve
from tuner.weights import DEFAULT_BASE, Base, prepare

ROOT = Path(__file__).parent.parent
SEED = 7
BATCH_SIZE = 4
PROMPT = "You are the friendly support assistant of this shop. Answer briefly and helpfully."
MB = 1024  # in KiB, the unit of ru_maxrss on Linux


@dataclass(frozen=True)
class Measured:
    """One training, from loaded to done."""

    seconds: float
    trained_tokens: int
    peak_mb: int
    loss: float  # of the last steps, to see that both learned

    @property
    def tokens_per_s(self) -> float:
        return self.trained_tokens / self.seconds


def conversations() -> list[list[dict[str, str]]]:
    """The demo's answers and the general ones, in a fixed mixed order: short and long rows side by side, as in life."""
    shop = [json.loads(line) for line in (ROOT / "bot" / "demo" / "puffin.jsonl").read_text().splitlines()]
    rows = [
        [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": row["question"]},
            {"role": "assistant", "content": row["answer"]},
        ]
        for row in shop
    ]
    general = (ROOT / "tuner" / "general.jsonl").read_text().splitlines()
    rows += [json.loads(line)["messages"] for line in general]
    random.Random(SEED).shuffle(rows)
    return rows


def plain_script(rows_file: Path, model_folder: Path, out: Path) -> None:
    """What everybody writes: SFTTrainer over prompt-completion rows with a LoraConfig. Runs in its own process."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from tuner.cores import bf16_flags

    asked = json.loads(rows_file.read_text())
    dtype = torch.bfloat16 if torch.cuda.is_available() or bf16_flags() else torch.float32
    rows: list[list[dict[str, str]]] = asked["rows"]
    recipe: dict[str, Any] = asked["recipe"]
    trainer = SFTTrainer(
        AutoModelForCausalLM.from_pretrained(model_folder, dtype=dtype),  # pyright: ignore
        args=SFTConfig(
            output_dir=str(out),
            num_train_epochs=recipe["n_epochs"],
            per_device_train_batch_size=recipe["batch_size"],
            learning_rate=recipe["learning_rate"],
            lr_scheduler_type="linear",
            logging_steps=1,
            save_strategy="epoch",
            report_to=[],
            disable_tqdm=True,
            seed=SEED,
            use_cpu=not torch.cuda.is_available(),
            bf16=False,
            gradient_checkpointing=False,
        ),
        train_dataset=Dataset.from_list([{"prompt": row[:-1], "completion": row[-1:]} for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(model_folder),  # pyright: ignore
        peft_config=LoraConfig(
            r=recipe["lora_r"],
            lora_alpha=recipe["lora_alpha"],
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    began = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - began
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    (out / "measured.json").write_text(json.dumps({"seconds": seconds, "loss": statistics.fmean(losses[-5:])}))


def peak_of(command: list[str], log: Path) -> int:
    """Run to its end; the highest resident set in MB. Raises RuntimeError with its last words."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=stream, stderr=stream, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stdin is not None
    process.stdin.close()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {log.read_text()[-2000:]}")
    return usage.ru_maxrss // MB


def ours(folder: Path, base: Base, rows: list[list[dict[str, str]]], recipe: dict[str, Any]) -> Measured:
    """Train as the server does: `python -m tuner train` on a job's folder."""
    folder.mkdir()
    (folder / "train.jsonl").write_text("\n".join(json.dumps({"messages": row}) for row in rows))
    spec = {
        "job_id": "ftjob-bench",
        "base": base.document(),
        "method": "supervised",
        "training_file": str(folder / "train.jsonl"),
        "validation_file": None,
        "recipe": recipe,
        "seed": SEED,
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    peak = peak_of([sys.executable, "-m", "tuner", "train", "--folder", str(folder)], folder / "log")
    lines = [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]
    at = {line["kind"]: line for line in lines}
    if "done" not in at:
        raise RuntimeError(f"the job did not end well: {lines[-1]}")
    losses = [line["train_loss"] for line in lines if line["kind"] == "step"]
    seconds = at["done"]["at"] - at["started"]["at"]
    return Measured(seconds, at["done"]["trained_tokens"], peak, statistics.fmean(losses[-5:]))


def plain(
    folder: Path, base: Base, rows: list[list[dict[str, str]]], recipe: dict[str, Any], trained_tokens: int
) -> Measured:
    """Train as the plain script does, on the same folder of weights."""
    folder.mkdir()
    (folder / "asked.json").write_text(json.dumps({"rows": rows, "recipe": recipe}))
    command = [sys.executable, "-m", "bench.tuner_train", "--plain", str(folder), base.training_folder]
    peak = peak_of(command, folder / "log")
    measured = json.loads((folder / "measured.json").read_text())
    return Measured(measured["seconds"], trained_tokens, peak, measured["loss"])


def measure(n_rows: int, pairs: int) -> tuple[list[dict[str, object]], list[Promise]]:
    """`pairs` trainings of each side over `n_rows` rows, two passes each."""
    base = prepare(DEFAULT_BASE, weights_dir(dict(os.environ)), print)
    rows = conversations()[:n_rows]
    recipe = resolve(Asked(n_epochs=2, batch_size=BATCH_SIZE), "supervised", len(rows), 2048).document()
    done: dict[str, list[Measured]] = {"tuner": [], "plain TRL": []}
    for pair in range(pairs):
        with tempfile.TemporaryDirectory(prefix="tuner train ") as name:
            first = ours(Path(name) / "ours", base, rows, recipe)
            done["tuner"].append(first)
            done["plain TRL"].append(plain(Path(name) / "plain", base, rows, recipe, first.trained_tokens))
            print(
                f"pair {pair + 1} of {pairs}: {first.tokens_per_s:.0f} and {done['plain TRL'][-1].tokens_per_s:.0f} tokens/s"
            )
    ratios = [a.tokens_per_s / b.tokens_per_s for a, b in zip(done["tuner"], done["plain TRL"], strict=True)]
    memory = [a.peak_mb / b.peak_mb for a, b in zip(done["tuner"], done["plain TRL"], strict=True)]
    table: list[dict[str, object]] = [
        {
            "trainer": name,
            "rows": len(rows),
            "trained tokens/s": round(statistics.median(one.tokens_per_s for one in runs), 1),
            "seconds": round(statistics.median(one.seconds for one in runs), 1),
            "peak MB": round(statistics.median(one.peak_mb for one in runs)),
            "last loss": round(statistics.median(one.loss for one in runs), 3),
        }
        for name, runs in done.items()
    ]
    return table, [
        Promise("trained tokens/s against a plain TRL script", round(statistics.median(ratios), 2), 1.3, "higher"),
        Promise("peak memory against a plain TRL script", round(statistics.median(memory), 2), 1.0, "lower"),
    ]


def main() -> None:
    """Measure, print, exit; or be the plain script."""
    parser = arguments("Training speed and memory of the tuner against a plain TRL script")
    parser.add_argument("--plain", nargs=2, type=Path, metavar=("FOLDER", "MODEL"), help="(internal)")
    chosen = parser.parse_args()
    if chosen.plain:
        folder, model = chosen.plain
        plain_script(folder / "asked.json", model, folder)
        return
    table, promises = measure(*((16, 1) if chosen.quick else (88, 3)))
    finish("tuner_train", promises, table, chosen.json)


if __name__ == "__main__":
    main()
