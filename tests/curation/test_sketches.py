"""What texts are compared by is worked out once for each, and says the same to every search that asks."""

import random

from hypothesis import given
from hypothesis import strategies as st

from curation.agreeing import prompts_agree
from curation.similar import MOST_COMPARED, Asked, Search, cluster
from curation.sketches import Sketches

WORDS = (
    *("where", "is", "my", "parcel", "not", "the", "refund", "can't", "can", "t", "12", "days", "open", "closed"),
    *("enable", "disable", "umbrella", "umbrellas"),
)
QUESTIONS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), min_size=2, max_size=10)


@given(QUESTIONS)
def test_what_is_remembered_of_two_texts_is_what_would_be_said_of_them(texts: list[str]):
    sketches = Sketches()
    for text in texts:
        sketches.row(text)
    pairs = [(one, other) for one in texts for other in texts]
    said = [prompts_agree(one, other) for one, other in pairs]
    assert [sketches.agree(one, other) for one, other in pairs] == said
    assert [sketches.agree(one, other) for one, other in pairs] == said
    known = [sketches.are_unlike(one, other) for one, other in pairs]
    assert not any(unlike and agreed for unlike, agreed in zip(known, said, strict=True))


def test_texts_of_one_row_that_say_otherwise_are_not_taken_for_each_other():
    sketches = Sketches()
    texts = ["I can t log in", "I can't log in", "I can log in"]
    rows = [sketches.row(text) for text in texts]
    assert rows[0] == rows[1] != rows[2]
    assert [sketches.agree(text, texts[2]) for text in texts] == [prompts_agree(text, texts[2]) for text in texts]
    assert [sketches.agree(text, texts[2]) for text in texts] == [True, False, True]


def test_an_empty_text_has_no_row():
    sketches = Sketches()
    assert [sketches.row(text) for text in ("", " ", "\n", "👍", "👍")] == [None, None, None, 0, 0]


@given(QUESTIONS)
def test_a_search_among_few_finds_what_a_search_among_many_does(texts: list[str]):
    texts = list({" ".join(text.split()): text for text in texts}.values())
    others = [f"{chr(0x400 + number)}{number * 7919}" * 3 for number in range(MOST_COMPARED + 1)]
    few = {(pair.first, pair.second, pair.similarity) for pair in Search(texts, 0.5).pairs()}
    many = {(pair.first, pair.second, pair.similarity) for pair in Search(texts + others, 0.5).pairs()}
    assert few == {pair for pair in many if pair[1] < len(texts)}


def test_a_search_with_the_sketches_of_another_finds_the_same():
    chance = random.Random(5)
    texts = [" ".join(chance.choices(WORDS, k=7)) for _ in range(200)]
    texts += [text.replace("e", "ee", 1) for text in texts[:40]]
    asked = [Asked(f"{number:03}", text) for number, text in enumerate(texts)]
    sketches = Sketches()
    first = list(Search(texts, 0.6, sketches).pairs())
    for pair in first:
        sketches.agree(texts[pair.first], texts[pair.second])
    assert first == list(Search(texts, 0.6).pairs())
    assert cluster(asked, sketches=sketches) == cluster(asked)
    assert 150 < len(cluster(asked).clusters) < 220


def test_what_is_ruled_out_counts_as_compared():
    texts = [f"what is the price of the article with the following name {chr(0x61 + n) * 5}" for n in range(26)]
    texts += [f"what is the price of the article with the following name {chr(0x430 + n) * 5}" for n in range(26)]
    search = Search(texts, 0.5)
    assert list(search.pairs(is_ruled_out=lambda first, second: True)) == []
    plain = Search(texts, 0.5)
    assert len(list(plain.pairs())) > 0
    assert search.cut_short == plain.cut_short > 0
