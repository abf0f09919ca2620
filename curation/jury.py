"""Asks a judge about every pair of differing answers, in both orders, and keeps what it said so that it can be read again.

Nothing rests on it: a judge counts beside people once it agreed with them (judging.calibration), and never alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.evidence import LengthControlled, LengthPair, length_controlled
from curation.judging import BothOrders, Choice, Judge, Judged, JudgeUnreadable, judged, read_choice
from providers.base import ChatModel, Sampling
from storage.records import Preference, SampleScore, Suite

AT_ONCE = 4  # questions to the judge in flight
WORD = Sampling(max_tokens=16)  # one word, greedily; some models put signs around it


class SameFamily(ValueError):
    """The judge would judge its own family's answers; the message says what to choose instead."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A judge and where it is asked."""

    judge: Judge
    chat_model: ChatModel


@dataclass(frozen=True, slots=True)
class JudgeSaid:
    """What a judge said of one run's pairs."""

    model: str
    family: str
    key: str
    verdicts: tuple[BothOrders, ...]
    unreadable: int  # pairs for which it said something else than one of the three words
    at_equal_length: LengthControlled

    @property
    def judged(self) -> Judged:
        """The verdicts, counted."""
        return judged(self.verdicts)


async def ask_judge(bench: Bench, samples: Sequence[SampleScore], candidate_family: str) -> dict[str, Any]:
    """Let the judge compare both answers to every held-out question that differ; what `Evaluation.measures` keeps of it.

    Raises SameFamily, and ProviderError where the judge cannot be asked.
    """
    require_other_family(bench.judge, candidate_family)
    gate = asyncio.Semaphore(AT_ONCE)

    async def choose(sample: SampleScore, *, candidate_first: bool) -> Choice:
        ours, theirs = sample.candidate_text, sample.incumbent_text
        first, second = (ours, theirs) if candidate_first else (theirs, ours)
        messages = bench.judge.messages(sample.question, first, second)
        async with gate:
            chunks = [chunk.text async for chunk in bench.chat_model.stream(bench.judge.model, messages, WORD)]
        return read_choice("".join(chunks))

    async def judge(sample: SampleScore) -> BothOrders | None:
        try:
            as_first = await choose(sample, candidate_first=True)
            as_second = await choose(sample, candidate_first=False)
        except JudgeUnreadable:
            return None
        return BothOrders(sample.correction_id, as_first, as_second)

    differing = [
        sample
        for sample in samples
        if sample.suite is Suite.TARGET and sample.candidate_text.strip() != sample.incumbent_text.strip()
    ]
    tasks = [asyncio.create_task(judge(sample)) for sample in differing]
    try:
        said = await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return {"judge": _stored(bench.judge, differing, [verdict for verdict in said if verdict is not None])}


def require_other_family(judge: Judge, candidate_family: str) -> None:
    """Raise SameFamily where the judge's own family is judged."""
    if judge.family.casefold() == candidate_family.casefold():
        raise SameFamily(
            f"The judge {judge.model} is of the family “{judge.family}”, as the model it would judge is. Set "
            "FINETONE_JUDGE_MODEL and FINETONE_JUDGE_FAMILY to one that somebody else trained."
        )


def judge_said(measures: Mapping[str, Any]) -> JudgeSaid | None:
    """What was kept, read again; None where no judge was asked."""
    kept: Mapping[str, Any] | None = measures.get("judge")
    if kept is None:
        return None
    verdicts = tuple(BothOrders(id, Choice(first), Choice(second)) for id, first, second in kept["verdicts"])
    lengths = [LengthPair(won, ours, theirs) for won, ours, theirs in kept["lengths"]]
    return JudgeSaid(
        kept["model"], kept["family"], kept["key"], verdicts, kept["unreadable"], length_controlled(lengths)
    )


def labels(
    judge_key: str, preferences: Mapping[tuple[str, str], Preference], said: Mapping[str, JudgeSaid]
) -> list[tuple[Preference, Preference]]:
    """(The moderators' preference, the judge's) on every pair both judged. Keys are (run, sample); `said` is by run."""
    return [
        (preferences[run_id, verdict.pair_id], verdict.preference)
        for run_id, judge in said.items()
        if judge.key == judge_key
        for verdict in judge.verdicts
        if (run_id, verdict.pair_id) in preferences
    ]


def _stored(judge: Judge, asked: Sequence[SampleScore], verdicts: Sequence[BothOrders]) -> dict[str, Any]:
    """Ids, choices and lengths in words; no word that was said, so that an erasure has nothing to do here."""
    by_id = {sample.correction_id: sample for sample in asked}
    decisive = [verdict for verdict in verdicts if verdict.preference is not Preference.NEITHER]
    return {
        "model": judge.model,
        "family": judge.family,
        "key": judge.key,
        "instructions": judge.instructions,
        "rubric": judge.rubric,
        "unreadable": len(asked) - len(verdicts),
        "verdicts": [[verdict.pair_id, verdict.as_first.value, verdict.as_second.value] for verdict in verdicts],
        "lengths": [
            [
                verdict.preference is Preference.CANDIDATE,
                len(by_id[verdict.pair_id].candidate_text.split()),
                len(by_id[verdict.pair_id].incumbent_text.split()),
            ]
            for verdict in decisive
        ],
    }
