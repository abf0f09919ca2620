"""The run: freeze → submit → train → servable → evaluate → promoted or stopped. One step at a time, each safe to repeat.

`advance` looks at the run's saved state, does the one thing that comes next and saves the new state under the run's epoch.
A process that dies between the two repeats the step; so every step is harmless twice, and the one that costs money looks
the job up before it creates it (providers.md, "Never two paid jobs").
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from curation import versions
from curation.cleaning import PersonalDataLeft
from curation.dataset import TRAIN_FILE, Dataset, Example, Rules, TooFewExamples
from curation.evaluation import Arm, Contest, compare
from curation.exporting import first_exchanges
from curation.gathering import Press, build, build_now, gather, pick
from curation.prompting import CountTokens
from curation.tariff import Tariff, charge
from providers.base import ChatModel, ErrorKind, JobRequest, JobState, JobStatus, ProviderError, Sampling, Trainer
from storage.errors import DeploymentMoved
from storage.records import (
    CorrectionState,
    Deployment,
    Message,
    Part,
    PromptKind,
    Role,
    Run,
    RunEvent,
    RunState,
    Trigger,
    Voice,
)
from storage.store import Store

PROGRAM = "actor_finetone"  # the actor of everything nobody pressed a button for
LOOK_BACK = timedelta(hours=1)  # the vendor's clock may be behind ours by as much when a job is looked up
FEW_SHOTS = 3  # examples shown to the base model, for what a prompt can do without training
MEASURED = "measured"  # key of the event that keeps a run's trained tokens and seconds, for the next preview


class NothingNew(Exception):
    """The dataset would be the one the serving model was trained on; the message says so and what would change it."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How runs are made, from settings. `n_epochs` None leaves the number to the trainer."""

    rules: Rules
    n_epochs: int | None
    margin: float  # mean gain over the incumbent required for promotion, in points of [0, 1]
    sampling: Sampling  # how held-out questions are asked
    budget_tokens: int  # of a prompt, when serving and when asking held-out questions
    seed: int
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts models are trained with


@dataclass(frozen=True, slots=True)
class Workshop:
    """What a run works with: the store, the provider's two halves, a token counter, the recipe, a clock, who bills it."""

    store: Store
    chat_model: ChatModel
    trainer: Trainer
    count_tokens: CountTokens
    counter_name: str
    recipe: Recipe
    now: Callable[[], datetime]
    tariff: Tariff = field(default_factory=Tariff)

    @property
    def press(self) -> Press:
        """What building a dataset takes."""
        return Press(self.recipe.rules, self.count_tokens, self.counter_name, self.recipe.prompt)


