"""What is looked at first, what a filter shows, how often a question was asked, and what gets a second look."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from curation.agreeing import prompts_agree
from curation.queueing import (
    Order,
    Origin,
    Wanted,
    facets,
    fitting,
    in_order,
    is_sampled,
    may_review,
    place_of,
    reason_ratings,
    times_asked,
    verdict_ratings,
)
from curation.similar import THRESHOLD, Asked
from curation.sketches import jaccard, shingles
from storage.records import CorrectionState, Judgement, Opinion
from storage.reviews import Decided, Waiting

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def waiting(id: str, *, days: float = 0, **fields: object) -> Waiting:
    known: dict[str, object] = {
        "question": "Where is my parcel?",
        "corrected_text": "On its way.",
        "reason": Judgement.TONE,
        "origin": "reply",
        "proposed_by": "mia",
        "platform": "slack",
        "place": "T1/C1/171.1",
    }
    return Waiting(id=id, proposed_at=NOW - timedelta(days=days), **{**known, **fields})  # type: ignore[arg-type]


IMPORTED = {"origin": "import:faq.csv:1", "reason": Judgement.WRONG, "platform": None, "place": None}


# ---------------------------------------------------------------- order


def test_what_is_asked_most_comes_first_and_a_day_of_waiting_is_worth_one_question():
    queue = [waiting("old", days=5), waiting("asked", days=1), waiting("new")]
    ids = [each.id for each in in_order(queue, Order.USEFUL, {"asked": 14, "new": 4}, NOW)]
    assert ids == ["asked", "old", "new"]
    assert [each.id for each in in_order(queue, Order.USEFUL, {"asked": 3, "new": 6}, NOW)] == ["new", "old", "asked"]


@pytest.mark.parametrize(("order", "ids"), [(Order.OLDEST, ["a", "b", "c"]), (Order.NEWEST, ["c", "b", "a"])])
def test_by_age_alone_nothing_else_counts(order: Order, ids: list[str]):
    queue = [waiting("b", days=2), waiting("c", days=1), waiting("a", days=3)]
    assert [each.id for each in in_order(queue, order, {"b": 99}, NOW)] == ids


def test_of_two_that_are_worth_the_same_the_older_is_next():
    queue = [waiting("b", days=1), waiting("a", days=1), waiting("older", days=2)]
    assert [each.id for each in in_order(queue, Order.USEFUL, {"a": 1, "b": 1}, NOW)] == ["older", "a", "b"]


# ---------------------------------------------------------------- how often it was asked


@pytest.mark.parametrize(
    ("question", "asked", "times"),
    [
        pytest.param("Where is my parcel?", ["where is my PARCEL", "Where is my parcel?"], 2, id="the same"),
        pytest.param("Where is my parcel now?", ["Where is my parcel now pls?"], 1, id="nearly the same"),
        pytest.param("Can I cancel order 12 today?", ["Can I cancel order 13 today?"], 0, id="another number"),
        pytest.param("Can I enable this setting?", ["Can I disable this setting?"], 0, id="the opposite"),
        pytest.param("Where is my parcel?", ["Do you ship to Canada?"], 0, id="another question"),
        pytest.param("", ["", "  ", "Where?"], 0, id="nothing asked"),
        pytest.param("👋", ["👋", "👋👋"], 1, id="only a sign"),
        pytest.param("荷物はどこですか", ["荷物はどこですか？"], 1, id="Japanese"),
        pytest.param("Where is my parcel?", [], 0, id="nobody asked"),
    ],
)
def test_a_question_is_counted_when_it_asks_nearly_the_same(question: str, asked: list[str], times: int):
    assert times_asked([Asked("c", question)], asked) == {"c": times}


def test_a_question_that_hundreds_ask_in_their_own_words_is_counted_hundreds_of_times():
    asked = [f"Where is my parcel with the blue shoes in it{'!' * (n % 3)} {'thanks ' * (n % 2)}" for n in range(300)]
    assert times_asked([Asked("c", "Where is my parcel with the blue shoes in it?")], asked) == {"c": 300}


def test_counting_finds_exactly_what_comparing_everything_would():
    draw = Random(7)
    nouns = ["order", "parcel", "invoice", "refund", "voucher", "address"]
    verbs = ["cancel", "change", "track", "send", "return"]

    def question() -> str:
        asked = f"How can I {draw.choice(verbs)} my {draw.choice(nouns)}?"
        return asked + draw.choice(["", " please", " I wait since days", " 3", " thanks"])

    pending, asked = [Asked(str(n), question()) for n in range(40)], [question() for _ in range(400)]

    def is_same(one: str, other: str) -> bool:
        return jaccard(shingles(one), shingles(other)) >= THRESHOLD and prompts_agree(one, other)

    found = times_asked(pending, asked)
    assert found == {each.id: sum(is_same(each.question, one) for one in asked) for each in pending}
    assert sum(found.values()) > 100


# ---------------------------------------------------------------- filters


QUEUE = (
    waiting("tone"),
    waiting("wrong", reason=Judgement.WRONG, proposed_by="bo", place="T1/C2/9"),
    waiting("practice", platform="console", place="0f2c", question="Is Über big?"),
    waiting("imported", corrected_text="We ship to Canada.", **IMPORTED),
)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), ["tone", "wrong", "practice", "imported"]),
        (Wanted(reason=Judgement.WRONG), ["wrong"]),
        (Wanted(moderator="bo"), ["wrong"]),
        (Wanted(origin=Origin.IMPORT), ["imported"]),
        (Wanted(origin=Origin.REPLY), ["tone", "wrong", "practice"]),
        (Wanted(place="slack/T1/C1"), ["tone"]),
        (Wanted(place="slack"), ["tone", "wrong"]),
        (Wanted(place="console"), ["practice"]),
        (Wanted(has_hint=True), ["wrong", "imported"]),
        (Wanted(has_hint=True, moderator="mia"), ["imported"]),
        (Wanted(words="ÜBER"), ["practice"]),
        (Wanted(words="canada ship"), ["imported"]),
        (Wanted(words="canada pluto"), []),
    ],
)
def test_a_filter_shows_what_fits_in_the_order_it_was_in(wanted: Wanted, ids: list[str]):
    assert [each.id for each in fitting(QUEUE, wanted, {"wrong", "imported"})] == ids


def test_each_value_of_a_filter_says_how_many_it_would_leave():
    found = facets(QUEUE)
    assert found.reasons == {Judgement.TONE: 2, Judgement.WRONG: 1}
    assert found.moderators == {"mia": 3, "bo": 1}
    assert found.origins == {Origin.REPLY: 3, Origin.IMPORT: 1}
    assert found.places == {"slack/T1/C1": 1, "slack/T1/C2": 1, "console": 1}
    assert place_of(QUEUE[3]) == ""


# ---------------------------------------------------------------- a second look


def test_the_sample_is_the_share_and_stays_the_same():
    ids = [f"corr_{n}" for n in range(4_000)]
    chosen = [id for id in ids if is_sampled(id, 0.1)]
    assert 320 < len(chosen) < 480
    assert set(chosen) <= {id for id in ids if is_sampled(id, 0.2)}
    assert [id for id in ids if is_sampled(id, 0.0)] == []
    assert [id for id in ids if is_sampled(id, 1.0)] == ids
    assert [is_sampled(f"corr_{n}", 0.5) for n in range(5)] == [True, False, True, True, False]  # for ever


def decided(id: str = "c1", state: CorrectionState = CorrectionState.APPROVED, is_imported: bool = False) -> Decided:
    return Decided(id, state, "mia", "noor", NOW, Judgement.TONE, is_imported)


def test_only_fresh_eyes_look_again():
    assert [may_review(decided(), who) for who in ("mia", "noor", "both")] == [False, False, True]


def test_ratings_are_of_the_reply_and_of_the_decision():
    first, imported = decided(), decided("c2", CorrectionState.REJECTED, is_imported=True)
    given = [Opinion("c1", "both", False, Judgement.WRONG, NOW), Opinion("c2", "both", False, Judgement.TONE, NOW)]
    unknown = Opinion("c3", "both", True, Judgement.TONE, NOW)
    reasons = reason_ratings([first, imported], [*given, unknown])
    assert [(r.unit, r.rater, r.value) for r in reasons] == [("c1", "mia", "tone"), ("c1", "both", "wrong")]
    verdicts = verdict_ratings([first, imported], [*given, unknown])
    assert [(r.unit, r.rater, r.value) for r in verdicts] == [
        ("c1", "noor", "approved"),
        ("c2", "noor", "rejected"),
        ("c1", "both", "rejected"),
        ("c2", "both", "rejected"),
    ]
