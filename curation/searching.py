"""The search as a run: freeze a version, then one trial after another, each a job that is asked for once; one step at a time.

As in retrain.py, each step is safe to repeat. Which trial is next stands in the run's plan, and a trial's job is looked up under
that number before it is made, so a search that was cut off goes on without paying for a trial again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from curation.cost import training_cost
from curation.dataset import TRAIN_FILE
from curation.examples import Kind
from curation.export import MethodUnsupported
from curation.gathering import build_now
from curation.prices import Item, price_of
from curation.retrain import freeze
from curation.search import (
    Caps,
    Halves,
    Line,
    Plan,
    SearchRefused,
    Trial,
    Tried,
    halves,
    outcome,
    plan_of,
    settings_to_try,
    stored,
    validation_loss,
    warning_of,
)
from curation.shutdowns import require_life
from curation.step import copy_events, end, promised, tell
from curation.steps import key_of
from curation.submitting import ask_once, keep_job, without_twins
from curation.tariff import ASSUMED_EPOCHS, charge
from curation.versions import PartlyErased, export_for
from curation.workshop import Workshop
from providers.base import JobRequest, JobState, JobStatus
from providers.quirks import TUNER, Method
from storage.records import Part, Purpose, Role, Run, RunEvent, RunState, Side, Trigger, Voice

OVER = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
TRIAL_KEY = "trial-"  # how the keys of the events begin that say what came of a trial


@dataclass(frozen=True, slots=True)
class Preview:
    """What a search would do if it were started now."""

    plan: Plan
    n_learned: int
    n_validation: int
    cost: str  # of all trials, in words
    warning: str = ""  # that runs train otherwise than trials do; "" where they do not

    def __str__(self) -> str:
        trials = len(self.plan.trials)
        return (
            f"{trials} {'trial' if trials == 1 else 'trials'} in {self.plan.caps.minutes:g} minutes at most, each on "
            f"{self.n_learned} examples and judged by {self.n_validation} others of the same side."
        )


async def preview_search(workshop: Workshop, voice: Voice, caps: Caps) -> Preview:
    """What would be tried, and on what. Raises TooFewExamples, SearchRefused and BaseDies."""
    recipe = workshop.recipe
    dataset = await build_now(workshop.store, voice, workshop.press, at=workshop.now())
    await require_life(workshop, voice.base_model)
    content = dataset.files[TRAIN_FILE].splitlines(keepends=True)
    lines = [
        Line(line, frozenset(() if example.provenance.kind is Kind.OFF_TOPIC else (example.group_key,)))
        for line, example in zip(content, dataset.train, strict=True)
    ]
    parts = halves(lines, workshop.vendor.minimum_examples, recipe.seed)
    now = Trial(recipe.n_epochs, recipe.training.learning_rate_multiplier, recipe.training.lora_r)
    trials = tuple(settings_to_try(workshop.vendor, now, recipe.seed, caps.trials))
    _cost(workshop, voice.base_model, dataset.train_tokens, now, caps)
    n_epochs = sum(trial.n_epochs or ASSUMED_EPOCHS for trial in trials)
    cost = charge(workshop.tariff, voice.base_model, dataset.train_tokens, n_epochs)
    if caps.cost is not None:
        cost = f"{cost} No trial begins beyond {caps.cost}."
    warning = warning_of(recipe.training.recipe)
    return Preview(Plan(trials, caps), parts.n_learned, parts.n_validation, cost, warning)


async def request_search(workshop: Workshop, voice: Voice, caps: Caps, *, by: str) -> tuple[Run, bool]:
    """Start a search, or join the open one (then the second value is False).

    Raises TooFewExamples, SearchRefused and BaseDies.
    """
    store = workshop.store
    if (open_run := await store.runs.open_run(voice.id, Purpose.SEARCH)) is not None:
        return open_run, False
    plan = (await preview_search(workshop, voice, caps)).plan
    return await store.runs.request(
        voice.id,
        voice.base_model,
        Trigger.PERSON,
        by,
        at=workshop.now(),
        purpose=Purpose.SEARCH,
        plan=stored(plan),
    )


async def advance(workshop: Workshop, run: Run) -> Run:
    """Do the one step that follows from the run's state and plan. Raises ProviderError and RunMoved."""
    match run.state:
        case RunState.REQUESTED:
            return await freeze(workshop, run)
        case RunState.FROZEN:
            return await _begin(workshop, run)
        case RunState.TRAINING:
            return await _go_on(workshop, run)
        case _:
            return run


