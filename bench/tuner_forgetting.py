"""What learning a voice unlearns, and what replay and the pull towards the base save of it.

The same rows are trained plain, with replay and with `kl`. Measured is how likely the model finds, per token, a voice's
answers (learned) and general answers that no training saw (kept), before and after. The figures are for choosing a
setting; what is promised is only that each of the two keeps more than plain training does, and still learns the voice.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from openai import OpenAI

from bench.report import Promise, arguments, finish
from bench.tuner_process import serving
from tuner.weights import DEFAULT_BASE

ROOT = Path(__file__).parent.parent
VARIANTS: dict[str, dict[str, float]] = {"plain": {}, "replay 0.3": {"replay": 0.3}, "kl 0.5": {"kl": 0.5}}
GENERAL = (  # not among the rows that replay draws from (tuner/general.jsonl)
    ("What is the largest planet in the solar system?", "The largest planet in the solar system is Jupiter."),
    ("How do you boil an egg?", "Put the egg in boiling water for about eight minutes, then cool it in cold water."),
    ("What is 12 times 12?", "12 times 12 is 144."),
    ("Who painted the Mona Lisa?", "The Mona Lisa was painted by Leonardo da Vinci."),
    ("What does a compass do?", "A compass shows which way is north."),
    ("Name three primary colors.", "Three primary colors are red, yellow and blue."),
    ("Why is the sky blue?", "The sky is blue because air scatters blue light more than other colors."),
    ("What is the opposite of hot?", "The opposite of hot is cold."),
)


def voice_rows() -> list[dict[str, str]]:
    """The demo's answers; the last ten are kept back."""
    return [json.loads(line) for line in (ROOT / "bot" / "demo" / "puffin.jsonl").read_text().splitlines()]


def score(client: OpenAI, model: str, pairs: list[tuple[str, str]]) -> float:
    """Mean log-probability per token of the answers, in nats, as the served model finds them."""
    means: list[float] = []
    for question, answer in pairs:
        # The base's own chat template (ChatML).
        before = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        done = client.completions.create(
            model=model,
            prompt=before + answer,
            max_tokens=0,
            echo=True,
            logprobs=1,
            extra_body={"score_from": len(before)},
        )
        found = done.choices[0].logprobs
        assert found is not None
        means.append(statistics.fmean(value for value in found.token_logprobs or [] if value is not None))
    return statistics.fmean(means)


def trained(client: OpenAI, name: str, extra: dict[str, float], epochs: int) -> str:
    """A job on all but the kept rows; its model."""
    lines = [
        {"messages": [{"role": "user", "content": r["question"]}, {"role": "assistant", "content": r["answer"]}]}
        for r in voice_rows()[:-10]
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("rows.jsonl", content), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model=DEFAULT_BASE,
        training_file=file.id,
        seed=7,
        hyperparameters={"n_epochs": epochs},
        suffix=name.split(" ", maxsplit=1)[0],
        extra_body=extra,
    )
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(1)
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.fine_tuned_model is None:
        raise RuntimeError(f"{name}: {job.status} {job.error}")
    return job.fine_tuned_model


def measure(epochs: int) -> tuple[list[dict[str, Any]], list[Promise]]:
    """Score the base and each variant."""
    kept_back = [(row["question"], row["answer"]) for row in voice_rows()[-10:]]
    general = list(GENERAL)
    with (
        tempfile.TemporaryDirectory(prefix="tuner forgetting ") as name,
        serving(Path(name) / "home") as running,
        OpenAI(base_url=running.base_url, api_key="none", timeout=300) as client,
    ):
        found = {"base": (score(client, DEFAULT_BASE, kept_back), score(client, DEFAULT_BASE, general))}
        for variant, extra in VARIANTS.items():
            model = trained(client, variant, extra, epochs)
            found[variant] = (score(client, model, kept_back), score(client, model, general))
            print(f"  {variant}: voice {found[variant][0]:.3f}, general {found[variant][1]:.3f}", flush=True)
    base_voice, base_general = found["base"]
    rows: list[dict[str, Any]] = [
        {
            "trained": variant,
            "voice, nats/token": round(voice, 3),
            "learned": round(voice - base_voice, 3),
            "general, nats/token": round(kept, 3),
            "kept": round(kept - base_general, 3),
        }
        for variant, (voice, kept) in found.items()
    ]
    plain_voice, plain_general = found["plain"]
    promises = [Promise("plain training learns the voice, nats", round(plain_voice - base_voice, 3), 0.3, "higher")]
    for variant in list(VARIANTS)[1:]:
        voice, kept = found[variant]
        promises.append(
            Promise(f"{variant} keeps more than plain, nats", round(kept - plain_general, 3), 0.0, "higher")
        )
        learned = (voice - base_voice) / (plain_voice - base_voice)
        promises.append(Promise(f"{variant} learns, share of plain", round(learned, 2), 0.7, "higher"))
    return rows, promises


def main() -> None:
    """Train, score, print, exit."""
    chosen = arguments(__doc__ or "").parse_args()
    rows, promises = measure(1 if chosen.quick else 4)
    finish("tuner_forgetting", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
