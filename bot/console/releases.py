"""An admin's own word for a model: asks before, says what the evidence is, keeps the reason."""

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here
from bot.moderation import release_model, require
from curation.promotion import NothingToRelease
from storage.records import Right

router = APIRouter()


@router.get("/training/{run_id}/release")
async def confirm(run_id: str, visit: Here) -> Response:
    """Ask before it is done, beside the verdict."""
    require(visit.actor, Right.ADMIN, "release a model")
    store, voice_id = visit.store, visit.console.voice_id
    run = await store.runs.get(run_id)
    evaluation = await store.runs.evaluation(run.id)
    model = next((model for model in await store.models.list(voice_id) if model.run_id == run.id), None)
    if model is None or evaluation is None:
        raise NothingToRelease("That run made no model that was compared.")
    current = await store.models.current(voice_id)
    return await visit.page("release.html", run=run, model=model, evaluation=evaluation, current=current)


@router.post("/training/{run_id}/release")
async def release(run_id: str, visit: Here) -> Response:
    """Let the run's model serve everything from now on."""
    voice, why = await visit.voice(), visit.text("why")
    outcome = await release_model(visit.store, visit.actor, voice, why, run_id=run_id, now=visit.console.now())
    return visit.go("/models", outcome.said)