async def _begin(workshop: Workshop, run: Run) -> Run:
    """Set examples apart to judge by; the time begins. A crash in between uploads them twice, which costs nothing."""
    try:
        parts = await _halves(workshop, run)
    except (SearchRefused, PartlyErased, MethodUnsupported) as refused:
        return await end(workshop, run, RunState.STOPPED, str(refused))
    store, plan = workshop.store, plan_of(run)
    file_id = await workshop.trainer.upload(f"{run.id}-validation.jsonl", parts.validation)
    at_vendor = ({"training_file": file_id, "job": None, "model": None},)
    plan = replace(
        plan, number=1, begun_at=workshop.now(), validation_file_id=file_id, at_vendor=(*plan.at_vendor, *at_vendor)
    )
    text = f"{parts.n_learned} examples are learned from, {parts.n_validation} of the same side judge."
    await tell(workshop, run, "begins", text)
    run = await store.runs.plan_on(run, stored(plan), at=workshop.now())
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.TRAINING, at=workshop.now())


async def _halves(workshop: Workshop, run: Run) -> Halves:
    """Raises SearchRefused, PartlyErased and MethodUnsupported."""
    lines = await _lines(workshop, promised(run.dataset_version_id))
    return halves(lines, workshop.vendor.minimum_examples, workshop.recipe.seed)


async def _lines(workshop: Workshop, version_id: str) -> list[Line]:
    """The version's train side as this vendor takes it, each line with the groups it is of."""
    store = workshop.store
    known = await store.datasets.lines(version_id)
    answers = [line for line in known if line.part is Part.TRAIN and line.role is Role.ANSWER]
    if workshop.vendor.name == TUNER.name:  # datasets are written in its format
        content = (await store.datasets.file(version_id, TRAIN_FILE)).splitlines(keepends=True)
        groups = {line.position: frozenset({line.group_key}) for line in answers}
        return [Line(line, groups.get(position, frozenset())) for position, line in enumerate(content)]
    exported = await export_for(store, version_id, Side.TRAIN, workshop.vendor, Method.SFT, limits=None)
    group_of = {line.source_id: line.group_key for line in answers}
    return [
        Line(content, frozenset(group_of[id] for id in line.example_ids if id in group_of))
        for content, line in zip(exported.content.splitlines(keepends=True), exported.lines, strict=True)
    ]


async def _go_on(workshop: Workshop, run: Run) -> Run:
    """Ask for the next trial's job, or look how the one under way is."""
    if run.job_id is None:
        return await _ask(workshop, run)
    run, job = await without_twins(workshop, run, await workshop.trainer.job(run.job_id))
    plan = plan_of(run)
    events = await workshop.trainer.events(job.id)
    await copy_events(workshop, run, events, prefix=f"{plan.number}/", also={"trial": float(plan.number)})
    trial = plan.trials[plan.number - 1]
    if job.state in OVER:
        loss = validation_loss(events) if job.state is JobState.SUCCEEDED else None
        return await _tried(workshop, run, plan, trial, loss, _said(job, loss))
    if _is_time_over(workshop, plan):
        await workshop.trainer.cancel(job.id)
        return await _tried(workshop, run, plan, trial, None, "cancelled, the time is over.")
    return run


def _is_time_over(workshop: Workshop, plan: Plan) -> bool:
    return plan.ends_at is not None and workshop.now() >= plan.ends_at


def _said(job: JobStatus, loss: float | None) -> str:
    if job.state is not JobState.SUCCEEDED:
        return job.error or f"the job ended as {job.vendor_status}."
    return "the vendor told no validation loss." if loss is None else f"validation loss {loss:.4f}."


async def _tried(workshop: Workshop, run: Run, plan: Plan, trial: Trial, loss: float | None, said: str) -> Run:
    """Keep what came of the trial, for ever as an event, and make room for the next."""
    version = await workshop.store.datasets.get(promised(run.dataset_version_id))
    one = Tried(trial, loss, said, _cost(workshop, run.base_model, version.train_tokens, trial, plan.caps))
    numbers = {"trial": float(plan.number), "trials": float(len(plan.trials))}
    if loss is not None:
        numbers["trial_loss"] = loss
    text = f"Trial {plan.number} of {len(plan.trials)}, {trial}: {said}"
    await tell(workshop, run, f"{TRIAL_KEY}{plan.number}", text, numbers=numbers)
    left = {"training_file": run.training_file_id, "job": run.job_id, "model": None}
    plan = replace(plan, number=plan.number + 1, tried=(*plan.tried, one), at_vendor=(*plan.at_vendor, left))
    return await workshop.store.runs.plan_on(run, stored(plan), at=workshop.now(), is_next_job=True)


