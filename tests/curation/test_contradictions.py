"""Answers to one question that cannot both be right: which pairs are found, and what they are said to differ in."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from curation.contradictions import (
    MOST_COMPARED,
    Answered,
    Contradiction,
    Difference,
    Differs,
    contradictions,
    differing,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def answered(*pairs: tuple[str, str]) -> list[Answered]:
    """Items a, b, c … a day apart."""
    return [
        Answered("abcdefghij"[number], question, answer, START + timedelta(days=number))
        for number, (question, answer) in enumerate(pairs)
    ]


DIFFER = {
    "a number": ("It takes 3 days.", "It takes 5 days.", Differs.NUMBER, ("3 day",), ("5 day",)),
    "a unit": ("It takes 3 days.", "It takes 3 weeks.", Differs.NUMBER, ("3 day",), ("3 week",)),
    "a number in words": ("It takes two days.", "It takes 3 days.", Differs.NUMBER, ("2 day",), ("3 day",)),
    "a price": ("It costs €19.99.", "It costs 24,50 € now.", Differs.NUMBER, ("19.99 euro",), ("24.5 euro",)),
    "a negation": ("Yes, you can return it.", "You can not return it.", Differs.NEGATION, (), ()),
    "a contraction": ("You can return it here.", "You can't return it here.", Differs.NEGATION, (), ()),
    "a German negation": ("Das geht im Laden.", "Das geht nicht im Laden.", Differs.NEGATION, (), ()),
    "a French negation": ("Vous pouvez le rendre.", "Vous ne pouvez pas le rendre.", Differs.NEGATION, (), ()),
    "a Japanese negation": ("返品できます。", "返品できません。", Differs.NEGATION, (), ()),
    "an opposite": ("Shipping is always free.", "Shipping is always paid.", Differs.NEGATION, ("free",), ("paid",)),
    "a page": (
        "See https://a.example/one for it.",
        "See https://a.example/two for it.",
        Differs.URL,
        ("a.example/one",),
        ("a.example/two",),
    ),
    "a date": ("We open on 12 March 2026.", "We open on 2026-04-12.", Differs.DATE, ("2026-03-12",), ("2026-04-12",)),
    "a date nobody can read for sure": (
        "We open on 03/04/2026.",
        "We open on 05/04/2026.",
        Differs.DATE,
        ("03/04/2026",),
        ("05/04/2026",),
    ),
    "a weekday": (
        "We are closed on Mondays.",
        "We are closed on Fridays.",
        Differs.DATE,
        ("weekday 1",),
        ("weekday 5",),
    ),
    "a time": ("We close at 17:30.", "We close at 18:00.", Differs.DATE, ("17:30",), ("18:00",)),
    "everything": ("Turn it off and on again.", "Send a photo to our workshop.", Differs.TEXT, (), ()),
    "everything in Chinese": ("请重新启动设备。", "联系客服退款。", Differs.TEXT, (), ()),
}


@pytest.mark.parametrize(("older", "newer", "kind", "mine", "theirs"), DIFFER.values(), ids=DIFFER.keys())
def test_answers_differ_in_what_they_state(
    older: str, newer: str, kind: Differs, mine: tuple[str, ...], theirs: tuple[str, ...]
):
    assert differing(older, newer) == (Difference(kind, mine, theirs),)
    assert differing(newer, older) == (Difference(kind, theirs, mine),)


SAME = {
    "the same": ("It takes 3 days.", "It takes 3 days."),
    "another spelling of a number": ("It costs 1,000 dollars.", "It costs $1000."),
    "a German spelling of a number": ("Das kostet 1.000,50 €.", "Das kostet 1000.50 EUR."),
    "another spelling of a date": ("We open on 12.03.2026.", "We open on March 12th, 2026."),
    "a date in Spanish and German": ("Abrimos el 12 de marzo de 2026.", "Abrimos el 12. März 2026."),
    "another spelling of a page": ("See https://www.a.example/x/.", "See http://A.example/x"),
    "more said": ("It takes 3 days.", "It takes 3 days, or 5 days to islands. See https://a.example."),
    "a typo": ("Restart the application.", "Restart the aplication."),
    "two negations": ("It is not free and not possible.", "It is free and possible."),
    "nothing": ("", ""),
    "only signs": ("👍", "👍"),
}


@pytest.mark.parametrize(("older", "newer"), SAME.values(), ids=SAME.keys())
def test_answers_that_can_both_be_right_do_not_differ(older: str, newer: str):
    assert differing(older, newer) == differing(newer, older) == ()


def test_answers_may_differ_in_several_things():
    found = differing("It takes 3 days from Monday.", "It does not take 4 days from Friday.")
    assert [difference.kind for difference in found] == [Differs.NUMBER, Differs.DATE, Differs.NEGATION]


def test_a_contradiction_names_both_ids_the_older_first():
    items = answered(
        ("How long does delivery take?", "It takes 3 days."),
        ("Where is my order?", "Look under Orders."),
        ("how long does the delivery take", "It takes 5 days."),
    )
    (found,) = contradictions(items)
    assert (found.older, found.newer) == ("a", "c")
    assert found.differences == (Difference(Differs.NUMBER, ("3 day",), ("5 day",)),)
    assert 0.6 <= found.similarity < 1.0
    assert [contradictions(order) for order in permutations(items)] == [(found,)] * 6


def test_the_older_is_older_whichever_question_was_asked_first():
    items = answered(
        ("How long does delivery take?", "It takes 3 days."),
        ("How long does the delivery take?", "It takes 5 days."),
        ("How long does delivery take?", "It takes 7 days."),
    )
    assert [(found.older, found.newer) for found in contradictions(items)] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_every_pair_of_three_answers_to_one_question_is_found():
    items = answered(*[("How long is the warranty?", f"It is {years} years.") for years in (1, 2, 3)])
    assert [(found.older, found.newer) for found in contradictions(items)] == [("a", "b"), ("a", "c"), ("b", "c")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I enable single sign-on?", "How do I disable single sign-on?"),
        ("Does the case fit the iPhone 14?", "Does the case fit the iPhone 15?"),
        ("How do I install it on Windows today?", "How do I install it on Android today?"),
        ("Which parcels can be returned?", "Which parcels can not be returned?"),
        ("How do I pay?", "Where do you deliver to?"),
    ],
)
def test_answers_to_different_questions_never_contradict(one: str, other: str):
    assert contradictions(answered((one, "It takes 3 days."), (other, "It takes 5 days."))) == ()


def test_an_answer_given_again_is_compared_once_as_its_newest():
    items = answered(
        ("How long is the warranty?", "2 years."),
        ("How long is the warranty?", "3 years."),
        ("How long is the warranty?", "2 years. "),
    )
    assert [(found.older, found.newer) for found in contradictions(items)] == [("b", "c")]


def test_a_question_answered_a_thousand_times_stays_within_its_limit():
    items = [Answered(f"{n:04}", "How long is it?", f"{n} metres", START + timedelta(days=n)) for n in range(1000)]
    found = contradictions(items)
    assert len(found) == MOST_COMPARED * (MOST_COMPARED - 1) // 2
    assert {pair.newer for pair in found} | {pair.older for pair in found} == {f"{n:04}" for n in range(980, 1000)}


def test_nothing_contradicts_nothing():
    assert contradictions([]) == ()
    assert contradictions(answered(("", ""), ("", "x"), ("👍", "yes"))) == ()


def test_a_contradiction_is_a_record():
    assert Contradiction("a", "b", 1.0, ()) == Contradiction("a", "b", 1.0, ())
