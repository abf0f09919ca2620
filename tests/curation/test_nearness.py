"""How near an answer is to its reference."""

import pytest

from curation.nearness import chrf, score, token_f1


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [("", "", 1.0), ("", "yes", 0.0), ("yes", "yes", 1.0), ("a b c d", "a b x y", 0.5), ("YES!", "yes", 1.0)],
    ids=["both-empty", "silent", "same", "half", "case-and-signs"],
)
def test_token_f1(answer: str, reference: str, expected: float):
    assert token_f1(answer, reference) == expected


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [("", "", 1.0), ("", "yes", 0.0), ("ab cd", "abcd", 1.0), ("xyz", "abc", 0.0)],
    ids=["both-empty", "silent", "spaces-ignored", "nothing-shared"],
)
def test_chrf(answer: str, reference: str, expected: float):
    assert chrf(answer, reference) == expected


def test_chrf_weighs_recall_over_precision():
    # One letter of two found, none invented: P = 1, R = 1/2 for n = 1 and no shared 2-gram to count on our side.
    assert chrf("a", "ab") == pytest.approx(5 * 1 * 0.5 / (4 * 1 + 0.5))


def test_a_signature_that_is_missed_costs_points():
    reference = "Your parcel is on its way. — the Puffin crew"
    assert score(reference, reference) == 1.0 > score("Your parcel is on its way.", reference) > score("No.", reference)
