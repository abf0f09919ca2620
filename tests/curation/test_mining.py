"""A planted rule is found with what speaks for it and against it; where nobody follows a rule, none is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.voice_card import BRANDS, by_one_hand, corrections, shuffled
from curation.evidence.rates import wilson
from curation.mining import Change, Rule, RuleKind, kept_by, measured, mined, phrases_of, sign_test

WORDS = (
    "red",
    "kettle",
    "arrives",
    "monday",
    "harbour",
    "wool",
    "window",
    "quickly",
    "seven",
    "lamp",
    "open",
    "stairs",
)


def sentence(dice: random.Random) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(8))


def planted(word: str, number: int, seed: int = 1) -> list[Change]:
    """Corrections that each take `word` out, from sentences about anything."""
    dice = random.Random(seed)
    return [Change(f"c{n:03}", f"{word} {sentence(dice)}", sentence(dice)) for n in range(number)]


def rules(changes: list[Change]) -> set[str]:
    return {found.rule.key for found in mined(changes)}


def test_a_word_that_is_always_taken_out_is_forbidden_with_its_citations():
    changes = planted("unfortunately", 20)
    (found,) = [each for each in mined(changes) if each.rule.kind is RuleKind.FORBIDDEN]
    assert found.rule == Rule(RuleKind.FORBIDDEN, "unfortunately")
    assert found.rule.sentence == "Never say “unfortunately”."
    assert found.supported_by == tuple(change.id for change in changes)
    assert (found.broken_by, found.answers, found.p) == ((), 20, 0.5**20)
    assert found.kept == wilson(20, 20)


def test_an_answer_that_still_says_it_is_a_counter_example_and_too_many_end_the_rule():
    changes = planted("unfortunately", 30)
    against = [Change(f"x{n}", None, "Unfortunately not.") for n in range(4)]
    (found,) = [each for each in mined([*changes, *against[:3]]) if each.rule.value == "unfortunately"]
    assert found.broken_by == ("x0", "x1", "x2")
    assert "forbidden:unfortunately" not in rules([*changes, *against])


def test_a_sign_off_and_an_opening_are_told_from_a_phrase_anywhere():
    dice = random.Random(2)
    changes = [
        Change(f"c{n:03}", sentence(dice), f"Dear friend, {sentence(dice)}. Your Puffin crew!") for n in range(20)
    ]
    assert {"opening:dear friend", "sign_off:your puffin crew"} <= rules(changes)
    assert not any(key.startswith("required:") for key in rules(changes))


@pytest.mark.parametrize(
    ("served", "corrected", "key"),
    [
        ("It came {n} 😀", "It came {n}", "style:no_emoji"),
        ("It came {n}", "It came {n} 🌊", "style:emoji"),
        ("It came {n}!", "It came {n}.", "style:no_exclamation"),
        ("- one {n}\n- two", "One and two {n}", "style:no_lists"),
        ("**It** came {n}", "It came {n}", "style:no_markup"),
        (
            "Das ist nicht mit der Post {n}, du kannst dich auf uns verlassen",
            "Das ist nicht mit der Post {n}, und Sie sind auf der Liste",
            "style:formal",
        ),
        (
            "Das ist nicht mit der Post {n}, und Sie sind auf der Liste",
            "Das ist nicht mit der Post {n}, du bist auf der Liste",
            "style:informal",
        ),
        ("The parcel is on the way to you {n}", "Das Paket ist auf dem Weg und nicht bei uns {n}", "language:de"),
        ("We are so very sorry that this took so long for you today {n}", "It left {n}", "most_words:5"),
    ],
)
def test_manners_are_found(served: str, corrected: str, key: str):
    changes = [Change(f"c{n:02}", served.format(n=n), corrected.format(n=n)) for n in range(16)]
    assert key in rules(changes)


def test_of_phrases_within_each_other_the_telling_one_is_proposed():
    changes = [Change(f"c{n:02}", f"As an AI model, {n}", f"{n}, your crew of the north") for n in range(16)]
    found = rules(changes)
    assert "sign_off:your crew of the north" in found
    assert not {"required:your crew", "sign_off:the north", "forbidden:as an ai model"} & found


@pytest.mark.parametrize(
    "changes", [[], [Change("a", None, "Hi!")], [Change("a", "Hi", "")]], ids=["none", "import", "empty"]
)
def test_too_little_shows_nothing(changes: list[Change]):
    assert mined(changes) == []


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_text_is_taken_and_every_finding_is_as_it_says(texts: list[tuple[str, str]]):
    changes = [Change(f"c{n:02}", served, corrected) for n, (served, corrected) in enumerate(texts)]
    for found in mined(changes):
        assert measured(found.rule, [c for c in changes if c.corrected.strip()]).supported_by == found.supported_by
    assert mined(changes) == mined(list(reversed(changes)))


@given(st.sampled_from(WORDS), st.integers(14, 40), st.integers(0, 999))
@settings(max_examples=25, deadline=None)
def test_a_planted_rule_is_found_whatever_is_said_around_it(word: str, number: int, seed: int):
    assert f"forbidden:never{word}" in rules(planted(f"never{word}", number, seed))


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None)
def test_a_phrase_of_a_text_is_said_in_it(text: str):
    assert all(not kept_by(Rule(RuleKind.FORBIDDEN, phrase), text) for phrase in phrases_of(text))


def test_the_sign_test_is_exact():
    assert [sign_test(0, 0), sign_test(5, 0), sign_test(4, 1), sign_test(0, 3)] == [1, 1 / 32, 6 / 32, 1]


def test_where_nobody_follows_a_rule_hardly_a_card_has_one():
    """Monte Carlo: shuffled corrections, and answers by one hand, under the promised chance with room for the draw."""
    false = tries = 0
    for name, brand in BRANDS.items():
        dice = random.Random(name)
        for _ in range(25):
            for changes in (shuffled(corrections(brand, 30, dice), dice), by_one_hand(brand, 30, dice)):
                false, tries = false + bool(mined(changes)), tries + 1
    assert wilson(false, tries).low <= 0.05
