"""The base migration drill: every approved correction on another base or at another vendor, and what survives. Switches nothing.

The dataset is built as a run would build it and is not kept; the job is looked up before it is made, so an interrupted drill
goes on where the vendor knows metadata; a deployment that bills while idle is taken down at the end, whatever happened.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from curation.asking import Arm, Asker
from curation.dataset import TRAIN_FILE, Dataset, Rules
from curation.examples import Example, Kind
from curation.fixes import is_as_served
from curation.gathering import build_now
from curation.prompting import CountTokens
from curation.serving import slug
from curation.shutdowns import require_life
from curation.survival import Report, Survivor
from curation.tariff import Tariff
from curation.workshop import PROGRAM, Workshop
from providers.base import (
    Catalogue,
    ChatModel,
    Chunk,
    ErrorKind,
    Host,
    JobRequest,
    JobState,
    JobStatus,
    Message,
    ProviderError,
    Sampling,
    Serving,
    ServingState,
    Trainer,
)
from storage.records import Model, SampleScore, Voice

LOOK_BACK = timedelta(days=30)  # a drill that was interrupted longer ago begins anew
OVER = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

GIVE_UP_AFTER = 20  # vendor calls in a row that came to nothing
AGAIN_S = 30.0

T = TypeVar("T")
Tell = Callable[[str], None]
Wait = Callable[[float], Awaitable[None]]


class DrillFailed(Exception):
    """The other base was not trained or could not be asked; the message is the vendor's sentence."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the corrections are tried."""

    base_model: str
    chat_model: ChatModel
    trainer: Trainer
    host: Host
    catalogue: Catalogue | None
    rules: Rules  # of a dataset, as this vendor wants it
    count_tokens: CountTokens
    counter_name: str
    tariff: Tariff
    poll_s: float  # between two looks at the job


async def prepared(workshop: Workshop, voice: Voice, there: Destination) -> Dataset:
    """What would be trained there, neither kept nor sent. Raises TooFewExamples, and BaseDies where that base ends too soon."""
    away = replace(workshop, catalogue=there.catalogue, tariff=there.tariff)
    await require_life(away, there.base_model)
    press = replace(workshop.press, rules=there.rules, count_tokens=there.count_tokens, counter_name=there.counter_name)
    return await build_now(workshop.store, voice, press, at=workshop.now())


async def drill(
    workshop: Workshop,
    voice: Voice,
    there: Destination,
    dataset: Dataset,
    *,
    trained_asked: int,
    tell: Tell,
    wait: Wait = asyncio.sleep,
) -> Report:
    """Train there, ask the held-out questions and `trained_asked` of those trained on, and say what survives.

    Raises ProviderError, DrillFailed.
    """
    current = (await workshop.store.models.current(voice.id)).model
    name = f"{slug(voice.name)}-drill-{dataset.id[-8:]}"
    job = await _trained(workshop, there, dataset, name, tell, wait)
    async with _served(there, job, name, tell, wait) as model_name:
        survivors = await _asked(workshop, voice, there, dataset, current, model_name, trained_asked, tell)
    report = Report(
        voice.name,
        current,
        there.tariff.vendor,
        there.base_model,
        model_name,
        dataset.id,
        len(dataset.train),
        tuple(survivors),
        workshop.now(),
    )
    detail = {"vendor": report.vendor, "base_model": report.base_model, **report.counts()}
    await workshop.store.audit.append(PROGRAM, "migration_drill", voice.id, detail, at=workshop.now())
    return report


