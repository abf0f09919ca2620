"""Pure: an evaluation read for people. Every number was counted by the run, or is worked out from what it kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean
from typing import Any

from curation.cost import Money, Traffic, serving_cost
from curation.critics import failed
from curation.evidence import Pairs
from curation.jury import JudgeSaid, judge_said
from curation.measures import ARMS, CANDIDATE, INCUMBENT, ArmCounts, arms_of
from curation.prices import Item, price_of
from curation.report.curve import Fit, curve, fit
from curation.tariff import Tariff
from curation.voting import people_count
from storage.records import Evaluation, PairVote, Run, RunEvent, SampleScore, Suite

SHOWN = 5  # questions that improved most, got worse most, were answered worst
REPLIES = 1_000  # that a price is reckoned for: of one, it would round to nothing
SUITES: Mapping[Suite, str] = {
    Suite.TARGET: "held-out questions",
    Suite.GENERAL: "general suite",
    Suite.SAFETY: "safety suite",
}


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One way to answer the held-out questions: its mean nearness to the approved answers, and what was counted of it."""

    way: str
    name: str
    score: float | None
    counts: ArmCounts | None  # None in evaluations from before anything was counted


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """Both models on one suite, and on how many of its questions which was better."""

    suite: Suite
    name: str
    asked: int
    incumbent: float
    candidate: float
    base: float | None
    better: int
    same: int
    worse: int


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a reply costs with one model: mean tokens, and money for 1,000 replies where a price is known."""

    way: str
    name: str
    prompt_tokens: float
    completion_tokens: float
    money: Money | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a report shows, in its order."""

    run: Run
    evaluation: Evaluation
    incumbent: str  # "model 2"
    candidate: str
    arms: tuple[ArmRow, ...]
    suites: tuple[SuiteRow, ...]
    improved: tuple[SampleScore, ...]
    worsened: tuple[SampleScore, ...]
    worst: tuple[SampleScore, ...]  # lowest scores of the candidate on held-out questions
    checks: Mapping[str, Any]  # as declared then
    upkeep: tuple[Upkeep, ...]
    bill: str  # whose prices, or why there are none
    curve: Mapping[str, list[Any]]
    fit: Fit
    votes: Pairs  # of moderators, blind
    people_count: bool  # by the plan that was sealed; else nearness to the approved answers decides
    judge: JudgeSaid | None
    notes: tuple[str, ...]  # of who was configured to look at answers, and did not
    prompts: str = (
        ""  # that the candidate was trained on others than are served here, as a sentence; "" where it was not
    )

    @property
    def heading(self) -> str:
        """What the evaluation came to, in a few words."""
        better = f"{self.candidate[:1].upper()}{self.candidate[1:]} is better than {self.incumbent}"
        return better if self.evaluation.passed else f"{better.replace(' is ', ' is not proven ', 1)}"


def read_report(
    run: Run,
    evaluation: Evaluation,
    events: Sequence[tuple[int, RunEvent]],
    votes: Sequence[PairVote],
    *,
    name_of: Callable[[str], str],
    pairs: Callable[[Sequence[PairVote]], Pairs],
    tariff: Tariff,
    prompts: str = "",
) -> Report:
    """Read what was stored. `name_of` gives a model's number in words for the provider's name; `pairs` counts blind votes."""
    names = {INCUMBENT: name_of(evaluation.incumbent_name), CANDIDATE: name_of(evaluation.candidate_name)}
    upkeep, bill = _upkeep(run, evaluation, names, tariff)
    by_gain = sorted(evaluation.samples, key=_gain)
    return Report(
        run,
        evaluation,
        names[INCUMBENT],
        names[CANDIDATE],
        _arms(evaluation, names),
        tuple(row for suite in Suite if (row := _suite(suite, evaluation.samples)) is not None),
        tuple(sample for sample in by_gain[::-1] if _gain(sample) > 0)[:SHOWN],
        tuple(sample for sample in by_gain if _gain(sample) < 0)[:SHOWN],
        tuple(sorted(_target(evaluation), key=lambda sample: (sample.candidate_score, _gain(sample)))[:SHOWN]),
        evaluation.measures.get("checks", {}),
        upkeep,
        bill,
        curve(events),
        fit(events),
        pairs(votes),
        people_count(evaluation),
        judge_said(evaluation.measures),
        failed(evaluation.measures),
        prompts,
    )


def _target(evaluation: Evaluation) -> list[SampleScore]:
    """A general case that no small model solves would hide the answers customers would get."""
    return [sample for sample in evaluation.samples if sample.suite is Suite.TARGET]


def _gain(sample: SampleScore) -> float:
    return sample.candidate_score - sample.incumbent_score


def _arms(evaluation: Evaluation, names: Mapping[str, str]) -> tuple[ArmRow, ...]:
    target = _target(evaluation)
    scores: dict[str, list[float]] = {
        INCUMBENT: [sample.incumbent_score for sample in target],
        CANDIDATE: [sample.candidate_score for sample in target],
    }
    for sample in target:
        for answer in sample.beside:
            scores.setdefault(answer.way, []).append(answer.score)
    counts = arms_of(evaluation.measures)
    return tuple(
        ArmRow(way, f"{names[way]}, {said}" if way in names else said, _mean(scores[way]), counts.get(way))
        for way, said in ARMS.items()
        if way in scores
    )


def _suite(suite: Suite, samples: Sequence[SampleScore]) -> SuiteRow | None:
    found = [sample for sample in samples if sample.suite is suite]
    if not found:
        return None
    based = [answer.score for sample in found for answer in sample.beside if answer.way == "base"]
    better, worse = sum(_gain(sample) > 0 for sample in found), sum(_gain(sample) < 0 for sample in found)
    return SuiteRow(
        suite,
        SUITES[suite],
        len(found),
        fmean(sample.incumbent_score for sample in found),
        fmean(sample.candidate_score for sample in found),
        _mean(based),
        better,
        len(found) - better - worse,
        worse,
    )


def _upkeep(
    run: Run, evaluation: Evaluation, names: Mapping[str, str], tariff: Tariff
) -> tuple[tuple[Upkeep, ...], str]:
    """What a reply takes before and after. Held-out questions stand for replies: they were asked as customers are answered."""
    prices = [price_of(tariff.prices, tariff.vendor, run.base_model, item) for item in (Item.INPUT, Item.OUTPUT)]
    found: list[Upkeep] = []
    for way, counts in arms_of(evaluation.measures).items():
        if way not in names or counts.prompt_tokens is None or counts.completion_tokens is None:
            continue
        tokens = (Decimal(str(mean)) * REPLIES for mean in (counts.prompt_tokens, counts.completion_tokens))
        money = serving_cost(Traffic(Decimal(REPLIES), *tokens), *prices)
        found.append(Upkeep(way, names[way], counts.prompt_tokens, counts.completion_tokens, money))
    if all(prices):
        said = " and ".join(f"{price} ({price.source}, {price.read_on.isoformat()})" for price in prices if price)
        return tuple(found), f"At {said}."
    if tariff.is_this_machine:
        return tuple(found), "Nothing is paid by the token: the model runs on this machine."
    return tuple(
        found
    ), f"What {tariff.vendor or 'the provider'} charges by the token is not known here; FINETONE_PRICES gives it."


def _mean(numbers: Sequence[float]) -> float | None:
    return fmean(numbers) if numbers else None
