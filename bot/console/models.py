"""The models: which one serves, since when, by whom and why; and the way back, which asks no provider anything."""

from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here
from bot.flags import name_in
from bot.moderation import require, roll_back
from curation.fixes import shape, trained_for_another
from curation.promotion import NothingToRollBackTo, model_before
from storage.records import Model, Right

DEPLOYMENTS_SHOWN = 100
ALARMS_SHOWN_FOR = timedelta(days=60)

router = APIRouter()


@router.get("/models")
async def overview(visit: Here) -> Response:
    """What serves, every model, and every change of what serves."""
    visit.require_team("the models")
    store, voice_id = visit.store, visit.console.voice_id
    current = await store.models.current(voice_id)
    deployments = await store.models.deployments(voice_id, DEPLOYMENTS_SHOWN)
    people = await store.people.actors(deployment.by for deployment in deployments)
    return await visit.page(
        "models.html",
        current=current,
        by=name_in(people, current.by),
        models=(await store.models.list(voice_id))[::-1],
        has_served={deployment.model.id for deployment in deployments},
        before=model_before(current, deployments),
        deployments=[(deployment, name_in(people, deployment.by)) for deployment in deployments],
        elsewhere=_trained_for_another(visit, await store.models.list(voice_id)),
        alarms=(await store.alarms.since(voice_id, visit.console.now() - ALARMS_SHOWN_FOR))[::-1],
    )


def _trained_for_another(visit: Here, models: Sequence[Model]) -> dict[str, str]:
    """Of the models that were trained on other prompts than are served here: by id, what differs."""
    if (recall := visit.console.desk.recall) is None:
        return {}
    told = {model.id: trained_for_another(model.shape, shape(recall.finder)) for model in models}
    return {id: said for id, said in told.items() if said}


@router.get("/models/roll-back")
async def confirm_roll_back(visit: Here, to: int | None = None) -> Response:
    """Ask before it is done. Without `to`: the model before."""
    require(visit.actor, Right.ADMIN, "roll back")
    store, voice_id = visit.store, visit.console.voice_id
    current = await store.models.current(voice_id)
    history = await store.models.deployments(voice_id, 10_000)
    if current.canary is not None and to is None:
        target = current.model
    elif to is None:
        target = model_before(current, history)
    else:
        target = next((d.model for d in history if d.model.number == to and d.model.id != current.model.id), None)
    if target is None:
        asked = "There is no model before it" if to is None else f"Model {to} cannot be gone back to"
        raise NothingToRollBackTo(
            f"{asked}: model {current.model.number} serves, and only a model that served can again."
        )
    return await visit.page("roll_back.html", current=current, target=target)


@router.post("/models/roll-back")
async def serve_earlier(visit: Here) -> Response:
    """Serve the earlier model again, from now on."""
    to = visit.text("to")
    outcome = await roll_back(
        visit.store,
        visit.actor,
        await visit.voice(),
        why=visit.text("why"),
        to_number=int(to) if to.isdecimal() else None,
        now=visit.console.now(),
    )
    return visit.go("/models", outcome.said)
