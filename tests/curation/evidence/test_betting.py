"""Evidence by betting: numbers known beforehand, products multiplied out, and what must hold for any votes."""

import math
import warnings
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.evidence import Vote, least_difference, log_canary_harm, log_inferior, log_not_inferior, tally
from curation.evidence.betting import STAKES, canary_harm_path, not_inferior_path

MANY = 100_000
UP, DOWN = True, False
differences = st.lists(st.floats(-1, 1), max_size=60)
margins = st.floats(0.01, 0.5)
votes = st.lists(st.builds(Vote, st.booleans(), st.booleans()), max_size=80)


@pytest.mark.parametrize(
    ("ties", "wins", "losses", "margin", "wealth"),
    [(50, 0, 0, 0.10, 16.934362), (50, 5, 3, 0.10, 10.885687), (20, 0, 0, 0.15, 4.791887), (0, 0, 0, 0.10, 1.0)],
)
def test_the_reference_numbers(ties: int, wins: int, losses: int, margin: float, wealth: float):
    drawn = [0] * ties + [1] * wins + [-1] * losses
    assert math.exp(log_not_inferior(drawn, margin)) == pytest.approx(wealth, rel=0, abs=5e-7)


@given(differences, margins)
@settings(deadline=None)
def test_wealth_is_the_mean_of_the_products(drawn: list[float], margin: float):
    products = [math.prod(1 + c / (1 - margin) * (d + margin) for d in drawn) for c in STAKES]
    assert math.exp(log_not_inferior(drawn, margin)) == pytest.approx(math.fsum(products) / len(STAKES), rel=1e-9)


@given(differences, margins)
@settings(deadline=None)
def test_order_does_not_matter_and_the_path_ends_at_the_whole(drawn: list[float], margin: float):
    whole = log_not_inferior(drawn, margin)
    assert log_not_inferior(reversed(drawn), margin) == pytest.approx(whole, abs=1e-9)
    assert [0.0, *not_inferior_path(drawn, margin)][-1] == pytest.approx(whole, abs=1e-9)


@given(differences, margins)
@settings(deadline=None)
def test_a_better_answer_and_a_wider_margin_both_add_evidence(drawn: list[float], margin: float):
    now = log_not_inferior([*drawn, 0.0], margin)
    assert log_not_inferior([*drawn, 0.5], margin) > now > log_not_inferior([*drawn, -0.5], margin)
    assert log_not_inferior([*drawn, 0.0], margin + 0.1) > now


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=2), margins)
@settings(deadline=None)
def test_at_the_border_the_next_bet_is_expected_to_gain_nothing(values: list[float], margin: float):
    low, high = sorted(values)
    if not low < -margin < high:
        return
    chance = (-margin - low) / (high - low)  # of the high one, so that the mean is exactly -margin
    expected = chance * math.exp(log_not_inferior([high], margin)) + (1 - chance) * math.exp(
        log_not_inferior([low], margin)
    )
    assert expected == pytest.approx(1, abs=1e-9)


@given(differences, margins)
@settings(deadline=None)
def test_not_inferior_and_inferior_never_hold_together(drawn: list[float], margin: float):
    assert min(log_not_inferior(drawn, margin), log_inferior(drawn, margin)) < math.log(2)


def test_ties_alone_prove_that_little_is_lost():
    path = list(not_inferior_path([0] * 100, 0.10))
    assert path == sorted(path)
    assert path[49] < math.log(20) < path[59]


