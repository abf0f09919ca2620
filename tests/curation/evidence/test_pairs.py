"""The evidence in pairs: numbers known beforehand, the integral it stands for, and what must hold at any counts."""

import math
import warnings
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.evidence import (
    Pairs,
    always_valid_p,
    confidence_sequence,
    log_evidence,
    log_threshold,
    pairs_by_arrival,
    wins_needed,
)

MANY = 100_000
counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def integral(wins: int, decisive: int, q0: float, steps: int = 20_000) -> float:
    """The definition, by Simpson's rule: the mean likelihood ratio over all winning shares above q0."""
    width = (1 - q0) / steps
    losses = decisive - wins
    heights = [(q / q0) ** wins * ((1 - q) / (1 - q0)) ** losses for q in (q0 + width * i for i in range(steps + 1))]
    inner = 4 * math.fsum(heights[1:-1:2]) + 2 * math.fsum(heights[2:-1:2])
    return width / 3 * (heights[0] + inner + heights[-1]) / (1 - q0)


def exact(wins: int, decisive: int, q0: Fraction) -> Fraction:
    """The same integral in fractions, (1-q)^losses multiplied out: no rounding anywhere."""
    losses = decisive - wins
    area = sum(
        Fraction((-1) ** k * math.comb(losses, k), wins + k + 1) * (1 - q0 ** (wins + k + 1)) for k in range(losses + 1)
    )
    return area / (q0**wins * (1 - q0) ** losses * (1 - q0))


@pytest.mark.parametrize(
    ("wins", "decisive", "q0", "evidence", "half_digit"),
    [
        (0, 0, 0.5, 1, 1e-14),
        (6, 6, 0.5, 18.142857, 5e-7),
        (7, 7, 0.5, 31.875, 1e-10),
        (8, 10, 0.5, 4.002020, 5e-7),
        (15, 20, 0.5, 6.355521, 5e-7),
        (40, 60, 0.5, 8.973251, 5e-7),
        (70, 100, 0.5, 854.589651, 5e-7),
        (45, 100, 0.5, 0.06530506, 5e-9),
        (30, 40, 0.4, 6879.058261, 5e-7),
    ],
)
def test_the_reference_numbers(wins: int, decisive: int, q0: float, evidence: float, half_digit: float):
    assert math.exp(log_evidence(wins, decisive, q0)) == pytest.approx(evidence, rel=0, abs=half_digit)


@pytest.mark.parametrize(
    ("wins", "log_e"), [(52_000, 75.183015), (50_000, -5.530679), (40_000, -9.903737)], ids=["wins", "equal", "loses"]
)
def test_the_reference_numbers_of_a_hundred_thousand_pairs(wins: int, log_e: float):
    assert log_evidence(wins, MANY) == pytest.approx(log_e, rel=0, abs=5e-7)


@pytest.mark.parametrize("q0", [0.1, 0.4, 0.5, 0.9])
@pytest.mark.parametrize("decisive", [1, 2, 7, 50, 200])
def test_the_closed_form_is_the_integral(decisive: int, q0: float):
    for wins in {0, 1, decisive // 4, decisive // 2, decisive - 1, decisive}:
        closed = math.exp(log_evidence(wins, decisive, q0))
        assert closed == pytest.approx(integral(wins, decisive, q0), rel=1e-9)


def test_the_closed_form_is_the_integral_in_fractions_for_every_count_up_to_forty():
    for decisive in range(41):
        for wins in range(decisive + 1):
            for q0 in (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4)):
                truth = float(exact(wins, decisive, q0))
                assert math.exp(log_evidence(wins, decisive, float(q0))) == pytest.approx(truth, rel=1e-11)


