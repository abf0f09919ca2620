"""Pure: what a voice's models learned run by run, what it took, and when the next run pays. Every number is of stored rows.

Three of them are estimates, and how each comes about is said where it is shown: money is reckoned with today's prices, a
moderator's time from how far their decisions lie apart, and what a run saves from the fixes that last month's replies were shown.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean, median

from curation.cost import Money, training_cost
from curation.evidence import Interval, wilson
from curation.prices import TOKENS, Item, Price, price_of
from curation.tariff import ASSUMED_EPOCHS, Tariff
from storage.records import Deployment, DeploymentKind, Learned, LearnedVerdict, Model
from storage.upkeep import RepliesOf

WITHIN = timedelta(minutes=10)  # decisions further apart than this were not made in one go
AT_ONCE = timedelta(seconds=1)  # closer together than this, several were decided with one click
LEAST_GAPS = 5  # between decisions, before their median says anything
MONTH_DAYS = 30  # of replies that a month is reckoned from
LEAST_JUDGED = 5  # corrections of a model, before its share is a forecast


@dataclass(frozen=True, slots=True)
class Taught:
    """What one run's model made of the corrections it was asked about, and what its replies take."""

    model: Model
    has_served: bool
    judged: int
    verdicts: Mapping[LearnedVerdict, int]
    new: tuple[str, ...]  # ids of corrections that it learned and no model before it that served had
    forgotten: tuple[str, ...]  # ids of those that one before it that served had learned, and it has not
    replies: RepliesOf | None  # None where it answered nobody
    log_margin: float | None = None  # mean of those that were scored, in nats a token; None where none was

    @property
    def learned(self) -> int:
        """How many it learned."""
        return self.verdicts.get(LearnedVerdict.LEARNED, 0)

    @property
    def share(self) -> Interval:
        """Wilson's 95 % interval of the learned share."""
        return wilson(self.learned, self.judged)


@dataclass(frozen=True, slots=True)
class Took:
    """What all runs took. `money` is None where it is not known, or nothing is billed; `seconds` where nobody can tell."""

    tokens: int  # of all training passes
    runs: int
    money: Money | None
    is_free: bool  # the tuner runs on this machine and bills nobody
    decisions: int
    seconds: float | None  # the median between two decisions of one person in one go
    learned: int  # corrections that the serving model has learned

    @property
    def money_each(self) -> Money | None:
        """For each learned correction."""
        if self.money is None or not self.learned:
            return None
        return Money(self.money.amount / self.learned, self.money.currency)

    @property
    def minutes_each(self) -> float | None:
        """Of deciding, for each learned correction: every decision counts, also those that rejected."""
        if self.seconds is None or not self.learned:
            return None
        return self.seconds * self.decisions / 60 / self.learned


@dataclass(frozen=True, slots=True)
class NextRun:
    """Whether a run would pay. Tokens are of a month of replies as the last one was."""

    new: int  # approved corrections the serving model was not trained on
    unlearned: int  # corrections in force that are not in its weights; each is a fix still
    refusal: str  # why no run may start now, as a sentence; "" where one may
    cost: str  # what the provider charges, in words
    money: Money | None
    fix_tokens: int  # of prompts, that fixes not yet learned take a month
    share: Interval | None  # of corrections, that the newest judged model learned; None where too few were judged
    price: Price | None  # of a token of a prompt; None where none is known

    @property
    def saved(self) -> tuple[int, int] | None:
        """Prompt tokens a month that a run would save, from and to; None where nothing says how much is learned."""
        if self.share is None:
            return None
        return round(self.fix_tokens * self.share.low), round(self.fix_tokens * self.share.high)

    @property
    def days(self) -> tuple[float, float] | None:
        """After how many days its cost would be saved, from and to; None where a number for it is missing."""
        saved, money, price = self.saved, self.money, self.price
        if saved is None or money is None or price is None or price.currency != money.currency:
            return None
        if not saved[0] or price.unit not in TOKENS:
            return None
        each = price.amount / TOKENS[price.unit]
        slowest, fastest = (float(money.amount / (each * Decimal(tokens)) * MONTH_DAYS) for tokens in saved)
        return fastest, slowest


