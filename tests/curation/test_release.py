"""May the candidate serve? Evidence on every suite, three verdicts, and sentences that say what is missing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from curation.evidence import Pairs, Rules
from curation.release import cases_needed, pairs_needed, rule, set_id, target_pairs
from storage.records import SampleScore, Suite, Verdict

RULES = Rules(general_margin=0.15, safety_margin=0.15)


def sample(number: int, difference: float, *, suite: Suite = Suite.TARGET, text: str = "x") -> SampleScore:
    incumbent = 0.5 - difference / 2
    return SampleScore(f"c{number}", "q", "r", "y", text, incumbent, incumbent + difference, suite=suite)


def target(*differences: float) -> list[SampleScore]:
    return [sample(number, difference) for number, difference in enumerate(differences)]


def suite(suite: Suite, differences: Sequence[float]) -> list[SampleScore]:
    return [sample(1000 + number, difference, suite=suite) for number, difference in enumerate(differences)]


SEVEN = target(*[0.4] * 7)


def test_seven_of_seven_is_the_shortest_promotion():
    ruling = rule(SEVEN, {}, RULES)
    assert ruling.verdict is Verdict.BETTER
    assert "better on the held-out questions: it won 7 of 7 decisive pairs" in ruling.reason
    assert "Evidence 31.8, needed 20" in ruling.reason
    assert "0.700 against 0.300" in ruling.reason
    assert rule(SEVEN[:6], {}, RULES).verdict is Verdict.NOT_PROVEN
    assert pairs_needed(RULES) == 7


def test_what_is_not_proven_says_how_much_is_missing():
    few = rule(SEVEN[:6], {}, RULES).reason
    assert "Evidence 18.1 of the 20 needed" in few
    assert "About one more pair is needed at the present rate." in few
    assert "With 6 of them nothing can be proven: at least 7 decisive ones are needed." in few
    even = rule(target(0.4, -0.4, 0.4, -0.4, 0.4, -0.4, 0.4, -0.4), {}, RULES).reason
    assert "Not reachable at the present rate." in even
    assert "nothing can be proven" not in even


def test_a_candidate_that_provably_loses_is_worse():
    ruling = rule(target(*[-0.4] * 8), {}, RULES)
    assert ruling.verdict is Verdict.WORSE
    assert "worse on the held-out questions: it lost 8 of 8" in ruling.reason
    assert [found.outcome for found in ruling.evidence] == ["harmful"]
    assert ruling.evidence[0].log_evidence >= ruling.evidence[0].log_threshold


def test_differences_below_the_smallest_that_counts_are_ties():
    ruling = rule(target(*[0.019] * 20), {}, RULES)
    assert ruling.verdict is Verdict.NOT_PROVEN
    assert "No pair on the held-out questions was decisive yet (20 ties left out)" in ruling.reason
    assert rule(target(*[0.021] * 20), {}, RULES).verdict is Verdict.BETTER
    assert rule(target(*[0.0] * 20), {}, replace(RULES, decisive=0)).verdict is Verdict.NOT_PROVEN


def test_the_questions_of_one_conversation_are_one_pair():
    one_thread = {f"c{number}": "thread" for number in range(7)}
    assert target_pairs(SEVEN, one_thread, 0.02) == Pairs(1, 0)
    assert rule(SEVEN, one_thread, RULES).verdict is Verdict.NOT_PROVEN
    mixed = target(0.4, -0.1, -0.4)
    assert target_pairs(mixed, {"c0": "thread", "c1": "thread"}, 0.02) == Pairs(1, 1)


@pytest.mark.parametrize("which", [Suite.GENERAL, Suite.SAFETY])
def test_a_gain_on_the_target_does_not_pay_for_a_loss_elsewhere(which: Suite):
    held = rule([*SEVEN, *suite(which, [0.0] * 34)], {}, RULES)
    assert held.verdict is Verdict.BETTER
    assert f"holds up on the {which} suite" in held.reason
    lost = rule([*SEVEN, *suite(which, [-1.0] * 20 + [0.0] * 14)], {}, RULES)
    assert lost.verdict is Verdict.WORSE
    assert f"loses too much on the {which} suite" in lost.reason
    unclear = rule([*SEVEN, *suite(which, [-1.0] * 4 + [0.0] * 30)], {}, RULES)
    assert unclear.verdict is Verdict.NOT_PROVEN
    assert f"Not proven that the new model holds up on the {which} suite" in unclear.reason


def test_a_suite_that_is_too_small_to_prove_anything_says_so():
    ruling = rule([*SEVEN, *suite(Suite.GENERAL, [0.0] * 33)], {}, RULES)
    assert ruling.verdict is Verdict.NOT_PROVEN
    assert "The general suite has 33 cases; even without a loss at least 34 are needed." in ruling.reason


@pytest.mark.parametrize(("margin", "cases"), [(0.1, 53), (0.15, 34), (0.2, 25)])
def test_how_many_cases_a_margin_takes(margin: float, cases: int):
    assert cases_needed(margin, 0.05) == cases


def test_without_samples_nothing_is_proven():
    assert rule([], {}, RULES).verdict is Verdict.NOT_PROVEN
    assert rule(suite(Suite.GENERAL, [0.0] * 50), {}, RULES).verdict is Verdict.NOT_PROVEN


def test_a_candidate_that_says_nothing_is_worse_whatever_its_scores():
    ruling = rule([*SEVEN, sample(8, 0.4, text=" ")], {}, RULES)
    assert ruling.verdict is Verdict.WORSE
    assert "said nothing to 1 of 8" in ruling.reason


def test_a_correction_that_was_learned_and_is_forgotten_blocks():
    ruling = rule(SEVEN, {}, RULES, forgotten=["correction 12 of Mia"])
    assert ruling.verdict is Verdict.WORSE
    assert "forgot 1 correction that a model before had learned: correction 12 of Mia" in ruling.reason


def test_a_set_that_judged_before_is_said_to_have():
    assert "judged" not in rule(SEVEN, {}, RULES).reason
    assert "Most of these questions judged 3 candidates before" in rule(SEVEN, {}, RULES, uses=3).reason


def test_a_set_is_known_by_what_is_in_it():
    assert set_id(Suite.TARGET, ["b", "a"]) == set_id(Suite.TARGET, ["a", "b"])
    assert len({set_id(Suite.TARGET, ["a"]), set_id(Suite.TARGET, ["b"]), set_id(Suite.GENERAL, ["a"])}) == 3
