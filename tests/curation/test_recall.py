"""The instant fix: what is found from the second it is approved, and what never is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.recall import Fix, Place, RecallIndex, fix_of, gate
from curation.recall.gate import Candidate, Veto
from curation.recall.words import folded, in_context, read
from storage.records import Correction, CorrectionState, Judgement, Message, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Place("voice_1", "C1")


def a_fix(fix_id: str, question: str, answer: str = "As the moderator says.", **changes: Any) -> Fix:
    return replace(Fix(fix_id, question, answer, Scope.VOICE, "voice_1", "C1", NOW - timedelta(days=1)), **changes)


def index(*fixes: Fix) -> RecallIndex:
    found = RecallIndex()
    found.add_all(fixes)
    return found


def ids(found: RecallIndex, question: str, **options: Any) -> list[str]:
    return [recalled.fix.id for recalled in found.recall(question, HERE, NOW, **options)]


REFUND = a_fix("refund", "Where is my refund?", "It leaves us on the day your parcel is back.")
SSO = a_fix("sso", "How do I enable SSO?", "Admin › Security › Single sign-on.")
PARK = a_fix("park", "Where may I park?", "Inside the blue area, and never on grass.")


@pytest.mark.parametrize(
    "question",
    [
        "Where is my refund?",
        "where is my refund",
        "  WHERE   is my REFUND?!! ",
        "where's my refund",
        "Where is my réfund?".replace("é", "e"),
        "Ｗｈｅｒｅ is my refund",
    ],
)
def test_a_near_exact_repeat_is_always_found(question: str):
    (recalled,) = index(REFUND, SSO, PARK).recall(question, HERE, NOW)
    assert recalled.fix.id == "refund"
    assert recalled.is_repeat


@pytest.mark.parametrize("question", ["👍", "???", "ありがとう", "как дела", "ok", "how do I", "é", "١٢٣"])
def test_whatever_was_corrected_is_found_when_it_is_asked_again(question: str):
    assert ids(index(SSO, a_fix("it", question)), question)[0] == "it"


@pytest.mark.parametrize(
    "question",
    ["How do I disable SSO?", "how do i turn SSO off", "I want to deactivate SSO", "how do I turn off SSO"],
)
def test_the_opposite_gets_nothing(question: str):
    assert ids(index(SSO), question) == []


@pytest.mark.parametrize(
    ("question", "known", "why"),
    [
        ("how do I unlink my account", "How do I link my account?", Veto.OPPOSITE),
        ("do you ship from Switzerland", "Do you ship to Switzerland?", Veto.OPPOSITE),
        ("how do I turn the cup warmer off", "How do I turn on the cup warmer?", Veto.OPPOSITE),
        ("how do I remove a teammate", "How do I invite a teammate?", Veto.OPPOSITE),
        ("error 404 on my page", "Why error 503?", Veto.NUMBER),
        ("when does season eight start", "When does season 7 start?", Veto.NUMBER),
        ("descaling the Brewlet One", "How do I descale my Brewlet Two?", Veto.NUMBER),
        ("does it work with Jira", "Does it work with Slack?", Veto.NAME),
        ("we use Okta, may our people sign in with it", "How do I enable SSO?", None),
        ("is the Moor tent waterproof", "Is the Cairn tent waterproof?", Veto.NAME),
        ("when does season 7 start", "When does season seven start?", None),
        ("order 1234567 is late, error 503", "Why error 503?", None),
        ("how can I enable it", "How do I enable SSO?", None),
    ],
)
def test_words_forbid_whatever_the_score(question: str, known: str, why: Veto | None):
    assert gate.veto(read(question), Candidate(read(known), read(""))) == why


def test_opposites_are_opposites_both_ways():
    one, other = read("pause my plan"), read("resume my plan")
    assert gate.is_opposite(one, other)
    assert gate.is_opposite(other, one)
    assert not gate.is_opposite(one, one)


@pytest.mark.parametrize(
    "question", ["", " ", "thanks!", "hello there", "👍", "how tall is mount everest", "\x00\x00", "and?"]
)
def test_an_off_topic_question_gets_nothing(question: str):
    assert ids(index(REFUND, SSO, PARK), question) == []


def test_an_empty_index_finds_nothing_and_removes_nothing():
    empty = RecallIndex()
    assert ids(empty, "Where is my refund?") == []
    assert not empty.remove("refund")
    assert len(empty) == 0


@pytest.mark.parametrize(
    ("changes", "place", "found"),
    [
        ({}, HERE, True),
        ({}, Place("voice_1", "C2"), True),
        ({}, Place("voice_2", "C1"), False),
        ({"scope": Scope.CHANNEL}, HERE, True),
        ({"scope": Scope.CHANNEL}, Place("voice_1", "C2"), False),
        ({"scope": Scope.CHANNEL, "channel": ""}, Place("voice_1", ""), False),
        ({"scope": Scope.EVERYONE}, Place("voice_2", "C9"), True),
        ({"valid_from": NOW}, HERE, True),
        ({"valid_from": NOW + timedelta(seconds=1)}, HERE, False),
        ({"expires_at": NOW}, HERE, False),
        ({"expires_at": NOW + timedelta(seconds=1)}, HERE, True),
    ],
)
def test_a_fix_is_found_only_where_and_while_it_holds(changes: dict[str, Any], place: Place, found: bool):
    fixes = index(replace(REFUND, **changes), SSO)
    assert bool(fixes.recall("Where is my refund?", place, NOW)) is found
    assert bool(fixes.recall("the refund of mine, where is it now", place, NOW)) is found


def test_many_that_do_not_hold_never_hide_the_one_that_does():
    elsewhere = [
        a_fix(f"old{n}", f"Where is my refund number {n}00?", scope=Scope.CHANNEL, channel="C2") for n in range(300)
    ]
    assert ids(index(*elsewhere, REFUND), "Where is the refund?") == ["refund"]


def test_a_removed_fix_is_gone_and_a_superseded_one_is_replaced():
    fixes = index(REFUND, SSO)
    assert fixes.remove("refund")
    assert ids(fixes, "Where is my refund?") == []
    fixes.supersede("sso", a_fix("sso2", "How do I enable SSO?", "Now under Settings."))
    assert ids(fixes, "How do I enable SSO?") == ["sso2"]
    fixes.add(a_fix("sso2", "How do I export?", "Menu."))
    assert ids(fixes, "How do I enable SSO?") == []
    assert len(fixes) == 1


def test_making_room_after_many_removals_loses_nothing():
    fixes = index(*(a_fix(f"c{n}", f"What is a zorb{n}?") for n in range(200)))
    for n in range(0, 200, 2):
        fixes.remove(f"c{n}")
    fixes.remove("c1")
    assert len(fixes) == 99
    assert ids(fixes, "what is a zorb2") == []
    assert all(f"c{n}" in ids(fixes, f"what is a zorb{n}") for n in range(3, 200, 2))


def test_of_the_same_question_the_narrowest_scope_then_the_newest_answers():
    older = a_fix("older", "Where is my refund?", valid_from=NOW - timedelta(days=9))
    narrow = a_fix("narrow", "where is my refund", scope=Scope.CHANNEL, valid_from=NOW - timedelta(days=9))
    assert ids(index(older, REFUND), "Where is my refund?") == ["refund"]
    assert ids(index(older, REFUND, narrow), "Where is my refund?") == ["narrow"]


def test_the_examples_own_fix_is_left_out():
    assert ids(index(REFUND, SSO), "Where is my refund?", without={"refund"}) == []


VOUCHER = a_fix("voucher", "How long is a gift voucher valid?", "Three years.")
PARCEL = a_fix("parcel", "How long is a gift parcel valid?", "Nine weeks.")
ABOUT_VOUCHERS = "For how long is the gift voucher valid that I bought?"


def test_a_question_whose_best_fix_is_learned_gets_no_fix_of_another_fact():
    fixes = index(VOUCHER, PARCEL, PARK)
    assert ids(fixes, ABOUT_VOUCHERS) == ["voucher"]
    assert ids(fixes, ABOUT_VOUCHERS, without={"voucher"}) == [
        "parcel"
    ]  # the best of what is left is of something else
    assert ids(fixes, ABOUT_VOUCHERS, learned={"voucher"}) == []


def test_what_fits_better_than_a_learned_fix_is_shown_and_nothing_below_it():
    fixes = index(*(a_fix(f"c{n}", f"Where is my refund for the blue tent {'x' * n}?") for n in range(1, 4)))
    question = "where is my refund for the blue tent"
    best, second, third = ids(fixes, question)
    assert ids(fixes, question, learned={second}) == [best]
    assert ids(fixes, question, learned={third}) == [best, second]
    assert ids(fixes, question, learned={second, third, "gone"}) == [best]


@pytest.mark.parametrize("changes", [{"expires_at": NOW - timedelta(days=1)}, {"voice_id": "voice_2"}], ids=str)
def test_a_learned_fix_that_does_not_hold_here_and_now_hides_nothing(changes: dict[str, Any]):
    fixes = index(replace(VOUCHER, **changes), PARCEL)
    assert ids(fixes, ABOUT_VOUCHERS, learned={"voucher"}) == ["parcel"]


def test_no_more_than_the_limit_come():
    fixes = index(*(a_fix(f"c{n}", f"Where is my refund for the blue tent {'x' * n}?") for n in range(1, 10)))
    assert len(ids(fixes, "where is my refund for the blue tent", limit=2)) == 2
    assert ids(fixes, "where is my refund for the blue tent", limit=0) == []


def asked_before(question: str) -> Sequence[Message]:
    return (Message("user", question), Message("assistant", "…"))


def test_a_follow_up_is_understood_with_the_question_before_it():
    question = "and for one that stands on the grass overnight?"
    assert ids(index(PARK, SSO), question, history=asked_before("Where may I park?")) == ["park"]
    assert ids(index(PARK, SSO), question) == []


@pytest.mark.parametrize("question", ["thanks, that worked", "ok cool", "and who won the match?", "can you sing?"])
def test_what_leaves_the_topic_does_not_drag_the_last_fix_along(question: str):
    assert ids(index(PARK, SSO), question, history=asked_before("Where may I park?")) == []


def test_a_correction_of_a_follow_up_is_found_only_in_its_context():
    fix = a_fix(
        "why", "why?", "Grass dies.", history=(Message("user", "May I park on grass?"), Message("assistant", "No."))
    )
    assert ids(index(fix), "why?", history=asked_before("May I park on grass?")) == ["why"]
    assert ids(index(fix), "why?", history=asked_before("Where is my refund?")) == []
    assert ids(index(fix), "why?") == []


@settings(max_examples=150, deadline=None)
@given(question=st.text(max_size=200), known=st.text(max_size=100))
def test_any_text_is_taken_and_asked_again_found(question: str, known: str):
    fixes = index(SSO, a_fix("known", known, known))
    first = fixes.recall(question, HERE, NOW, history=asked_before(known))
    assert first == fixes.recall(question, HERE, NOW, history=asked_before(known))
    assert all(0 <= recalled.score <= 1 for recalled in first)
    if known.strip():
        assert "known" in ids(fixes, known)


def test_a_pasted_log_is_read_no_further_than_a_page():
    assert len(folded("word " * 100_000)) <= 2000
    assert len(read("a1 b2 c3 " * 10_000).terms) <= 64
    assert ids(index(SSO), "How do I enable SSO? " + "0x7f " * 50_000) is not None


class OneAxis:
    """A model of meaning in which every text means the same: what embeddings do to opposites, at its worst."""

    name = "wordllama"

    def embed(self, texts: Sequence[str]) -> Any:
        import numpy as np

        return np.ones((len(texts), 1), dtype=np.float32)


def test_meaning_proposes_what_no_word_does_and_never_overrules_a_veto():
    pytest.importorskip("numpy", reason="the extra recall is not installed")
    fixes = RecallIndex(OneAxis())
    fixes.add_all((SSO, REFUND))
    assert "sso" in ids(fixes, "can our people sign in with their company login")
    assert "sso" not in ids(fixes, "How do I disable SSO?")
    fixes.remove("sso")
    assert "sso" not in ids(fixes, "can our people sign in with their company login")


def test_the_shape_names_what_finds():
    assert RecallIndex().shape == "recall-2:words"
    assert RecallIndex(OneAxis()).shape == "recall-2:wordllama"


def test_only_an_approved_correction_becomes_a_fix():
    correction = Correction(
        id="c1",
        voice_id="voice_1",
        reply_id=None,
        conversation_id=None,
        origin="reply",
        key="k",
        history=(),
        question="Where is my refund?",
        served_text=None,
        corrected_text="On its way.",
        reason=Judgement.WRONG,
        note="",
        state=CorrectionState.APPROVED,
        proposed_by="mod",
        proposed_at=NOW - timedelta(hours=2),
        decided_by="lead",
        decided_at=NOW - timedelta(hours=1),
    )
    fix = fix_of(correction, channel="C1")
    assert (fix.id, fix.answer, fix.valid_from) == ("c1", "On its way.", NOW - timedelta(hours=1))
    with pytest.raises(ValueError, match="only an approved one"):
        fix_of(replace(correction, state=CorrectionState.PROPOSED), channel="C1")


def test_a_question_that_stands_alone_is_not_mixed_with_the_one_before():
    alone = "How do I change the delivery address of my order?"
    assert in_context(alone, asked_before("Where is my refund?")) == alone
