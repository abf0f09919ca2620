"""How far the configured judge agrees with a voice's moderators, read from the pairs that both judged in earlier runs."""

from curation.blind import preferences
from curation.judging import Calibration, Judge, calibration, family_of
from curation.jury import JudgeSaid, judge_said, labels
from curation.workshop import Workshop
from storage.records import Voice
from storage.store import Store

RUNS_READ = 200  # newest runs of a voice that a judge's agreement is read from


async def calibration_of(workshop: Workshop, voice: Voice) -> Calibration | None:
    """How far the configured judge agrees with this voice's moderators; None without a judge."""
    bench = workshop.critics.bench
    if bench is None:
        return None
    return await _calibration(workshop.store, voice, bench.judge)


async def counting_judge(workshop: Workshop, voice: Voice) -> str:
    """The key of the configured judge where its verdicts count beside people's; "" where there is none, or it does not."""
    found = await calibration_of(workshop, voice)
    return found.judge_key if found is not None and found.may_vote else ""


async def _calibration(store: Store, voice: Voice, judge: Judge) -> Calibration:
    said: dict[str, JudgeSaid] = {}
    for run in await store.runs.recent(voice.id, RUNS_READ):
        evaluation = await store.runs.evaluation(run.id)
        found = judge_said(evaluation.measures) if evaluation is not None else None
        if found is not None:
            said[run.id] = found
    people = preferences(await store.blind_pairs.of_voice(voice.id))
    return calibration(judge, family_of(voice.base_model), labels(judge.key, people, said))