async def _ask(workshop: Workshop, run: Run) -> Run:
    """Ask for the job of the trial that is next, once; or end where no further trial begins."""
    store, plan = workshop.store, plan_of(run)
    version = await store.datasets.get(promised(run.dataset_version_id))
    try:
        if run.create_tried_at is None and (over := _why_over(workshop, run, plan, version.train_tokens)):
            return await end(workshop, run, RunState.DONE, outcome(plan, over, workshop.recipe.training.recipe))
        parts = await _halves(workshop, run)
    except (SearchRefused, PartlyErased, MethodUnsupported) as refused:
        return await end(workshop, run, RunState.STOPPED, str(refused))
    if run.training_file_id is None:  # one for each trial: where a vendor knows no metadata, a job is known by its file
        file_id = await workshop.trainer.upload(f"{key_of(run)}.jsonl", parts.learned)
        run = await store.runs.advance(
            run.id, run.epoch, run.state, run.state, at=workshop.now(), training_file_id=file_id
        )
    asked = await ask_once(workshop, run, _wanted(workshop, run, plan))
    if isinstance(asked, Run):
        return asked
    trial = plan.trials[plan.number - 1]
    await tell(workshop, run, f"job-{plan.number}", f"Trial {plan.number}, {trial}: training job {asked.id}.")
    return await keep_job(workshop, run, asked, run.state)


def _wanted(workshop: Workshop, run: Run, plan: Plan) -> JobRequest:
    trial = plan.trials[plan.number - 1]
    return JobRequest(
        key_of(run),
        run.base_model,
        promised(run.training_file_id),
        "search",
        trial.n_epochs,
        workshop.recipe.seed,
        learning_rate_multiplier=trial.learning_rate_multiplier,
        lora_r=trial.lora_r,
        validation_file_id=plan.validation_file_id,
    )


def _why_over(workshop: Workshop, run: Run, plan: Plan, tokens: int) -> str:
    """Why no further trial begins; "" where one does. Raises SearchRefused."""
    if plan.number > len(plan.trials):
        return "All trials are done."
    if _is_time_over(workshop, plan):
        return f"{plan.caps.minutes:g} minutes are over."
    cost = _cost(workshop, run.base_model, tokens, plan.trials[plan.number - 1], plan.caps)
    if plan.caps.cost is not None and plan.spent + cost > plan.caps.cost:
        return f"The next trial would bring the cost to {plan.spent + cost:.2f}, and {plan.caps.cost} is the cap."
    return ""


def _cost(workshop: Workshop, base_model: str, tokens: int, trial: Trial, caps: Caps) -> Decimal:
    """What a trial on `tokens` of the train side is charged at most; 0 where nobody bills. Raises SearchRefused for a cap on
    what has no known price.
    """
    tariff = workshop.tariff
    price = price_of(tariff.prices, tariff.vendor, base_model, Item.TRAINING)
    money = training_cost(tokens, trial.n_epochs or ASSUMED_EPOCHS, price)
    if money is not None:
        return money.amount
    if caps.cost is not None and not tariff.is_this_machine:
        raise SearchRefused(
            f"No price of training {base_model} at {tariff.vendor} is known, so a cap of {caps.cost} cannot be kept. "
            f"Give one: {tariff.vendor}/{base_model}/{Item.TRAINING} in FINETONE_PRICES."
        )
    return Decimal(0)


def share_done(run: Run, events: Sequence[RunEvent]) -> float:
    """How far a search is, 0 to 1: trials that are over, and the steps of the one under way."""
    plan = plan_of(run)
    steps = [
        one.numbers["step"] / one.numbers["total_steps"]
        for one in events
        if one.numbers.get("trial") == plan.number and one.numbers.get("total_steps") and "step" in one.numbers
    ]
    return min(1.0, (len(plan.tried) + (steps[-1] if steps else 0.0)) / len(plan.trials))
