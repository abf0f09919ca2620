"""A small search over epochs, learning rate and rank, within a cap of time and of money.

Chosen by the loss on validation examples, which are whole groups of the *train* side set apart for it: the held-out side, by
which candidates are promoted, is neither sent nor asked. Nothing is promoted; the outcome is advice, and an entry of the audit.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product

from curation.cost import training_cost
from curation.dataset import TRAIN_FILE, Dataset
from curation.prices import Item, price_of
from curation.tariff import ASSUMED_EPOCHS
from curation.workshop import PROGRAM, Workshop
from providers.base import JobEvent, JobRequest, JobState
from providers.rows import Quirks, Rank
from storage.records import Voice

VALIDATION_SHARE = 0.2  # of the train side's groups
LOOK_BACK = timedelta(days=7)
OVER = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})
LOSSES = ("full_valid_loss", "valid_loss")  # as events name it; the first is over the whole validation file

Tell = Callable[[str], None]
Wait = Callable[[float], Awaitable[None]]


class SearchRefused(Exception):
    """There is nothing to search with; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting to try; None leaves a number to the vendor."""

    n_epochs: int | None = None
    learning_rate_multiplier: float | None = None
    lora_r: int | None = None

    def __str__(self) -> str:
        given = (
            ("epochs", self.n_epochs),
            ("learning rate ×", self.learning_rate_multiplier),
            ("rank", self.lora_r),
        )
        return (
            ", ".join(f"{name} {number:g}" for name, number in given if number is not None) or "as the vendor chooses"
        )


@dataclass(frozen=True, slots=True)
class Caps:
    """When no further trial begins. A trial under way at the end of the time is cancelled."""

    trials: int
    minutes: float
    cost: Decimal | None  # in the currency of the price; None: no cap


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial. `loss` is the last that was told, in nats per token; None where none was."""

    trial: Trial
    loss: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Halves:
    """The train side in two: what trials learn from, and what they are judged by."""

    learned: bytes
    validation: bytes
    n_learned: int
    n_validation: int


def plan(row: Quirks, seed: int, count: int) -> list[Trial]:
    """What the vendor chooses, then settings drawn without repetition from a grid of what this vendor can be asked."""
    epochs = (1, 2, 3, 4, 6, 8)
    rates = (0.25, 0.5, 1.0, 2.0) if row.knows_rate_multiplier else (None,)
    ranks = (None,) if row.rank is Rank.NOWHERE else (4, 8, 16, 32)
    grid = [Trial(*numbers) for numbers in product(epochs, rates, ranks)]
    drawn = sorted(grid, key=lambda trial: hashlib.sha256(f"{seed}/{trial}".encode()).digest())
    return [Trial(), *drawn][:count]


def halves(dataset: Dataset, minimum: int, seed: int) -> Halves:
    """Set whole groups of the train side apart for validation, by a stable draw. Raises SearchRefused if too few are left."""
    lines = dataset.files[TRAIN_FILE].splitlines(keepends=True)
    keys = sorted(
        {example.group_key for example in dataset.train},
        key=lambda key: hashlib.sha256(f"{seed}/{key}".encode()).digest(),
    )
    apart = set(keys[: max(1, round(len(keys) * VALIDATION_SHARE))])
    learned = [line for line, example in zip(lines, dataset.train, strict=True) if example.group_key not in apart]
    validation = [line for line, example in zip(lines, dataset.train, strict=True) if example.group_key in apart]
    if len(learned) < minimum or not validation:
        raise SearchRefused(
            f"{len(lines)} examples to train on leave {len(learned)} once a fifth is set apart, and {minimum} are needed. "
            "Approve more corrections first."
        )
    return Halves(b"".join(learned), b"".join(validation), len(learned), len(validation))


