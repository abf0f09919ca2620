"""Ask candidate and incumbent the same held-out questions and score both answers against the reference.

`compare` does the asking; nearness.py scores, release.py gives the verdict. Neither model has seen a held-out answer in
training: the split is by group and for ever (dataset.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from curation.dataset import Example
from curation.evidence import Rules
from curation.nearness import score
from curation.prompting import CountTokens, build_messages
from curation.release import rule
from providers.base import ChatModel, Sampling
from storage.records import BesideAnswer, Evaluation, Message, SampleScore

WAYS = {"base": "the full prompt alone", "few_shot": "examples shown before the question"}
AT_ONCE = 4  # questions in flight while comparing

Progress = Callable[[int, int], Awaitable[None]]


class SamplesDiffer(ValueError):
    """Candidate and incumbent were not scored on the same samples in the same order."""


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
    rules: Rules  # as they were sealed before the first question
    beside: tuple[Arm, ...] = ()
    forgotten: tuple[str, ...] = ()  # learned corrections that the candidate no longer answers rightly
    uses: int = 0  # candidates that most of these held-out questions judged before


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
        evidence=ruling.evidence,
    )
