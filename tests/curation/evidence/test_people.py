"""People's choices at any moment, and once with a judge's beside them: what is proven, at which part of alpha, in which words."""

import math
from dataclasses import replace

import pytest

from curation.evidence import Counts, JudgeBeside, Outcome, Pairs, Rules, preference, superiority, win_rate, with_judge

ALONE = Rules(counts=Counts.PEOPLE)
WITH = replace(ALONE, judge="judge-1")
ON = "the blind pairs"
# 60 pairs, 24 won, 12 lost, 24 alike; the judge says the same of 54 of them, and of 140 more what people say on average.
PEOPLE = [1.0] * 24 + [0.0] * 12 + [0.5] * 24
JUDGE = [1.0] * 21 + [0.5] * 3 + [0.0] * 11 + [1.0] + [0.5] * 22 + [1.0, 0.0]
FURTHER = [1.0] * 60 + [0.0] * 24 + [0.5] * 56
PAIRS = Pairs(24, 12, 24)


def test_seven_of_seven_are_the_shortest_proof_and_eight_where_a_judge_shares_alpha():
    assert preference(Pairs(7, 0), None, ALONE, on=ON).outcome is Outcome.PROVEN
    assert preference(Pairs(7, 0), None, WITH, on=ON).outcome is Outcome.NOT_PROVEN
    assert preference(Pairs(8, 0), None, WITH, on=ON).outcome is Outcome.PROVEN
    assert preference(Pairs(8, 0), None, WITH, on=ON).log_threshold == pytest.approx(math.log(40))


def test_a_judge_beside_sixty_peoples_choices_proves_what_they_alone_do_not():
    assert preference(PAIRS, None, WITH, on=ON).outcome is Outcome.NOT_PROVEN
    found = preference(PAIRS, JudgeBeside(PEOPLE, JUDGE, FURTHER), WITH, on=ON)
    assert found.outcome is Outcome.PROVEN
    assert found.rule == "better on the blind pairs"
    assert found.log_evidence >= found.log_threshold == pytest.approx(math.log(40))
    assert found.sentence == (
        "The new model is better on the blind pairs, by people's choices with the judge's beside them: it is preferred in 62% "
        "(at least 56%), by 60 pairs that people judged and 140 more that the judge did, of which each counted as 0.63 of a "
        "person's. Evidence 8,904, needed 40.0."
    )


def test_a_judge_proves_exactly_where_the_interval_lies_above_a_half():
    for wins in range(16, 40):
        people = [1.0] * wins + [0.0] * (40 - wins) + [0.5] * 20
        both = with_judge(JudgeBeside(people, JUDGE, FURTHER), WITH)
        assert both is not None
        assert both.is_proven is win_rate(people, JUDGE, FURTHER, 0.95).wins


def test_a_judge_that_the_plan_does_not_name_changes_nothing():
    beside = JudgeBeside(PEOPLE, JUDGE, FURTHER)
    assert preference(PAIRS, beside, ALONE, on=ON) == superiority(PAIRS, ALONE, on=ON)


def test_a_judge_that_does_not_help_is_said_to_have_been_asked():
    found = preference(
        Pairs(10, 10, 40), JudgeBeside([1.0] * 10 + [0.0] * 10 + [0.5] * 40, JUDGE, FURTHER), WITH, on=ON
    )
    assert found.outcome is Outcome.NOT_PROVEN
    assert "Nor is it with the judge beside them: it is preferred in " in found.sentence


def test_where_everybody_says_the_same_a_judge_has_nothing_to_add():
    assert with_judge(JudgeBeside([0.5] * 60, [0.5] * 60, [0.5] * 9), WITH) is None


def test_the_worse_model_is_found_by_people_whatever_a_judge_says():
    found = preference(Pairs(5, 30, 25), JudgeBeside([1.0] * 59 + [0.5], JUDGE, FURTHER), WITH, on=ON)
    assert found.outcome is Outcome.HARMFUL


def test_who_counts_is_sealed_and_a_seal_from_before_there_was_a_choice_still_holds():
    assert Rules().seal() == "df5b0ad79011d96ed7e312ca3ad5c101d9307fb5878e91a968bd808d380e6402"
    assert len({Rules().seal(), ALONE.seal(), WITH.seal(), replace(WITH, judged_at=80).seal()}) == 4
    assert len({ALONE.seal(), replace(ALONE, people_hours=24.0).seal()}) == 2


@pytest.mark.parametrize("wrong", [{"judged_at": 1}, {"people_hours": 0}])
def test_numbers_people_cannot_decide_by_are_refused(wrong: dict[str, int]):
    with pytest.raises(ValueError, match="People cannot decide by"):
        Rules(**wrong)  # type: ignore[arg-type]
