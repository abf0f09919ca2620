"""Ask candidate and incumbent the same held-out questions and score both answers against the reference.

`compare` does the asking; nearness.py scores, release.py gives the verdict. Neither model has seen a held-out answer in
training: the split is by group and for ever (dataset.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import fmean
from typing import Any

from curation.asking import Arm, Asker, together
from curation.checks import declared
from curation.critics import Critics, judged_by, moderated
from curation.dataset import Example
from curation.evidence import Rules
from curation.measures import CANDIDATE, INCUMBENT, counted, stored
from curation.prompting import CountTokens
from curation.release import rule
from curation.suites import Case
from providers.base import ChatModel, Sampling
from storage.records import Evaluation, SampleScore, Suite

WAYS = {"base": "the full prompt alone", "few_shot": "examples shown before the question"}

Progress = Callable[[int, int], Awaitable[None]]


class SamplesDiffer(ValueError):
    """Candidate and incumbent were not scored on the same samples in the same order."""


def beside_told(samples: Sequence[SampleScore]) -> str:
    """How the base model does without any training, as a sentence; "" where it was not asked.

    It says what training adds over a prompt; the verdict does not rest on it.
    """
    answers = [answer for sample in samples if sample.suite is Suite.TARGET for answer in sample.beside]
    by_way = {
        way: fmean(answer.score for answer in answers if answer.way == way)
        for way in dict.fromkeys(answer.way for answer in answers)
    }
    said = " and ".join(f"{score:.3f} with {WAYS[way]}" for way, score in by_way.items())
    return f"Without training, the base model scores {said}." if said else ""


@dataclass(frozen=True, slots=True)
class Contest:
    """Everything a comparison needs to know: who is compared, on what, and how they are asked."""

    run_id: str
    incumbent_name: str
    candidate_name: str
    incumbent_prompt: str  # a model is asked with the prompt it was trained with
    candidate_prompt: str
    samples: tuple[Example, ...]
    sampling: Sampling
    budget_tokens: int
    rules: Rules  # as they were sealed before the first question
    beside: tuple[Arm, ...] = ()
    forgotten: tuple[str, ...] = ()  # learned corrections that the candidate no longer answers rightly
    cases: tuple[Case, ...] = ()  # of the general and the safety suite
    checks: Mapping[str, Any] = field(default_factory=dict[str, Any])  # what answers of the voice keep to
    known: str = ""  # texts of the brand, whose addresses and numbers a model may know
    base_model: str = ""  # that the candidate was made from
    uses: int = 0  # candidates that most of these held-out questions judged before
    with_fixes: frozenset[str] = frozenset()  # of measures.ARMS: who is asked with the fixes that samples have


async def compare(
    contest: Contest,
    chat_model: ChatModel,
    count_tokens: CountTokens,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
    critics: Critics | None = None,
) -> Evaluation:
    """Ask both models, and those beside them, every sample and every case, greedily as `contest.sampling` says, and judge.

    `progress` is told after each question how many of all are done. An arm that would be asked just as the incumbent is has its
    answer. Raises ProviderError, and ChecksWrong where the voice's checks cannot be used.
    """
    asker = Asker(chat_model, count_tokens, contest.sampling, contest.budget_tokens, contest.known)
    incumbent, candidate = (
        Arm(way, name, prompt, sees_fixes=way in contest.with_fixes)
        for way, name, prompt in (
            (INCUMBENT, contest.incumbent_name, contest.incumbent_prompt),
            (CANDIDATE, contest.candidate_name, contest.candidate_prompt),
        )
    )
    base = next((arm for arm in contest.beside if arm.way == "base"), None)
    total = len(contest.samples) + len(contest.cases)
    done = 0

    async def counted_as_done(asked: Awaitable[SampleScore]) -> SampleScore:
        nonlocal done
        sample = await asked
        done += 1
        if progress is not None:
            await progress(done, total)
        return sample

    questions = [
        *(asker.sample(example, incumbent, candidate, contest.beside) for example in contest.samples),
        *(
            asker.case(case, incumbent, candidate, base if case.suite is Suite.GENERAL else None)
            for case in contest.cases
        ),
    ]
    samples = tuple(await together(counted_as_done(question) for question in questions))
    critics = critics or Critics()
    samples, toxicity = await moderated(samples, critics.moderator)
    judge = await judged_by(critics.bench, samples, contest.base_model or contest.candidate_name)
    counts = {way: counted(answers, declared(contest.checks)) for way, answers in asker.said.items()}
    groups = {example.source_id: example.group_key for example in contest.samples}
    ruling = await asyncio.to_thread(
        rule, samples, groups, contest.rules, forgotten=contest.forgotten, uses=contest.uses
    )
    reason = f"{ruling.reason} {beside_told(samples)}".rstrip()
    return Evaluation(
        contest.run_id,
        contest.incumbent_name,
        contest.candidate_name,
        samples,
        contest.rules.decisive,
        ruling.verdict,
        reason,
        now(),
        measures={**stored(counts, contest.checks), **toxicity, **judge},
        evidence=ruling.evidence,
    )
