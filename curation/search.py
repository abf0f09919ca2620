"""Pure: a small search over epochs, learning rate and rank: what is tried, within which caps, and what came of it.

Chosen by the loss on validation examples, which are whole groups of the *train* side set apart for it: the held-out side, by
which candidates are promoted, is neither sent nor asked. Nothing is promoted; the outcome is advice.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from providers.base import JobEvent
from providers.rows import Quirks, Rank
from storage.records import RecipeKind, Run

VALIDATION_SHARE = 0.2  # of the train side's groups
LOSSES = ("full_valid_loss", "valid_loss")  # as events name it; the first is over the whole validation file
MOST_TRIALS = 96  # settings in the grid
MOST_MINUTES = 7 * 24 * 60.0
USUAL_CAPS = ("6", "60", "")  # trials, minutes, highest cost, as people write them


class SearchRefused(Exception):
    """There is nothing to search with, or a cap that cannot be kept; the message says what is missing."""


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

    @property
    def settings(self) -> str:
        """The settings that make runs train so, as they stand in .env; "" where all is left to the vendor."""
        given = {
            "FINETONE_EPOCHS": self.n_epochs,
            "FINETONE_LEARNING_RATE": self.learning_rate_multiplier,
            "FINETONE_LORA_R": self.lora_r,
        }
        return " ".join(f"{name}={number:g}" for name, number in given.items() if number is not None)


@dataclass(frozen=True, slots=True)
class Caps:
    """When no further trial begins. A trial under way at the end of the time is cancelled."""

    trials: int
    minutes: float  # from the moment the first trial may begin; a pause does not stop the clock
    cost: Decimal | None  # in the currency of the price; None: no cap


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial. `loss` is the last that was told, in nats per token; None where none was."""

    trial: Trial
    loss: float | None
    said: str
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search is to do and where in it it is, as its run keeps it."""

    trials: tuple[Trial, ...]
    caps: Caps
    number: int = 0  # of the trial that is next or under way, from 1; 0 before the first
    begun_at: datetime | None = None
    validation_file_id: str = ""
    tried: tuple[Tried, ...] = ()
    at_vendor: tuple[
        Mapping[str, str | None], ...
    ] = ()  # files and jobs of trials that are over, for whoever is forgotten

    @property
    def spent(self) -> Decimal:
        """What the trials that are over cost, those that failed among them."""
        return sum((one.cost for one in self.tried), Decimal(0))

    @property
    def ends_at(self) -> datetime | None:
        """When the time is over; None before it began."""
        return self.begun_at and self.begun_at + timedelta(minutes=self.caps.minutes)

    @property
    def best_first(self) -> list[Tried]:
        """The trials that are over, by loss; those without one last, in their order."""
        return sorted(self.tried, key=lambda one: (one.loss is None, one.loss or 0.0))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a training file and the groups its examples belong to; an off-topic question is of none, and always learned."""

    content: bytes
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Halves:
    """The train side in two: what trials learn from, and what they are judged by."""

    learned: bytes
    validation: bytes
    n_learned: int
    n_validation: int


def settings_to_try(row: Quirks, now: Trial, seed: int, count: int) -> list[Trial]:
    """What runs take now, then settings drawn without repetition from a grid of what this vendor can be asked."""
    epochs = (1, 2, 3, 4, 6, 8)
    rates = (0.25, 0.5, 1.0, 2.0) if row.knows_rate_multiplier else (None,)
    ranks = (None,) if row.rank is Rank.NOWHERE else (4, 8, 16, 32)
    grid = [trial for numbers in product(epochs, rates, ranks) if (trial := Trial(*numbers)) != now]
    drawn = sorted(grid, key=lambda trial: hashlib.sha256(f"{seed}/{trial}".encode()).digest())
    return [now, *drawn][:count]


def caps_of(trials: str, minutes: str, cost: str) -> Caps:
    """Caps as people write them; `cost` may be empty. Raises SearchRefused naming what is none."""
    if not trials.isdecimal() or not 1 <= int(trials) <= MOST_TRIALS:
        raise SearchRefused(f"Trials are {trials!r}: give a whole number from 1 to {MOST_TRIALS}, for example 6.")
    length = _amount(minutes)
    if length is None or not 0 < length <= MOST_MINUTES:
        raise SearchRefused(f"Minutes are {minutes!r}: give a number above 0, at most {MOST_MINUTES:.0f}.")
    money = _amount(cost) if cost else None
    if cost and (money is None or money < 0):
        raise SearchRefused(f"The highest cost is {cost!r}, which is no amount. Write it like 2.50.")
    return Caps(int(trials), float(length), money)


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def halves(lines: Sequence[Line], minimum: int, seed: int) -> Halves:
    """Set whole groups of the train side apart for validation, by a stable draw. Raises SearchRefused if too few are left."""
    keys = sorted(
        frozenset[str]().union(*(line.groups for line in lines)),
        key=lambda key: hashlib.sha256(f"{seed}/{key}".encode()).digest(),
    )
    apart = frozenset(keys[: max(1, round(len(keys) * VALIDATION_SHARE))])
    learned = [line.content for line in lines if not line.groups & apart]
    validation = [line.content for line in lines if line.groups and line.groups <= apart]
    if len(learned) < minimum or not validation:
        raise SearchRefused(
            f"{len(lines)} examples to train on leave {len(learned)} once a fifth is set apart, and {minimum} are needed. "
            "Approve more corrections first."
        )
    return Halves(b"".join(learned), b"".join(validation), len(learned), len(validation))