# ---------------------------------------------------------------- before


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do if it were started now. `refusal` is a sentence, or "" when it may start."""

    train: int
    held_out: int
    train_tokens: int
    left_out: Mapping[str, int]  # reason → count
    waiting: int  # corrections that wait for approval
    new: int  # approved corrections the serving model was not trained on
    tokens_counted_by: str
    expected_seconds: float | None  # None until a first run here has been measured
    cost: str  # what the provider charges, in words; "" where no run may start
    open_run: Run | None
    refusal: str


async def preview(workshop: Workshop, voice: Voice) -> Preview:
    """Build the dataset without storing it and say what training on it would mean."""
    store = workshop.store
    material = await gather(store, voice, workshop.press, at=workshop.now())
    picked = await pick(material, voice, workshop.press)
    counts = await store.corrections.count(voice.id)
    current = await store.models.current(voice.id)
    trained_on = await _trained_on(store, current)
    new = sum(correction.id not in trained_on for correction in material.approved)
    waiting = counts.get(CorrectionState.PROPOSED, 0)
    open_run = await store.runs.open_run(voice.id)
    selection = picked.selection
    left_out = dict(Counter(str(reason) for _, reason in selection.left_out))
    try:
        dataset = await build(picked, material.sides, voice, workshop.press)
        await _require_news(store, dataset, current, voice)
    except (TooFewExamples, NothingNew) as refused:
        refusal = _with_queue(str(refused), waiting)
        return Preview(
            len(selection.examples), 0, 0, left_out, waiting, new, workshop.counter_name, None, "", open_run, refusal
        )
    return Preview(
        len(dataset.train),
        len(dataset.held_out),
        dataset.train_tokens,
        dataset.card["left_out"],
        waiting,
        new,
        workshop.counter_name,
        await _expected_seconds(store, voice.id, dataset.train_tokens),
        charge(workshop.tariff, voice.base_model, dataset.train_tokens, workshop.recipe.n_epochs),
        open_run,
        "",
    )


async def request(workshop: Workshop, voice: Voice, *, by: str, trigger: Trigger = Trigger.PERSON) -> tuple[Run, bool]:
    """Start a run, or join the open one (then the second value is False). Raises TooFewExamples and NothingNew."""
    store = workshop.store
    if (open_run := await store.runs.open_run(voice.id)) is not None:
        return open_run, False
    dataset = await build_now(store, voice, workshop.press, at=workshop.now())
    await _require_news(store, dataset, await store.models.current(voice.id), voice)
    return await store.runs.request(voice.id, voice.base_model, trigger, by, at=workshop.now())


async def _trained_on(store: Store, current: Deployment) -> frozenset[str]:
    """Ids of the corrections the serving model has seen, on either side."""
    version_id = current.model.dataset_version_id
    if version_id is None:
        return frozenset()
    return frozenset(line.source_id for line in await store.datasets.lines(version_id))


async def _require_news(store: Store, dataset: Dataset, current: Deployment, voice: Voice) -> None:
    """Raise NothingNew where the serving model was trained on the very lines: marks that only say what not to say are no news."""
    if current.model.dataset_version_id is None or current.model.base_model != voice.base_model:
        return
    version = await store.datasets.get(current.model.dataset_version_id)
    if version.id == dataset.id or version.card.get("sides_id") == dataset.card["sides_id"]:
        raise NothingNew(
            f"Model {current.model.number} was trained on exactly these {len(dataset.train)} examples. "
            "Approve another correction first."
        )


def _with_queue(sentence: str, waiting: int) -> str:
    if not waiting:
        return sentence
    verb = "correction still waits" if waiting == 1 else "corrections still wait"
    return f"{sentence} {waiting} {verb} for approval: finetone queue lists them."


async def _expected_seconds(store: Store, voice_id: str, tokens: int) -> float | None:
    """Seconds a run should take, from the newest measured one here; None when none was."""
    for run in await store.runs.recent(voice_id, limit=20):
        for _, event in await store.runs.events(run.id):
            if event.key == MEASURED and event.numbers.get("train_tokens"):
                return event.numbers["seconds"] / event.numbers["train_tokens"] * tokens
    return None


# ---------------------------------------------------------------- the steps


async def advance(workshop: Workshop, run: Run) -> Run:
    """Do the one step that follows from the run's state and return the run as it then is.

    While the vendor trains, the run comes back unchanged but for its events; call again later. Raises ProviderError when a
    vendor call failed, RunMoved when somebody else has taken the run over.
    """
    if run.cancel_requested_by is not None:
        return await _cancel(workshop, run)
    match run.state:
        case RunState.REQUESTED:
            return await _freeze(workshop, run)
        case RunState.FROZEN:
            return await _submit(workshop, run)
        case RunState.SUBMITTED | RunState.TRAINING:
            return await _follow(workshop, run)
        case RunState.SERVABLE:
            return await _evaluate(workshop, run)
        case RunState.EVALUATED:
            return await _decide(workshop, run)
        case RunState.PROMOTED | RunState.STOPPED | RunState.FAILED | RunState.CANCELLED:
            return run


async def end(workshop: Workshop, run: Run, state: RunState, reason: str) -> Run:
    """Close the run with its reason, a sentence people read."""
    return await workshop.store.runs.advance(run.id, run.epoch, run.state, state, at=workshop.now(), end_reason=reason)


async def _cancel(workshop: Workshop, run: Run) -> Run:
    jobs = [run.job_id] if run.job_id is not None else []
    if not jobs and run.training_file_id is not None:  # a create whose answer never arrived may have left a job behind
        found = await workshop.trainer.find_jobs(run.id, run.training_file_id, run.requested_at - LOOK_BACK)
        jobs = [job.id for job in found]
    for job_id in jobs:
        await workshop.trainer.cancel(job_id)
    people = await workshop.store.people.actors([run.cancel_requested_by or PROGRAM])
    name = next((actor.name for actor in people.values()), "somebody")
    return await end(workshop, run, RunState.CANCELLED, f"Cancelled by {name}.")


async def _freeze(workshop: Workshop, run: Run) -> Run:
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
    await _tell(
        workshop,
        run,
        "frozen",
        f"Dataset {version.id[:11]} frozen: {version.train_count} examples to train on, {version.held_out_count} kept back.",
    )
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.FROZEN, at=at, dataset_version_id=version.id)


async def _submit(workshop: Workshop, run: Run) -> Run:
    """Upload the file, look for a job of this run, create it only if there is none."""
    store, trainer = workshop.store, workshop.trainer
    if run.training_file_id is None:
        content = await store.datasets.file(_set(run.dataset_version_id), TRAIN_FILE)
        file_id = await trainer.upload(f"{run.id}.jsonl", content)
        run = await store.runs.advance(
            run.id, run.epoch, run.state, run.state, at=workshop.now(), training_file_id=file_id
        )
    file_id = _set(run.training_file_id)
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
    await _tell(workshop, run, "submitted", f"Training job {job.id} on {run.base_model}.")
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.SUBMITTED, at=workshop.now(), job_id=job.id)


async def _keep_oldest(workshop: Workshop, run: Run, jobs: list[JobStatus]) -> JobStatus:
    """The oldest job of a run is the run's job; a younger twin (two creates in flight at once) is cancelled and told."""
    oldest, *twins = jobs
    for twin in twins:
        if twin.state in (JobState.QUEUED, JobState.RUNNING):
            await workshop.trainer.cancel(twin.id)
            await _tell(workshop, run, f"twin-{twin.id}", f"Cancelled a second training job, {twin.id}.", "warn")
    return oldest


