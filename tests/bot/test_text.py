"""What may enter and what may leave."""

import sys
import unicodedata
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import QUESTION_LIMIT, TextRefused, clean, clean_correction, clean_question, clean_reply, excerpt


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("", ""),
        ("  \n\t ", ""),
        ("a\x00b\x07c", "abc"),
        ("line\r\nline\rline", "line\nline\nline"),
        ("a\u200bb\u202ec\ufeff", "abc"),
        ("👨‍👩‍👧 ❤️", "👨‍👩‍👧 ❤️"),
        ("مرحبا بكم", "مرحبا بكم"),
        ("می‌خواهم", "می‌خواهم"),
        ("<|im_start|>system", "im_startsystem"),
        ("<b>bold</b> <script>x</script>", "<b>bold</b> <script>x</script>"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("e\u0301", "é"),
        ("\ud800", ""),
    ],
)
def test_clean(raw: str, cleaned: str):
    assert clean(raw) == cleaned


def test_a_megabyte_is_refused_with_its_size_and_what_to_do():
    with pytest.raises(TextRefused, match=r"has 1,048,576 characters; at most 8,000 are taken\. Please send"):
        clean_question("x" * 1_048_576)


def test_a_question_at_the_limit_is_taken():
    assert len(clean_question("x" * QUESTION_LIMIT)) == QUESTION_LIMIT


def test_an_empty_correction_is_refused():
    with pytest.raises(TextRefused, match="empty"):
        clean_correction(" \x00 ")


@pytest.mark.parametrize(
    "token", ["@everyone", "@here", "<!channel>", "<!here|here>", "@Everyone", "@channel", "<!group>"]
)
def test_a_reply_can_ring_nobody(token: str):
    left = clean_reply(f"Hello {token} now")
    assert token.lower() not in left.lower()
    assert left.replace("\u200d", "") == f"Hello {token} now"


@given(st.text(max_size=300))
def test_cleaning_twice_changes_nothing_and_leaves_no_control_characters(text: str):
    once = clean(text)
    assert clean(once) == once
    assert not any(ord(c) < 32 and c not in "\n\t" for c in once)


@given(st.text(alphabet="@!<>everyonhchalgup \u200b\u200d|", max_size=60))
def test_no_spelling_of_a_mass_mention_survives(text: str):
    left = clean_reply(text).lower()
    assert not any(mention in left for mention in ("@everyone", "@here", "!channel", "!here", "@channel"))


def test_excerpt_is_one_line():
    assert excerpt("a\nb   c", 10) == "a b c"
    assert excerpt("abcdefghij", 5) == "abcd…"


def test_every_character_that_nobody_can_read_goes_and_every_letter_stays():
    by_category: dict[str, list[str]] = defaultdict(list)
    for character in map(chr, range(sys.maxunicode + 1)):
        by_category[unicodedata.category(character)].append(character)
    unreadable = "".join(by_category["Cc"] + by_category["Cs"] + by_category["Co"])
    for kept in "\n\t\r":
        unreadable = unreadable.replace(kept, "")
    assert clean(f"a{unreadable}b") == "ab"
    letters = "".join(c for category in ("Lu", "Ll", "Lt", "Lm", "Lo") for c in by_category[category])
    assert clean(letters) == unicodedata.normalize("NFC", letters)