@pytest.mark.parametrize("q0", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("wins", [0, 1, MANY // 10, MANY // 2, 9 * MANY // 10, MANY - 1, MANY])
def test_a_hundred_thousand_pairs_neither_overflow_nor_vanish(wins: int, q0: float):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log_e = log_evidence(wins, MANY, q0)
    assert math.isfinite(log_e)
    assert (log_e > 0) == (wins / MANY > q0)


def test_all_won_and_all_lost_are_what_pencil_and_paper_give():
    # ∫_.5^1 (2q)^n dq / .5 = (2^(n+1) - 1) / (n+1); and with losses for wins, ∫_.5^1 (2(1-q))^n dq / .5 = 1 / (n+1)
    assert log_evidence(MANY, MANY) == pytest.approx((MANY + 1) * math.log(2) - math.log(MANY + 1), abs=1e-6)
    assert log_evidence(0, MANY) == pytest.approx(-math.log(MANY + 1), abs=1e-6)


@given(counts, st.sampled_from([0.25, 0.5, 0.6]))
@settings(deadline=None)
def test_a_win_adds_evidence_and_a_loss_takes_some(count: tuple[int, int], q0: float):
    wins, decisive = count
    now = log_evidence(wins, decisive, q0)
    assert log_evidence(wins + 1, decisive + 1, q0) > now > log_evidence(wins, decisive + 1, q0)


@given(counts)
@settings(deadline=None)
def test_a_vote_for_one_is_expected_to_add_nothing_when_both_are_equal(count: tuple[int, int]):
    # The martingale itself: at q = q0 the mean of what comes next is what is there.
    wins, decisive = count
    won, lost = (math.exp(log_evidence(wins + w, decisive + 1) - log_evidence(wins, decisive)) for w in (1, 0))
    assert (won + lost) / 2 == pytest.approx(1, rel=1e-9)


@given(counts, st.floats(0.01, 0.5))
@settings(deadline=None)
def test_a_worse_candidate_is_expected_to_lose_evidence(count: tuple[int, int], q: float):
    wins, decisive = count
    won, lost = (math.exp(log_evidence(wins + w, decisive + 1) - log_evidence(wins, decisive)) for w in (1, 0))
    assert q * won + (1 - q) * lost <= 1 + 1e-9


@given(counts)
@settings(deadline=None)
def test_promotion_and_harm_never_hold_together(count: tuple[int, int]):
    wins, decisive = count
    both = log_evidence(wins, decisive), log_evidence(decisive - wins, decisive)
    assert min(both) < log_threshold(0.5)


@pytest.mark.parametrize(("wins", "decisive"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(wins: int, decisive: int):
    with pytest.raises(ValueError, match="cannot be"):
        log_evidence(wins, decisive)


@pytest.mark.parametrize("q0", [0.0, 1.0, -0.1])
def test_a_share_at_the_end_cannot_be_tested(q0: float):
    with pytest.raises(ValueError, match="between 0 and 1"):
        log_evidence(1, 2, q0)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_an_alpha_at_the_end_cannot_be_promised(alpha: float):
    with pytest.raises(ValueError, match="between 0 and 1"):
        log_threshold(alpha)


def test_thresholds():
    assert log_threshold(0.05) == pytest.approx(2.995732, abs=5e-7)
    assert log_threshold(0.10) == pytest.approx(2.302585, abs=5e-7)


def test_the_p_value_remembers_the_best_moment():
    assert always_valid_p([]) == 1
    assert always_valid_p([-2.0]) == 1
    assert always_valid_p([0.0, math.log(40), math.log(8)]) == pytest.approx(1 / 40)


def test_the_wins_needed_are_the_least_that_reach_the_threshold():
    for decisive, wins in enumerate(islice(wins_needed(0.05), 300)):
        if wins <= decisive:
            assert log_evidence(wins, decisive) >= log_threshold(0.05)
        assert log_evidence(wins - 1, decisive) < log_threshold(0.05)


def test_the_wins_needed_from_later_on_are_the_same():
    whole = list(islice(wins_needed(0.05), 120))
    assert [next(wins_needed(0.05, start=start)) for start in range(120)] == whole


def test_the_shortest_promotion_is_seven_of_seven():
    needed = list(islice(wins_needed(0.05), 8))
    assert [wins > decisive for decisive, wins in enumerate(needed)] == [True] * 7 + [False]
    assert needed[7] == 7


@pytest.mark.parametrize(
    ("wins", "decisive", "low", "high"), [(15, 20, 0.421742, 0.949294), (70, 100, 0.542754, 0.830554)]
)
def test_the_reference_confidence_sequences(wins: int, decisive: int, low: float, high: float):
    bounds = confidence_sequence(wins, decisive, 0.05)
    assert (bounds.low, bounds.high) == pytest.approx((low, high), rel=0, abs=5e-7)


@given(counts, st.sampled_from([0.05, 0.1]))
@settings(deadline=None)
def test_a_confidence_sequence_holds_the_observed_share_and_mirrors(count: tuple[int, int], alpha: float):
    wins, decisive = count
    bounds = confidence_sequence(wins, decisive, alpha)
    mirrored = confidence_sequence(decisive - wins, decisive, alpha)
    assert 0 <= bounds.low <= (wins / decisive if decisive else 0.5) <= bounds.high <= 1
    assert (bounds.low, bounds.high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-12)
    assert (bounds.low == 0) == (wins == 0)
    assert (bounds.high == 1) == (wins == decisive)


def test_a_confidence_sequence_of_a_hundred_thousand_pairs_is_narrow():
    bounds = confidence_sequence(70_000, MANY, 0.05)
    assert 0.69 < bounds.low < 0.7 < bounds.high < 0.71


def test_the_kth_vote_of_one_arm_is_paired_with_the_kth_of_the_other():
    pairs = pairs_by_arrival([True, True, False, False, True], [False, True, True, False])
    assert pairs == Pairs(wins=1, losses=1, ties=2)
    assert pairs_by_arrival([True], []) == Pairs(0, 0)


def test_ties_are_counted_and_change_nothing():
    pairs = Pairs(15, 5, 80)
    assert (pairs.decisive, pairs.total, pairs.swapped) == (20, 100, Pairs(5, 15, 80))


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="never negative"):
        Pairs(3, -1)
