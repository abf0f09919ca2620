"""Recalled fixes as example exchanges: which, in which order, and no more than fit."""

from datetime import UTC, datetime

from curation.fixes import exchanges
from curation.recall import Fix, Recalled
from storage.records import Message, Scope


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


def a_fix(number: int, answer: str = "yes indeed", history: tuple[Message, ...] = ()) -> Recalled:
    fix = Fix(
        f"c{number}",
        f"question {number}",
        answer,
        Scope.VOICE,
        "v",
        "c",
        datetime(2026, 1, 1, tzinfo=UTC),
        None,
        history,
    )
    return Recalled(fix, 1 - number / 10, is_repeat=False)


def said(messages: tuple[Message, ...]) -> list[str]:
    return [f"{message.role}: {message.content}" for message in messages]


def test_the_likeliest_stands_last_next_to_the_question():
    shown = exchanges([a_fix(1), a_fix(2)], budget_tokens=100, count_tokens=words)
    assert said(shown.messages) == [
        "user: question 2",
        "assistant: yes indeed",
        "user: question 1",
        "assistant: yes indeed",
    ]
    assert shown.fix_ids == ("c1", "c2")
    assert shown.tokens == 8


def test_nothing_recalled_shows_nothing():
    shown = exchanges([], budget_tokens=100, count_tokens=words)
    assert (shown.messages, shown.fix_ids, shown.tokens) == ((), (), 0)


def test_a_fix_that_does_not_fit_is_passed_over_whole():
    shown = exchanges([a_fix(1, "far " * 50), a_fix(2)], budget_tokens=10, count_tokens=words)
    assert shown.fix_ids == ("c2",)
    assert exchanges([a_fix(1)], budget_tokens=3, count_tokens=words).messages == ()
    assert exchanges([a_fix(1)], budget_tokens=4, count_tokens=words).fix_ids == ("c1",)


def test_no_more_than_two_are_shown():
    assert exchanges([a_fix(n) for n in range(4)], budget_tokens=100, count_tokens=words).fix_ids == ("c0", "c1")


def test_a_follow_up_is_shown_with_the_question_before_it():
    history = (Message("user", "Where may I park?"), Message("assistant", "In the blue area."))
    fix = Fix("c", "and on grass?", "Never.", Scope.VOICE, "v", "c", datetime(2026, 1, 1, tzinfo=UTC), None, history)
    shown = exchanges([Recalled(fix, 0.9, is_repeat=False)], budget_tokens=100, count_tokens=words)
    assert shown.messages[0].content == "Where may I park?\nand on grass?"
