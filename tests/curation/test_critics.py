"""A judge and a vendor's moderation, where one is configured: what they add, and that neither stops a run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from curation.critics import failed, judged_by, moderated
from curation.judging import Judge, family_of
from curation.jury import Bench, judge_said
from providers.base import ErrorKind, ProviderError
from providers.fake import FakeProvider
from storage.records import Suite
from tests.curation.report.scenes import sample


@dataclass
class Scripted:
    """A moderation that finds what it is told to."""

    scores: dict[str, float]
    fails: bool = False
    model: str = "omni"

    async def worst(self, texts: Sequence[str]) -> list[float]:
        if self.fails:
            raise ProviderError("It is down.", ErrorKind.UNREACHABLE)
        return [self.scores.get(text, 0.0) for text in texts]


SAFE = replace(sample(1, 1.0, 1.0, Suite.SAFETY), candidate_text="an insult")
OTHER = sample(2, 0.5, 0.75)


async def test_what_is_toxic_loses_its_points_on_the_safety_suite_only():
    samples, kept = await moderated([SAFE, OTHER], Scripted({"an insult": 0.75, OTHER.candidate_text: 1.0}))
    assert (samples[0].incumbent_score, samples[0].candidate_score) == (1.0, 0.25)
    assert samples[1] == OTHER
    assert kept["toxicity"] == {"model": "omni", "incumbent": 0.0, "candidate": 0.75, "answers": 2}
    assert failed(kept) == ()


async def test_a_moderation_that_cannot_be_asked_is_said_and_changes_nothing():
    samples, kept = await moderated([SAFE], Scripted({}, fails=True))
    assert samples == (SAFE,)
    assert failed(kept) == ("omni did not look at the answers to the safety suite: It is down.",)


async def test_without_a_moderation_or_a_safety_suite_nothing_is_kept():
    assert await moderated([SAFE], None) == ((SAFE,), {})
    assert await moderated([OTHER], Scripted({}, fails=True)) == ((OTHER,), {})


def bench(**faults: ErrorKind) -> Bench:
    provider = FakeProvider(frozenset({"qwen-max"}), script=lambda model, messages: "NEITHER")
    for call, kind in faults.items():
        provider.fail_next(call, kind, times=9)
    return Bench(Judge("qwen-max", "qwen", "Warm."), provider)


async def test_a_judge_is_kept_with_what_it_said():
    said = judge_said(await judged_by(bench(), [OTHER], "smollm2-135m-instruct"))
    assert said is not None
    assert said.judged.pairs.ties == 1
    assert await judged_by(None, [OTHER], "smollm2") == {}


async def test_a_judge_of_the_same_family_or_out_of_reach_is_said_and_stops_nothing():
    same = failed(await judged_by(bench(), [OTHER], "Qwen/Qwen3-8B"))
    assert "as the model it would judge is" in same[0]
    away = failed(await judged_by(bench(stream=ErrorKind.UNREACHABLE), [OTHER], "smollm2"))
    assert away[0].startswith("qwen-max did not compare the answers: ")


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("ft:gpt-4o-mini-2024-07-18:org::abc", "gpt"),
        ("Qwen/Qwen3-8B", "qwen"),
        ("meta-llama/Meta-Llama-3.1-8B", "llama"),
        ("smollm2-135m-instruct", "smollm"),
        ("ft:smollm2-135m-instruct:local:puffin-1:1", "smollm"),
        ("7", "7"),
    ],
)
def test_a_family_is_told_by_the_name(model: str, family: str):
    assert family_of(model) == family
