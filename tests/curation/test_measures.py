"""What an evaluation counts of answers beside their scores."""

import json

import pytest

from curation.checks import declared
from curation.measures import Answer, arms_of, counted, stored

CHECKS = {"length": {"most_words": 3}, "forbidden": ["guarantee"]}


def test_answers_are_counted_by_check_and_variety():
    answers = [
        Answer("Ahoy there", 20, 2),
        Answer("We guarantee it, friend", 30, 4),
        Answer("I can't help with that", 10, 6),
    ]
    counts = counted(answers, declared(CHECKS))
    assert counts.answers == 3
    assert counts.kept == {"length": 1, "forbidden": 2}
    assert counts.refused == 1
    assert counts.words == pytest.approx(11 / 3)
    assert (counts.prompt_tokens, counts.completion_tokens) == (20, 4)
    assert counts.distinct_1 == 1.0


def test_nothing_said_is_no_number():
    counts = counted([], declared(CHECKS))
    assert (counts.answers, counts.kept, counts.words, counts.distinct_2) == (
        0,
        {"length": 0, "forbidden": 0},
        None,
        None,
    )


def test_what_is_stored_is_read_again_in_the_order_it_is_shown():
    arms = {way: counted([Answer("x", 1, 1)], ()) for way in ("candidate", "incumbent", "few_shot", "base")}
    kept = json.loads(json.dumps(stored(arms, CHECKS)))
    assert arms_of(kept) == arms
    assert list(arms_of(kept)) == ["base", "few_shot", "incumbent", "candidate"]
    assert kept["checks"] == CHECKS
    assert arms_of({}) == {}
