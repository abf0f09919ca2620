"""The run: freeze → submit → train → servable → evaluate → promoted or stopped. One step at a time, each safe to repeat.

`advance` looks at the run's saved state, does the one thing that comes next and saves the new state under the run's epoch.
A process that dies between the two repeats the step; so every step is harmless twice, and the one that costs money looks
the job up before it creates it (providers.md, "Never two paid jobs").
"""

from collections.abc import Mapping

from curation import versions
from curation.canary import watch
from curation.cleaning import PersonalDataLeft
from curation.dataset import TooFewExamples
from curation.deciding import decide, evaluate
from curation.serving import become_servable
from curation.step import end, promised, tell
from curation.steps import is_last, next_step
from curation.submitting import submit, without_twins
from curation.workshop import Workshop
from providers.base import ErrorKind, JobEvent, JobState, ProviderError
from storage.records import Run, RunEvent, RunState


async def advance(workshop: Workshop, run: Run) -> Run:
    """Do the one step that follows from the run's state and return the run as it then is.

    While the vendor trains, the run comes back unchanged but for its events; call again later. Raises ProviderError when a
    vendor call failed, RunMoved when somebody else has taken the run over.
    """
    match run.state:
        case RunState.REQUESTED:
            return await freeze(workshop, run)
        case RunState.FROZEN:
            return await submit(workshop, run)
        case RunState.SUBMITTED | RunState.TRAINING:
            return await _follow(workshop, run)
        case RunState.SERVABLE:
            return await evaluate(workshop, run)
        case RunState.EVALUATED:
            return await decide(workshop, run)
        case RunState.CANARY:
            return await watch(workshop, run)
        case RunState.PROMOTED | RunState.STOPPED | RunState.FAILED | RunState.CANCELLED | RunState.DONE:
            return run


async def freeze(workshop: Workshop, run: Run) -> Run:
    """Store the dataset version this run trains on. The same corrections give the same version, so twice is harmless."""
    store, at = workshop.store, workshop.now()
    voice = await store.voices.get(run.voice_id)
    try:
        version = await versions.freeze(store, voice, workshop.press, by=run.requested_by, at=at)
    except (
        TooFewExamples,
        PersonalDataLeft,
    ) as refused:  # changed since the request
        return await end(workshop, run, RunState.STOPPED, str(refused))
    await tell(
        workshop,
        run,
        "frozen",
        f"Dataset {version.id[:11]} frozen: {version.train_count} examples to train on, {version.held_out_count} kept back.",
    )
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.FROZEN, at=at, dataset_version_id=version.id)


async def _follow(workshop: Workshop, run: Run) -> Run:
    """Copy the job's events; move on when it has begun, and again when its model answers."""
    store, at = workshop.store, workshop.now()
    run, job = await without_twins(workshop, run, await workshop.trainer.job(promised(run.job_id)))
    events = await workshop.trainer.events(job.id)
    await store.runs.add_events(
        run.id, [RunEvent(run.id, event.id, event.at, event.level, event.text, counted(run, event)) for event in events]
    )
    match job.state:
        case JobState.QUEUED:
            return run
        case JobState.RUNNING:
            if run.state is RunState.TRAINING:
                return run
            return await store.runs.advance(run.id, run.epoch, run.state, RunState.TRAINING, at=at)
        case JobState.FAILED:
            return await end(workshop, run, RunState.FAILED, job.error or f"Training job {job.id} failed.")
        case JobState.CANCELLED:
            return await end(workshop, run, RunState.CANCELLED, f"Training job {job.id} was cancelled at the provider.")
        case JobState.SUCCEEDED:
            if not is_last(run, workshop.recipe.training):
                return await next_step(workshop, run, job)
            return await become_servable(workshop, run, job)


def counted(run: Run, event: JobEvent) -> Mapping[str, float]:
    """The event's numbers, and of which of several jobs they are: each counts its steps from 1."""
    return event.numbers if run.steps == 1 or not event.numbers else {**event.numbers, "job": float(run.step)}


GIVES_UP = frozenset({ErrorKind.TRAINING_UNAVAILABLE, ErrorKind.BAD_REQUEST})


def is_final(error: ProviderError) -> bool:
    """Whether trying again cannot help: the run ends as failed with the error's own sentence."""
    return error.kind in GIVES_UP