def validation_loss(events: Sequence[JobEvent]) -> float | None:
    """The last validation loss that was told, in nats per token; None where none was."""
    for name in LOSSES:
        told = [event.numbers[name] for event in events if name in event.numbers]
        if told:
            return told[-1]
    return None


RUNS_LEARN = {
    RecipeKind.DPO: "each correction over the reply it corrects",
    RecipeKind.KTO: "corrections and marks",
    RecipeKind.SFT_DPO: "the answers first (sft), then each correction over the reply it corrects (dpo)",
}
"""What runs learn by a recipe that a search does not try."""


def warning_of(recipe: RecipeKind) -> str:
    """That trials train otherwise than runs do; "" where both learn the answers alone."""
    if recipe is RecipeKind.SFT:
        return ""
    other = "nothing about the second job" if recipe is RecipeKind.SFT_DPO else f"nothing about training by {recipe}"
    return (
        f"FINETONE_RECIPE is {recipe}, so runs learn {RUNS_LEARN[recipe]}. A search trains on the answers alone: its settings "
        f"are for the answers’ job only and say {other}, which takes the same settings."
    )


def outcome(plan: Plan, why_over: str, recipe: RecipeKind) -> str:
    """What came of the search, for people: `why_over` is the sentence that says why no further trial began.

    `recipe` is how runs train.
    """
    compared = [one for one in plan.best_first if one.loss is not None]
    if not compared:
        return f"{why_over} No trial told a validation loss, so nothing can be chosen. Nothing was changed."
    best, now = compared[0], plan.tried[0]
    if best is now:
        told = f"What runs take now ({now.trial}) is best: validation loss {best.loss:.4f} nats per token."
        said = f"{told} Leave the settings as they are."
    else:
        against = f", against {now.loss:.4f} as runs train now" if now.loss is not None else ""
        said = f"Best: {best.trial}, validation loss {best.loss:.4f} nats per token{against}. {_to_take(best.trial)}"
    return f"{why_over} {said} Nothing was changed. {warning_of(recipe)}".rstrip()


def _to_take(best: Trial) -> str:
    if not best.settings:
        return "To train runs so, unset FINETONE_EPOCHS, FINETONE_LEARNING_RATE and FINETONE_LORA_R."
    return f"To train runs so, set {best.settings}."


# ---------------------------------------------------------------- as a run keeps it


def stored(plan: Plan) -> dict[str, Any]:
    """The plan as JSON; `plan_of` reads it back."""
    return {
        "trials": [asdict(trial) for trial in plan.trials],
        "n_trials": plan.caps.trials,
        "minutes": plan.caps.minutes,
        "max_cost": None if plan.caps.cost is None else str(plan.caps.cost),
        "trial": plan.number,
        "begun_at": None if plan.begun_at is None else plan.begun_at.isoformat(),
        "validation_file": plan.validation_file_id,
        "tried": [
            {**asdict(one.trial), "loss": one.loss, "said": one.said, "cost": str(one.cost)} for one in plan.tried
        ],
        "at_vendor": [dict(one) for one in plan.at_vendor],
    }


def plan_of(run: Run) -> Plan:
    """The plan of a search's run."""
    kept = run.plan
    return Plan(
        tuple(Trial(**trial) for trial in kept["trials"]),
        Caps(kept["n_trials"], kept["minutes"], None if kept["max_cost"] is None else Decimal(kept["max_cost"])),
        kept["trial"],
        None if kept["begun_at"] is None else datetime.fromisoformat(kept["begun_at"]),
        kept["validation_file"],
        tuple(
            Tried(
                Trial(one["n_epochs"], one["learning_rate_multiplier"], one["lora_r"]),
                one["loss"],
                one["said"],
                Decimal(one["cost"]),
            )
            for one in kept["tried"]
        ),
        tuple(kept["at_vendor"]),
    )
