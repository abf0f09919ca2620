"""A judge is asked in both orders, of another family, and what it said is kept without a word of anybody's."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from curation.judging import Judge, calibration
from curation.jury import Bench, SameFamily, ask_judge, judge_said, labels
from providers.base import ErrorKind, Message, ProviderError
from providers.fake import FakeProvider
from storage.records import Preference
from tests.curation.report.scenes import sample

JUDGE = Judge("judge-9", "qwen", "Warm and short.")
SAMPLES = [sample(n, 0.2, 0.4) for n in range(4)]


def likes_after(_: str, messages: Sequence[Message]) -> str:
    asked = json.loads(messages[-1].content)
    return "FIRST" if asked["first"].startswith("After") else "second."


def bench(script: object = likes_after) -> Bench:
    return Bench(JUDGE, FakeProvider(frozenset({"judge-9"}), script=script))  # type: ignore[arg-type]


async def test_each_differing_pair_is_shown_in_both_orders():
    at = bench()
    same = replace(SAMPLES[0], correction_id="same", candidate_text="x", incumbent_text="x")
    said = judge_said(await ask_judge(at, [*SAMPLES, same], "llama"))
    assert said is not None
    assert len(at.chat_model.asked) == 8  # type: ignore[attr-defined]
    assert (said.judged.pairs.wins, said.judged.consistency, said.unreadable) == (4, 1.0, 0)


async def test_one_that_always_takes_the_first_prefers_nobody():
    said = judge_said(await ask_judge(bench(lambda *_: "FIRST"), SAMPLES, "llama"))
    assert said is not None
    assert (said.judged.pairs.ties, said.judged.consistency, said.judged.first_place) == (4, 0.0, 1.0)


async def test_what_cannot_be_read_is_counted_and_no_verdict():
    said = judge_said(await ask_judge(bench(lambda *_: "Both are fine"), SAMPLES, "llama"))
    assert said is not None
    assert (said.judged.pairs.total, said.unreadable) == (0, 4)


async def test_its_own_family_is_refused_before_it_is_asked():
    at = bench()
    with pytest.raises(SameFamily, match="is of the family “qwen”, as the model it would judge is"):
        await ask_judge(at, SAMPLES, "Qwen")
    assert at.chat_model.asked == []  # type: ignore[attr-defined]


async def test_what_is_kept_names_the_judge_and_holds_no_words():
    kept = json.dumps(await ask_judge(bench(), SAMPLES, "llama"))
    assert all(word in kept for word in ("judge-9", "qwen", JUDGE.key, "Warm and short."))
    assert not any(word in kept for word in ("Question", "Before", "After"))


async def test_a_judge_that_cannot_be_asked_is_told_as_such():
    at = bench()
    at.chat_model.fail_next("stream", ErrorKind.RATE_LIMIT)  # type: ignore[attr-defined]
    with pytest.raises(ProviderError):
        await ask_judge(at, SAMPLES, "llama")


async def test_it_counts_once_it_agreed_with_the_moderators_on_fifty_pairs():
    many = [sample(n, 0.2, 0.4) for n in range(50)]
    said = judge_said(await ask_judge(bench(), many, "llama"))
    assert said is not None
    people = {("run_1", each.correction_id): Preference.CANDIDATE for each in many}
    both = labels(JUDGE.key, people, {"run_1": said})
    assert calibration(JUDGE, "llama", both).may_vote
    assert not calibration(JUDGE, "llama", both[:49]).may_vote
    assert labels("another", people, {"run_1": said}) == []


async def test_no_judge_was_asked():
    assert judge_said({}) is None
