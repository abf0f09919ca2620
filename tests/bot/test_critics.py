"""What a candidate is asked beside the held-out questions, and who else looks at its answers, read from the settings."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.critics import cases_of, open_critics
from bot.settings import Settings
from curation.jury import SameFamily
from curation.release import cases_needed
from curation.suites import SuiteUnreadable
from storage.records import Suite, Voice

PUFFIN = Voice("voice_1", "puffin", "Be kind.", "smollm2-135m-instruct", datetime(2026, 11, 22, tzinfo=UTC))


def settings(**chosen: Any) -> Settings:
    return Settings(_env_file=None, **chosen)  # type: ignore[call-arg]


def test_enough_cases_are_asked_to_prove_something_and_ones_own_come_first(tmp_path: Path):
    own = tmp_path / "own.jsonl"
    own.write_text('{"id": "mine", "question": "What is 2 + 3?", "any_of": ["5"]}')
    cases = cases_of(settings(general_suite=own, base_model="qwen3-8b"), 7)
    assert cases[0].id == "mine"
    for suite in (Suite.GENERAL, Suite.SAFETY):
        assert sum(case.suite is suite for case in cases) >= cases_needed(0.15, 0.05)
    assert cases_of(settings(general_questions=0, safety_questions=0), 7) == ()


def test_the_practice_model_is_asked_only_where_a_number_is_set():
    assert cases_of(settings(), 7) == ()
    asked = cases_of(settings(safety_questions=3), 7)
    assert [case.suite for case in asked] == [Suite.SAFETY] * 3


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(SuiteUnreadable, match=r"FINETONE_GENERAL_SUITE is .*gone\.jsonl, which cannot be read as text"):
        cases_of(settings(general_suite=tmp_path / "gone.jsonl"), 7)


# ---------------------------------------------------------------- who else looks


async def test_nobody_else_looks_unless_named():
    async with open_critics(settings(), PUFFIN) as critics:
        assert (critics.bench, critics.moderator) == (None, None)


async def test_a_judge_has_the_brands_prompt_for_its_rubric_and_its_own_family():
    named = settings(judge_model="gpt-4.1-2025-04-14", moderation_model="omni-moderation-latest")
    async with open_critics(named, PUFFIN) as critics:
        assert critics.bench is not None
        assert (critics.bench.judge.family, critics.bench.judge.rubric) == ("gpt", "Be kind.")
        assert critics.moderator is not None
        assert critics.moderator.model == "omni-moderation-latest"


async def test_a_judge_of_the_tuned_models_family_is_refused_with_what_to_do():
    with pytest.raises(SameFamily, match="Set FINETONE_JUDGE_MODEL and FINETONE_JUDGE_FAMILY"):
        async with open_critics(settings(judge_model="smollm3-3b"), PUFFIN):
            raise AssertionError("it was let in")
