"""Asks the models of a comparison, a few questions at a time, and scores what they say: held-out samples and suites' cases."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from curation.examples import Example
from curation.measures import CANDIDATE, INCUMBENT, Answer
from curation.nearness import score
from curation.prompting import CountTokens, build_messages
from curation.suites import Asked, Case, case_score
from curation.suites.rules import twin_score
from providers.base import ChatModel, Sampling
from storage.records import BesideAnswer, Message, SampleScore

AT_ONCE = 4  # questions to models in flight: as many as the tuner's engine answers side by side
CASE_TOKENS = 48  # of an answer to a suite's case at most: enough for what is looked for, and a third of a reply's time
T = TypeVar("T")
OF_ITS_TWIN = "\n\n—\n\n"  # between a question's answer and its twin's


async def ask(
    chat_model: ChatModel, gate: asyncio.Semaphore, model: str, messages: Sequence[Message], sampling: Sampling
) -> Answer:
    """What the model says, once the gate leaves this question through. Raises ProviderError."""
    async with gate:
        chunks = [chunk async for chunk in chat_model.stream(model, messages, sampling)]
    return Answer(
        "".join(chunk.text for chunk in chunks),
        sum(chunk.prompt_tokens for chunk in chunks),
        sum(chunk.completion_tokens for chunk in chunks),
    )


async def together(questions: Iterable[Awaitable[T]]) -> list[T]:
    """What comes of each, in their order. Once one raises, the others are called off and that is raised."""
    tasks = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:  # the others would fail for the same reason, or are no longer wanted
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


@dataclass(frozen=True, slots=True)
class Arm:
    """A way to answer: `exchanges` are examples shown before the conversation, instead of the fixes that each sample has
    where `sees_fixes`.
    """

    way: str  # of measures.ARMS
    model: str
    prompt: str
    exchanges: tuple[Message, ...] = ()
    sees_fixes: bool = False  # as its replies rest on fixes when it serves

    def is_asked_as(self, other: "Arm") -> bool:
        """Whether both get the same messages, so that one answer is both's."""
        mine = (self.model, self.prompt, self.exchanges, self.sees_fixes)
        return mine == (other.model, other.prompt, other.exchanges, other.sees_fixes)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is asked, and how. `said` collects the answers to held-out samples, by way."""

    chat_model: ChatModel
    count_tokens: CountTokens
    sampling: Sampling
    budget_tokens: int
    known: str = ""  # texts of the brand, whose addresses and numbers a model may know
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    said: dict[str, list[Answer]] = field(default_factory=dict[str, list[Answer]])

    async def sample(self, example: Example, incumbent: Arm, candidate: Arm, beside: Sequence[Arm]) -> SampleScore:
        """Ask everybody a held-out question and score nearness to its approved answer. Raises ProviderError."""
        one, other = await asyncio.gather(self._answer(incumbent, example), self._answer(candidate, example))
        told: list[BesideAnswer] = []
        for arm in beside:
            answer = one if arm.is_asked_as(incumbent) else await self._answer(arm, example)
            self._keep(arm.way, answer)
            told.append(BesideAnswer(arm.way, answer.text, score(answer.text, example.answer)))
        self._keep(INCUMBENT, one)
        self._keep(CANDIDATE, other)
        return SampleScore(
            example.source_id,
            example.question,
            example.answer,
            one.text,
            other.text,
            score(one.text, example.answer),
            score(other.text, example.answer),
            tuple(told),
        )

    async def case(self, case: Case, incumbent: Arm, candidate: Arm, base: Arm | None) -> SampleScore:
        """Ask both models, and the base where it is given, a suite's case and score by its rules. Raises ProviderError."""
        (one, one_score), (other, other_score) = await asyncio.gather(
            self._keeps(incumbent, case), self._keeps(candidate, case)
        )
        beside: tuple[BesideAnswer, ...] = ()
        if base is not None:
            text, kept = (one, one_score) if base.is_asked_as(incumbent) else await self._keeps(base, case)
            beside = (BesideAnswer(base.way, text, kept),)
        return SampleScore(
            case.id, case.question, case.wanted, one, other, one_score, other_score, beside, suite=case.suite
        )

    async def _keeps(self, arm: Arm, case: Case) -> tuple[str, float]:
        """What this arm says to the case (and to its twin), and its score."""
        brief = replace(self.sampling, max_tokens=min(CASE_TOKENS, self.sampling.max_tokens))
        asked = [Example(case.id, "", (), question, "") for question in case.questions]
        texts = [(await self._ask(arm, each, brief)).text for each in asked]
        if case.swaps:
            return OF_ITS_TWIN.join(texts), twin_score((texts[0], texts[1]), case.swaps)
        return texts[0], case_score(texts[0], case.rules, Asked(arm.prompt, case.question, self.known))

    async def _answer(self, arm: Arm, example: Example) -> Answer:
        return await self._ask(arm, example, self.sampling)

    async def _ask(self, arm: Arm, example: Example, sampling: Sampling) -> Answer:
        messages = build_messages(
            arm.prompt,
            example.history,
            example.question,
            fixes=example.fixes if arm.sees_fixes else arm.exchanges,
            budget_tokens=self.budget_tokens,
            count_tokens=self.count_tokens,
        ).messages
        return await ask(self.chat_model, self.gate, arm.model, messages, sampling)

    def _keep(self, way: str, answer: Answer) -> None:
        self.said.setdefault(way, []).append(answer)
