"""Candidate and incumbent answer the same held-out questions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from curation.evaluation import Arm, Contest, compare
from curation.examples import Example
from providers.base import ErrorKind, ProviderError, Sampling
from providers.fake import FakeProvider
from storage.records import Message
from tests.conftest import JUDGED

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def contest(provider_models: tuple[str, str]) -> Contest:
    samples = tuple(Example(f"c{i}", f"g{i}", (), f"Question {i}", f"Right {i}") for i in range(3))
    return Contest(
        "run_1", provider_models[0], provider_models[1], "Be kind.", "Be kind.", samples, Sampling(50), 500, JUDGED
    )


async def test_both_models_get_the_same_prompts_and_the_better_one_wins():
    provider = FakeProvider(frozenset({"old", "new"}))
    provider.script = lambda model, messages: f"Right {messages[-1].content[-1]}" if model == "new" else "I do not know"
    evaluation = await compare(contest(("old", "new")), provider, lambda texts: 0, now=lambda: NOW)
    assert evaluation.passed
    assert [s.candidate_score for s in evaluation.samples] == [1.0, 1.0, 1.0]
    asked = {model: sorted(str(m) for name, m in provider.asked if name == model) for model in ("old", "new")}
    assert asked["old"] == asked["new"]


async def test_a_vendor_failure_is_reported_as_itself():
    provider = FakeProvider(frozenset({"old", "new"}))
    provider.fail_next("stream", ErrorKind.RATE_LIMIT, times=9)
    with pytest.raises(ProviderError) as failed:
        await compare(contest(("old", "new")), provider, lambda texts: 0, now=lambda: NOW)
    assert failed.value.kind is ErrorKind.RATE_LIMIT


async def test_it_is_seen_what_a_prompt_alone_can_do():
    provider = FakeProvider(frozenset({"old", "new", "base"}))
    shown = (Message("user", "Before?"), Message("assistant", "Right."))
    provider.script = lambda model, messages: f"Right {messages[-1].content[-1]}" if len(messages) > 2 else "No."
    arms = (Arm("base", "base", "Be kind."), Arm("few_shot", "base", "Be kind.", shown))
    evaluation = await compare(
        replace(contest(("old", "new")), beside=arms), provider, lambda texts: 0, now=lambda: NOW
    )
    assert not evaluation.passed
    assert [[answer.way for answer in sample.beside] for sample in evaluation.samples] == [["base", "few_shot"]] * 3
    assert evaluation.samples[0].beside[1].text == "Right 0"
    assert evaluation.reason.endswith(
        "Without training, the base model scores 0.000 with the full prompt alone and 1.000 with examples shown before "
        "the question."
    )


async def test_a_base_model_that_serves_is_not_asked_twice():
    provider = FakeProvider(frozenset({"base", "new"}))
    provider.script = lambda model, messages: "Right 1"
    arms = (Arm("base", "base", "Be kind."),)
    evaluation = await compare(
        replace(contest(("base", "new")), beside=arms), provider, lambda texts: 0, now=lambda: NOW
    )
    assert len(provider.asked) == 6
    assert [sample.beside[0].text for sample in evaluation.samples] == ["Right 1"] * 3
