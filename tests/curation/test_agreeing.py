"""The first looks that make comparing fast change nothing of what comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.agreeing import is_same_word
from curation.stated import read

WORDS = st.text("abcde", min_size=1, max_size=11)


def edits(one: str, other: str) -> int:
    """Letters to change, add, leave out or swap with their neighbour, as in the textbook."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            cost = one[i - 1] != other[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@st.composite
def word_and_another(draw: st.DrawFn) -> tuple[str, str]:
    """Two words; often one with a few letters of the other changed."""
    one, other = draw(WORDS), draw(WORDS)
    start, end = sorted((draw(st.integers(0, len(one))), draw(st.integers(0, len(one)))))
    return one, draw(st.sampled_from([other, one[:start] + other[:2] + one[end:], one[:start] + one[start + 1 :]]))


@given(word_and_another())
def test_words_are_the_same_by_their_edits_or_their_beginning(pair: tuple[str, str]):
    one, other = pair
    shorter = min(len(one), len(other))
    beginning = max(4, shorter - 2)
    begins_alike = shorter >= 4 and one[:beginning] == other[:beginning] and abs(len(one) - len(other)) <= 3
    assert is_same_word(one, other) == (begins_alike or edits(one, other) <= (2 if shorter >= 8 else 1))


@pytest.mark.parametrize(
    ("text", "dates", "numbers"),
    [
        ("Closed MONDAYS and montags", {"weekday 1"}, set[str]()),
        ("2026-05-03Friday", {"2026-05-03", "weekday 5"}, set[str]()),
        ("May 3rd, 12. März", {"--05-03", "--03-12"}, set[str]()),
        ("May I ask three days", set[str](), {"3 day"}),
        ("DREI Tage", set[str](), {"3 day"}),
        ("at 14:30 on 3/4/2026", {"14:30", "3/4/2026"}, set[str]()),
    ],
)
def test_what_is_stated_is_read_whatever_stands_beside_it(text: str, dates: set[str], numbers: set[str]):
    found = read(text)
    assert (found.dates, found.numbers) == (dates, numbers)
