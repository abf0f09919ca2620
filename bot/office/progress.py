"""Where a training run stands, in lines."""

from collections.abc import Sequence

from bot.office.telling import Line
from bot.text import excerpt
from bot.wording import counted
from storage.records import Run, RunEvent, RunState
from storage.store import Store

REASON_LIMIT = 600
WARNING_LIMIT = 300
WARNINGS_SHOWN = 3
CANARY_KEY = "canary"  # how the keys of a canary's events begin


async def progress_of(store: Store, run: Run) -> tuple[list[Line], float | None]:
    """What can be said about a run, and how far it is (0 to 1; None where that cannot be counted)."""
    events = [event for _, event in await store.runs.events(run.id)]
    sentences = [*await _paused(store, run), *_from(events)]
    evaluation = await store.runs.evaluation(run.id)
    if evaluation is not None:
        sentences.append(excerpt(evaluation.reason, REASON_LIMIT))
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
    losses = [event.numbers["train_loss"] for event in events if "train_loss" in event.numbers]
    said = [f"Loss {losses[0]:.2f} → {losses[-1]:.2f} over {counted(len(losses), 'step')}"] if losses else []
    warnings = [f"⚠ {excerpt(event.text, WARNING_LIMIT)}" for event in events if event.level != "info"]
    return said + warnings[-WARNINGS_SHOWN:]


def _share(events: Sequence[RunEvent]) -> float | None:
    for event in reversed(events):
        numbers = event.numbers
        if numbers.get("to_evaluate"):
            return numbers["evaluated"] / numbers["to_evaluate"]
        if numbers.get("total_steps") and "step" in numbers:
            return numbers["step"] / numbers["total_steps"]
    return None
