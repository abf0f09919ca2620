"""Marks: moderators who agree make an example, a flag makes a label, and a customer's thumb makes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from curation.examples import Kind
from curation.marks import Marked, MarkPolicy, examples_of, is_bad, is_good, trusted, worth_reading
from storage.records import Feedback, Judgement, MarkedReply, Reply, ReplySource, Turn, TurnState

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GOOD, WRONG, TONE = Judgement.GOOD, Judgement.WRONG, Judgement.TONE
TWO = MarkPolicy(moderators=2)


def given(**judgements: Judgement) -> tuple[Feedback, ...]:
    return tuple(
        Feedback(f"fb_{who}", "reply_1", who, judgement, "", False, NOW + timedelta(minutes=i))
        for i, (who, judgement) in enumerate(judgements.items())
    )


def a_reply(*feedback: Feedback, question: str = "Is it vegan?") -> MarkedReply:
    turn = Turn("turn_1", "conv_1", "v", "slack", "k", question, "cleo", NOW, TurnState.ANSWERED, None, None, 1)
    reply = Reply("reply_1", "turn_1", "conv_1", "v", "Yes.", ReplySource.BASE, "base", None, None, 1, 1, 0.1, NOW)
    return MarkedReply(turn, reply, feedback)


MODERATORS = {"mia", "mo", "may"}


@pytest.mark.parametrize(
    ("judged", "policy", "good", "bad"),
    [
        pytest.param({}, TWO, False, False, id="nobody"),
        pytest.param({"mia": GOOD, "mo": GOOD}, TWO, True, False, id="two agree"),
        pytest.param({"mia": GOOD}, TWO, False, False, id="one is too few"),
        pytest.param({"mia": GOOD, "mo": GOOD, "may": TONE}, TWO, False, False, id="one disagrees"),
        pytest.param({"mia": GOOD, "cleo": GOOD, "cora": GOOD}, TWO, False, False, id="customers do not count"),
        pytest.param({"mia": GOOD, "mo": GOOD, "cleo": WRONG}, TWO, True, False, id="nor against"),
        pytest.param({"mia": GOOD, "mo": GOOD}, MarkPolicy(), False, False, id="off as it comes"),
        pytest.param({"mia": WRONG}, TWO, False, True, id="one moderator says no"),
        pytest.param({"cleo": WRONG, "cora": WRONG}, TWO, False, False, id="customers say no"),
        pytest.param({"mia": WRONG}, MarkPolicy(flags=False), False, False, id="flags not wanted"),
    ],
)
def test_what_marks_are_worth(judged: dict[str, Judgement], policy: MarkPolicy, good: bool, bad: bool):
    feedback = given(**judged)
    assert is_good(feedback, MODERATORS, policy) is good
    assert is_bad(feedback, MODERATORS, policy) is bad


def test_whose_proposals_are_mostly_rejected_marks_nothing():
    decided = {"mia": (9, 10), "mo": (2, 10), "may": (0, 4)}
    assert trusted(decided, MODERATORS | {"new"}, MarkPolicy(trust=0.5)) == {"mia", "may", "new"}


def test_what_is_given_since_a_hold_waits():
    feedback = given(mia=GOOD, mo=GOOD)
    assert worth_reading([a_reply(*feedback)], MODERATORS, TWO, held_since=feedback[1].given_at) == []
    assert worth_reading([a_reply(*feedback)], MODERATORS, TWO) == [a_reply(*feedback)]


def test_a_good_reply_is_learned_as_it_stands_and_a_bad_one_is_what_not_to_say():
    good, bad = a_reply(*given(mia=GOOD, cleo=WRONG, mo=GOOD)), a_reply(*given(mia=TONE))
    (example,), (flagged,) = examples_of(
        [Marked(each, (), "slack/C1") for each in worth_reading([good, bad], MODERATORS, TWO)]
    )
    assert (example.source_id, example.question, example.answer) == ("reply_1", "Is it vegan?", "Yes.")
    came_from = example.provenance
    assert (came_from.kind, came_from.moderator, came_from.channel, came_from.day) == (
        Kind.MARK,
        "mo",
        "slack/C1",
        "2026-11-21",
    )
    assert (flagged.reply_id, flagged.provenance.reason) == ("reply_1", "tone")
    assert example.group_key == flagged.group_key


def test_an_empty_question_teaches_nothing():
    empty = a_reply(*given(mia=GOOD, mo=GOOD), question="  ")
    assert examples_of([Marked(empty, (), "")]) == ([], [])
    assert examples_of([Marked(replace(empty, turn=replace(empty.turn, question="Q")), (), "")])[0]
