"""Ask candidate and incumbent the same held-out questions, score both answers against the reference, give a verdict.

Scoring and verdict are pure. `compare` does the asking. Neither model has seen a held-out answer in training: the split
is by group and for ever (dataset.py).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from curation.dataset import Example
from curation.normal import normalised
from curation.prompting import CountTokens, build_messages
from providers.base import ChatModel, Sampling
from storage.records import BesideAnswer, Evaluation, Message, SampleScore

CHRF_ORDER = 6  # characters; chrF as in Popović 2015 (aclanthology.org/W15-3049), its default
CHRF_BETA = 2.0  # recall counts twice, its default too
WAYS = {"base": "the full prompt alone", "few_shot": "examples shown before the question"}
AT_ONCE = 4  # questions in flight while comparing

Progress = Callable[[int, int], Awaitable[None]]


class SamplesDiffer(ValueError):
    """Candidate and incumbent were not scored on the same samples in the same order."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate may serve, and the sentence that says why, with the numbers."""

    passed: bool
    reason: str


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over the words both share, in [0, 1]; 1 when both are empty (SQuAD's measure)."""
    ours, theirs = normalised(answer).split(), normalised(reference).split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))


def chrf(answer: str, reference: str) -> float:
    """Character n-gram F-score with n = 1…6 and beta = 2, white space ignored, in [0, 1]; 1 when both are empty."""
    ours, theirs = "".join(answer.split()), "".join(reference.split())
    if not ours or not theirs:
        return float(ours == theirs)
    precisions: list[float] = []
    recalls: list[float] = []
    for order in range(1, CHRF_ORDER + 1):
        grams = [Counter(text[i : i + order] for i in range(len(text) - order + 1)) for text in (ours, theirs)]
        sizes = [sum(counter.values()) for counter in grams]
        if not all(sizes):
            continue
        shared = sum((grams[0] & grams[1]).values())
        precisions.append(shared / sizes[0])
        recalls.append(shared / sizes[1])
    precision, recall = fmean(precisions), fmean(recalls)
    if precision + recall == 0:
        return 0.0
    return (1 + CHRF_BETA**2) * precision * recall / (CHRF_BETA**2 * precision + recall)


def score(answer: str, reference: str) -> float:
    """How near an answer is to its reference, in [0, 1]: the mean of token F1 (its words) and chrF (its letters and signs)."""
    return (token_f1(answer, reference) + chrf(answer, reference)) / 2


def verdict(samples: Sequence[SampleScore], margin: float) -> Verdict:
    """Decide whether the candidate may serve.

    `margin` is the mean gain required, in points of [0, 1]. A candidate that says nothing to any question never passes,
    whatever its mean. With no samples nothing is proven, so the answer is no.
    """
    if not samples:
        return Verdict(False, "There is no held-out sample to judge by, so nothing is proven.")
    candidate = fmean(sample.candidate_score for sample in samples)
    incumbent = fmean(sample.incumbent_score for sample in samples)
    better = sum(sample.candidate_score > sample.incumbent_score for sample in samples)
    worse = sum(sample.candidate_score < sample.incumbent_score for sample in samples)
    numbers = (
        f"{candidate:.3f} against {incumbent:.3f} for the model that served, on {len(samples)} held-out questions "
        f"(better on {better}, worse on {worse}; a gain of {margin:.3f} is required)"
    )
    silent = [sample for sample in samples if not sample.candidate_text.strip()]
    if silent:
        return Verdict(False, f"The new model said nothing to {len(silent)} of {len(samples)} questions: {numbers}.")
    if candidate - incumbent >= margin:
        return Verdict(True, f"Closer to the approved answers: {numbers}.")
    return Verdict(False, f"Not closer to the approved answers: {numbers}.")


def beside_told(samples: Sequence[SampleScore]) -> str:
    """How the base model does without any training, as a sentence; "" where it was not asked.

    It says what training adds over a prompt; the verdict does not rest on it.
    """
    by_way = {
        way: fmean(answer.score for sample in samples for answer in sample.beside if answer.way == way)
        for way in dict.fromkeys(answer.way for sample in samples for answer in sample.beside)
    }
    said = " and ".join(f"{score:.3f} with {WAYS[way]}" for way, score in by_way.items())
    return f"Without training, the base model scores {said}." if said else ""


@dataclass(frozen=True, slots=True)
class Arm:
    """Another way to answer, asked beside the two models: `exchanges` are examples shown before the conversation."""

    way: str  # of WAYS
    model: str
    prompt: str
    exchanges: tuple[Message, ...] = ()


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
    margin: float
    beside: tuple[Arm, ...] = ()


async def compare(
    contest: Contest,
    chat_model: ChatModel,
    count_tokens: CountTokens,
    *,
    now: Callable[[], datetime],
    progress: Progress | None = None,
) -> Evaluation:
    """Ask both models, and those beside them, every sample, greedily as `contest.sampling` says, and judge.

    An arm that would be asked just as the incumbent is has its answer. Raises ProviderError.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    done = 0

    def messages(prompt: str, example: Example, exchanges: Sequence[Message] = ()) -> Sequence[Message]:
        return build_messages(
            prompt,
            example.history,
            example.question,
            fixes=exchanges,
            budget_tokens=contest.budget_tokens,
            count_tokens=count_tokens,
        ).messages

    async def ask(model: str, messages: Sequence[Message]) -> str:
        async with gate:
            return "".join([chunk.text async for chunk in chat_model.stream(model, messages, contest.sampling)])

    async def judge(example: Example) -> SampleScore:
        nonlocal done
        incumbent, candidate = await asyncio.gather(
            ask(contest.incumbent_name, messages(contest.incumbent_prompt, example)),
            ask(contest.candidate_name, messages(contest.candidate_prompt, example)),
        )
        beside: list[BesideAnswer] = []
        for arm in contest.beside:
            is_incumbent = (arm.model, arm.prompt, arm.exchanges) == (
                contest.incumbent_name,
                contest.incumbent_prompt,
                (),
            )
            said = incumbent if is_incumbent else await ask(arm.model, messages(arm.prompt, example, arm.exchanges))
            beside.append(BesideAnswer(arm.way, said, score(said, example.answer)))
        done += 1
        if progress is not None:
            await progress(done, len(contest.samples))
        return SampleScore(
            example.source_id,
            example.question,
            example.answer,
            incumbent,
            candidate,
            score(incumbent, example.answer),
            score(candidate, example.answer),
            tuple(beside),
        )

    tasks = [asyncio.create_task(judge(example)) for example in contest.samples]
    try:
        samples = tuple(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:  # the others would fail for the same reason, or are no longer wanted
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    outcome = verdict(samples, contest.margin)
    reason = f"{outcome.reason} {beside_told(samples)}".rstrip()
    return Evaluation(
        contest.run_id,
        contest.incumbent_name,
        contest.candidate_name,
        samples,
        contest.margin,
        outcome.passed,
        reason,
        now(),
    )
