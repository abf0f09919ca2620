"""Training: what a run would do, its start, its progress and curve, and what it proved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from bot.console.visit import Here, Visit
from bot.flags import name_in
from bot.moderation import cancel_run, pause_run, resume_run, start_retrain
from bot.readings import named
from bot.reporting import left_to_judge
from bot.watching import tokens_told
from curation import requesting
from curation.report.curve import curve, of_job
from curation.search import plan_of
from storage.records import Evaluation, Model, Purpose, Run, RunEvent, RunState, Suite

RUNS_SHOWN = 20
EVENTS_SHOWN = 200  # newest

_DATASET = ("Dataset", frozenset({RunState.REQUESTED}))
_TRAINING = frozenset({RunState.FROZEN, RunState.SUBMITTED, RunState.TRAINING})
_COMPARING = ("Comparing", frozenset({RunState.SERVABLE}))
STAGES = {
    Purpose.RETRAIN: (
        _DATASET,
        ("Training", _TRAINING),
        _COMPARING,
        ("Deciding", frozenset({RunState.EVALUATED, RunState.CANARY})),
    ),
    Purpose.SEARCH: (_DATASET, ("Trials", _TRAINING)),
    Purpose.DRILL: (_DATASET, ("Training", _TRAINING), _COMPARING),
}

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownRun:
    """A run in the list: who asked for it, and the model that came of it."""

    run: Run
    by: str
    model: Model | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the stage (an index into its STAGES; their number when all are done) and what can be counted in it."""

    stage: int
    done: int
    total: int  # 0 while nothing can be counted
    seconds_left: float | None
    what: str  # what is counted


@router.get("/training")
async def overview(visit: Here) -> Response:
    """What a run would do now, and the runs so far."""
    visit.require_team("training")
    preview = await requesting.preview(visit.console.workshop, await visit.voice())
    return await visit.page("training.html", preview=preview, tokens=tokens_told(preview), runs=await _runs(visit))


@router.post("/training")
async def start(visit: Here) -> Response:
    """Start a run, or join the open one."""
    outcome = await start_retrain(visit.console.workshop, visit.actor, await visit.voice())
    return visit.go(f"/training/{outcome.record.id}", outcome.said)


async def _runs(visit: Visit) -> list[ShownRun]:
    voice_id = visit.console.voice_id
    runs = await visit.store.runs.recent(voice_id, RUNS_SHOWN, Purpose)
    people = await visit.store.people.actors(run.requested_by for run in runs)
    models = {model.run_id: model for model in await visit.store.models.list(voice_id)}
    return [ShownRun(run, name_in(people, run.requested_by), models.get(run.id)) for run in runs]


# ---------------------------------------------------------------- one run


async def _named(visit: Visit, run: Run) -> tuple[Run, list[tuple[int, RunEvent]]]:
    """A run and its events, corrections called by their questions and moderators."""
    events = [
        (seq, replace(event, text=await named(visit.store, event.text)))
        for seq, event in await visit.store.runs.events(run.id)
    ]
    return replace(run, end_reason=await named(visit.store, run.end_reason)), events


@router.get("/training/{run_id}")
async def one_run(run_id: str, visit: Here) -> Response:
    """Where the run stands, its curve, and at the end what it proved."""
    visit.require_team("training")
    run, events = await _named(visit, await visit.store.runs.get(run_id))
    models = await visit.store.models.list(visit.console.voice_id)
    people = await visit.store.people.actors([run.requested_by])
    by = name_in(people, run.requested_by)
    if run.purpose is Purpose.SEARCH:
        values = _progress_values(run, events)
        return await visit.page("search_run.html", **values, by=by, plan=plan_of(run))
    evaluation = await visit.store.runs.evaluation(run.id)
    if evaluation is not None:
        evaluation = replace(evaluation, reason=await named(visit.store, evaluation.reason))
    return await visit.page(
        "run.html",
        **_progress_values(run, events),
        by=by,
        curve=curve(events),
        model=next((model for model in models if model.run_id == run.id), None),
        verdict=_verdict(evaluation, models) if evaluation is not None else None,
        left=await left_to_judge(visit.store, visit.actor, evaluation) if evaluation is not None else 0,
        dataset=await visit.store.datasets.get(run.dataset_version_id) if run.dataset_version_id else None,
    )


