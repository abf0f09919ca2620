"""The votes that count are the same however a platform told them."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.evidence import Blocks, Vote, VoteEvent, votes_that_count

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = Blocks(timedelta(days=1), timedelta(hours=6))
UP, DOWN, TAKEN_BACK = True, False, None


def event(
    good: bool | None, minutes: float = 1, *, voter: str = "anna", reply: str = "r1", by_candidate: bool = True
) -> VoteEvent:
    return VoteEvent(voter, reply, by_candidate, good, NOON, NOON + timedelta(minutes=minutes))


def test_the_last_word_wins():
    assert votes_that_count([event(UP, 1), event(DOWN, 2)], DAYS) == [Vote(True, False)]
    assert votes_that_count([event(DOWN, 2), event(UP, 1)], DAYS) == [Vote(True, False)]


def test_a_vote_taken_back_does_not_count():
    assert votes_that_count([event(UP, 1), event(TAKEN_BACK, 2)], DAYS) == []
    assert votes_that_count([event(UP, 1), event(TAKEN_BACK, 2), event(UP, 3)], DAYS) == [Vote(True, True)]


def test_a_change_told_as_two_events_of_one_moment_is_a_change():
    assert votes_that_count([event(UP, 1), event(TAKEN_BACK, 2), event(DOWN, 2)], DAYS) == [Vote(True, False)]
    assert votes_that_count([event(UP, 1), event(DOWN, 2), event(TAKEN_BACK, 2)], DAYS) == [Vote(True, False)]


@pytest.mark.parametrize(("hours", "counts"), [(11.9, True), (17.9, True), (18, False), (48, False)])
def test_a_late_vote_to_a_closed_block_changes_nothing(hours: float, counts: bool):
    # Noon's block ends at midnight and closes six hours later.
    changed = votes_that_count([event(UP, 1), event(DOWN, 60 * hours)], DAYS)
    assert changed == [Vote(True, not counts)]


def test_a_person_counts_once_with_the_first_reply_they_judged():
    first, second = event(UP, 1, reply="r2"), event(DOWN, 2, reply="r1", by_candidate=False)
    assert votes_that_count([second, first], DAYS) == [Vote(True, True)]
    assert votes_that_count([second, first, event(TAKEN_BACK, 3, reply="r2")], DAYS) == [Vote(False, False)]


def test_votes_come_in_the_order_they_were_first_given():
    events = [event(UP, 3, voter="a"), event(DOWN, 2, voter="b"), event(UP, 1, voter="c", by_candidate=False)]
    changed_later = event(UP, 9, voter="b")
    assert votes_that_count([*events, changed_later], DAYS) == [Vote(False, True), Vote(True, True), Vote(True, True)]


def test_who_is_left_out_does_not_count():
    events = [event(UP, 1, voter="author"), event(UP, 2, voter="b")]
    assert votes_that_count(events, DAYS, left_out=frozenset({("author", "r1")})) == [Vote(True, True)]
    assert len(votes_that_count(events, DAYS, left_out=frozenset({("author", "another reply")}))) == 2


@given(
    st.lists(
        st.builds(
            event,
            st.sampled_from([UP, DOWN, TAKEN_BACK]),
            st.integers(0, 2_000),
            voter=st.sampled_from("abcd"),
            reply=st.sampled_from(["r1", "r2"]),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_events_told_twice_or_in_another_order_change_nothing(events: list[VoteEvent], chance: Random):
    told_again = [*events, *events[::2]]
    chance.shuffle(told_again)
    assert votes_that_count(told_again, DAYS) == votes_that_count(events, DAYS)
