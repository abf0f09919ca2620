"""Where a training run stands, in lines."""

from collections.abc import Sequence
from dataclasses import replace

from bot.office.telling import Line
from bot.readings import named
from bot.text import excerpt
from bot.wording import counted
from curation.report.curve import job_of, of_job
from curation.search import plan_of
from curation.searching import share_done
from storage.records import Purpose, Run, RunEvent, RunState
from storage.store import Store

REASON_LIMIT = 600
WARNING_LIMIT = 300
WARNINGS_SHOWN = 3
CANARY_KEY = "canary"  # how the keys of a canary's events begin


async def progress_of(store: Store, run: Run) -> tuple[list[Line], float | None]:
    """What can be said about a run, and how far it is (0 to 1; None where that cannot be counted)."""
    events = [event for _, event in await store.runs.events(run.id)]
    events = [replace(event, text=await named(store, event.text)) for event in events]
    run = replace(run, end_reason=await named(store, run.end_reason))
    if run.purpose is Purpose.SEARCH:
        said = [*await _paused(store, run), *_search(run), *_warnings(events)]
        return [Line(sentence) for sentence in said], share_done(run, events)
    sentences = [*await _paused(store, run), *_from(events)]
    evaluation = await store.runs.evaluation(run.id)
    if evaluation is not None:
        sentences.append(excerpt(await named(store, evaluation.reason), REASON_LIMIT))
    if run.state is RunState.PROMOTED:
        [number] = [model.number for model in await store.models.list(run.voice_id) if model.run_id == run.id]
        sentences.append(f"Model {number} has taken over.")
    elif run.state is RunState.CANARY:
        sentences += [event.text for event in events if event.key.startswith(CANARY_KEY)][-1:]
        sentences.append(
            "`/retrain release` with your reason ends the canary early; `/retrain rollback` takes it back."
        )
    elif not run.is_open and run.end_reason and excerpt(run.end_reason, REASON_LIMIT) not in sentences:
        sentences.append(excerpt(run.end_reason, REASON_LIMIT))
    if run.state is RunState.STOPPED and evaluation is not None:
        sentences.append("An admin may let it serve all the same: `/retrain release` with the reason, which is kept.")
    return [Line(sentence) for sentence in sentences], _share(events)


async def _paused(store: Store, run: Run) -> list[str]:
    """Who paused the run, or what the program needs a person for."""
    if not run.is_paused or run.paused_by is None:
        return []
    if run.paused_why:
        return [f"It waits for a person: {excerpt(run.paused_why, REASON_LIMIT)}"]
    people = await store.people.actors([run.paused_by])
    return [f"Paused by {excerpt(people[run.paused_by].name, 80)}. Nothing more is paid for until it is resumed."]


def _from(events: Sequence[RunEvent]) -> list[str]:
    """Loss so far and the warnings."""
    newest = of_job(events, max(map(job_of, events), default=1))
    losses = [event.numbers["train_loss"] for event in newest if "train_loss" in event.numbers]
    said = [f"Loss {losses[0]:.2f} → {losses[-1]:.2f} over {counted(len(losses), 'step')}"] if losses else []
    return said + _warnings(events)


def _warnings(events: Sequence[RunEvent]) -> list[str]:
    return [f"⚠ {excerpt(event.text, WARNING_LIMIT)}" for event in events if event.level != "info"][-WARNINGS_SHOWN:]


def _search(run: Run) -> list[str]:
    """Which trial is under way and which did best so far; in the end, what came of it."""
    if not run.is_open:
        return [excerpt(run.end_reason, REASON_LIMIT)]
    plan = plan_of(run)
    at = min(max(plan.number, 1), len(plan.trials))
    said = [f"Trial {at} of {len(plan.trials)}: {plan.trials[at - 1]}"]
    if plan.tried and (best := plan.best_first[0]).loss is not None:
        said.append(f"Best so far: {best.trial}, validation loss {best.loss:.4f}")
    return said


def _share(events: Sequence[RunEvent]) -> float | None:
    for event in reversed(events):
        numbers = event.numbers
        if numbers.get("to_evaluate"):
            return numbers["evaluated"] / numbers["to_evaluate"]
        if numbers.get("total_steps") and "step" in numbers:
            return numbers["step"] / numbers["total_steps"]
    return None
