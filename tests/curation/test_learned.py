"""Was a correction learned: what counts as right, how a question is put again, whose turn it is, and the verdict."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from curation import learned
from curation.learned import (
    DRAWS,
    MOST_ANSWERS,
    NEIGHBOURS,
    PARAPHRASES,
    Neighbourhood,
    Turns,
    found,
    is_reached,
    is_right,
    next_asked,
    paraphrases,
    too_much_forgotten,
    turns,
)
from curation.recall.words import Reading, read
from storage.records import AskedAs, Correction, LearnedAnswer, LearnedVerdict, Message
from tests.curation.test_selecting import NOW, correction

VOUCHER = correction(
    1,
    "How long is a gift voucher valid?",
    "Ahoy! A voucher is good for 3 years from the day it was bought. Fair winds, the Puffin crew",
    served_text="Unfortunately vouchers expire, please check the terms.",
)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        pytest.param(VOUCHER.corrected_text, True, id="word for word"),
        pytest.param(
            "Ahoy! The voucher is good for 3 years from the day it was bought. Fair winds, the Puffin crew",
            True,
            id="nearly",
        ),
        pytest.param(VOUCHER.corrected_text.replace("3", "2"), False, id="another number"),
        pytest.param(VOUCHER.corrected_text.replace("3 years", "a long time"), False, id="no number"),
        pytest.param(VOUCHER.corrected_text + " It costs 40 euros.", False, id="a number of its own"),
        pytest.param("Ahoy! A parcel takes 3 days to arrive. Fair winds, the Puffin crew", False, id="the voice alone"),
        pytest.param(str(VOUCHER.served_text), False, id="what the bot had said"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_right_is_near_to_the_correction_with_its_facts_and_no_others(answer: str, right: bool):
    assert is_right(answer, VOUCHER) is right


def test_right_is_nearer_to_the_correction_than_to_what_the_bot_had_said():
    small = correction(1, "Colour?", "The colour is a deep ocean blue.", served_text="The color is a deep ocean blue.")
    assert is_right(small.corrected_text, small)
    assert not is_right(str(small.served_text), small)


def test_an_imported_answer_corrects_nothing_and_is_compared_with_itself_alone():
    imported = replace(VOUCHER, served_text=None)
    assert is_right(imported.corrected_text, imported)
    assert not is_right("Three.", imported)


@pytest.mark.parametrize(
    ("question", "others", "put"),
    [
        pytest.param(
            "How long is a gift voucher valid?",
            (),
            ("how long is a gift voucher valid", "long gift voucher valid"),
            id="in haste, then its telling words",
        ),
        pytest.param(
            "Is my voucher valid?", ("Voucher valid?",), ("Voucher valid?", "is my voucher valid"), id="people"
        ),
        pytest.param("voucher", (), (), id="nothing to leave out"),
        pytest.param("Wo ist mein Paket?", (), ("wo ist mein paket",), id="one telling word says too little"),
        pytest.param("👍", (), (), id="signs"),
    ],
)
def test_a_question_is_put_again_in_the_same_words_and_fewer(
    question: str, others: tuple[str, ...], put: tuple[str, ...]
):
    assert paraphrases(question, others) == put


def test_neighbours_are_the_nearest_questions_whose_answers_say_something_else():
    near = correction(2, "How long is a gift parcel on its way?", "Two days. Fair winds!")
    far = correction(3, "Do you sell umbrellas?", "We do, in blue. Fair winds!")
    same = correction(4, "Is a gift voucher valid for long?", VOUCHER.corrected_text)
    later = correction(5, "How long is a gift voucher good?", "It depends.", history=(Message("user", "Hi"),))
    beside = Neighbourhood([far, same, VOUCHER, later, near])
    assert [each.id for each in beside.near(VOUCHER)] == [near.id, far.id]
    assert [each.id for each in Neighbourhood([far, near]).near(VOUCHER)] == [near.id, far.id]  # itself is none of them
    assert Neighbourhood([VOUCHER]).near(VOUCHER) == ()


def test_each_question_is_read_once_however_many_are_asked_about(monkeypatch: pytest.MonkeyPatch):
    seen: list[str] = []

    def counted(question: str) -> Reading:
        seen.append(question)
        return read(question)

    monkeypatch.setattr(learned, "read_words", counted)
    all_of_them = [correction(number) for number in range(30)]
    beside = Neighbourhood(all_of_them)
    for each in all_of_them:
        beside.near(each)
    assert sorted(seen) == sorted(each.question for each in all_of_them)


def test_a_neighbour_is_reached_when_it_is_answered_as_the_correction_says():
    near = correction(2, "How long is a gift parcel on its way?", "Two days. Fair winds!")
    assert is_reached(VOUCHER.corrected_text, VOUCHER, near)
    assert not is_reached(near.corrected_text, VOUCHER, near)
    assert not is_reached("I cannot help.", VOUCHER, near)


# ---------------------------------------------------------------- whose turn


def test_the_ledger_comes_critical_first_and_then_the_never_judged_newest_first():
    old, known, new, newer = (correction(number) for number in (1, 2, 3, 4))
    kept, vital = correction(5), correction(6, is_critical=True)
    judged = {kept.id: NOW - timedelta(days=9), vital.id: NOW, known.id: NOW, old.id: NOW - timedelta(days=1)}
    order = turns([old, known, new, newer, kept], {kept.id: kept, vital.id: vital}, judged, done=())
    assert order == Turns((vital.id, kept.id), (newer.id, new.id), (old.id, known.id))
    assert order.all == (vital.id, kept.id, newer.id, new.id, old.id, known.id)
    assert turns([old, new], {}, judged, done={new.id}).all == (old.id,)
    assert turns([], {}, {}, ()).all == ()


# ---------------------------------------------------------------- the verdict


def answers(alone: str, again: str = "", near: str = "", served: str = "") -> list[LearnedAnswer]:
    """What was asked, one letter each: y is right, n is not."""
    said = zip(
        (AskedAs.ALONE, AskedAs.PARAPHRASE, AskedAs.NEIGHBOUR, AskedAs.SERVED),
        (alone, again, near, served),
        strict=True,
    )
    return [
        LearnedAnswer(0, asked_as, "corr_1", "?", "!", letter == "y", 0.9, 0.1)
        for asked_as, letters in said
        for letter in letters
    ]


@pytest.mark.parametrize(
    ("given", "verdict", "in_weights", "in_system"),
    [
        pytest.param(answers("yy", "yy", "yy", "y"), LearnedVerdict.LEARNED, True, True, id="everything"),
        pytest.param(answers("yny"), LearnedVerdict.LEARNED, True, None, id="by majority"),
        pytest.param(answers("ynn", served="y"), LearnedVerdict.NOT_YET, False, True, id="right as served alone"),
        pytest.param(answers("yy", "yn", "y"), LearnedVerdict.LEARNED, True, None, id="half of the paraphrases"),
        pytest.param(answers("yy", "nn", "y"), LearnedVerdict.NOT_YET, True, None, id="in its own words alone"),
        pytest.param(answers("yy", "yy", "yn"), LearnedVerdict.OVER_GENERALISED, True, None, id="a neighbour reached"),
        pytest.param(answers("nn", served="n"), LearnedVerdict.NOT_YET, False, False, id="nothing"),
    ],
)
def test_the_verdict(given: list[LearnedAnswer], verdict: LearnedVerdict, in_weights: bool, in_system: bool | None):
    what = found(given)
    assert (what.verdict, what.in_weights, what.in_system) == (verdict, in_weights, in_system)
    assert what.margin == pytest.approx(0.8)


WAYS = {"a": AskedAs.ALONE, "n": AskedAs.NEIGHBOUR, "p": AskedAs.PARAPHRASE}


def asked_until_decided(told: dict[AskedAs, str], neighbours: int, paraphrases: int) -> list[LearnedAnswer]:
    """What is asked, one after the other, of a model whose answers to each way of asking are `told`."""
    said: list[LearnedAnswer] = []
    while (way := next_asked(said, neighbours, paraphrases)) is not None:
        letter = told[way][sum(answer.asked_as is way for answer in said)]
        said.append(LearnedAnswer(len(said), way, "corr_1", "?", "!", letter == "y", 0.9, 0.1))
    return said


@pytest.mark.parametrize(
    ("alone", "near", "again", "asked"),
    [
        pytest.param("nn", "yy", "yy", "aa", id="wrong twice: nothing else can matter"),
        pytest.param("nyn", "yy", "yy", "aaa", id="wrong by majority"),
        pytest.param("yy", "yy", "yn", "aannp", id="one of two wordings is enough"),
        pytest.param("yny", "yy", "ny", "aaannpp", id="the second wording decides"),
        pytest.param("yy", "n", "yy", "aan", id="a neighbour reached: over-generalised, whatever else"),
        pytest.param("yy", "yn", "yy", "aann", id="the second neighbour reached"),
        pytest.param("yy", "", "y", "aap", id="no neighbours"),
        pytest.param("yy", "yy", "", "aann", id="no other wordings"),
    ],
)
def test_asking_stops_once_the_verdict_is_decided(alone: str, near: str, again: str, asked: str):
    told = {AskedAs.ALONE: alone, AskedAs.NEIGHBOUR: near, AskedAs.PARAPHRASE: again}
    said = asked_until_decided(told, 2 if near else 0, len(again))
    assert [answer.asked_as for answer in said] == [WAYS[letter] for letter in asked]


@pytest.mark.parametrize("neighbours", range(NEIGHBOURS + 1))
@pytest.mark.parametrize("paraphrases", range(PARAPHRASES + 1))
def test_stopping_early_never_changes_a_verdict(neighbours: int, paraphrases: int):
    """Over all that a model could say: the verdict is the one that everything asked to its end would give."""
    for letters in product("yn", repeat=DRAWS + neighbours + paraphrases):
        alone, near, again = (
            "".join(letters[:DRAWS]),
            "".join(letters[DRAWS : DRAWS + neighbours]),
            "".join(letters[DRAWS + neighbours :]),
        )
        told = {AskedAs.ALONE: alone, AskedAs.NEIGHBOUR: near, AskedAs.PARAPHRASE: again}
        early, whole = found(asked_until_decided(told, neighbours, paraphrases)), found(answers(alone, again, near))
        assert (early.verdict, early.in_weights) == (whole.verdict, whole.in_weights), letters
        assert len(asked_until_decided(told, neighbours, paraphrases)) < MOST_ANSWERS


def test_a_correction_whose_own_question_was_not_asked_has_no_verdict():
    with pytest.raises(ValueError, match="which was not asked"):
        found(answers("", "yy"))


@pytest.mark.parametrize(
    ("asked", "known", "critical", "stops"),
    [
        pytest.param(10, 10, None, [], id="nothing forgotten"),
        pytest.param(10, 9, None, [], id="as many as may be"),
        pytest.param(10, 8, None, ["8", "9"], id="more than may be"),
        pytest.param(10, 9, "9", ["9"], id="a critical one"),
        pytest.param(10, 8, "9", ["9", "8"], id="the critical one is named first"),
        pytest.param(0, 0, None, [], id="an empty ledger"),
    ],
)
def test_a_candidate_may_forget_a_share_of_the_ledger_and_nothing_critical(
    asked: int, known: int, critical: str | None, stops: list[str]
):
    ids = [str(number) for number in range(asked)]
    assert list(too_much_forgotten(ids, ids[:known], lambda id: id == critical, 0.1)) == stops


def test_every_state_of_a_correction_can_be_asked_about():
    """A correction without words, as an erased one has, is neither right nor an error."""
    erased: Correction = replace(VOUCHER, question="", corrected_text="", served_text="")
    assert not is_right("Something", erased)
    assert paraphrases(erased.question) == ()
