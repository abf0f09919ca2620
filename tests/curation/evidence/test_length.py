"""A win rate with the length taken out: what the fit says, and when it says nothing."""

import math
from random import Random

import pytest

from curation.evidence import LengthPair, length_controlled


def drawn(n: int, at_equal_length: float, length_effect: float, longer_by: int, seed: str) -> list[LengthPair]:
    """Pairs whose candidate is longer by that on average, won by the model that the fit assumes."""
    chance = Random(seed)
    lengths = [(100 + round(chance.gauss(longer_by, 40)), 100) for _ in range(n)]
    logit = math.log(at_equal_length / (1 - at_equal_length))
    mean = sum(ours - theirs for ours, theirs in lengths) / n
    spread = math.sqrt(sum((ours - theirs - mean) ** 2 for ours, theirs in lengths) / (n - 1))
    return [
        LengthPair(
            chance.random() < 1 / (1 + math.exp(-logit - length_effect * math.tanh((ours - theirs) / spread))),
            ours,
            theirs,
        )
        for ours, theirs in lengths
    ]


def test_a_candidate_that_only_talks_more_wins_nothing():
    found = length_controlled(drawn(4_000, 0.5, 1.5, 40, "talks more"))
    assert found.raw is not None
    assert found.raw > 0.65
    assert found.rate == pytest.approx(0.5, abs=0.05)
    assert found.length_effect == pytest.approx(1.5, abs=0.25)


def test_a_better_candidate_wins_at_equal_length_too():
    found = length_controlled(drawn(4_000, 0.7, 1.0, -20, "better"))
    assert found.rate == pytest.approx(0.7, abs=0.04)
    assert found.holds


def test_the_fit_is_where_the_likelihood_is_flat():
    pairs = drawn(60, 0.6, 1.0, 10, "flat")
    found = length_controlled(pairs)
    assert found.rate is not None
    assert found.length_effect is not None
    b0, b1 = math.log(found.rate / (1 - found.rate)), found.length_effect
    differences = [pair.longer_by for pair in pairs]
    mean = sum(differences) / 60
    spread = math.sqrt(sum((d - mean) ** 2 for d in differences) / 59)
    xs = [math.tanh(d / spread) for d in differences]
    off = [pair.won - 1 / (1 + math.exp(-b0 - b1 * x)) for pair, x in zip(pairs, xs, strict=True)]
    assert sum(off) == pytest.approx(0, abs=1e-8)
    assert sum(o * x for o, x in zip(off, xs, strict=True)) == pytest.approx(0, abs=1e-8)


def test_where_length_tells_nothing_the_rate_is_the_raw_one():
    pairs = [LengthPair(won, 100 + by, 100) for by in (-30, 0, 30) for won in (True, True, False)]
    found = length_controlled(pairs)
    assert found.rate == pytest.approx(2 / 3)
    assert found.length_effect == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [LengthPair(True, 10, 10)],
        [LengthPair(True, 120, 100)] * 5 + [LengthPair(False, 80, 100)] * 5,
        [LengthPair(True, 80, 100)] * 5 + [LengthPair(False, 120, 100)] * 5,
        [LengthPair(True, 100 + by, 100) for by in range(9)],
        [LengthPair(won, 120, 100) for won in (True, False)],
    ],
    ids=["none", "one", "the-longer-always-wins", "the-shorter-always-wins", "all-won", "always-longer-by-the-same"],
)
def test_where_length_and_winning_cannot_be_told_apart_there_is_no_rate(pairs: list[LengthPair]):
    found = length_controlled(pairs)
    assert found.rate is None
    assert not found.holds
    assert found.sentence == "No pair was decisive." or "cannot be told apart" in found.sentence


def test_the_pairs_of_equal_length_must_agree():
    equal_lost = [LengthPair(False, 100 + by, 100) for by in (-9, 0, 9)] + [LengthPair(True, 95, 100)]
    unequal = [LengthPair(won, 100 + by, 100) for by in (-60, -30, 30, 60) for won in (True, True, True, True, False)]
    found = length_controlled(equal_lost + unequal)
    assert found.rate is not None
    assert found.rate > 0.5
    assert (found.equal_wins, found.equal_pairs) == (1, 4)
    assert not found.holds
    assert found.sentence == (
        f"The new model won 71% of 24 pairs, and {found.rate:.0%} with length taken out; of the 4 pairs of equal length it won 1."
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "equal"), [(110, 100, True), (111, 100, False), (90, 100, True), (0, 0, True)]
)
def test_a_tenth_is_equally_long(ours: int, theirs: int, equal: bool):
    assert LengthPair(True, ours, theirs).equally_long is equal