async def _trained(
    workshop: Workshop, there: Destination, dataset: Dataset, name: str, tell: Tell, wait: Wait
) -> JobStatus:
    """The drill's job at its successful end; begun unless the vendor lists one of this dataset and base."""
    key = f"drill-{dataset.id[-12:]}-{slug(there.base_model)}"
    file_id = await there.trainer.upload(f"{key}.jsonl", dataset.files[TRAIN_FILE])
    found = await there.trainer.find_jobs(key, file_id, workshop.now() - LOOK_BACK)
    usable = [job for job in found if job.state not in (JobState.FAILED, JobState.CANCELLED)]
    if usable:
        job = usable[0]
        tell(f"Training job {job.id} of an earlier drill is gone on with.")
    else:
        recipe = workshop.recipe
        job = await there.trainer.create_job(
            JobRequest(key, there.base_model, file_id, name, recipe.n_epochs, recipe.seed)
        )
        tell(f"Training job {job.id} on {there.base_model}.")
    told, job_id = job.vendor_status, job.id
    while job.state not in OVER:
        await wait(there.poll_s)
        job = await _patiently(lambda: there.trainer.job(job_id), tell, wait)
        if job.vendor_status != told:
            told = job.vendor_status
            tell(f"The job is {told}.")
    if job.state is not JobState.SUCCEEDED:
        raise DrillFailed(job.error or f"Training job {job.id} ended as {job.vendor_status}. Nothing was switched.")
    return job


@contextlib.asynccontextmanager
async def _served(there: Destination, job: JobStatus, name: str, tell: Tell, wait: Wait) -> AsyncGenerator[str]:
    """The trained model's name while it can be asked; afterwards it is taken down where being up costs money."""
    told = ""
    try:
        while True:
            serving: Serving = await _patiently(lambda: there.host.serve(job, there.base_model, name), tell, wait)
            if serving.said != told:
                told = serving.said
                tell(told)
            if serving.state is ServingState.FAILED:
                raise DrillFailed(serving.said)
            if serving.model_name is not None and serving.state is ServingState.READY:
                break
            await wait(there.poll_s)
        yield serving.model_name
    finally:
        if there.host.bills_idle:
            for up in await there.host.served():
                if up in (name, job.model_name) or (job.model_name is not None and job.model_name in up):
                    await there.host.take_down(up)
                    tell(f"{up} is taken down again.")


async def _patiently(call: Callable[[], Awaitable[T]], tell: Tell, wait: Wait) -> T:
    """Ask again while the vendor is busy or away, GIVE_UP_AFTER times. Raises ProviderError."""
    for left in range(GIVE_UP_AFTER, -1, -1):
        try:
            return await call()
        except ProviderError as error:
            if left == 0 or error.kind not in (ErrorKind.UNREACHABLE, ErrorKind.RATE_LIMIT, ErrorKind.AMBIGUOUS):
                raise
            tell(f"{error} Asking again.")
            await wait(error.retry_after_s or AGAIN_S)
    raise AssertionError("the last attempt returns or raises")


@dataclass(frozen=True, slots=True)
class _Both:
    """Answers by name: the model that serves is asked where it is, every other one at the destination."""

    serving_name: str
    here: ChatModel
    there: ChatModel

    def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """As ChatModel says."""
        return (self.here if model == self.serving_name else self.there).stream(model, messages, sampling)

    async def model_names(self) -> frozenset[str]:
        """As ChatModel says."""
        return await self.here.model_names() | await self.there.model_names()


async def _asked(
    workshop: Workshop,
    voice: Voice,
    there: Destination,
    dataset: Dataset,
    current: Model,
    model_name: str,
    trained_asked: int,
    tell: Tell,
) -> Sequence[Survivor]:
    """Every question to the model that serves, the one trained there, and the other base without training."""
    recipe = workshop.recipe
    both = _Both(current.name, workshop.chat_model, there.chat_model)
    asker = Asker(both, workshop.count_tokens, recipe.sampling, recipe.budget_tokens)
    serving = Arm("incumbent", current.name, voice.prompt(current.prompt), sees_fixes=is_as_served(current.shape))
    trained = Arm("candidate", model_name, voice.prompt(recipe.prompt), sees_fixes=is_as_served(workshop.press.shape))
    untuned = Arm("base", there.base_model, voice.system_prompt)
    of_corrections = [one for one in dataset.taught if one.provenance.kind is not Kind.MARK]
    asked = [(one, True) for one in dataset.held_out] + [(one, False) for one in of_corrections[:trained_asked]]
    done = 0

    async def ask(example: Example, is_held_out: bool) -> Survivor:
        nonlocal done
        sample: SampleScore = await asker.sample(example, serving, trained, (untuned,))
        done += 1
        tell(f"Asked {done} of {len(asked)} questions.")
        return Survivor(sample, is_held_out)

    tasks = [asyncio.create_task(ask(*each)) for each in asked]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
