"""What people are told: three outcomes, each with its numbers, and what fixes the numbers beforehand."""

import math
from dataclasses import replace

import pytest

from curation.evidence import (
    Outcome,
    Pairs,
    Rules,
    RulesChanged,
    Vote,
    harm_against_floor,
    harm_in_canary,
    harm_in_pairs,
    log_evidence,
    non_inferiority,
    release,
    rolls_back,
    shown,
    superiority,
)

RULES = Rules()
BETTER = superiority(Pairs(70, 30, 14), RULES)
HELD = non_inferiority([0] * 100, 0.10, RULES, on="the general set")
SAFE = non_inferiority([0] * 100, 0.10, RULES, on="the safety set")


def test_a_better_model():
    assert BETTER.outcome is Outcome.PROVEN
    assert BETTER.sentence == (
        "The new model is better on the target set: it won 70 of 100 decisive pairs (14 ties left out). "
        "Evidence 854, needed 20: an error at most once in 20. Its share of wins lies between 54% and 83%."
    )
    assert BETTER.log_evidence == log_evidence(70, 100)


def test_a_model_of_which_nothing_is_proven_hears_how_many_more():
    finding = superiority(Pairs(15, 5, 1), RULES)
    assert finding.outcome is Outcome.NOT_PROVEN
    assert finding.sentence.startswith(
        "Not proven that the new model is better on the target set: it won 15 of 20 decisive pairs (1 tie left out). "
        "Evidence 6.3 of the 20 needed. About "
    )
    assert finding.sentence.endswith(" more pairs are needed at the present rate.")


def test_a_worse_model():
    finding = superiority(Pairs(5, 25), RULES)
    assert finding.outcome is Outcome.HARMFUL
    assert "it lost 25 of 30 decisive pairs. Evidence 486, needed 20" in finding.sentence


@pytest.mark.parametrize("ties", [0, 50])
def test_without_a_decisive_pair_nothing_is_proven(ties: int):
    finding = superiority(Pairs(0, 0, ties), RULES)
    assert finding.outcome is Outcome.NOT_PROVEN
    assert finding.log_evidence == pytest.approx(0, abs=1e-12)
    assert "so nothing is proven" in finding.sentence


def test_being_worse_than_a_high_bar_is_not_yet_harm():
    finding = superiority(Pairs(100, 100), replace(RULES, q0=0.8))
    assert finding.outcome is Outcome.NOT_PROVEN


def test_swapping_the_models_swaps_better_and_worse():
    for pairs in (Pairs(70, 30), Pairs(15, 5), Pairs(50, 50), Pairs(9, 41, 3)):
        one, other = superiority(pairs, RULES).outcome, superiority(pairs.swapped, RULES).outcome
        swapped = {Outcome.PROVEN: Outcome.HARMFUL, Outcome.HARMFUL: Outcome.PROVEN}
        assert other is swapped.get(one, one)


def test_holding_up_losing_too_much_and_neither():
    assert HELD.outcome is Outcome.PROVEN
    assert HELD.sentence.startswith(
        "The new model holds up on the general set: +0.000 on average over 100 questions, where -0.100 is allowed. Evidence "
    )
    worse = non_inferiority([-1] * 20 + [0] * 20, 0.10, RULES, on="the general set")
    assert worse.outcome is Outcome.HARMFUL
    assert "loses too much on the general set: -0.500 on average" in worse.sentence
    open_still = non_inferiority([0] * 50, 0.10, RULES, on="the general set")
    assert open_still.outcome is Outcome.NOT_PROVEN
    assert "Evidence 16.9 of the 20 needed. At worst -0.104." in open_still.sentence
    assert non_inferiority([], 0.10, RULES, on="the general set").outcome is Outcome.NOT_PROVEN


def test_each_harm_rule_gets_its_third_of_the_alpha():
    assert RULES.each_harm_alpha == pytest.approx(0.10 / 3)
    finding = harm_in_pairs(Pairs(5, 25), RULES)
    assert finding.outcome is Outcome.HARMFUL
    assert finding.log_threshold == pytest.approx(math.log(30))
    assert finding.sentence == (
        "The new model does harm (worse than the model before): people preferred the other model's reply in "
        "25 of 30 decisive pairs. Evidence 486, needed 30: an error at most once in 30."
    )


