"""Recall on the committed set: conservative floors for what bench/recall.py measures. recall/README.md says what the
set is."""

import json
from collections.abc import Callable

import pytest

from bench.recall_corpus import CORPUS, HELD_BACK, OPEN, Remembering, index_of, read_half, retrieve_from, score
from curation.recall import RecallIndex
from curation.recall.meaning import load

# model → at least so many of the paraphrases; of the near ones; at most so many false fixes off topic; beside close neighbours.
FLOORS = {
    "words": (0.38, 0.85, 0.10, 0.35),
    "wordllama": (0.45, 0.85, 0.12, 0.40),
    "minilm": (0.60, 0.85, 0.12, 0.40),
}


@pytest.mark.parametrize("half", [OPEN, HELD_BACK])
@pytest.mark.parametrize("model", list(FLOORS))
def test_the_right_fix_comes_and_a_wrong_one_stays_away(
    model: str, half: str, record_property: Callable[[str, object], None]
):
    try:
        embedder = load(model)
    except ImportError as error:
        pytest.skip(f"{model} is not installed: {error}")
    questions = read_half(half)
    scores = score(questions, retrieve_from(index_of(questions, Remembering(embedder) if embedder else None)))
    record_property(f"{model}, {half}", {name: str(share) for name, share in scores.items()})
    paraphrases, near, off_topic, neighbours = FLOORS[model]
    assert scores["paraphrases"].value >= paraphrases
    assert scores["near"].value >= near
    assert scores["off topic"].value <= off_topic
    assert scores["neighbours"].value <= neighbours


def test_the_set_is_as_large_as_promised_and_its_halves_share_no_brand():
    rows = {
        half: [json.loads(line) for line in (CORPUS / f"{half}.jsonl").read_text("utf-8").splitlines()]
        for half in (OPEN, HELD_BACK)
    }
    kinds = [row["kind"] for half in rows.values() for row in half]
    assert sum(kind in ("near", "far", "follow_up") for kind in kinds) >= 200
    assert sum(kind in ("opposite", "other_thing", "other_number", "other_matter") for kind in kinds) >= 100
    assert kinds.count("off_topic") >= 150
    brands = [{row["brand"] for row in half if "brand" in row} for half in rows.values()]
    assert brands[0].isdisjoint(brands[1])
    assert all(len(each) >= 3 for each in brands)
    assert len({row["id"] for half in rows.values() for row in half}) == len(kinds)


@pytest.mark.parametrize("half", [OPEN, HELD_BACK])
def test_every_correction_of_the_set_is_found_when_its_own_question_is_asked(half: str):
    questions = read_half(half)
    index: RecallIndex = index_of(questions, None)
    retrieve = retrieve_from(index)
    assert [retrieve(fix.question.upper(), ())[:1] for fix in questions.fixes] == [[fix.id] for fix in questions.fixes]
