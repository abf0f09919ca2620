"""A training run as a terminal shows it: the preview before, the progress while it lasts, the verdict after."""

import asyncio
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bot.text import excerpt
from bot.wording import step_of
from curation.requesting import Preview
from curation.searching import TRIAL_KEY
from storage.records import Evaluation, Run, RunEvent, RunState
from storage.store import Store

LOOK_S = 0.5  # between two looks at the run's rows
WORDS = {
    RunState.REQUESTED: "waiting for the worker",
    RunState.FROZEN: "dataset frozen",
    RunState.SUBMITTED: "job submitted",
    RunState.TRAINING: "training",
    RunState.SERVABLE: "comparing with the serving model",
    RunState.EVALUATED: "deciding",
    RunState.CANARY: "a canary on a share of the conversations",
    RunState.PROMOTED: "promoted",
    RunState.STOPPED: "stopped",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
    RunState.DONE: "done",
}


def minutes(seconds: float | None) -> str:
    """How long a run should take, in words."""
    if seconds is None:
        return "not known until a first run has been measured here"
    if seconds < 90:
        return f"about {seconds:.0f} seconds, from the last run here"
    return f"about {seconds / 60:.0f} minutes, from the last run here"


def tokens_told(shown: Preview) -> str:
    """What a pass reads: "4,120 per pass", or of two jobs "in two jobs: 4,120 per pass by sft, then 9,310 by dpo"."""
    match shown.passes:
        case (first, second):
            pass
        case (only,):
            return f"{only.tokens:,} per pass"
        case _:
            return f"{shown.train_tokens:,} per pass"
    return f"in two jobs: {first.tokens:,} per pass by {first.method}, then {second.tokens:,} by {second.method}"


def show_preview(shown: Preview, terminal: Console) -> None:
    """Print what a run would do."""
    table = Table.grid(padding=(0, 2))
    table.add_row("to train on", f"{shown.train} examples, {shown.new} corrections new to the serving model")
    if not shown.refusal:
        table.add_row("kept back", f"{shown.held_out} examples to judge by")
        table.add_row("tokens", f"{tokens_told(shown)} (counted by {shown.tokens_counted_by})")
        table.add_row("time", minutes(shown.expected_seconds))
        table.add_row("cost", Text(shown.cost))
    for reason, count in shown.left_out.items():
        table.add_row("left out", f"{count}: {reason}")
    table.add_row("waiting", f"{shown.waiting} for approval")
    terminal.print(table)
    if shown.refusal:
        terminal.print(shown.refusal, markup=False)
    if shown.instead:
        terminal.print(shown.instead, markup=False)


async def follow_run(store: Store, run_id: str, terminal: Console) -> Run:
    """Show a run until it is over or its canary begins, which may last days; then its verdict; return it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns, console=terminal) as progress:
        task = progress.add_task("", total=None, said="")
        seen = 0
        while True:
            run = await store.runs.get(run_id)
            for number, event in await store.runs.events(run_id, after=seen):
                seen = number
                if event.level != "info" or event.key.startswith(TRIAL_KEY):
                    progress.console.print(event.text, markup=False)
                if (bar := _bar(event)) is not None:
                    progress.update(task, completed=bar.completed, total=bar.total, said=bar.said)
            said = f"{WORDS[run.state]}{step_of(run)}"
            progress.update(task, description=f"{said}, paused" if run.is_paused else said)
            if not run.is_open or run.state is RunState.CANARY:
                break
            await asyncio.sleep(LOOK_S)
    evaluation = await store.runs.evaluation(run_id)
    if evaluation is not None:
        show_evaluation(evaluation, terminal)
    left = "`finetone runs` and the console tell how it does." if run.state is RunState.CANARY else run.end_reason
    terminal.print(f"{WORDS[run.state].capitalize()}. {left}", markup=False)
    return run


@dataclass(frozen=True, slots=True)
class _Bar:
    completed: float
    total: float
    said: str


def _bar(event: RunEvent) -> _Bar | None:
    """Where an event puts the bar: training steps first, then questions compared; None when it moves nothing."""
    numbers = event.numbers
    if "to_evaluate" in numbers:
        return _Bar(numbers["evaluated"], numbers["to_evaluate"], "")
    if "total_steps" in numbers and "step" in numbers:
        trial = f"trial {numbers['trial']:.0f}" if "trial" in numbers else ""
        loss = f"loss {numbers['train_loss']:.2f}" if "train_loss" in numbers else ""
        return _Bar(numbers["step"], numbers["total_steps"], ", ".join(filter(None, (trial, loss))))
    return None


def show_evaluation(evaluation: Evaluation, terminal: Console) -> None:
    """Print both answers to the held-out questions with their scores, and the verdict."""
    table = Table("held-out question", "serving model", "", "new model", "", box=None, padding=(0, 1))
    for s in evaluation.samples[:5]:
        table.add_row(
            excerpt(s.question, 36),
            excerpt(s.incumbent_text, 48),
            f"{s.incumbent_score:.2f}",
            excerpt(s.candidate_text, 48),
            f"{s.candidate_score:.2f}",
        )
    terminal.print(table)
    terminal.print(evaluation.reason, markup=False)