async def _follow(workshop: Workshop, run: Run) -> Run:
    """Copy the job's events; move on when it has begun, and again when its model answers."""
    store, at = workshop.store, workshop.now()
    job_id = _set(run.job_id)
    job = await workshop.trainer.job(job_id)
    events = await workshop.trainer.events(job_id)
    await store.runs.add_events(
        run.id, [RunEvent(run.id, event.id, event.at, event.level, event.text, event.numbers) for event in events]
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
            return await _become_servable(workshop, run, job)


async def _become_servable(workshop: Workshop, run: Run, job: JobStatus) -> Run:
    """Trained is one fact, servable another: the run moves on only when the provider lists the model."""
    store, at = workshop.store, workshop.now()
    if job.model_name is None:
        return await end(workshop, run, RunState.FAILED, f"Training job {job.id} succeeded without naming a model.")
    if job.model_name not in await workshop.chat_model.model_names():
        await _tell(workshop, run, "trained", f"{job.model_name} is trained; waiting until it can be asked.")
        return run
    version = await store.datasets.get(_set(run.dataset_version_id))
    await store.models.ensure_tuned(
        run.voice_id, run.id, job.model_name, run.base_model, version.id, prompt=version.prompt, at=at
    )
    seconds = (at - job.created_at).total_seconds()
    numbers = {"seconds": seconds, "train_tokens": float(version.train_tokens)}
    if job.trained_tokens is not None:
        numbers["trained_tokens"] = float(job.trained_tokens)
    await _tell(
        workshop, run, MEASURED, f"{job.model_name} can be asked, {seconds:.0f} s after its job began.", numbers=numbers
    )
    return await store.runs.advance(
        run.id, run.epoch, run.state, RunState.SERVABLE, at=at, candidate_name=job.model_name
    )


async def _evaluate(workshop: Workshop, run: Run) -> Run:
    """Ask incumbent and candidate the held-out questions; save both answers, the scores and the verdict."""
    store, recipe = workshop.store, workshop.recipe
    voice = await store.voices.get(run.voice_id)
    current = await store.models.current(voice.id)
    version_id = _set(run.dataset_version_id)
    lines = [
        line
        for line in await store.datasets.lines(version_id)
        if line.part is Part.HELD_OUT and line.role is Role.ANSWER
    ]
    corrections = {line.source_id: await store.corrections.get(line.source_id) for line in lines}
    samples = tuple(
        Example(c.id, line.group_key, c.history, c.question, c.corrected_text)
        for line in sorted(lines, key=lambda line: line.position)
        if (c := corrections[line.source_id])
    )

    async def progress(done: int, total: int) -> None:
        numbers = {"evaluated": float(done), "to_evaluate": float(total)}
        text = f"Compared {done} of {total} held-out questions."
        await _tell(workshop, run, f"evaluated-{run.epoch}-{done}", text, numbers=numbers)

    contest = Contest(
        run.id,
        current.model.name,
        _set(run.candidate_name),
        voice.prompt(current.model.prompt),
        voice.prompt((await store.datasets.get(version_id)).prompt),
        samples,
        recipe.sampling,
        recipe.budget_tokens,
        recipe.margin,
        await _beside(workshop, run, voice, version_id),
    )
    if contest.candidate_prompt != voice.system_prompt:
        saved = workshop.count_tokens([voice.system_prompt]) - workshop.count_tokens([contest.candidate_prompt])
        text = f"The candidate is asked with the short prompt: {saved} tokens fewer in every reply."
        await _tell(workshop, run, "baked", text, numbers={"saved_tokens_per_reply": float(saved)})
    evaluation = await compare(contest, workshop.chat_model, workshop.count_tokens, now=workshop.now, progress=progress)
    await store.runs.save_evaluation(evaluation)
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.EVALUATED, at=workshop.now())