@router.get("/training/{run_id}/progress")
async def run_progress(run_id: str, visit: Here, seen: int = 0, state: str = "") -> Response:
    """The run's moving part; 204 while nothing moved, and the whole page again once it is over."""
    visit.require_team("training")
    run, events = await _named(visit, await visit.store.runs.get(run_id))
    if not run.is_open:
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    values = _progress_values(run, events)
    if values["seen"] == seen and run.state == state:
        return Response(status_code=204)
    return visit.fragment("_progress.html", **values)


@router.get("/training/{run_id}/numbers")
async def run_numbers(run_id: str, visit: Here) -> Response:
    """The loss curve: `{"is_open", "steps": […], "train_loss": [… or null], "valid_loss": [… or null]}`."""
    visit.require_team("training")
    run = await visit.store.runs.get(run_id)
    return JSONResponse({"is_open": run.is_open, **curve(await visit.store.runs.events(run.id))})


@router.post("/training/{run_id}/pause")
async def pause(run_id: str, visit: Here) -> Response:
    """Let the run stand still."""
    outcome = await pause_run(visit.store, visit.actor, run_id, now=visit.console.now())
    return visit.go(f"/training/{outcome.record.id}", outcome.said)


@router.post("/training/{run_id}/resume")
async def resume(run_id: str, visit: Here) -> Response:
    """Let the run go on."""
    outcome = await resume_run(visit.store, visit.actor, run_id, now=visit.console.now())
    return visit.go(f"/training/{outcome.record.id}", outcome.said)


@router.post("/training/{run_id}/cancel")
async def cancel(run_id: str, visit: Here) -> Response:
    """Ask for the run to be stopped."""
    outcome = await cancel_run(visit.store, visit.actor, run_id, now=visit.console.now())
    return visit.go(f"/training/{outcome.record.id}", outcome.said)


def _progress_values(run: Run, events: Sequence[tuple[int, RunEvent]]) -> dict[str, Any]:
    """What the moving part shows. Its list leaves the single steps to the curve."""
    told = [event for _, event in events if event.level != "info" or "step" not in event.numbers]
    return {
        "run": run,
        "progress": progress(run, [event for _, event in events]),
        "stages": [name for name, _ in STAGES[run.purpose]],
        "events": told[: -EVENTS_SHOWN - 1 : -1],
        "seen": events[-1][0] if events else 0,
    }


def progress(run: Run, events: Sequence[RunEvent]) -> Progress:
    """How far the run is or came, from its state and the newest event that counts something of that stage."""
    if run.state is RunState.SERVABLE:
        return Progress(_stage(run), *_newest(events, "evaluated", "to_evaluate"), "held-out questions")
    if run.purpose is Purpose.SEARCH:
        plan = plan_of(run)
        return Progress(_stage(run), len(plan.tried), len(plan.trials), None, "trials")
    done, total, left = _newest(of_job(events, run.step), "step", "total_steps")
    what = "steps" if run.steps == 1 else "updates of the weights"  # which would be steps within a step
    return Progress(_stage(run), done, total, left if run.state is RunState.TRAINING else None, what)


def _stage(run: Run) -> int:
    """The stage the run is in; for one that is over, the stage it came to."""
    if run.is_open:
        return next(index for index, (_, states) in enumerate(STAGES[run.purpose]) if run.state in states)
    if run.state is RunState.DONE:
        return len(STAGES[run.purpose])
    if run.dataset_version_id is None:
        return 0
    if run.candidate_name is None:
        return 1
    return len(STAGES[run.purpose]) if run.state in (RunState.PROMOTED, RunState.STOPPED) else 2


def _newest(events: Sequence[RunEvent], done: str, total: str) -> tuple[int, int, float | None]:
    for event in reversed(events):
        if done in event.numbers and total in event.numbers:
            return int(event.numbers[done]), int(event.numbers[total]), event.numbers.get("seconds_left")
    return 0, 0, None


def _verdict(evaluation: Evaluation, models: Sequence[Model]) -> dict[str, Any]:
    """An evaluation in the words and numbers a page shows, with model numbers for names."""
    numbers = {model.name: model.number for model in models}
    samples = [sample for sample in evaluation.samples if sample.suite is Suite.TARGET]
    return {
        "evaluation": evaluation,
        "target": samples,
        "incumbent": numbers.get(evaluation.incumbent_name),
        "candidate": numbers.get(evaluation.candidate_name),
        "incumbent_score": fmean(sample.incumbent_score for sample in samples) if samples else 0.0,
        "candidate_score": fmean(sample.candidate_score for sample in samples) if samples else 0.0,
        "better": sum(sample.candidate_score > sample.incumbent_score for sample in samples),
        "worse": sum(sample.candidate_score < sample.incumbent_score for sample in samples),
    }