async def search(
    workshop: Workshop,
    voice: Voice,
    dataset: Dataset,
    trials: Sequence[Trial],
    caps: Caps,
    *,
    poll_s: float,
    tell: Tell,
    wait: Wait = asyncio.sleep,
) -> list[Tried]:
    """Try one after another until a cap is reached; best first, those without a loss last.

    Raises ProviderError, SearchRefused.
    """
    parts = halves(dataset, workshop.vendor.minimum_examples, workshop.recipe.seed)
    tokens = dataset.train_tokens * parts.n_learned // len(dataset.train)
    ends_at = workshop.now() + timedelta(minutes=caps.minutes)
    validation = await workshop.trainer.upload("search-validation.jsonl", parts.validation)
    tell(f"{parts.n_learned} examples are learned from, {parts.n_validation} of the same side judge.")
    spent, tried = Decimal(0), list[Tried]()
    for trial in trials[: caps.trials]:
        cost = _cost(workshop, voice, tokens, trial, caps)
        if caps.cost is not None and spent + cost > caps.cost:
            tell(f"The next trial would bring the cost to {spent + cost:.2f}, and {caps.cost} is the cap.")
            break
        if workshop.now() >= ends_at:
            tell(f"{caps.minutes:g} minutes are over.")
            break
        request = JobRequest(
            f"search-{dataset.id[-12:]}-{hashlib.sha256(str(trial).encode()).hexdigest()[:8]}",
            voice.base_model,
            await workshop.trainer.upload(
                "search-train.jsonl", parts.learned
            ),  # one each: a job is also known by its file
            "search",
            trial.n_epochs,
            workshop.recipe.seed,
            learning_rate_multiplier=trial.learning_rate_multiplier,
            lora_r=trial.lora_r,
            validation_file_id=validation,
        )
        tried.append(await _try(workshop, trial, request, ends_at.timestamp(), poll_s, wait))
        spent += cost
        tell(tried[-1].said)
    await _record(workshop, voice, dataset, tried)
    return sorted(tried, key=lambda one: (one.loss is None, one.loss or 0.0))


def _cost(workshop: Workshop, voice: Voice, tokens: int, trial: Trial, caps: Caps) -> Decimal:
    """What a trial is charged; 0 where nobody bills. Raises SearchRefused for a cap on what has no known price."""
    tariff = workshop.tariff
    price = price_of(tariff.prices, tariff.vendor, voice.base_model, Item.TRAINING)
    money = training_cost(tokens, trial.n_epochs or ASSUMED_EPOCHS, price)
    if money is not None:
        return money.amount
    if caps.cost is not None and not tariff.is_this_machine:
        raise SearchRefused(
            f"No price of training {voice.base_model} at {tariff.vendor} is known, so a cap of {caps.cost} cannot be kept. "
            f"Give one: {tariff.vendor}/{voice.base_model}/{Item.TRAINING} in FINETONE_PRICES."
        )
    return Decimal(0)


async def _try(
    workshop: Workshop, trial: Trial, request: JobRequest, ends_at: float, poll_s: float, wait: Wait
) -> Tried:
    """One job to its end, looked up before it is made, cancelled when the time is over. Raises ProviderError."""
    trainer = workshop.trainer
    known = await trainer.find_jobs(request.run_key, request.training_file_id, workshop.now() - LOOK_BACK)
    usable = [job for job in known if job.state not in (JobState.FAILED, JobState.CANCELLED)]
    job = usable[0] if usable else await trainer.create_job(request)
    while job.state not in OVER:
        if workshop.now().timestamp() >= ends_at:
            await trainer.cancel(job.id)
            return Tried(trial, None, f"{trial}: cancelled, the time is over.")
        await wait(poll_s)
        job = await trainer.job(job.id)
    if job.state is not JobState.SUCCEEDED:
        return Tried(trial, None, f"{trial}: {job.error or f'the job ended as {job.vendor_status}'}")
    loss = validation_loss(await trainer.events(job.id))
    if loss is None:
        return Tried(trial, None, f"{trial}: the vendor told no validation loss.")
    return Tried(trial, loss, f"{trial}: validation loss {loss:.4f}.")


def validation_loss(events: Sequence[JobEvent]) -> float | None:
    """The last validation loss that was told, in nats per token; None where none was."""
    for name in LOSSES:
        told = [event.numbers[name] for event in events if name in event.numbers]
        if told:
            return told[-1]
    return None


async def _record(workshop: Workshop, voice: Voice, dataset: Dataset, tried: Sequence[Tried]) -> None:
    detail = {"dataset": dataset.id, "tried": [{"trial": str(one.trial), "loss": one.loss} for one in tried]}
    await workshop.store.audit.append(PROGRAM, "search", voice.id, detail, at=workshop.now())
