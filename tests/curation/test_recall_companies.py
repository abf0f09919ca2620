"""Fixes that say the same stand together: a question is answered from its matter, not from the item it happens to share."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bench.recall_corpus import HELD_BACK, OPEN, crowds, first_shares
from curation.recall import Fix, Place, RecallIndex
from curation.recall.companies import Companies
from curation.recall.meaning import load
from storage.records import Scope

HERE = Place("voice", "")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
TO_NORWAY = "a parcel to norway costs 7 euros whatever it weighs"
TO_SPAIN = "a parcel to spain costs 7 euros whatever it weighs"
TENT = "bring the tent to the workshop and it comes back within ten days"


def company(*answers: str) -> Companies:
    found = Companies()
    for slot, answer in enumerate(answers):
        found.join(slot, *said(answer))
    return found


def said(answer: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    words = tuple(answer.split())
    return words, tuple(dict.fromkeys(words))


def test_answers_that_differ_in_their_item_are_in_one_company():
    found = company(TO_NORWAY, TENT, TO_SPAIN)
    assert [list(found.of(slot)) for slot in range(3)] == [[0, 2], [1], [0, 2]]


def test_another_speaks_when_the_first_is_forgotten_and_nothing_of_it_is_kept():
    found = company(TO_NORWAY, TO_SPAIN)
    assert found.leave(0) == 1
    found.speak(1, *said(TO_SPAIN))
    assert "norway" not in str(vars(found))
    found.join(7, *said(TO_NORWAY.replace("norway", "italy")))
    assert list(found.of(7)) == [1, 7]
    assert found.leave(7) is None
    assert found.leave(1) is None
    assert not any(vars(found)[name] for name in ("_of_slot", "_members", "_answers", "_by_term"))


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_coming_and_going_leaves_everyone_in_one_company(seed: int):
    rng = random.Random(seed)
    answers = [f"{TO_NORWAY} {n}" if n % 2 else f"{TENT} {n}" for n in range(40)]
    found, here = Companies(), set[int]()
    for _ in range(300):
        slot = rng.randrange(40)
        if slot in here:
            heir = found.leave(slot)
            here.remove(slot)
            if heir is not None:
                found.speak(heir, *said(answers[heir]))
        else:
            found.join(slot, *said(answers[slot]))
            here.add(slot)
        assert all({other % 2 for other in found.of(at)} == {at % 2} and at in found.of(at) for at in here)


def a_fix(id: str, question: str, answer: str) -> Fix:
    return Fix(id, question, answer, Scope.VOICE, HERE.voice_id, "", NOW)


def test_what_one_may_not_see_is_no_company():
    """The own correction of a training example is left out of the index's view of it: else the example would be told."""
    index = RecallIndex(load("wordllama"), threshold=0.0, beside=0.0)
    index.add_all(
        a_fix(f"c{n}", f"How long does the repair of a {thing} take?", TENT.replace("tent", thing))
        for n, thing in enumerate(("tent", "rope", "kayak", "stove"))
    )
    question = "For how long is my stove at the repair?"
    whole = {found.fix.id: found.company for found in index.recall(question, HERE, NOW, limit=4)}
    without = {found.fix.id: found.company for found in index.recall(question, HERE, NOW, limit=4, without={"c3"})}
    assert whole.keys() - without.keys() == {"c3"}
    assert all(without[id] < whole[id] for id in without)


@pytest.mark.parametrize(("lands", "answered"), [(("Norway", "Spain"), False), (("Norway", "Spain", "Malta"), True)])
def test_three_that_say_the_same_vouch_for_an_item_that_nobody_corrected(lands: Sequence[str], answered: bool):
    index = RecallIndex(load("wordllama"))
    index.add_all(
        a_fix(f"c{n}", f"How much is a parcel to {land}?", TO_NORWAY.replace("norway", land))
        for n, land in enumerate(lands)
    )
    index.add(a_fix("other", "How long is a tent under warranty?", TENT))
    found = {recalled.fix.id for recalled in index.recall("How much is a parcel to Finland?", HERE, NOW)}
    assert bool(found) is answered
    assert "other" not in found
    assert not index.recall("Which mountain is the highest in the world?", HERE, NOW)


@pytest.mark.parametrize("half", [OPEN, HELD_BACK])
def test_a_question_in_nearly_the_same_words_gets_its_own_matter_first(half: str):
    shares = first_shares(crowds(half), load("wordllama"))
    assert shares["near"].value >= 0.85
    assert shares["near, all right"].value >= 0.75


def test_the_crowded_halves_share_no_brand_and_are_large_enough():
    brands = {half: {crowd.brand for crowd in crowds(half)} for half in (OPEN, HELD_BACK)}
    assert brands[OPEN].isdisjoint(brands[HELD_BACK])
    assert all(len(each) >= 3 for each in brands.values())
    assert all(
        len(crowd.asked) >= 90 and len(crowd.fixes) == 50 for half in (OPEN, HELD_BACK) for crowd in crowds(half)
    )
