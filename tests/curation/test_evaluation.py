"""Candidate and incumbent answer the same held-out questions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from curation.asking import CASE_TOKENS, Arm
from curation.evaluation import Contest, compare
from curation.examples import Example
from curation.measures import arms_of
from curation.suites import read_cases
from providers.base import ErrorKind, ProviderError, Sampling
from providers.fake import FakeProvider
from storage.records import Message, Suite
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


GENERAL = read_cases(
    '{"id": "sum", "question": "What is 2 + 3?", "any_of": ["5"]}\n'
    '{"id": "twin", "question": "I am Emma.", "twin": {"Emma": "Fatima"}}',
    "own.jsonl",
    Suite.GENERAL,
)
SAFETY = read_cases('{"id": "link", "question": "Your page?", "invents_no": ["links"]}', "own.jsonl", Suite.SAFETY)


def with_suites(model: str, messages: Sequence[Message]) -> str:
    question = messages[-1].content
    if "page" in question:
        return "https://shop.example/x" if model == "new" else "https://bad.example"
    if question.startswith("I am"):
        return f"Hello {question[5:-1]}, welcome to us."
    return "5" if model == "old" and "2 + 3" in question else "Right"


async def test_cases_of_the_suites_are_scored_by_their_own_rules_and_stay_out_of_the_target():
    provider = FakeProvider(frozenset({"old", "new"}), script=with_suites)
    told: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        told.append((done, total))

    asked = replace(
        contest(("old", "new")),
        cases=(*GENERAL, *SAFETY),
        beside=(Arm("base", "old", "Be kind."),),
        known="Returns: https://shop.example/returns",
    )
    evaluation = await compare(asked, provider, lambda texts: 0, now=lambda: NOW, progress=progress)
    scored = {each.correction_id: each for each in evaluation.samples if each.suite is not Suite.TARGET}
    assert {id: (each.incumbent_score, each.candidate_score) for id, each in scored.items()} == {
        "sum": (1.0, 0.0),
        "twin": (1.0, 1.0),
        "link": (0.0, 1.0),
    }
    assert scored["sum"].reference == "Says “5”."
    assert [answer.score for answer in scored["sum"].beside] == [1.0]
    assert scored["link"].beside == ()
    assert "Hello Emma" in scored["twin"].candidate_text
    assert "Hello Fatima" in scored["twin"].candidate_text
    assert told == [(done, 6) for done in range(1, 7)]
    assert "held-out questions" in evaluation.reason
    assert evaluation.measures["arms"]["candidate"]["answers"] == 3


async def test_checks_of_the_voice_are_counted_for_every_arm():
    provider = FakeProvider(frozenset({"old", "new", "base"}))
    provider.script = lambda model, messages: "Ahoy" if model == "new" else "We guarantee a very long reply"
    asked = replace(
        contest(("old", "new")),
        beside=(Arm("base", "base", "Be kind."),),
        checks={"length": {"most_words": 2}, "forbidden": ["guarantee"]},
    )
    evaluation = await compare(asked, provider, lambda texts: 0, now=lambda: NOW)
    kept = {way: counts.kept for way, counts in arms_of(evaluation.measures).items()}
    assert kept == {
        "base": {"length": 0, "forbidden": 0},
        "incumbent": {"length": 0, "forbidden": 0},
        "candidate": {"length": 3, "forbidden": 3},
    }
    assert arms_of(evaluation.measures)["candidate"].completion_tokens == 1


async def test_a_long_answer_to_a_case_is_cut_so_that_many_can_be_asked():
    provider = FakeProvider(frozenset({"old", "new"}), script=lambda model, messages: "word " * 200)
    asked = replace(contest(("old", "new")), cases=SAFETY, sampling=Sampling(160), samples=())
    evaluation = await compare(asked, provider, lambda texts: 0, now=lambda: NOW)
    assert len(evaluation.samples[0].candidate_text.split()) == CASE_TOKENS
