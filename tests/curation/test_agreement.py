"""Agreement by Krippendorff's alpha, held to his own published examples."""

import random
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.agreement import Alpha, RatedTwice, RaterCounts, Rating, agreement, alpha

# K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), https://repository.upenn.edu/asc_papers/43:
# sections A (two observers, two values), B (two observers, more values) and C (four observers, missing values; the same data
# stand in the documentation of R's irr::kripp.alpha and DescTools::KrippAlpha). One row an observer, one column a unit.
PUBLISHED = {
    "A": (0.095, ("0100000010", "1110010000")),
    "B": (0.692, ("aabbdcccedda", "babbbccceddd")),
    "C": (0.743, ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")),
}


def units_of(rows: tuple[str, ...]) -> list[list[str]]:
    return [[value for value in column if value != "."] for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("section", PUBLISHED)
def test_the_published_examples_come_out(section: str):
    value, rows = PUBLISHED[section]
    found = alpha(units_of(rows), key="k")
    assert found.value is not None
    assert round(found.value, 3) == value


def test_a_unit_that_one_person_rated_counts_for_nothing():
    """Example C has 12 units and 41 values; the last unit was rated once."""
    found = alpha(units_of(PUBLISHED["C"][1]), key="k")
    assert (found.units, found.ratings) == (11, 40)
    assert found.value == alpha(units_of(PUBLISHED["C"][1])[:-1], key="k").value


def test_the_interval_holds_the_value_and_is_the_same_for_the_same_key():
    units = units_of(PUBLISHED["C"][1])
    found = alpha(units, key="ds_1")
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert -1 < found.low < found.value < found.high <= 1
    assert alpha(units, key="ds_1") == found
    assert (alpha(units, key="ds_2").low, alpha(units, key="ds_2").high) != (found.low, found.high)


def test_the_bounds_are_alphas_of_resamples_that_can_be_drawn():
    """Three units: all 27 draws with replacement are worked out exactly. One in 27 draws the disagreement three times, more
    often than the tail that is left out, so the lower bound is that draw's alpha."""
    units = [["a", "b"], ["a", "a"], ["b", "b"]]
    drawn = {alpha(list(draw), key="x", resamples=1).value for draw in product(units, repeat=3)} - {None}
    found = alpha(units, key="k")
    assert found.low == pytest.approx(-2 / 3)
    assert any(found.high == pytest.approx(value) for value in drawn)


def test_more_units_narrow_the_interval():
    units = units_of(PUBLISHED["B"][1])
    widths = [
        found.high - found.low
        for times in (1, 4, 16)
        if (found := alpha(units * times, key="k", resamples=500)).high is not None and found.low is not None
    ]
    assert len(widths) == 3
    assert all(wide > 1.5 * narrow for wide, narrow in pairwise(widths))


def test_the_interval_keeps_its_promise():
    """Samples drawn from a large population whose alpha is known: 95 % of intervals should hold it, a few less when small."""
    draw = random.Random("population")
    population: list[list[str]] = []
    for _ in range(20_000):
        truth = draw.choice("abc")
        population.append([truth if draw.random() < 0.8 else draw.choice("abc") for _ in range(2)])
    known = alpha(population, key="k", resamples=1).value
    assert known is not None
    held = 0
    for trial in range(200):
        found = alpha(draw.choices(population, k=80), key=str(trial), resamples=300)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= known <= found.high
    assert held >= 178  # 190 expected; five standard errors below 95 % would be 175


@pytest.mark.parametrize(
    ("units", "said"),
    [
        pytest.param([], "undefined: nobody, 0 units rated together", id="nothing"),
        pytest.param([["a"], ["b"]], "undefined: nobody, 0 units rated together", id="alone"),
        pytest.param(
            [["a", "a"], ["a", "a"]], "undefined: everybody said the same, 2 units rated together", id="one value"
        ),
        pytest.param([["a", "a"], ["b", "b"]], "1.00 (1.00 to 1.00), 2 units rated together", id="all agree"),
        pytest.param([["a", "b"]], "0.00, 1 unit rated together", id="one unit has no interval"),
    ],
)
def test_what_cannot_be_said_is_not_said(units: list[list[str]], said: str):
    assert str(alpha(units, key="k")) == said


def test_one_value_only_is_undefined_and_never_perfect():
    assert alpha([["a", "a"]] * 50, key="k").value is None


def test_resamples_without_an_alpha_are_counted():
    found = alpha([["a", "a"], ["b", "b"]], key="k", resamples=400)
    assert 120 < found.undefined_resamples < 280  # half of them draw one unit twice


def test_people_who_always_contradict_are_below_chance():
    found = alpha([["a", "b"], ["b", "a"]] * 10, key="k")
    assert found.value is not None
    assert found.value < 0


values = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=2, max_size=12)


@given(values, st.randoms(use_true_random=False))
def test_neither_order_nor_names_matter(units: list[list[str]], chance: object):
    expected = alpha(units, key="k", resamples=1).value
    turned = [list(reversed(unit)) for unit in reversed(units)]
    renamed = [[{"a": "x", "b": "y", "c": "z"}[value] for value in unit] for unit in units]
    assert alpha(turned, key="k", resamples=1).value == expected
    assert alpha(renamed, key="k", resamples=1).value == expected


@given(values)
def test_alpha_is_never_above_one_and_one_only_without_disagreement(units: list[list[str]]):
    found = alpha(units, key="k", resamples=1).value
    together = [unit for unit in units if len(unit) >= 2]
    if found is not None:
        assert found <= 1
        assert (found == 1) == all(len(set(unit)) == 1 for unit in together)


# ---------------------------------------------------------------- by reason and by person

RATINGS = [
    Rating("reply_1", "ann", "tone"),
    Rating("reply_1", "bob", "tone"),
    Rating("reply_2", "ann", "wrong"),
    Rating("reply_2", "bob", "wrong"),
    Rating("reply_2", "cem", "tone"),
    Rating("reply_3", "ann", "wrong"),
    Rating("reply_3", "cem", "outdated"),
    Rating("reply_4", "ann", "unsafe"),
]


def test_each_reason_has_its_own_agreement_as_this_or_another():
    made = agreement(RATINGS, key="k")
    assert list(made.by_value) == ["outdated", "tone", "unsafe", "wrong"]
    as_tone = [["t", "t"], ["o", "o", "t"], ["o", "o"], ["o"]]
    assert made.by_value["tone"].value == alpha(as_tone, key="x").value
    assert made.by_value["unsafe"].value is None  # nobody else saw that reply


def test_overall_agreement_is_over_all_reasons_at_once():
    said = [["tone", "tone"], ["wrong", "wrong", "tone"], ["wrong", "outdated"], ["unsafe"]]
    assert agreement(RATINGS, key="k").overall.value == alpha(said, key="x").value


def test_the_reason_people_agree_on_least_is_named():
    made = agreement(RATINGS, key="k")
    known = {value: found.value for value, found in made.by_value.items() if found.value is not None}
    assert made.least_agreed() == min(known, key=lambda value: known[value]) == "outdated"
    assert agreement([], key="k").least_agreed() is None


def test_every_moderators_work_is_counted():
    assert agreement(RATINGS, key="k").raters == (
        RaterCounts("ann", ratings=4, rated_together=3, agreements=2, disagreements=2),
        RaterCounts("bob", ratings=2, rated_together=2, agreements=2, disagreements=1),
        RaterCounts("cem", ratings=2, rated_together=2, agreements=0, disagreements=3),
    )


def test_nobody_rated_gives_empty_agreement():
    made = agreement([], key="k")
    assert made.overall == Alpha(None, None, None, 0, 0, 0)
    assert (made.by_value, made.raters) == ({}, ())


def test_a_rating_given_twice_is_refused_by_name():
    with pytest.raises(RatedTwice, match="ann rated reply_1 twice"):
        agreement([*RATINGS, Rating("reply_1", "ann", "wrong")], key="k")
