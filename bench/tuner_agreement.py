"""Does the served adapter say what PEFT says? Greedy answers to fifty prompts, from torch and from the engine.

The default base is served in four bits (Q4_1) and multiplied in eight, while torch computes in float32 on the same
weights; so near-ties may fall the other way. To tell that from a fault of the adapter's conversion, the same adapter is
also served on the same weights as F16. At each first difference the bench tells how sure torch was of its own token.
"""

import asyncio
import json
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI

from bench.report import Promise, arguments, finish
from bench.tuner_process import serving
from tuner.chat import generation
from tuner.engine import EngineSettings, LlamaEngine
from tuner.paths import weights_dir
from tuner.weights import DEFAULT_BASE, Base, prepare
from tuner.wire import ChatRequest

ROOT = Path(__file__).parent.parent
TOKENS = 48  # of each answer


@dataclass(frozen=True)
class Trained:
    """A finished job: its model's name, PEFT's folder and the adapter the engine loads."""

    model: str
    peft_folder: Path
    adapter: Path


def rows() -> list[dict[str, str]]:
    """The demo's questions with their answers."""
    return [json.loads(line) for line in (ROOT / "bot" / "demo" / "puffin.jsonl").read_text().splitlines()]


def questions(n: int) -> list[str]:
    """`n` prompts: half of them trained, half new to the adapter."""
    known = [row["question"] for row in rows()]
    general = (ROOT / "tuner" / "general.jsonl").read_text().splitlines()
    new = [json.loads(line)["messages"][0]["content"] for line in general]
    return [*known[: n // 2], *new[: n - n // 2]]


def trained(client: OpenAI, home: Path) -> Trained:
    """One job on the demo's answers."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": row["question"]},
                {"role": "assistant", "content": row["answer"]},
            ]
        }
        for row in rows()
    ]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    file = client.files.create(file=("rows.jsonl", content), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model=DEFAULT_BASE, training_file=file.id, seed=7, hyperparameters={"n_epochs": 2}
    )
    while job.status not in ("succeeded", "failed", "cancelled"):
        client.fine_tuning.jobs.list_events(job.id, limit=1, timeout=60)
        asyncio.run(asyncio.sleep(1))
        job = client.fine_tuning.jobs.retrieve(job.id)
    if job.status != "succeeded" or job.fine_tuned_model is None:
        raise RuntimeError(f"the job {job.status}: {job.error}")
    folder = home / "jobs" / job.id
    adapter = max(folder.glob("adapter-step-*.gguf"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))
    return Trained(job.fine_tuned_model, folder / "adapter", adapter)


def served(client: OpenAI, model: str, asked: list[str]) -> list[str]:
    """What the server answers."""
    return [
        client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": question}],
            temperature=0,
            max_completion_tokens=TOKENS,
        )
        .choices[0]
        .message.content
        or ""
        for question in asked
    ]


async def served_on_f16(gguf: Path, adapter: Path, asked: list[str], log: Path) -> list[str]:
    """What the same engine answers with the same adapter on the weights as F16."""
    engine = await LlamaEngine.start(EngineSettings(gguf, 1024, 1), (adapter,), log)
    answers: list[str] = []
    try:
        for question in asked:
            messages = [{"role": "user", "content": question}]
            request = ChatRequest.model_validate({"model": "f16", "messages": messages, "temperature": 0.0})
            body = {"messages": messages, **generation(request, [{"id": 0, "scale": 1.0}]), "max_tokens": TOKENS}
            async with engine.post("/v1/chat/completions", body) as reply:
                answers.append((await reply.json())["choices"][0]["message"]["content"])
    finally:
        await engine.stop()
    return answers


class Torch:
    """The base and its adapter as PEFT runs them, in float32."""

    def __init__(self, base: Base, peft_folder: Path) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._torch = torch
        self.tokenizer: Any = AutoTokenizer.from_pretrained(base.training_folder)  # pyright: ignore
        loaded: Any = AutoModelForCausalLM.from_pretrained(base.training_folder, dtype=torch.float32)  # pyright: ignore
        self._model: Any = PeftModel.from_pretrained(loaded, str(peft_folder)).eval()

    def _prompt(self, question: str) -> Any:
        text = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        return self.tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]

    def answer(self, question: str) -> str:
        """Its greedy answer."""
        prompt = self._prompt(question)
        mask = self._torch.ones_like(prompt)
        done = self._model.generate(
            input_ids=prompt,
            attention_mask=mask,
            max_new_tokens=TOKENS,
            do_sample=False,
            pad_token_id=self.tokenizer.eos_token_id,
        )
        return self.tokenizer.decode(done[0, prompt.shape[1] :], skip_special_tokens=True)

    def margin(self, question: str, tokens: list[int]) -> float:
        """After the question and `tokens`: how much likelier its first choice is than its second, in nats."""
        prompt = self._prompt(question)
        row = self._torch.cat([prompt, self._torch.tensor([tokens], dtype=prompt.dtype)], 1)
        with self._torch.no_grad():
            scores = self._model(row).logits[0, -1].log_softmax(-1)
        first, second = scores.topk(2).values.tolist()
        return first - second


def compared(name: str, torch: Torch, asked: list[str], ours: list[str], theirs: list[str]) -> dict[str, Any]:
    """One line of the table: how many answers are the same, and where and how narrowly the others part."""
    same, places, margins, parted = 0, [], [], []
    for question, mine, other in zip(asked, ours, theirs, strict=True):
        if mine.strip() == other.strip():
            same += 1
            continue
        a, b = (torch.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (mine, other))
        place = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        places.append(place)
        margins.append(torch.margin(question, a[:place]))
        parted.append((question, mine, other, margins[-1]))
    for question, mine, other, margin in parted[:3]:
        print(f"  {name}: {question!r} (margin {margin:.3f})\n    torch  {mine!r}\n    served {other!r}")
    return {
        "served": name,
        "same": same,
        "of": len(asked),
        "parted after tokens": round(statistics.median(places), 1) if places else "–",
        "torch's margin there, nats": round(statistics.median(margins), 3) if margins else "–",
        "widest": round(max(margins), 3) if margins else "–",
    }


def measure(n: int) -> tuple[list[dict[str, Any]], list[Promise]]:
    """Train once, ask three ways, compare."""
    from tuner.convert import folder_to_gguf

    base = prepare(DEFAULT_BASE, weights_dir(dict(os.environ)), print)
    asked = questions(n)
    with tempfile.TemporaryDirectory(prefix="tuner agreement ") as name:
        home = Path(name) / "home"
        with (
            serving(home) as running,
            OpenAI(base_url=running.base_url, api_key="none") as client,
        ):
            job = trained(client, home)
            four_bits = served(client, job.model, asked)
        f16 = Path(name) / "f16.gguf"
        folder_to_gguf(Path(base.training_folder), f16, "f16")
        sixteen = asyncio.run(served_on_f16(f16, job.adapter, asked, Path(name) / "engine.log"))
        torch = Torch(base, job.peft_folder)
        ours = [torch.answer(question) for question in asked]
        table = [compared("F16", torch, asked, ours, sixteen), compared("Q4_1", torch, asked, ours, four_bits)]
    exact, coarse = table
    return table, [
        Promise("same greedy answers on F16, share", round(exact["same"] / n, 2), 0.9, "higher"),
        Promise(
            "torch's median margin where F16 parts, nats", _number(exact["torch's margin there, nats"]), 0.1, "lower"
        ),
        Promise(
            "torch's median margin where Q4_1 parts, nats", _number(coarse["torch's margin there, nats"]), 0.7, "lower"
        ),
    ]


def _number(value: Any) -> float:
    return 0.0 if value == "–" else value


def main() -> None:
    """Compare, print, exit."""
    chosen = arguments(__doc__ or "").parse_args()
    table, promises = measure(10 if chosen.quick else 50)
    finish("tuner_agreement", promises, table, chosen.json)


if __name__ == "__main__":
    main()
