"""Which model serves: append one deployment row if the current one is still the one we saw. Works with every vendor down."""

from datetime import datetime

from storage.errors import DeploymentMoved
from storage.records import PROGRAM_ACTOR_ID, Actor, Deployment, Model, Run, RunState, Voice
from storage.store import Store


class NothingToRollBackTo(Exception):
    """The serving model is the first that ever served, or the one named never served; the message says which could."""


class NothingToRelease(Exception):
    """No model waits for somebody's word, or none was given; the message says what would have to be."""


RUNS_LOOKED_AT = 100  # newest first, for one whose model waits


def model_before(current: Deployment, history: list[Deployment]) -> Model | None:
    """The model that served just before the current one first came; None when the current one was the first.

    `history` is every deployment of the voice, newest first. Rolling back twice therefore goes back two models, and never
    forward again.
    """
    oldest_first = sorted(history, key=lambda deployment: deployment.seq)
    before: Model | None = None
    for deployment in oldest_first:
        if deployment.model.id == current.model.id:
            return before
        before = deployment.model
    return before


async def roll_back(
    store: Store, voice_id: str, *, by: Actor, why: str, at: datetime, to_number: int | None = None
) -> Deployment:
    """Serve an earlier model again: the one before, or model `to_number` if it has served before.

    During a canary, the model before is the one that serves beside it: the canary ends, and nothing else changes.
    Raises NothingToRollBackTo. When somebody else changed the deployment meanwhile, it looks again and decides anew.
    """
    while True:
        current = await store.models.current(voice_id)
        history = await store.models.deployments(voice_id, limit=10_000)
        if current.canary is not None and to_number in (None, current.model.number):
            target = current.model
        elif to_number is None:
            target = model_before(current, history)
        else:
            target = next(
                (d.model for d in history if d.model.number == to_number and d.model.id != current.model.id), None
            )
        if target is None:
            raise NothingToRollBackTo(_refusal(current, history, to_number))
        try:
            return await store.models.roll_back(voice_id, current.seq, target.id, by=by.id, why=why, at=at)
        except DeploymentMoved:
            continue


async def release_anyway(
    store: Store, voice: Voice, *, by: Actor, why: str, at: datetime, run_id: str = ""
) -> Deployment:
    """Let a candidate serve everything whatever its verdict, or end its canary early: the newest run's, or `run_id`'s.

    Raises NothingToRelease where there is none, it was not compared, or its base is another than the voice's.
    """
    while True:
        run = await _waiting(store, voice, run_id)
        if run.base_model != voice.base_model:
            raise NothingToRelease(
                f"The model of that run is of the base {run.base_model}, and {voice.base_model} is served now. Train anew."
            )
        current = await store.models.current(voice.id)
        try:
            deployment = await store.releases.overrule(run.id, current.seq, by=by.id, why=why, at=at)
        except DeploymentMoved:
            continue
        if deployment is not None:
            return deployment


async def _waiting(store: Store, voice: Voice, run_id: str) -> Run:
    """The run whose model waits for somebody's word."""
    recent = await store.runs.recent(voice.id, RUNS_LOOKED_AT)
    compared = [run for run in recent if run.candidate_name is not None and run.state is not RunState.SERVABLE]
    found = next((run for run in compared if run_id in ("", run.id)), None)
    if found is None:
        raise NothingToRelease(
            f"Run {run_id} made no model that was compared."
            if run_id
            else "No model was compared yet. Train one first."
        )
    match found.state:
        case RunState.PROMOTED:
            raise NothingToRelease("The newest model was promoted already; rollback serves another one.")
        case RunState.STOPPED | RunState.CANARY | RunState.EVALUATED:
            return found
        case state:
            raise NothingToRelease(f"That run is {state}, so its model cannot be released.")


async def follow_base(store: Store, voice: Voice, *, at: datetime) -> Deployment | None:
    """Where only the voice's base can be served: leave a model of another base for the last that served of this one.

    None when the live model already is of this base. A base that never served begins untuned.
    """
    while True:
        current = await store.models.current(voice.id)
        if current.model.base_model == voice.base_model:
            return None
        history = await store.models.deployments(voice.id, limit=10_000)
        target = next((d.model for d in history if d.model.base_model == voice.base_model), None)
        if target is None:
            target = await store.models.by_name(voice.id, voice.base_model)
        why = f"The base model changed from {current.model.base_model} to {voice.base_model}; one base is served at a time."
        try:
            return await store.models.roll_back(voice.id, current.seq, target.id, by=PROGRAM_ACTOR_ID, why=why, at=at)
        except DeploymentMoved:
            continue


def _refusal(current: Deployment, history: list[Deployment], to_number: int | None) -> str:
    if to_number == current.model.number:
        return f"Model {to_number} is the one that serves now."
    served = sorted({d.model.number for d in history} - {current.model.number})
    others = ", ".join(f"model {number}" for number in served) or "none but the one that serves now"
    if to_number is None:
        return f"Model {current.model.number} was the first to serve, so there is nothing before it to go back to."
    return f"Model {to_number} has never served, so it cannot be gone back to. Models that have: {others}."
