"""One training job per run and step at the vendor, whatever dies or hangs meanwhile (engine.md, "Never two paid jobs").

Before a job is asked for, the vendor's list is looked through, and the intent is saved under the run's epoch, which a worker
that has lost the run no longer holds. Where no answer says whether there is a job now (a timeout, a crash), the list is looked
through again after `look_again_s`; only then is another asked for, and after CREATES_TRIED of them a person. What these cannot
prevent (a process frozen between the save and the request, a list that lags longer) leaves twins: they are cancelled when seen.
"""

from collections.abc import Sequence
from datetime import timedelta

from curation.canary import take_back
from curation.export import MethodUnsupported
from curation.recipes import RecipeUnfit, recipe_of, require_files, training_file
from curation.serving import slug
from curation.step import end, promised, tell
from curation.steps import job_of, key_of, method_of
from curation.versions import PartlyErased
from curation.workshop import PROGRAM, Workshop
from providers.base import ErrorKind, JobRequest, JobState, JobStatus, ProviderError
from storage.errors import RunMoved
from storage.records import Run, RunState

LOOK_BACK = timedelta(hours=1)  # the vendor's clock may be behind ours by as much when a job is looked up
CREATES_TRIED = 2  # jobs asked for without an answer, before a person is asked
UNDER_WAY = frozenset({JobState.QUEUED, JobState.RUNNING})
OVER_FOR_NOTHING = frozenset({JobState.FAILED, JobState.CANCELLED})


async def submit(workshop: Workshop, run: Run) -> Run:
    """Upload the file, look for a job of this run, create it only if there is none and none may still turn up."""
    try:
        run = await _uploaded(workshop, run)
    except (RecipeUnfit, MethodUnsupported, PartlyErased) as unfit:
        return await end(workshop, run, RunState.STOPPED, str(unfit))
    asked = await ask_once(workshop, run, await _wanted(workshop, run))
    return asked if isinstance(asked, Run) else await _submitted(workshop, run, asked)


async def ask_once(workshop: Workshop, run: Run, wanted: JobRequest) -> JobStatus | Run:
    """The run's one job under `key_of`: found, else created; or the run, while one may still turn up or a person is asked.

    Raises ProviderError, and RunMoved when the run is not ours, or not wanted, any more.
    """
    found = await _jobs_of(workshop, run)
    if found:
        return await _keep_oldest(workshop, run, found)
    if _may_turn_up(workshop, run):
        return run
    if run.creates >= CREATES_TRIED:
        return await _ask_a_person(workshop, run)
    return await _create(workshop, run, wanted)


async def _uploaded(workshop: Workshop, run: Run) -> Run:
    """The run with its file at the vendor; a crash in between uploads it twice, which costs nothing."""
    store = workshop.store
    if run.training_file_id is not None:
        return run
    version_id, training = promised(run.dataset_version_id), workshop.recipe.training
    if run.step == 1:
        await require_files(store, version_id, workshop.vendor, recipe_of(run, training))
    content = await training_file(store, version_id, workshop.vendor, method_of(run, training))
    file_id = await workshop.trainer.upload(f"{key_of(run)}.jsonl", content)
    return await store.runs.advance(
        run.id, run.epoch, run.state, run.state, at=workshop.now(), training_file_id=file_id
    )


async def _jobs_of(workshop: Workshop, run: Run) -> list[JobStatus]:
    """The jobs that the vendor lists for the run's step, oldest first."""
    return await workshop.trainer.find_jobs(key_of(run), promised(run.training_file_id), run.requested_at - LOOK_BACK)


def _may_turn_up(workshop: Workshop, run: Run) -> bool:
    """Whether a job was asked for so lately that the vendor's list need not show it yet."""
    tried_at = run.create_tried_at
    return tried_at is not None and workshop.now() < tried_at + timedelta(seconds=workshop.look_again_s)


async def _wanted(workshop: Workshop, run: Run) -> JobRequest:
    store = workshop.store
    voice = await store.voices.get(run.voice_id)
    number = max((model.number for model in await store.models.list(run.voice_id)), default=0) + 1
    return await job_of(workshop, run, f"{slug(voice.name)}-{number}")


async def _create(workshop: Workshop, run: Run, wanted: JobRequest) -> JobStatus:
    """Ask for a job, once. Raises ProviderError, and RunMoved when the run is not ours, or not wanted, any more."""
    store = workshop.store
    run = await store.runs.intend(run.id, run.epoch, at=workshop.now())
    try:
        return await workshop.trainer.create_job(wanted)
    except ProviderError as error:
        at = workshop.now()
        if error.kind is ErrorKind.AMBIGUOUS:
            await store.runs.answered(run.id, run.epoch, creates=run.creates, tried_at=at, at=at)
        else:
            await store.runs.answered(run.id, run.epoch, creates=run.creates - 1, tried_at=None, at=at)
        raise


