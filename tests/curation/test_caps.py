"""Nobody and nothing has too large a share of a version, once a share says something."""

import pytest

from curation.caps import Caps, over_caps
from curation.examples import Example, Kind, LeftOut, Provenance

CAPS = Caps(moderator=0.5, topic=0.1, day=0.5)


def examples(by: str, kind: Kind = Kind.CORRECTION, **more: str) -> list[Example]:
    """One example for each letter of `by`, its moderator's name."""
    return [
        Example(f"corr_{i:03}", f"g{i}", (), f"Q{i}?", f"A{i}.", provenance=Provenance(kind, moderator=name, **more))
        for i, name in enumerate(by)
    ]


@pytest.mark.parametrize(
    ("by", "over"),
    [
        pytest.param("a" * 20 + "bc", 0, id="too few examples"),
        pytest.param("a" * 50 + "b" * 10, 0, id="of two, one has most"),
        pytest.param("a" * 30 + "b" * 20 + "c" * 10, 0, id="half is allowed"),
        pytest.param("a" * 40 + "b" * 10 + "c" * 10, 10, id="more than half"),
        pytest.param("a" * 40 + "b" * 10 + " " * 10, 0, id="unknown people are nobody"),
    ],
)
def test_one_moderator_has_at_most_their_share(by: str, over: int):
    found = over_caps([*examples(by.replace(" ", "")), *_unknown(by.count(" "))], CAPS)
    assert list(found.values()) == [LeftOut.MODERATOR_CAP] * over


def _unknown(count: int) -> list[Example]:
    return [Example(f"corr_9{i:02}", "g", (), "Q", "A") for i in range(count)]


def test_who_is_over_their_share_keeps_the_oldest():
    found = over_caps(examples("a" * 40 + "bc" * 10), CAPS)
    assert sorted(found) == [f"corr_{i:03}" for i in range(30, 40)]


def test_imported_answers_are_nobodys_and_no_days_but_have_topics():
    imported = examples("a" * 58 + "bc", Kind.IMPORT, day="2026-11-21")
    assert over_caps(imported, CAPS) == {}


def test_one_question_asked_in_many_ways_has_at_most_its_share():
    of_topics = [*examples("a" * 20, topic="Where is it?"), *examples("b" * 4, topic="Vegan?"), *examples("c" * 3)]
    more = [*of_topics, *examples("d" * 33, topic="Norway?")]
    numbered = [
        Example(f"corr_{i:03}", one.group_key, (), one.question, one.answer, provenance=one.provenance)
        for i, one in enumerate(more)
    ]
    found = over_caps(numbered, Caps(topic=0.1))
    assert {LeftOut.TOPIC_CAP} == set(found.values())
    assert len(found) == (20 - 6) + (33 - 6)


def test_without_caps_nothing_is_over():
    assert over_caps(examples("a" * 90 + "b" * 5 + "c" * 5), Caps()) == {}
