"""Near-duplicates: every pair at the threshold and no other, clusters that keep every id, whatever the order and the language."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import curation.similar
from curation.agreeing import is_same_word, prompts_agree
from curation.normal import key_of
from curation.similar import Asked, Pair, Search, cluster
from curation.sketches import jaccard, shingles

WORDS = "how do can i my the a reset change cancel order password account invoice shipping refund address device update".split()  # noqa: SIM905


def asked(*questions: str) -> list[Asked]:
    return [Asked("abcdefghij"[number], question) for number, question in enumerate(questions)]


def clusters(*questions: str) -> list[str]:
    """The clusters of questions a, b, c …, each as its ids in one string."""
    return ["".join(ids) for ids in cluster(asked(*questions)).clusters]


def every_pair(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    """By comparing each with each."""
    made = [shingles(text) for text in texts]
    return {
        (i, j): similarity
        for j in range(len(made))
        for i in range(j)
        if (similarity := jaccard(made[i], made[j])) >= threshold
    }


def test_questions_that_say_the_same_are_one_cluster_and_every_id_is_kept():
    assert clusters(
        "How do I reset my password for the web shop?",
        "Where is my parcel?",
        "how do i reset my pasword for the web shop",
        "How do I reset my password for the web shop??",
        "How can I pay?",
    ) == ["acd", "b", "e"]


def test_a_cluster_may_be_joined_through_what_lies_between():
    chain = ("abcd efgh ijkl mnop qrst uvwx", "abcd efgh ijkl mnop qrst uvwx yy", "abcd efgh ijkl mnop qrst uvwx yy zz")
    assert jaccard(shingles(chain[0]), shingles(chain[2])) < 0.85 < jaccard(shingles(chain[0]), shingles(chain[1]))
    assert cluster(asked(chain[0], chain[2]), 0.85).clusters == (("a",), ("b",))
    assert cluster(asked(*chain), 0.85).clusters == (("a", "b", "c"),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I enable single sign-on for my whole team?", "How do I disable single sign-on for my whole team?"),
        ("Does this leather case also fit the iPhone 14?", "Does this leather case also fit the iPhone 15?"),
        ("Can I return a parcel that was opened at home?", "Can I not return a parcel that was opened at home?"),
        (
            "How do I install the desktop program on my Windows computer?",
            "How do I install the desktop program on my Ubuntu computer?",
        ),
        ("Wie kann ich die Benachrichtigungen aktivieren?", "Wie kann ich die Benachrichtigungen deaktivieren?"),
    ],
)
def test_questions_that_share_their_letters_but_not_their_meaning_are_kept_apart(one: str, other: str):
    assert jaccard(shingles(one), shingles(other)) > 0.6
    assert not prompts_agree(one, other)
    assert cluster(asked(one, other), 0.6).clusters == (("a",), ("b",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I reset my password?", "How do I reset my pasword?"),
        ("How do I reset my password?", "how can i reset my password, please"),
        ("Wann kommt meine Bestellung?", "Wann kommen meine Bestellungen?"),
        ("Why doesn't it start?", "Why does it not start?"),
        ("", ""),
    ],
)
def test_typos_endings_and_politeness_are_no_other_question(one: str, other: str):
    assert prompts_agree(one, other)
    assert prompts_agree(other, one)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("refund", "refunds", True),
        ("password", "pasword", True),
        ("password", "passwrod", True),
        ("installation", "instalation", True),
        ("windows", "ubuntu", False),
        ("cat", "dog", False),
        ("include", "exclude", False),
        ("monthly", "yearly", False),
    ],
)
def test_one_word_is_another_when_it_is_a_typo_or_another_ending(one: str, other: str, same: bool):
    assert is_same_word(one, other) is is_same_word(other, one) is same


def test_texts_without_spaces_are_compared_by_pairs_of_characters():
    assert clusters(
        "パスワードを再設定する方法を教えて", "パスワードを再設定する方法を教えてください", "返品の方法は"
    ) == ["ab", "c"]


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_empty_questions_are_alone(nothing: str):
    assert clusters(nothing, nothing, "x") == ["a", "b", "c"]
    assert cluster([]).clusters == ()


def test_questions_of_only_signs_are_compared_as_they_stand():
    assert clusters("👍", "👍", "🎉", "???") == ["ab", "c", "d"]


def test_a_cluster_is_named_by_its_oldest():
    found = cluster(asked("Where is my parcel now?", "How do I pay?", "where is my parcel now"))
    assert found.of == {"a": "a", "b": "b", "c": "a"}


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1])
def test_a_threshold_outside_its_range_is_refused(threshold: float):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        Search(["a"], threshold)


@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join) | st.text(max_size=8), max_size=12),
    st.sampled_from([0.3, 0.5, 0.6, 0.75, 0.9, 1.0]),
)
def test_no_pair_below_the_threshold_is_found_and_the_likest_always_are(texts: list[str], threshold: float):
    unlike = list({key_of(text): text for text in texts}.values())
    pairs = list(Search(unlike, threshold).pairs())
    found = {(pair.first, pair.second): pair.similarity for pair in pairs}
    assert len(found) == len(pairs)
    due = every_pair(unlike, threshold)
    assert found.items() <= due.items()
    assert {pair for pair, similarity in due.items() if similarity >= 0.9} <= found.keys()


def test_hardly_a_pair_is_missed_among_many():
    chance = random.Random(6)
    texts = [" ".join(chance.choices(WORDS, k=8)) + f" {number}" for number in range(300)]
    texts += [text.replace("o", "0", 1) for text in texts[:100]]
    search = Search(texts, 0.75)
    found = {(pair.first, pair.second): pair.similarity for pair in search.pairs()}
    due = every_pair(texts, 0.75)
    assert len(due) >= 90
    assert found.items() <= due.items()
    assert len(found) >= 0.99 * len(due)
    assert search.cut_short == 0


def test_what_is_settled_is_passed_over():
    texts = ["where is my parcel now", "where is my parcel nowadays", "where is my parcel no"]
    assert len(list(Search(texts, 0.6).pairs())) == 3
    assert [pair.first for pair in Search(texts, 0.6).pairs(lambda first, second: {first, second} != {0, 1})] == [0]


def test_same_texts_are_paired_with_their_first():
    assert list(Search(["Hi there!", "hi there", "HI THERE"], 0.8).pairs()) == [Pair(0, 1, 1.0), Pair(0, 2, 1.0)]


def test_look_alikes_without_end_are_cut_short_and_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(curation.similar, "MOST_COMPARED", 5)
    texts = [f"what is the price of the article with the following name {letter * 5}" for letter in "abcdefghijklmnop"]
    search = Search(texts, 0.5)
    found = list(search.pairs())
    assert max(sum(pair.second == second for pair in found) for second in range(16)) == 5
    assert search.cut_short == 10  # the first six have at most five before them


def test_what_is_one_cluster_already_is_not_cut_short(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(curation.similar, "MOST_COMPARED", 5)
    found = cluster(
        [Asked(f"{n:02}", "where is my parcel that I ordered on monday" + "!" * n + " a" * n) for n in range(20)]
    )
    assert (len(found.clusters), found.cut_short) == (1, 0)
