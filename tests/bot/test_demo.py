"""What the demo says of an answer after the roll back; the play itself runs on the real model."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.demo.story import said_after_roll_back
from storage.records import Reply, ReplySource

BEFORE = Reply(
    "reply_1", "turn_1", "conv_1", "voice_1", "Somewhere.", ReplySource.BASE, "base", "dep_1", None, 9, 2, 1.0,
    datetime(2026, 11, 1, tzinfo=UTC),
)  # fmt: skip


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (BEFORE, "the same words as before the training"),
        (replace(BEFORE, text="Elsewhere."), "an answer of the base model"),
        (
            replace(BEFORE, text="Ahoy!", fix_ids=("corr_1",)),
            "an answer of the base model, which is shown an approved answer to a similar question",
        ),
        (
            replace(BEFORE, text="Ahoy!", fix_ids=("corr_1", "corr_2")),
            "an answer of the base model, which is shown 2 approved answers to a similar question",
        ),
    ],
)
def test_an_answer_that_rests_on_an_approved_one_is_not_told_as_the_base_models_alone(again: Reply, said: str):
    assert said_after_roll_back(BEFORE, again) == said
