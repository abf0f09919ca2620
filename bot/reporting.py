"""A run's report and its blind pairs, read from the store for every surface."""

import asyncio
from dataclasses import dataclass, replace

from bot.readings import named
from curation.blind import BlindPair, counted_pairs, pairs_for
from curation.calibrating import RUNS_READ
from curation.evidence import Pairs, Rules, more_pairs
from curation.fixes import trained_for_another
from curation.release import pairs_needed
from curation.report import Report, read_report
from curation.sealing import SEALS
from curation.tariff import Tariff
from curation.voting import ends_at, people_count
from storage.records import Actor, Evaluation, PairVote, Right, Run, RunState, Voice
from storage.store import Store


class NothingCompared(Exception):
    """The run has no evaluation; the message says why that is, or which run has one."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a moderator is asked about one run's answers, and how far everybody came."""

    pair: BlindPair | None  # the next one for them
    left: int  # for them
    judged: Pairs  # by everybody
    needed: str  # a sentence
    counts: str  # what the choices are for, as a sentence


async def run_to_report(store: Store, voice: Voice, run_id: str) -> Run:
    """The run of this id, or of this beginning of one; the newest that was compared where it is "". Raises NothingCompared."""
    runs = await store.runs.recent(voice.id, RUNS_READ)
    if run_id:
        found = [run for run in runs if run.id.startswith(run_id)]
        if len(found) == 1:
            return found[0]
        return await store.runs.get(run_id)  # raises NotFound
    for run in runs:
        if await store.runs.evaluation(run.id) is not None:
            return run
    raise NothingCompared("No run has compared a new model yet. `finetone retrain` starts one.")


async def read_run_report(store: Store, run: Run, tariff: Tariff, *, served: str = "") -> Report:
    """Everything a report shows, with this tariff's prices. `served` is the shape of prompts here, "" where there is no telling.

    Raises NothingCompared.
    """
    evaluation = await evaluation_of(store, run)
    evaluation = replace(evaluation, reason=await named(store, evaluation.reason))
    models = await store.models.list(run.voice_id)
    numbers = {model.name: model.number for model in models}
    trained = next((model.shape for model in models if model.run_id == run.id), "")

    def name_of(name: str) -> str:
        return f"model {numbers[name]}" if name in numbers else name

    return read_report(
        run,
        evaluation,
        await store.runs.events(run.id),
        await store.blind_pairs.of_run(run.id),
        name_of=name_of,
        pairs=counted_pairs,
        tariff=tariff,
        prompts=f"Trained for another shape. {differs}"
        if (differs := served and trained_for_another(trained, served))
        else "",
    )


async def evaluation_of(store: Store, run: Run) -> Evaluation:
    """The run's evaluation. Raises NothingCompared."""
    evaluation = await store.runs.evaluation(run.id)
    if evaluation is None:
        state = "is not that far yet" if run.is_open else f"ended before it: {run.end_reason or run.state}"
        raise NothingCompared(f"Nothing was compared in this run; it {state}.")
    return evaluation


async def asking_of(store: Store, actor: Actor, run: Run, rules: Rules) -> Asking:
    """The next pair for this moderator and what is still needed. Own corrections are not asked about."""
    evaluation = await evaluation_of(store, run)
    votes = await store.blind_pairs.of_run(run.id)
    left = await pairs_left(store, actor, evaluation, votes)
    judged = counted_pairs(votes)
    known = await store.audit.first(run.id, SEALS)
    rules = replace(rules, judge=known.detail.get("judge", "") if known else "")
    needed = await asyncio.to_thread(_needed, judged, rules)
    return Asking(left[0] if left else None, len(left), judged, needed, _counts(run, evaluation, rules))


async def left_to_judge(store: Store, actor: Actor, evaluation: Evaluation) -> int:
    """How many of a comparison's pairs this person may still judge; 0 for who judges none. Until then no page shows them whose
    answer is whose.
    """
    if not actor.has(Right.MODERATOR):
        return 0
    return len(await pairs_left(store, actor, evaluation, await store.blind_pairs.of_run(evaluation.run_id)))


async def pairs_left(store: Store, actor: Actor, evaluation: Evaluation, votes: list[PairVote]) -> list[BlindPair]:
    """The pairs this moderator may still judge."""
    corrections = await store.corrections.many(sample.correction_id for sample in evaluation.samples)
    proposed_by = {correction.id: correction.proposed_by for correction in corrections}
    return pairs_for(evaluation, actor.id, proposed_by, votes)


def _needed(judged: Pairs, rules: Rules) -> str:
    """How many more pairs a decision would take, as a sentence. May compute for seconds."""
    if judged.decisive == 0:
        least = pairs_needed(replace(rules, alpha=rules.people_alpha))
        return f"At least {least} pairs in which one model is preferred are needed to prove anything."
    return more_pairs(judged, rules.people_alpha, rules.q0).sentence


def _counts(run: Run, evaluation: Evaluation, rules: Rules) -> str:
    """What the choices on a run's pairs are for."""
    if not people_count(evaluation):
        return "Nearness to the approved answers decides in this run; what you choose is shown beside it."
    if run.state is not RunState.EVALUATED:
        return "The run is decided; what you choose now is only shown."
    until = f"{ends_at(evaluation, rules):%-d %b %Y, %H:%M} UTC"
    return f"The first choice on each pair decides, until {until}, whether the new model may serve."
