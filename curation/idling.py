"""Models that nobody will ask again are taken down where being up costs money. Only ours, and never one that may be needed.

Needed are: what serves and its canary, the model to roll back to, what an open run works on, and for a day what a run that
ended had made, since an admin may still release it. What the vendor lists beyond our own names is left alone.
"""

import logging
from datetime import datetime, timedelta

from curation.promotion import model_before
from curation.serving import host_of, served_name
from curation.workshop import PROGRAM, Workshop
from providers.base import ProviderError
from storage.records import Alarm, Model, Voice

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
RELEASABLE_FOR = timedelta(days=1)
RUNS_LOOKED_AT = 50  # per voice; an older one's deployment was taken down long since


class Idle:
    """Looks once an hour, where a model that is up bills by the hour."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._look_at = workshop.now()

    async def look(self) -> None:
        """Take down what is not needed, and tell. Raises DatabaseUnavailable; a vendor's refusal is logged and tried again."""
        now = self._workshop.now()
        if now < self._look_at or not host_of(self._workshop).bills_idle:
            return
        self._look_at = now + EVERY
        try:
            await take_down_idle(self._workshop)
        except ProviderError as error:
            log.warning("models that idle could not be taken down: %s", error)


async def take_down_idle(workshop: Workshop) -> list[str]:
    """Take down every model of ours that is up and not needed; their names. Raises ProviderError."""
    store, host = workshop.store, host_of(workshop)
    voices = await store.voices.all()
    models = {model.name: (voice, model) for voice in voices for model in await store.models.list(voice.id)}
    needed: set[str] = set()
    ours: dict[str, Voice] = {name: voice for name, (voice, _) in models.items()}
    for voice in voices:
        needed |= await _needed(workshop, voice, workshop.now())
        ours |= dict.fromkeys(await _half_deployed(workshop, voice), voice)
    taken: list[str] = []
    for name in sorted((await host.served()) & ours.keys() - needed):
        await host.take_down(name)
        await _tell(workshop, ours[name], name, models[name][1] if name in models else None)
        taken.append(name)
    return taken


async def _needed(workshop: Workshop, voice: Voice, now: datetime) -> set[str]:
    """Names that may be asked: they serve, could be rolled back to, or belong to a run that is not settled."""
    store = workshop.store
    current = await store.models.current(voice.id)
    before = model_before(current, await store.models.deployments(voice.id, limit=10_000))
    kept = {model.name for model in (current.model, current.canary, before) if model is not None}
    for run in await store.runs.recent(voice.id, limit=RUNS_LOOKED_AT):
        if run.is_open or run.updated_at > now - RELEASABLE_FOR:
            kept |= {await served_name(workshop, run), *filter(None, [run.candidate_name])}
    return kept


async def _half_deployed(workshop: Workshop, voice: Voice) -> set[str]:
    """Names that runs asked to have deployed and ended before they could be asked."""
    recent = await workshop.store.runs.recent(voice.id, limit=RUNS_LOOKED_AT)
    return {await served_name(workshop, run) for run in recent if run.candidate_name is None}


async def _tell(workshop: Workshop, voice: Voice, name: str, model: Model | None) -> None:
    at = workshop.now()
    what = f"Model {model.number} ({name})" if model is not None else f"{name}, which a run left behind,"
    text = (
        f"{what} was taken down at {workshop.tariff.vendor or 'the vendor'}: it is not needed to serve or to roll back to, "
        "and being up costs money. Its weights are still there; to serve it again it has to be deployed again."
    )
    await workshop.store.audit.append(PROGRAM, "take_down", name if model is None else model.id, {"name": name}, at=at)
    await workshop.store.alarms.raise_(Alarm(f"taken-down/{name}/{at.isoformat()}", voice.id, at, text))