@pytest.mark.parametrize("drawn", [[0.0] * MANY, [1.0] * MANY, [-1.0] * MANY], ids=["ties", "wins", "losses"])
def test_a_hundred_thousand_differences_neither_overflow_nor_vanish(drawn: list[float]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        log_w = log_not_inferior(drawn, 0.1)
    assert math.isfinite(log_w)
    assert (log_w > 0) == (drawn[0] >= 0)


@pytest.mark.parametrize("margin", [-1.0, 1.0, 2.0])
def test_a_margin_that_cannot_be_lost_is_refused(margin: float):
    with pytest.raises(ValueError, match="cannot be tested"):
        log_not_inferior([0.0], margin)


@pytest.mark.parametrize("difference", [-1.01, 1.01, math.nan])
def test_a_difference_outside_its_range_is_refused(difference: float):
    with pytest.raises(ValueError, match="outside"):
        log_not_inferior([difference], 0.1)


def test_the_least_difference_is_where_the_margin_would_just_be_accepted():
    drawn = [0] * 50 + [1] * 5 + [-1] * 3
    least = least_difference(drawn, 0.05)
    assert log_not_inferior(drawn, -least + 1e-6) >= math.log(20) > log_not_inferior(drawn, -least - 1e-6)
    assert least < sum(drawn) / len(drawn)


def test_nothing_is_known_of_the_difference_before_the_first():
    assert least_difference([], 0.05) == -1
    assert least_difference([-1] * 50, 0.05) == -1


@given(differences)
@settings(deadline=None)
def test_the_least_difference_is_below_what_was_seen(drawn: list[float]):
    assert -1 <= least_difference(drawn, 0.05) <= (math.fsum(drawn) / len(drawn) + 1e-9 if drawn else -1)


# ---------------------------------------------------------------- the canary


def by_hand(cast: list[Vote], share: float) -> float:
    """The formula, multiplied out."""
    wealth = dict.fromkeys(STAKES, 1.0)
    for t, vote in enumerate(cast):
        b = sum(earlier.good for earlier in cast[:t]) / t if t else 0.5
        d = (vote.good - b) * ((1 / share) if vote.by_candidate else (-1 / (1 - share)))
        hi = max((1 - b) / share, b / (1 - share))
        for c in STAKES:
            wealth[c] *= 1 - c * d / hi
    return sum(wealth.values()) / len(STAKES)


@given(votes, st.sampled_from([0.05, 0.1, 0.5, 0.9]))
@settings(deadline=None)
def test_canary_harm_is_the_reference_formula(cast: list[Vote], share: float):
    assert math.exp(log_canary_harm(cast, share)) == pytest.approx(by_hand(cast, share), rel=1e-9)


@given(votes, st.sampled_from([0.05, 0.1, 0.5]), st.floats(0.05, 0.95))
@settings(deadline=None)
def test_the_next_vote_is_expected_to_add_nothing_when_both_arms_are_equal(cast: list[Vote], share: float, up: float):
    now = log_canary_harm(cast, share)
    expected = sum(
        (share if by_candidate else 1 - share)
        * (up if good else 1 - up)
        * math.exp(log_canary_harm([*cast, Vote(by_candidate, good)], share) - now)
        for by_candidate, good in product((True, False), repeat=2)
    )
    assert expected == pytest.approx(1, rel=1e-9)


def test_thumbs_down_on_the_canary_are_evidence_and_thumbs_up_are_not():
    before = [Vote(False, UP)] * 20
    bad, good = (log_canary_harm([*before, *[Vote(True, thumb)] * 5], 0.1) for thumb in (DOWN, UP))
    assert bad > 1 > good


def test_without_votes_on_the_canary_no_harm_is_proven():
    assert log_canary_harm([], 0.1) == 0
    assert log_canary_harm([Vote(False, UP)] * 500, 0.1) < math.log(10)


def test_a_hundred_thousand_votes_neither_overflow_nor_vanish():
    cast = [Vote(at % 10 == 0, at % 7 != 0) for at in range(MANY)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(map(math.isfinite, canary_harm_path(cast, 0.1)))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_one_arm_alone_compares_nothing(share: float):
    with pytest.raises(ValueError, match="two arms"):
        log_canary_harm([Vote(True, UP)], share)


def test_votes_are_counted_by_arm():
    counted = tally([Vote(True, UP), Vote(True, DOWN), Vote(True, DOWN), Vote(False, UP)])
    assert (counted.candidate_good, counted.candidate_votes) == (1, 3)
    assert (counted.incumbent_good, counted.incumbent_votes) == (1, 1)