async def _beside(workshop: Workshop, run: Run, voice: Voice, version_id: str) -> tuple[Arm, ...]:
    """What a prompt alone can do: the base with the full prompt, and with some of the training examples before the question."""
    content = await workshop.store.datasets.file(version_id, TRAIN_FILE)
    exchanges: list[Message] = []
    left = workshop.recipe.budget_tokens // 2  # the other half is for the conversation that is asked about
    for question, answer in first_exchanges(content, FEW_SHOTS):
        left -= workshop.count_tokens([question, answer])
        if left < 0:
            break
        exchanges += [Message("user", question), Message("assistant", answer)]
    base = Arm("base", run.base_model, voice.system_prompt)
    return (base, replace(base, way="few_shot", exchanges=tuple(exchanges))) if exchanges else (base,)


async def _decide(workshop: Workshop, run: Run) -> Run:
    """Promote on a passed verdict; stop on a failed one; compare again when another model serves by now."""
    store, at = workshop.store, workshop.now()
    evaluation = await store.runs.evaluation(run.id)
    current = await store.models.current(run.voice_id)
    if evaluation is None or evaluation.incumbent_name != current.model.name:
        return await store.runs.advance(run.id, run.epoch, run.state, RunState.SERVABLE, at=at)
    if not evaluation.passed:
        return await end(workshop, run, RunState.STOPPED, evaluation.reason)
    try:
        await store.runs.promote(run.id, run.epoch, current.seq, by=run.requested_by, why=evaluation.reason, at=at)
    except DeploymentMoved:
        return run  # somebody rolled back in between; the next call sees it
    return await store.runs.get(run.id)


async def _tell(
    workshop: Workshop,
    run: Run,
    key: str,
    text: str,
    level: str = "info",
    numbers: Mapping[str, float] | None = None,
) -> None:
    await workshop.store.runs.add_events(run.id, [RunEvent(run.id, key, workshop.now(), level, text, numbers or {})])


def _set(value: str | None) -> str:
    """A field that the run's state promises to be there."""
    if value is None:
        raise ValueError("The run's state promises a field that is empty; the row was changed by hand.")
    return value


def _slug(name: str) -> str:
    """A voice's name as a suffix: lower-case letters, digits and hyphens, at most 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "voice"


GIVES_UP = frozenset({ErrorKind.TRAINING_UNAVAILABLE, ErrorKind.BAD_REQUEST})


def is_final(error: ProviderError) -> bool:
    """Whether trying again cannot help: the run ends as failed with the error's own sentence."""
    return error.kind in GIVES_UP
