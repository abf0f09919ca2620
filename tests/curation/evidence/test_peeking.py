"""Monte Carlo with fixed seeds: every rule is asked again after each vote, and errs no more often than it promises.

The same experiments as `bench.evidence`, shorter.
"""

import pytest

from bench.evidence import allowed, canary, error_rate, median_stop, naive, not_inferior, nothing_to_find, preferred
from curation.evidence import log_threshold

RUNS, LIMIT = 200, 200
NOTHING = nothing_to_find(LIMIT)


@pytest.mark.parametrize("name", NOTHING)
def test_false_decisions_stay_below_alpha(name: str):
    alpha, run = NOTHING[name]
    assert error_rate(run, RUNS, name) <= allowed(alpha, RUNS)


def test_a_gate_that_ignores_peeking_would_be_caught():
    assert error_rate(naive(0.75, LIMIT), RUNS, "naive") > allowed(0.05, RUNS)


def test_a_gain_is_found_within_the_promised_median():
    assert 170 <= median_stop(preferred(0.85, 0.75, 0.05, 3_000), 400, "gain") <= 235


def test_harm_is_found_within_the_promised_medians():
    assert 35 <= median_stop(preferred(0.75, 0.50, 0.05, 3_000), 400, "harm") <= 55
    assert median_stop(canary(0.5, 0.75, 0.10, 1_500), 300, "canary") == pytest.approx(190, rel=0.15)


def test_an_equal_model_is_found_harmless_within_the_promised_median():
    assert median_stop(not_inferior(0.75, 0.75, 0.15, 0.05, 1_500), 300, "equal") == pytest.approx(101, rel=0.15)


def test_thresholds_of_the_tables():
    assert (round(log_threshold(0.05), 6), round(log_threshold(0.10), 6)) == (2.995732, 2.302585)