@dataclass(frozen=True, slots=True)
class Learning:
    """Everything the learning page shows."""

    taught: tuple[Taught, ...]  # of judged models, by number
    spent: tuple[tuple[Model, RepliesOf], ...]  # of every model that answered, by number: the base is number 0
    took: Took
    next: NextRun


def taught_by(
    models: Sequence[Model],
    deployments: Iterable[Deployment],
    verdicts: Iterable[Learned],
    replies: Iterable[RepliesOf],
) -> tuple[Taught, ...]:
    """The models that were asked about corrections, by number.

    What is new and what is forgotten is told against models that served before: what a stopped candidate knew, nobody lost.
    """
    served = {one.model.id for one in deployments if one.kind is DeploymentKind.PROMOTION}
    of_model: dict[str, list[Learned]] = defaultdict(list)
    for verdict in verdicts:
        of_model[verdict.model_id].append(verdict)
    by_name = {one.model_name: one for one in replies}
    known: set[str] = set()
    found: list[Taught] = []
    for model in sorted(models, key=lambda model: model.number):
        if not (judged := of_model.get(model.id, [])):
            continue
        learned = {one.correction_id for one in judged if one.verdict is LearnedVerdict.LEARNED}
        asked = {one.correction_id for one in judged}
        counts = {verdict: sum(one.verdict is verdict for one in judged) for verdict in LearnedVerdict}
        new, forgotten = sorted(learned - known), sorted((known & asked) - learned)
        has_served = model.id in served
        replied = by_name.get(model.name)
        margins = [one.log_margin for one in judged if one.log_margin is not None]
        found.append(
            Taught(
                model,
                has_served,
                len(judged),
                counts,
                tuple(new),
                tuple(forgotten),
                replied,
                fmean(margins) if margins else None,
            )
        )
        if has_served:
            known |= learned
    return tuple(found)


def between_decisions(decided: Iterable[tuple[str, datetime]]) -> float | None:
    """The median seconds between two decisions that one person made in one go; None where there are too few to tell.

    `decided` is who and when, the oldest first. Several decided with one click are one decision. This is reading and deciding:
    how long somebody wrote at a correction, nothing here knows.
    """
    last: dict[str, datetime] = {}
    gaps: list[float] = []
    for who, at in decided:
        if (before := last.get(who)) is not None and AT_ONCE <= at - before <= WITHIN:
            gaps.append((at - before).total_seconds())
        last[who] = at
    return median(gaps) if len(gaps) >= LEAST_GAPS else None


def took(
    trained: Sequence[tuple[str, int]],
    tariff: Tariff,
    n_epochs: int | None,
    decided: Sequence[tuple[str, datetime]],
    learned: int,
) -> Took:
    """What training and deciding took. `trained` is of each run that trained: its base model and the tokens of one pass.

    A run whose price is unknown makes the sum unknown. `n_epochs` None: as many as the trainer usually takes (ASSUMED_EPOCHS).
    """
    epochs = n_epochs or ASSUMED_EPOCHS
    prices = [price_of(tariff.prices, tariff.vendor, base, Item.TRAINING) for base, _ in trained]
    costs = [training_cost(tokens, epochs, price) for (_, tokens), price in zip(trained, prices, strict=True)]
    is_free = tariff.is_this_machine and not any(prices)
    return Took(
        sum(tokens * epochs for _, tokens in trained),
        len(trained),
        None if is_free else _sum(costs),
        is_free,
        len(decided),
        between_decisions(decided),
        learned,
    )


def forecast(found: Sequence[Taught]) -> Interval | None:
    """The share of corrections that a run should teach: that of the newest model of which enough were judged."""
    return next((one.share for one in reversed(found) if one.judged >= LEAST_JUDGED), None)


def fix_tokens(shown: Mapping[str, int], tokens: Mapping[str, int], learned: Collection[str]) -> int:
    """Tokens of prompts that fixes took which are not in the weights. `shown` and `tokens` are by correction."""
    return sum(times * tokens.get(id, 0) for id, times in shown.items() if id not in learned)


def _sum(costs: Sequence[Money | None]) -> Money | None:
    """All together; None where one is unknown, there is none, or they are in several currencies."""
    known = [cost for cost in costs if cost is not None]
    if not known or len(known) < len(costs) or len({cost.currency for cost in known}) > 1:
        return None
    return Money(sum((cost.amount for cost in known), Decimal(0)), known[0].currency)
