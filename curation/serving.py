"""From trained to servable: the model is deployed where the vendor needs it, and the run moves on only when it answers."""

import re

from curation.step import MEASURED, end, promised, tell
from curation.workshop import Workshop
from providers.base import Host, JobStatus, Serving, ServingState
from providers.hosting import AtOnce
from storage.records import Run, RunState


async def become_servable(workshop: Workshop, run: Run, job: JobStatus) -> Run:
    """Have the succeeded job's model served, and move on once it can be asked. Raises ProviderError."""
    serving = await host_of(workshop).serve(job, run.base_model, await served_name(workshop, run))
    match serving.state:
        case ServingState.FAILED:
            return await end(workshop, run, RunState.FAILED, serving.said)
        case ServingState.STARTING:
            await tell(workshop, run, "trained", serving.said)
            return run
        case ServingState.BY_HAND:
            await tell(workshop, run, "by-hand", serving.said, "warn")
            return run
        case ServingState.READY:
            return await _answers(workshop, run, job, serving)


async def _answers(workshop: Workshop, run: Run, job: JobStatus, serving: Serving) -> Run:
    """The model can be asked: give it its number, and keep what the job took."""
    store, at = workshop.store, workshop.now()
    name = promised(serving.model_name)
    version = await store.datasets.get(promised(run.dataset_version_id))
    await store.models.ensure_tuned(
        run.voice_id,
        run.id,
        name,
        run.base_model,
        version.id,
        prompt=version.prompt,
        shape=str(version.card["shape"]),
        at=at,
    )
    before = await store.runs.steps(run.id)
    began_at = before[0].began_at if before else job.created_at
    seconds = (at - began_at).total_seconds()
    numbers = {"seconds": seconds, "train_tokens": float(version.train_tokens)}
    trained = [job.trained_tokens, *(step.trained_tokens for step in before)]
    if None not in trained:
        numbers["trained_tokens"] = float(sum(filter(None, trained)))
    since = "its first job" if before else "its job"
    await tell(workshop, run, MEASURED, f"{name} can be asked, {seconds:.0f} s after {since} began.", numbers=numbers)
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.SERVABLE, at=at, candidate_name=name)


def host_of(workshop: Workshop) -> Host:
    """Who serves what was trained; where nobody was named, the vendor that trains."""
    return workshop.host or AtOnce(workshop.chat_model)


async def served_name(workshop: Workshop, run: Run) -> str:
    """The name a run's model is deployed under: the voice's, and a piece of the run's id, so that no other run has it."""
    voice = await workshop.store.voices.get(run.voice_id)
    return f"{slug(voice.name)}-{run.id[-8:].lower()}"


def slug(name: str) -> str:
    """A voice's name as a vendor's suffix: lower-case letters, digits and hyphens, at most 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "voice"
