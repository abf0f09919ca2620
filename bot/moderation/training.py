"""Training runs, and which model serves."""

from datetime import datetime

from bot.moderation.rights import Outcome, require
from bot.text import clean_note
from curation import promotion, requesting, searching
from curation.search import Caps
from curation.workshop import Workshop
from storage.records import (
    Actor,
    Deployment,
    Right,
    Run,
    RunState,
    Voice,
)
from storage.store import Store


async def start_retrain(workshop: Workshop, actor: Actor, voice: Voice) -> Outcome[Run]:
    """Start a run, or join the open one. Raises NotAllowed, TooFewExamples, NothingNew, BaseDies, RecipeUnfit."""
    require(actor, Right.ADMIN, "start a training run")
    run, started = await requesting.request(workshop, voice, by=actor.id)
    if started:
        return Outcome(run, "Training run started.")
    return Outcome(run, f"A training run is already open ({run.state}); following that one.")


async def start_search(workshop: Workshop, actor: Actor, voice: Voice, caps: Caps) -> Outcome[Run]:
    """Start a search for settings, or join the open one. Raises NotAllowed, TooFewExamples, SearchRefused, BaseDies."""
    require(actor, Right.ADMIN, "search for settings")
    run, started = await searching.request_search(workshop, voice, caps, by=actor.id)
    if started:
        return Outcome(run, "Search started. It changes nothing; it says which settings did best.")
    return Outcome(run, "A search is already open; following that one.")


async def cancel_run(store: Store, actor: Actor, run_id: str, *, now: datetime) -> Outcome[Run]:
    """Ask for a run to be stopped; the worker cancels the vendor's job and closes the run."""
    require(actor, Right.ADMIN, "cancel a training run")
    run = await store.runs.get(run_id)
    if not run.is_open:
        return Outcome(run, f"That run is already over: {run.state}.")
    run = await store.runs.request_cancel(run_id, by=actor.id, at=now)
    return Outcome(run, "Cancelling. The training job is stopped at the provider first.")


async def pause_run(store: Store, actor: Actor, run_id: str, *, now: datetime) -> Outcome[Run]:
    """Let a run stand still where it is, until it is resumed; nothing more is paid for meanwhile."""
    require(actor, Right.ADMIN, "pause a training run")
    run = await store.runs.get(run_id)
    if not run.is_open:
        return Outcome(run, f"That run is already over: {run.state}.")
    if run.is_paused:
        return Outcome(run, "That run is already paused.")
    if run.state is RunState.CANARY:
        return Outcome(
            run, "Its model is on trial with customers and has to be watched, so it cannot be paused; cancel ends it."
        )
    run = await store.runs.pause(run_id, by=actor.id, why="", at=now)
    if not run.is_paused:
        return Outcome(run, "That run cannot be paused any more.")
    return Outcome(
        run, "Paused. A training job that is under way goes on at the provider; nothing follows until you resume."
    )


async def resume_run(store: Store, actor: Actor, run_id: str, *, now: datetime) -> Outcome[Run]:
    """Let a paused run go on from where it stood."""
    require(actor, Right.ADMIN, "resume a training run")
    run = await store.runs.get(run_id)
    if not run.is_open:
        return Outcome(run, f"That run is already over: {run.state}.")
    if not run.is_paused:
        return Outcome(run, "That run is not paused.")
    run = await store.runs.resume(run_id, by=actor.id, at=now)
    return Outcome(run, "Resumed. It goes on from where it stood.")


async def roll_back(
    store: Store, actor: Actor, voice: Voice, *, why: str = "", to_number: int | None = None, now: datetime
) -> Outcome[Deployment]:
    """Serve an earlier model again. Raises NotAllowed and promotion.NothingToRollBackTo."""
    require(actor, Right.ADMIN, "roll back")
    why = clean_note(why) or f"Rolled back by {actor.name}."
    deployment = await promotion.roll_back(store, voice.id, by=actor, why=why, at=now, to_number=to_number)
    return Outcome(deployment, f"Model {deployment.model.number} serves now.")
