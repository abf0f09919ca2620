"""How long a decision takes: by simulation from here, and exactly from the start."""

from itertools import product

import pytest

from curation.evidence import MorePairs, Pairs, decided_by, log_evidence, log_threshold, median_pairs, more_pairs
from curation.evidence.needed import HORIZON


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (Pairs(70, 30), "No more pairs are needed."),
        (Pairs(0, 0), "Not reachable at the present rate."),
        (Pairs(0, 0, 50), "Not reachable at the present rate."),
        (Pairs(20, 20), "Not reachable at the present rate."),
        (Pairs(510, 490), "More than 5,000 more pairs would be needed at the present rate."),
        (Pairs(6, 0), "About one more pair is needed at the present rate."),
    ],
    ids=["reached", "nothing", "ties-only", "even", "hardly-better", "one-short"],
)
def test_what_a_moderator_reads(pairs: Pairs, sentence: str):
    assert more_pairs(pairs, 0.05).sentence == sentence


@pytest.mark.parametrize(("pairs", "told"), [(1025, "1,000"), (1511, "1,500"), (37, "37"), (204, "200"), (8, "8")])
def test_a_guess_is_told_with_two_figures(pairs: int, told: str):
    assert MorePairs(pairs, 0.6).sentence == f"About {told} more pairs are needed at the present rate."


def test_the_median_is_that_of_the_exact_chances():
    # From 15 of 20 on, by the exact recursion instead of the simulation.
    pairs, q = Pairs(15, 5), 16 / 22
    undecided, decided, steps = {15: 1.0}, 0.0, 0
    while decided < 0.5:
        steps += 1
        after: dict[int, float] = {}
        for (wins, chance), won in product(undecided.items(), (1, 0)):
            share = chance * (q if won else 1 - q)
            if won and log_evidence(wins + 1, 20 + steps) >= log_threshold(0.05):
                decided += share
            else:
                after[wins + won] = after.get(wins + won, 0.0) + share
        undecided = after
    found = more_pairs(pairs, 0.05)
    assert found.q == pytest.approx(q)
    assert found.pairs == pytest.approx(steps, abs=2)


def test_ties_make_it_longer_by_their_share():
    without, half = more_pairs(Pairs(30, 20), 0.05).pairs, more_pairs(Pairs(30, 20, 50), 0.05).pairs
    assert without is not None
    assert half == pytest.approx(2 * without, rel=0.2)


def test_a_hundred_thousand_pairs_are_answered_too():
    assert more_pairs(Pairs(50_400, 49_600), 0.05).pairs == HORIZON + 1


def test_the_same_pairs_get_the_same_answer():
    assert more_pairs(Pairs(30, 20, 7), 0.05) == more_pairs(Pairs(30, 20, 7), 0.05)


def test_a_stricter_alpha_takes_longer():
    loose, strict = more_pairs(Pairs(12, 8), 0.10).pairs, more_pairs(Pairs(12, 8), 0.01).pairs
    assert loose is not None
    assert strict is not None
    assert loose < strict <= HORIZON


def test_the_exact_chances_are_those_of_all_sequences():
    # Every sequence of nine pairs, one by one, with the rule itself.
    q, decided = 0.7, 0.0
    for sequence in product((1, 0), repeat=9):
        wins = 0
        for n, won in enumerate(sequence, 1):
            wins += won
            if log_evidence(wins, n) >= log_threshold(0.05):
                decided += q ** sum(sequence) * (1 - q) ** (9 - sum(sequence))
                break
    assert decided_by(q, 0.05, 9)[-1] == pytest.approx(decided, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.05, 0.10])
@pytest.mark.parametrize("q0", [0.4, 0.5, 0.75])
def test_a_false_decision_stays_below_alpha_however_long_one_looks(alpha: float, q0: float):
    chances = decided_by(q0, alpha, 1_500, q0)
    assert chances[0] == 0
    assert chances == sorted(chances)
    assert alpha / 2 < chances[-1] <= alpha  # not far below either: the rule gives little away


@pytest.mark.parametrize(
    ("q", "median", "power"),
    [
        (0.55, 785, 0.11),
        (0.60, 170, 0.32),
        (0.65, 68, 0.68),
        (0.70, 37, 0.92),
        (0.75, 23, 0.99),
        (0.80, 17, 1.0),
    ],
)
def test_the_reference_sample_sizes(q: float, median: int, power: float):
    assert median_pairs(q, 0.05, 1_200) == pytest.approx(median, rel=0.15)
    assert decided_by(q, 0.05, 100)[-1] == pytest.approx(power, abs=0.015)


def test_no_median_within_a_short_horizon():
    assert median_pairs(0.55, 0.05, 100) is None