@pytest.mark.parametrize(
    ("good", "votes", "outcome"),
    [
        (8, 40, Outcome.HARMFUL),
        (8, 24, Outcome.NOT_PROVEN),
        (0, 0, Outcome.NOT_PROVEN),
        (40, 40, Outcome.NOT_PROVEN),
    ],
)
def test_the_floor(good: int, votes: int, outcome: Outcome):
    finding = harm_against_floor(good, votes, RULES)
    assert finding.outcome is outcome
    assert f"{good} of {votes} votes were thumbs up, where 60% is the least" in finding.sentence


def test_a_canary_that_is_disliked():
    finding = harm_in_canary([Vote(False, True)] * 80 + [Vote(True, False)] * 10, RULES)
    assert finding.outcome is Outcome.HARMFUL
    assert "0 of 10 votes on its replies were thumbs up, and 80 of 80 on the model before" in finding.sentence
    assert harm_in_canary([], RULES).outcome is Outcome.NOT_PROVEN


def test_any_harm_rolls_back():
    fine, harm = harm_against_floor(40, 40, RULES), harm_in_pairs(Pairs(5, 25), RULES)
    assert rolls_back([fine, harm]) is harm
    assert rolls_back([fine]) is None
    assert rolls_back([]) is None


def test_all_must_be_proven_to_be_released():
    assert release([BETTER, HELD, SAFE]).outcome is Outcome.PROVEN
    undecided = superiority(Pairs(15, 5), RULES)
    held_back = release([undecided, HELD, SAFE])
    assert held_back.outcome is Outcome.NOT_PROVEN
    assert held_back.sentence == undecided.sentence
    worse = non_inferiority([-1] * 40, 0.10, RULES, on="the safety set")
    assert release([undecided, HELD, worse]).sentence == worse.sentence
    assert release([BETTER, HELD, worse]).outcome is Outcome.HARMFUL
    assert release([]).outcome is Outcome.NOT_PROVEN


def test_a_forgotten_correction_stops_the_best_model():
    stopped = release([BETTER, HELD, SAFE], ledger_broken=["cor_1", "cor_2"])
    assert stopped.outcome is Outcome.HARMFUL
    assert stopped.sentence == "The new model forgot 2 corrections that a model before had learned: cor_1, cor_2."


def test_a_harm_is_told_before_what_was_forgotten_and_at_most_five_are_named():
    worse = superiority(Pairs(0, 13), RULES, on="the held-out questions")
    stopped = release([worse, HELD], ledger_broken=[f"cor_{n}" for n in range(7)])
    assert stopped.sentence == (
        f"{worse.sentence} The new model forgot 7 corrections that a model before had learned: "
        "cor_0, cor_1, cor_2, cor_3, cor_4 and 2 more."
    )


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (0.05, "less than 0.1"),
        (0.1, "0.1"),
        (1, "1.0"),
        (19.97, "19.9"),
        (20, "20.0"),
        (99.99, "99.9"),
        (854.59, "854"),
        (999_999, "999,999"),
        (1e9, "more than 1,000,000"),
    ],
)
def test_the_evidence_number_never_seems_to_reach_what_it_has_not(evidence: float, told: str):
    assert shown(math.log(evidence)) == told


def test_evidence_beyond_any_float_is_still_told():
    assert shown(80_000.0) == "more than 1,000,000"
    assert shown(-80_000.0) == "less than 0.1"


def test_sealed_rules_decide_and_changed_ones_refuse():
    seal = RULES.seal()
    Rules().check(seal)
    for changed in (
        replace(RULES, alpha=0.10),
        replace(RULES, general_margin=0.2),
        replace(RULES, sets=("held-out 3",)),
        replace(RULES, seed=1),
    ):
        with pytest.raises(RulesChanged, match="begin a new experiment"):
            changed.check(seal)
        with pytest.raises(RulesChanged, match="begin a new experiment"):
            RULES.check(changed.seal())


@pytest.mark.parametrize("wrong", [{"alpha": 0.0}, {"floor": 1}, {"candidate_share": 1.0}, {"q0": -0.5}])
def test_rules_that_cannot_be_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is .* between 0 and 1"):
        Rules(**wrong)
