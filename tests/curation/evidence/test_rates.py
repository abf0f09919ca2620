"""Rates with their intervals, for numbers of cases fixed beforehand."""

from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.evidence import TooFewVerdicts, wilson, win_rate

PEOPLE = [1, 0, 1, 1, 0, 1, 0, 1]
JUDGE = [1, 0, 1, 0, 0, 1, 1, 1]
JUDGE_ONLY = [1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1]


def test_wilson_as_in_the_reference():
    assert (wilson(18, 22).low, wilson(18, 22).high) == pytest.approx((0.614834, 0.926931), rel=0, abs=5e-7)


def test_wilson_at_the_ends():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    assert wilson(0, 10).low == 0 < wilson(0, 10).high < 0.3
    assert wilson(10, 10).high == 1 > wilson(10, 10).low > 0.7


@given(st.integers(0, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_share_and_mirrors(count: tuple[int, int]):
    successes, tries = count
    bounds, mirrored = wilson(successes, tries), wilson(tries - successes, tries)
    assert 0 <= bounds.low <= (successes / tries if tries else 0.5) <= bounds.high <= 1
    assert bounds.low == pytest.approx(1 - mirrored.high, abs=1e-12)


@pytest.mark.parametrize(("successes", "tries"), [(-1, 3), (4, 3)])
def test_impossible_counts_are_refused(successes: int, tries: int):
    with pytest.raises(ValueError, match="cannot be"):
        wilson(successes, tries)


def test_the_reference_win_rate():
    found = win_rate(PEOPLE, JUDGE, JUDGE_ONLY)
    assert (found.judge_weight, found.rate, found.standard_error) == pytest.approx(
        (0.313187, 0.638049, 0.170178), rel=0, abs=1e-6
    )
    assert found.interval.low == pytest.approx(found.rate - 1.959964 * found.standard_error, abs=1e-6)
    assert not found.wins
    assert (found.people, found.judge_only) == (8, 12)


@pytest.mark.parametrize("more", [[], [1]], ids=["none", "one"])
def test_too_few_verdicts_of_the_judge_alone_are_left_out(more: list[int]):
    found = win_rate(PEOPLE, JUDGE, more)
    assert (found.rate, found.judge_weight, found.judge_only) == (fmean(PEOPLE), 0, len(more))


@pytest.mark.parametrize(
    "judge", [[1] * 8, [1 - said for said in PEOPLE]], ids=["always-the-same", "the-contrary-of-people"]
)
def test_a_judge_who_knows_nothing_is_not_used(judge: list[int]):
    found = win_rate(PEOPLE, judge, [1] * 50)
    assert (found.rate, found.judge_weight) == (fmean(PEOPLE), 0)


def drawn(chance: Random, n: int, agrees: float) -> tuple[list[int], list[int]]:
    """People prefer the candidate in half of the cases; a judge agrees so often, and else always says "candidate"."""
    people = [int(chance.random() < 0.5) for _ in range(n)]
    return people, [said if chance.random() < agrees else 1 for said in people]


def test_a_biased_judge_narrows_the_interval_and_does_not_bias_it():
    chance = Random("a biased judge")
    covered, shorter = 0, 0
    alone_says: list[float] = []
    for _ in range(400):
        people, judge = drawn(chance, 80, agrees=0.8)
        _, more = drawn(chance, 800, agrees=0.8)
        both, alone = win_rate(people, judge, more), win_rate(people, judge, [])
        covered += both.interval.low <= 0.5 <= both.interval.high
        shorter += both.standard_error < alone.standard_error
        alone_says.append(fmean(more))
    assert fmean(alone_says) > 0.58  # the judge alone would say that the candidate wins
    assert covered / 400 > 0.95 - 3 * (0.95 * 0.05 / 400) ** 0.5
    assert shorter / 400 > 0.95


def test_a_clear_win_is_one():
    assert win_rate([1] * 40 + [0] * 10, [1] * 38 + [0] * 12, [1] * 300 + [0] * 100).wins


def test_one_verdict_has_no_variance():
    with pytest.raises(TooFewVerdicts, match="people: 1; at least 2"):
        win_rate([1], [1], [1, 0])


def test_verdicts_on_different_pairs_are_refused():
    with pytest.raises(ValueError, match="not on the same pairs"):
        win_rate([1, 0, 1], [1, 0], [])


def test_a_verdict_outside_its_range_is_refused():
    with pytest.raises(ValueError, match="between 0"):
        win_rate([1, 2], [1, 0], [])
