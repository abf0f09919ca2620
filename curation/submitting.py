"""One training job per run at the vendor: looked up before it is created, twins cancelled (providers.md, two paid jobs)."""

import re
from datetime import timedelta

from curation.dataset import TRAIN_FILE
from curation.step import end, promised, tell
from curation.workshop import PROGRAM, Workshop
from providers.base import JobRequest, JobState, JobStatus
from storage.records import Run, RunState

LOOK_BACK = timedelta(hours=1)  # the vendor's clock may be behind ours by as much when a job is looked up


async def submit(workshop: Workshop, run: Run) -> Run:
    """Upload the file, look for a job of this run, create it only if there is none."""
    store, trainer = workshop.store, workshop.trainer
    if run.training_file_id is None:
        content = await store.datasets.file(promised(run.dataset_version_id), TRAIN_FILE)
        file_id = await trainer.upload(f"{run.id}.jsonl", content)
        run = await store.runs.advance(
            run.id, run.epoch, run.state, run.state, at=workshop.now(), training_file_id=file_id
        )
    file_id = promised(run.training_file_id)
    jobs = await trainer.find_jobs(run.id, file_id, run.requested_at - LOOK_BACK)
    if jobs:
        job = await _keep_oldest(workshop, run, jobs)
    else:
        voice = await store.voices.get(run.voice_id)
        number = max((model.number for model in await store.models.list(run.voice_id)), default=0) + 1
        wanted = JobRequest(
            run.id,
            run.base_model,
            file_id,
            f"{_slug(voice.name)}-{number}",
            workshop.recipe.n_epochs,
            workshop.recipe.seed,
        )
        # The last look before money is spent: if another worker has taken the run over, the epoch has moved.
        await store.runs.advance(run.id, run.epoch, run.state, run.state, at=workshop.now())
        job = await trainer.create_job(wanted)
    await tell(workshop, run, "submitted", f"Training job {job.id} on {run.base_model}.")
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.SUBMITTED, at=workshop.now(), job_id=job.id)


async def _keep_oldest(workshop: Workshop, run: Run, jobs: list[JobStatus]) -> JobStatus:
    """The oldest job of a run is the run's job; a younger twin (two creates in flight at once) is cancelled and told."""
    oldest, *twins = jobs
    for twin in twins:
        if twin.state in (JobState.QUEUED, JobState.RUNNING):
            await workshop.trainer.cancel(twin.id)
            await tell(workshop, run, f"twin-{twin.id}", f"Cancelled a second training job, {twin.id}.", "warn")
    return oldest


async def cancel(workshop: Workshop, run: Run) -> Run:
    jobs = [run.job_id] if run.job_id is not None else []
    if not jobs and run.training_file_id is not None:  # a create whose answer never arrived may have left a job behind
        found = await workshop.trainer.find_jobs(run.id, run.training_file_id, run.requested_at - LOOK_BACK)
        jobs = [job.id for job in found]
    for job_id in jobs:
        await workshop.trainer.cancel(job_id)
    people = await workshop.store.people.actors([run.cancel_requested_by or PROGRAM])
    name = next((actor.name for actor in people.values()), "somebody")
    return await end(workshop, run, RunState.CANCELLED, f"Cancelled by {name}.")


def _slug(name: str) -> str:
    """A voice's name as a suffix: lower-case letters, digits and hyphens, at most 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "voice"