async def _submitted(workshop: Workshop, run: Run, job: JobStatus) -> Run:
    where = "" if run.steps == 1 else f"Step {run.step} of {run.steps}, by {method_of(run, workshop.recipe.training)}: "
    text = f"{where}training job {job.id} on {run.base_model}."
    await tell(workshop, run, f"submitted{_later(run)}", text[0].upper() + text[1:])
    return await keep_job(workshop, run, job, RunState.SUBMITTED)


async def keep_job(workshop: Workshop, run: Run, job: JobStatus, state: RunState) -> Run:
    """The job is the run's from now on. Raises RunMoved; one that nobody will look at again is cancelled first."""
    try:
        return await workshop.store.runs.advance(run.id, run.epoch, run.state, state, at=workshop.now(), job_id=job.id)
    except RunMoved:
        now = await workshop.store.runs.get(run.id)
        if not now.is_open and now.job_id != job.id:
            await workshop.trainer.cancel(job.id)
        raise


def _later(run: Run) -> str:
    """What a step after the first adds to the key of an event."""
    return "" if run.step == 1 else f"-{run.step}"


async def _ask_a_person(workshop: Workshop, run: Run) -> Run:
    """Let the run stand still: whether another job may be paid for is not ours to decide."""
    store, at = workshop.store, workshop.now()
    why = (
        f"The provider was asked {run.creates} times for a training job, gave no answer that says whether there is one, "
        "and lists none. Look at its own page. Resume the run to ask once more, or cancel it."
    )
    await tell(workshop, run, f"asks-{run.epoch}", why, "error")
    await store.runs.answered(run.id, run.epoch, creates=0, tried_at=None, at=at)
    return await store.runs.pause(run.id, PROGRAM, why, at=at)


# ---------------------------------------------------------------- twins


async def without_twins(workshop: Workshop, run: Run, job: JobStatus) -> tuple[Run, JobStatus]:
    """The run and its job, once every other job that the vendor lists for it is cancelled.

    A list may lag, and a worker that was frozen may wake and ask late; so this is looked at for as long as the job goes on.
    """
    listed = await _jobs_of(workshop, run)
    others = [other for other in listed if other.id != job.id]
    if not others:
        return run, job
    kept = await _keep_oldest(workshop, run, sorted([job, *others], key=lambda each: (each.created_at, each.id)))
    if kept.id == job.id:
        return run, job
    moved = await workshop.store.runs.advance(
        run.id, run.epoch, run.state, run.state, at=workshop.now(), job_id=kept.id
    )
    return moved, kept


async def _keep_oldest(workshop: Workshop, run: Run, jobs: Sequence[JobStatus]) -> JobStatus:
    """The oldest job that can still come to something is the run's; the others are cancelled, and that is told."""
    oldest = next((job for job in jobs if job.state not in OVER_FOR_NOTHING), jobs[0])
    for twin in jobs:
        if twin.id != oldest.id and twin.state not in OVER_FOR_NOTHING:
            await _cancel_twin(workshop, run, twin)
    return oldest


async def _cancel_twin(workshop: Workshop, run: Run, twin: JobStatus) -> None:
    text = f"Cancelled a second training job, {twin.id}."
    if twin.state in UNDER_WAY:
        await workshop.trainer.cancel(twin.id)
    else:
        text = (
            f"A second training job, {twin.id}, was over before it could be cancelled; the provider bills it as well."
        )
    await tell(workshop, run, f"twin-{twin.id}", text, "warn")


# ---------------------------------------------------------------- cancelling


async def cancel(workshop: Workshop, run: Run) -> Run:
    """Cancel the run's jobs at the vendor, then the run; one that may still turn up is waited for."""
    jobs = [run.job_id] if run.job_id is not None else []
    if run.training_file_id is not None:
        listed = await _jobs_of(workshop, run)
        jobs += [job.id for job in listed if job.id not in jobs and job.state not in OVER_FOR_NOTHING]
    if not jobs and _may_turn_up(workshop, run):
        text = "Cancelling: the provider may list a training job yet, so its list is looked through once more first."
        await tell(workshop, run, "cancel-waits", text)
        return run
    for job_id in jobs:
        await workshop.trainer.cancel(job_id)
    people = await workshop.store.people.actors([run.cancel_requested_by or PROGRAM])
    name = next((actor.name for actor in people.values()), "somebody")
    why = f"Cancelled by {name}."
    if run.state is RunState.CANARY:
        return await take_back(workshop, run, why, RunState.CANCELLED)
    return await end(workshop, run, RunState.CANCELLED, why)
