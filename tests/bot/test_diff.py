"""What changed between two texts, as a reader sees it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diff import Change, word_diff


def shown(before: str, after: str) -> str:
    """The pieces in one line: [-deleted-], {+inserted+}."""
    signs = {Change.SAME: "{}", Change.DELETED: "[-{}-]", Change.INSERTED: "{{+{}+}}"}
    return " ".join(signs[piece.change].format(piece.text.strip()) for piece in word_diff(before, after))


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        pytest.param("", "", "", id="nothing"),
        pytest.param("", "Ahoy!", "{+Ahoy!+}", id="all new"),
        pytest.param("Dear customer", "", "[-Dear customer-]", id="all gone"),
        pytest.param("It is here.", "It is here.", "It is here.", id="the same"),
        pytest.param("It  is\nhere.", "It is here.", "It is here.", id="only white space"),
        pytest.param("It is on its way.", "It is on its merry way.", "It is on its {+merry+} way.", id="one word in"),
        pytest.param(
            "We ship to Norway today.",
            "We ship to Canada today.",
            "We ship to [-Norway-] {+Canada+} today.",
            id="one replaced",
        ),
        pytest.param(
            "Please consult our page and call.",
            "Ask me anything and relax now.",
            "[-Please consult our page and call.-] {+Ask me anything and relax now.+}",
            id="a chance word in common",
        ),
        pytest.param(
            "送料は五百円です", "送料は六百円です", "送料は [-五-] {+六+} 百円です", id="Japanese, sign by sign"
        ),
        pytest.param("أين طلبي؟", "أين طلبي الآن؟", "أين [-طلبي؟-] {+طلبي الآن؟+}", id="right to left"),
    ],
)
def test_a_change_is_shown_word_by_word(before: str, after: str, pieces: str):
    assert shown(before, after) == pieces


@given(st.text(), st.text())
def test_the_pieces_are_the_two_texts(before: str, after: str):
    pieces = word_diff(before, after)
    old = "".join(piece.text for piece in pieces if piece.change is not Change.INSERTED)
    new = "".join(piece.text for piece in pieces if piece.change is not Change.DELETED)
    assert old.split() == before.split()
    assert "".join(new.split()) == "".join(after.split())


def test_the_longest_correction_takes_no_noticeable_time():
    before = " ".join(f"word{n % 97}" for n in range(2_000))
    after = " ".join(f"word{n % 89}" for n in range(2_000))
    began = time.process_time()
    word_diff(before, after)
    assert time.process_time() - began < 1.0
