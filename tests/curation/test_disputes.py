"""Two approved answers that cannot both be right, as a question for a person: what differs, once, and only where they meet."""

from dataclasses import replace

import pytest

from curation.disputes import differences_told, disputes_among, disputes_of
from storage.records import Correction, CorrectionState, Dispute, Message, Scope
from tests.curation.test_selecting import NOW, correction

OLDER = correction(1, "How long do returns take?", "We refund within 5 days.")
NEWER = correction(2, "How long do returns take?", "We refund within 14 days.")
SAID = (Message("user", "I bought a lamp."), Message("assistant", "Nice!"))


def among(*corrections: Correction, known: frozenset[tuple[str, str]] = frozenset(), **places: str) -> list[Dispute]:
    return disputes_among(corrections, places, known, at=NOW)


def test_a_contradiction_is_found_and_says_what_differs():
    (found,) = among(OLDER, NEWER, correction(3))
    assert (found.first, found.second, found.voice_id) == ("corr_001", "corr_002", "voice_1")
    assert differences_told(found) == "They differ in a number (5 day and 14 day)."


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(NEWER, corrected_text="Within 5 days we refund, to the card you paid with."), id="agrees"),
        pytest.param(replace(NEWER, question="How long do repairs take?"), id="another question"),
        pytest.param(replace(NEWER, history=SAID), id="after something else was said"),
        pytest.param(replace(NEWER, state=CorrectionState.SUPERSEDED), id="no longer approved"),
        pytest.param(replace(NEWER, scope=Scope.CHANNEL, conversation_id="conv_b"), id="for one channel only"),
    ],
)
def test_what_can_both_be_right_is_no_dispute(other: Correction):
    assert among(OLDER, other, conv_b="slack/C2") == []


def test_in_one_channel_and_after_the_same_words_they_meet():
    both = [replace(c, history=SAID, scope=Scope.CHANNEL) for c in (OLDER, NEWER)]
    assert among(*both, conv_1="slack/C1", conv_2="slack/C1")
    assert not among(*both, conv_1="slack/C1", conv_2="slack/C2")


def test_a_pair_that_was_settled_is_not_asked_about_again():
    assert among(OLDER, NEWER, known=frozenset({("corr_001", "corr_002")})) == []


def test_one_that_is_newly_approved_is_compared_with_all_others():
    others = [correction(n) for n in range(3, 9)]
    assert [(d.first, d.second) for d in disputes_of(NEWER, [OLDER, NEWER, *others], {}, (), at=NOW)] == [
        ("corr_001", "corr_002")
    ]
    assert disputes_of(others[0], [OLDER, NEWER, *others], {}, (), at=NOW) == []


def test_comparing_one_finds_what_comparing_all_finds():
    made = [
        correction(n, f"How long does {what} take{mark}", f"It takes {days} days.")
        for n, (what, mark, days) in enumerate(
            [("a return", "?", 5), ("a return", " ?", 7), ("a repair", "?", 5), ("the return", "?", 9), ("😀", "", 1)]
        )
    ]
    pairs = {(d.first, d.second) for d in among(*made)}
    one_by_one = {
        (d.first, d.second) for n, each in enumerate(made) for d in disputes_of(each, made[:n], {}, (), at=NOW)
    }
    assert pairs == one_by_one != set()
