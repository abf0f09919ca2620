"""Is a better candidate promoted, and one that was trained on shuffled answers stopped, by the real embedded model?

Two runs in a row, each really trained and really compared. The first learns an invented brand's answers (bench/brands) and is
judged against the base. For the second, one more answer is approved, and on its way to the trainer every answer of the file
is put under another question: voice and words are right, and what is said is not. It is judged against the first.

A version needs about a dozen held-out questions before winning nearly all of them proves anything, so LESSONS is no less.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from bench.learning_brands import corrections, read_brand
from bench.report import Promise, arguments, finish
from bot import moderation
from bot.program import Program, open_program, utc_now
from bot.settings import load_settings
from curation import advancing, requesting
from curation.imports import Answer
from providers.base import Trainer
from storage.records import PROGRAM_ACTOR_ID, CorrectionState, Evaluation, Right, Run, RunState, Suite

STEPS = 2_000  # of a run, most of them looks at a job that trains
POLL_S = 2.0
BRAND = "puffin"
LESSONS = 80  # of them 16 are held out
QUICK_LESSONS = 30


class Shuffled:
    """A trainer that gets every file with its answers under other questions; all else goes through."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trainer, name)

    async def upload(self, name: str, content: bytes) -> str:
        """Upload the file with its answers moved on by half its lines, so that none stays where it was."""
        return await self._trainer.upload(name, shuffled(content))


def shuffled(content: bytes) -> bytes:
    """A training file whose last messages are moved on by half its lines."""
    lines = [json.loads(line) for line in content.splitlines()]
    answers = [line["messages"][-1] for line in lines]
    half = len(answers) // 2
    for line, answer in zip(lines, answers[half:] + answers[:half], strict=True):
        line["messages"][-1] = answer
    return b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)


async def run_through(program: Program, trainer: Trainer) -> tuple[Run, Evaluation]:
    """One run from its request to its end."""
    workshop = replace(program.workshop, trainer=trainer)
    run, _ = await requesting.request(workshop, program.voice, by=PROGRAM_ACTOR_ID)
    for _ in range(STEPS):
        claimed = await program.store.runs.claim(run.id, "bench", now=utc_now(), lease_s=600)
        if claimed is None:
            raise RuntimeError(f"somebody else works on run {run.id}")
        before, run = claimed.state, await advancing.advance(workshop, claimed)
        if not run.is_open:
            break
        if run.state is before:
            await asyncio.sleep(POLL_S)
    evaluation = await program.store.runs.evaluation(run.id)
    if evaluation is None:
        raise RuntimeError(f"the run ended as {run.state} before anything was compared: {run.end_reason}")
    return run, evaluation


async def approve(program: Program, lessons: Sequence[tuple[str, str]], first: int) -> None:
    """Import these answers and approve them."""
    store, at = program.store, utc_now()
    ada = await store.people.ensure_actor("bench", "ada", "Ada", frozenset(Right), at=at)
    answers = [Answer(first + number, question, answer) for number, (question, answer) in enumerate(lessons)]
    await moderation.propose_answers(store, ada, program.voice, "bench", answers, now=at)
    waiting = await store.corrections.list(program.voice.id, [CorrectionState.PROPOSED], limit=1000)
    await moderation.approve_all(store, ada, waiting, team_of_one=True, now=utc_now())


def row_of(what: str, run: Run, evaluation: Evaluation, seconds: float) -> dict[str, Any]:
    """A run's verdict with its numbers."""
    target = [sample for sample in evaluation.samples if sample.suite is Suite.TARGET]
    return {
        "run": what,
        "state": run.state.value,
        "verdict": evaluation.verdict.value,
        "better": sum(sample.candidate_score > sample.incumbent_score for sample in target),
        "worse": sum(sample.candidate_score < sample.incumbent_score for sample in target),
        "held_out": len(target),
        "evidence": {found.rule: round(found.log_evidence, 2) for found in evaluation.evidence},
        "seconds": round(seconds),
        "why": run.end_reason,
    }


async def play(folder: Path, count: int) -> list[dict[str, Any]]:
    """Both runs on so many lessons, in a program of their own."""
    brand = read_brand(BRAND)
    lessons = [(q.text, brand.answer(q.fact, q.item)) for q in corrections(brand, 1, count) if q.fact is not None]
    settings = load_settings(None, data_dir=folder, voice_name=brand.name, voice_prompt=brand.prompt)
    rows: list[dict[str, Any]] = []
    async with open_program(settings, print) as program:
        for what, some, trainer in (
            ("as approved", lessons[:-1], program.workshop.trainer),
            ("shuffled", lessons[-1:], cast(Trainer, Shuffled(program.workshop.trainer))),
        ):
            began = time.monotonic()
            await approve(program, some, first=1 + sum(row["lessons"] for row in rows))
            run, evaluation = await run_through(program, trainer)
            rows.append(row_of(what, run, evaluation, time.monotonic() - began) | {"lessons": len(some)})
            print(rows[-1], flush=True)
        rows[-1]["serves"] = (await program.store.models.current(program.voice.id)).model.number
    return rows


def main() -> None:
    """Play it and say what came of each run."""
    options = arguments(__doc__ or "").parse_args()
    with tempfile.TemporaryDirectory(prefix="finetone shuffled ") as folder:
        first, second = asyncio.run(play(Path(folder), QUICK_LESSONS if options.quick else LESSONS))
    promises = [
        Promise("the better candidate is promoted", float(first["state"] == RunState.PROMOTED), 1, "higher"),
        Promise("the shuffled candidate is stopped", float(second["state"] == RunState.STOPPED), 1, "higher"),
        Promise("the better one still serves", float(second["serves"]), 1, "higher"),
    ]
    finish("shuffled", promises, [first, second], options.json)


if __name__ == "__main__":
    main()
