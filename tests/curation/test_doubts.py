"""Which replies moderators are asked about: frequent, unanswered, in doubt, and not again for 30 days."""

import pytest

from curation.doubts import Topic, most_doubtful, topics
from storage.records import AskedOnce

OPEN = "When do you open on a bank holiday?"
SHIP = "Do you ship to the Faroe Islands at all?"


def asked(*said: tuple[str, str]) -> list[AskedOnce]:
    return [AskedOnce(f"r{n}", question, by) for n, (by, question) in enumerate(said)]


@pytest.mark.parametrize(
    ("said", "known", "found"),
    [
        ([], [], []),
        ([("ann", OPEN)], [], []),
        ([("ann", OPEN), ("ann", OPEN)], [], []),
        ([("ann", OPEN), ("bob", OPEN.lower())], [], [("r1", 2)]),
        ([("ann", OPEN), ("bob", OPEN), ("ann", SHIP), ("bob", SHIP), ("cyd", SHIP)], [], [("r4", 3), ("r1", 2)]),
        ([("ann", OPEN), ("bob", OPEN)], [OPEN], []),
        ([("ann", ""), ("bob", "")], [], []),
    ],
    ids=[
        "nothing",
        "once",
        "one person twice",
        "two people",
        "the most asked first",
        "asked about before",
        "withdrawn",
    ],
)
def test_a_topic_is_what_several_people_ask(
    said: list[tuple[str, str]], known: list[str], found: list[tuple[str, int]]
):
    assert [(topic.reply_id, topic.askers) for topic in topics(asked(*said), known)] == found


def test_the_greatest_disagreement_comes_first_and_agreement_is_no_question():
    a, b, c, d = (Topic(name, name, askers) for name, askers in (("a", 2), ("b", 2), ("c", 5), ("d", 2)))
    assert most_doubtful([(a, 0.9), (b, 0.3), (c, 0.9), (d, 1.0)], 2) == [(d, 1.0), (c, 0.9)]
    assert most_doubtful([], 3) == []
