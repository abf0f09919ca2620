"""A long text as several messages: nothing lost, code stays code, tables keep their head."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.parts import split

FENCED = "Before:\n\n```python\n" + "\n".join(f"line_{n} = {n}" for n in range(40)) + "\n```\n\nAfter."
TABLE = "| item | price |\n| --- | ---: |\n" + "\n".join(f"| lamp {n} | {n} € |" for n in range(40))


@pytest.mark.parametrize("text", ["", "  \n ", "\n\n"])
def test_nothing_gives_no_part(text: str):
    assert split(text, 100) == []


def test_what_fits_is_left_exactly_as_it_is():
    text = "One.\n\n\nTwo.   \n```\ncode\n```"
    assert split(text, 100) == [text]


def test_paragraphs_are_kept_whole_where_they_fit():
    paragraphs = [f"Paragraph {n} says a few words about parcels." for n in range(6)]
    parts = split("\n\n".join(paragraphs), 100)
    assert "\n\n".join(parts).split("\n\n") == paragraphs
    assert all(len(part) <= 100 for part in parts)


def test_code_that_is_cut_is_closed_and_opened_again():
    parts = split(FENCED, 200)
    assert len(parts) > 2
    for part in parts:
        assert part.count("```") % 2 == 0
    inside = [part for part in parts if "line_" in part]
    assert all("```python\n" in part for part in inside)
    assert re.findall(r"line_(\d+) =", "".join(parts)) == [str(n) for n in range(40)]


def test_a_fence_that_is_never_closed_is_closed_in_every_part():
    parts = split("```\n" + "x = 1\n" * 60, 120)
    assert all(part.startswith("```\n") and part.endswith("```") for part in parts)


def test_a_table_repeats_its_head():
    parts = split(TABLE, 200)
    assert all(part.startswith("| item | price |\n| --- | ---: |\n") for part in parts)
    assert re.findall(r"lamp (\d+)", "".join(parts)) == [str(n) for n in range(40)]


def test_a_table_that_fits_is_not_cut_even_after_long_text():
    small = "\n".join(TABLE.split("\n")[:5])
    parts = split("word " * 30 + "\n\n" + small, 180)
    assert small in parts[-1]


def test_a_long_line_is_cut_after_a_sentence_then_a_word_then_anywhere():
    sentences = "This is a sentence about a parcel. " * 8
    assert all(part.endswith(".") for part in split(sentences.strip(), 100))
    assert all(len(part) <= 100 for part in split("x" * 950, 100))
    assert "".join(split("x" * 950, 100)) == "x" * 950


@given(st.text(alphabet="ab `|-\n.~é📦", min_size=0, max_size=900), st.integers(100, 300))
def test_no_part_is_too_long_and_no_word_is_lost(text: str, limit: int):
    parts = split(text, limit)
    assert all(0 < len(part) <= limit for part in parts)
    said = Counter(character for part in parts for character in part if character.isalpha())
    assert said >= Counter(character for character in text if character.isalpha())  # heads and fences may come again


def test_parts_smaller_than_a_fence_are_refused():
    with pytest.raises(ValueError, match="parts of 20 characters are too small"):
        split("text", 20)
