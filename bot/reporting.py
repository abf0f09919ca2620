"""A run's report and its blind pairs, read from the store for every surface."""

import asyncio
from dataclasses import dataclass

from curation.blind import BlindPair, counted_pairs, pairs_for, preferences
from curation.evidence import Pairs, Rules, more_pairs
from curation.judging import Calibration, Judge, calibration, family_of
from curation.jury import JudgeSaid, judge_said, labels
from curation.release import pairs_needed
from curation.report import Report, read_report
from curation.tariff import Tariff
from curation.workshop import Workshop
from storage.records import Actor, Evaluation, PairVote, Run, Voice
from storage.store import Store

RUNS_READ = 200  # newest runs of a voice that a judge's agreement is read from


class NothingCompared(Exception):
    """The run has no evaluation; the message says why that is, or which run has one."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a moderator is asked about one run's answers, and how far everybody came."""

    pair: BlindPair | None  # the next one for them
    left: int  # for them
    judged: Pairs  # by everybody
    needed: str  # a sentence


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


async def read_run_report(store: Store, run: Run, tariff: Tariff) -> Report:
    """Everything a report shows, with this tariff's prices. Raises NothingCompared."""
    evaluation = await evaluation_of(store, run)
    numbers = {model.name: model.number for model in await store.models.list(run.voice_id)}

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
    return Asking(left[0] if left else None, len(left), judged, await asyncio.to_thread(_needed, judged, rules))


async def pairs_left(store: Store, actor: Actor, evaluation: Evaluation, votes: list[PairVote]) -> list[BlindPair]:
    """The pairs this moderator may still judge."""
    corrections = await store.corrections.many(sample.correction_id for sample in evaluation.samples)
    proposed_by = {correction.id: correction.proposed_by for correction in corrections}
    return pairs_for(evaluation, actor.id, proposed_by, votes)


async def calibration_of(workshop: Workshop, voice: Voice) -> Calibration | None:
    """How far the configured judge agrees with this voice's moderators; None without a judge."""
    bench = workshop.critics.bench
    if bench is None:
        return None
    return await _calibration(workshop.store, voice, bench.judge)


async def _calibration(store: Store, voice: Voice, judge: Judge) -> Calibration:
    said: dict[str, JudgeSaid] = {}
    for run in await store.runs.recent(voice.id, RUNS_READ):
        evaluation = await store.runs.evaluation(run.id)
        found = judge_said(evaluation.measures) if evaluation is not None else None
        if found is not None:
            said[run.id] = found
    people = preferences(await store.blind_pairs.of_voice(voice.id))
    return calibration(judge, family_of(voice.base_model), labels(judge.key, people, said))


def _needed(judged: Pairs, rules: Rules) -> str:
    """How many more pairs a decision would take, as a sentence. May compute for seconds."""
    if judged.decisive == 0:
        return f"At least {pairs_needed(rules)} pairs in which one model is preferred are needed to prove anything."
    return more_pairs(judged, rules.alpha, rules.q0).sentence
