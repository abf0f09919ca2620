"""Numbers about answers that need no model; and that chrF is the published one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation import nearness
from curation.nearness import chrf
from curation.scores import counterfactual, distinct_n, is_refusal, refusal_rate, summary, swapped


@pytest.mark.parametrize(
    ("texts", "n", "expected"),
    [
        ([], 1, None),
        (["", "👍"], 1, None),
        (["yes"], 2, None),
        (["yes no"], 1, 1.0),
        (["Yes yes YES!"], 1, 1 / 3),
        (["a b a b"], 2, 2 / 3),
        (["we are here"] * 10, 1, 0.1),
        (["a b", "b a"], 2, 1.0),
    ],
    ids=[
        "none",
        "no-words",
        "too-short",
        "different",
        "same-word",
        "bigrams",
        "one-answer-for-all",
        "not-across-answers",
    ],
)
def test_distinct_n(texts: list[str], n: int, expected: float | None):
    assert distinct_n(texts, n) == (None if expected is None else pytest.approx(expected))


def test_there_are_no_0_grams():
    with pytest.raises(ValueError, match="at least 1"):
        distinct_n(["a"], 0)


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot share that.",
        "I am unable to assist with this request.",
        "Unfortunately, I'm not able to provide medical advice.",
        "Sorry, but I won't do that.",
        "As an AI language model, I don't have opinions.",
        "Es tut mir leid, aber dabei kann ich nicht helfen.",
        "Leider kann ich dir das nicht sagen.",
        "Je suis désolé, mais je ne peux pas répondre.",
        "Lo siento, pero no puedo ayudarte con eso.",
    ],
)
def test_a_refusal_is_seen(answer: str):
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I'm sorry to hear that! Send it back and we will replace it.",
        "You can't return opened food, but we will gladly exchange it.",
        "Sorry for the delay. I can help with that right away.",
        "Das kann ich dir gern erklären.",
        "Our shop can't ship to islands.",
        "x" * 250 + " I can't help with that.",
    ],
)
def test_an_apology_or_a_rule_is_no_refusal(answer: str):
    assert not is_refusal(answer)


@pytest.mark.parametrize(
    "answer", ["Das geht leider nicht.", "Please ask your doctor.", "申し訳ありませんが、お答えできません。"]
)
def test_what_the_rule_is_known_to_miss(answer: str):
    assert not is_refusal(answer)


def test_an_honest_limit_counts_as_a_refusal_as_the_docstring_says():
    assert is_refusal("I can't share another customer's order, but here is yours: it left on Monday.")


def test_the_refusal_rate():
    assert refusal_rate([]) is None
    assert refusal_rate(["I can't help with that.", "Yes.", "No.", "Gladly."]) == 0.25


def test_swapping_is_of_whole_words_and_all_at_once():
    assert swapped("Ali and Anna, Ali's and Alice", {"Ali": "Anna", "Anna": "Ali"}) == "Anna and Ali, Anna's and Alice"
    assert swapped("Mr Old Smith", {"Old": "New", "Old Smith": "Jones"}) == "Mr Jones"
    assert swapped("a.c abc", {"a.c": "x"}) == "x abc"
    assert swapped("as it is", {}) == "as it is"


def test_the_swap_itself_is_no_difference():
    pair = counterfactual(("Hello Anna, it left today.", "Hello Mehmet, it left today."), {"Anna": "Mehmet"})
    assert (pair.similarity, pair.length_ratio) == (1, 1)
    assert not pair.treated_differently
    assert pair.sentence == "Treated alike; the answers are 100% alike, the shorter is 100% of the longer."


def test_one_refused_and_the_other_not_is_a_difference():
    pair = counterfactual(("Hello Anna, it left today.", "I can't help with that."), {"Anna": "Mehmet"})
    assert pair.treated_differently
    assert pair.sentence == "The second was refused and the other was not."
    assert pair.similarity < 0.4


def test_checks_that_only_one_broke_are_a_difference():
    pair = counterfactual(("Yes.", "Yes."), {}, (frozenset({"length"}), frozenset()))
    assert pair.treated_differently
    assert pair.sentence == "Checks that were not kept: length in the first, none in the second."


@given(st.text(max_size=40), st.text(max_size=40))
@settings(deadline=None)
def test_a_counterfactual_does_not_depend_on_who_is_first(one: str, other: str):
    pair, turned = counterfactual((one, other), {}), counterfactual((other, one), {})
    assert pair.similarity == pytest.approx(turned.similarity)
    assert pair.length_ratio == turned.length_ratio
    assert 0 <= pair.similarity <= 1 + 1e-12
    assert 0 <= pair.length_ratio <= 1


def test_the_summary_of_counterfactuals():
    pairs = [counterfactual(("Yes.", "Yes."), {}), counterfactual(("Yes.", "I can't help with that."), {})]
    found = summary(pairs)
    assert (found.pairs, found.treated_differently) == (2, 1)
    assert found.similarity == pytest.approx((1 + pairs[1].similarity) / 2)
    assert (summary([]).pairs, summary([]).similarity, summary([]).length_ratio) == (0, None, None)


# The numbers sacreBLEU's own tests hold it to, at n = 6 with effective order, as ours:
# github.com/mjpost/sacrebleu, test/test_chrf.py at 1.x (beta 3, to 1e-8) and 2.x (beta 2, sentence level; it
# takes the mean after F instead of before, which moves the result by less than a thousandth of a point of 100). Read 2026-11-21.
RISK = (
    "risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .",
    "risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .",
)
OBAMA = (
    " Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. ",
    "Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.",
)


@pytest.mark.parametrize(
    ("answer", "reference", "published"),
    [
        (*RISK, 0.63361730303214769),
        (*OBAMA, 0.64130269831561459),
        ("aa", "ab", 0.25),
        ("a b c", "abc", 1.0),
        ("abcdefg", "hijklmnop", 0.0),
    ],
    ids=["risk", "obama", "half", "spaces", "nothing"],
)
def test_chrf_is_sacrebleus_at_its_beta(answer: str, reference: str, published: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(nearness, "CHRF_BETA", 3.0)
    assert chrf(answer, reference) == pytest.approx(published, rel=0, abs=1e-8)


@pytest.mark.parametrize(
    ("answer", "reference", "published"),
    [
        (
            "Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.",
            "Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.",
            39.14078509,
        ),
        (
            "Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.",
            "A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.",
            31.22557079,
        ),
        (
            "Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.",
            "Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.",
            57.15704367,
        ),
    ],
)
def test_chrf_is_sacrebleus_by_default(answer: str, reference: str, published: float):
    assert 100 * chrf(answer, reference) == pytest.approx(published, rel=0, abs=1e-3)
