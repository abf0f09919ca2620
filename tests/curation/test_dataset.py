"""Examples become a grouped, stable split, JSONL bytes and a version named by its content."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dataset import HELD_OUT_FILE, TRAIN_FILE, Dataset, Rules, TooFewExamples, assign_sides, build_dataset
from curation.examples import Example, LeftOut, Selection
from curation.selecting import select_examples
from storage.records import Message, Side
from tests.curation.test_selecting import correction

RULES = Rules(minimum_train=10, minimum_held_out=2, held_out_share=0.2, context_tokens=200)


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


def build(selection: Selection, known: dict[str, Side] | None = None, rules: Rules = RULES) -> Dataset:
    return build_dataset(
        selection, known or {}, system_prompt="Be kind.", rules=rules, count_tokens=words, counter_name="words"
    )


def of(count: int) -> Selection:
    return select_examples([correction(i) for i in range(count)])


def test_a_line_is_what_the_bot_would_be_asked_and_the_approved_answer():
    line = json.loads(build(of(12)).files[TRAIN_FILE].splitlines()[0])
    assert [message["role"] for message in line["messages"]] == ["system", "user", "assistant"]
    assert line["messages"][0]["content"] == "Be kind."


def test_every_example_stands_on_exactly_one_side():
    dataset = build(of(40))
    ids = [e.source_id for e in (*dataset.train, *dataset.held_out)]
    assert sorted(ids) == sorted({f"corr_{i:03}" for i in range(40)})
    assert len(dataset.held_out) == 8


def test_the_same_corrections_give_the_same_version_id_and_another_answer_another():
    assert build(of(12)).id == build(of(12)).id
    assert build(of(12)).id != build(of(13)).id


def test_a_group_keeps_its_side_while_the_dataset_grows():
    sides: dict[str, Side] = {}
    for count in (12, 20, 40, 80):
        dataset = build(of(count), sides)
        for key, side in sides.items():
            assert dataset.sides[key] is side
        sides = dict(dataset.sides)
    assert sum(side is Side.HELD_OUT for side in sides.values()) == 16


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 approved examples, at least 12 needed (10 to train on, 2 kept back to judge by): 12 more to approve."),
        (1, "1 approved example, at least 12 needed"),
        (11, "1 more to approve."),
    ],
)
def test_too_few_examples_says_how_many_are_missing(count: int, said: str):
    with pytest.raises(TooFewExamples) as refused:
        build(of(count))
    assert said in str(refused.value)


def test_examples_from_one_conversation_alone_cannot_be_split():
    same = select_examples([correction(i, conversation_id="conv_a") for i in range(20)])
    with pytest.raises(TooFewExamples, match="too few conversations"):
        build(same)


def test_an_example_longer_than_the_context_is_left_out_with_its_reason():
    long = correction(99, answer="word " * 300)
    dataset = build(select_examples([*(correction(i) for i in range(12)), long]))
    assert dataset.card["left_out_corrections"] == {"corr_099": str(LeftOut.TOO_LONG)}


def test_a_long_history_is_shortened_rather_than_the_example_lost():
    said = tuple(Message(role, "word " * 80) for role in ("user", "assistant") * 4)
    dataset = build(select_examples([*(correction(i) for i in range(12)), correction(99, history=said)]))
    lines = (dataset.files[TRAIN_FILE] + dataset.files[HELD_OUT_FILE]).splitlines()
    longest = max((json.loads(line)["messages"] for line in lines), key=len)
    assert [m["role"] for m in longest] == ["system", "user", "assistant", "user", "assistant"]


def test_text_of_any_script_survives_the_file():
    odd = correction(50, "كيف 😀\u2028?", 'سلام "quoted" \\ \n line')
    dataset = build(select_examples([*(correction(i) for i in range(12)), odd]))
    lines = (dataset.files[TRAIN_FILE] + dataset.files[HELD_OUT_FILE]).decode().strip("\n").split("\n")
    assert len(lines) == 13
    assert any(json.loads(line)["messages"][-1]["content"] == odd.corrected_text for line in lines)


@given(st.lists(st.integers(0, 30), min_size=12, max_size=120), st.integers(0, 119))
def test_splits_never_tear_a_group_and_never_starve_training(groups: list[int], cut: int):
    examples = [Example(f"c{i}", f"g{group}", (), "q", "a") for i, group in enumerate(groups)]
    earlier = assign_sides(examples[:cut], {}, RULES)
    sides = assign_sides(examples, earlier, RULES)
    assert {key: sides[key] for key in earlier} == earlier
    held_out = sum(sides[e.group_key] is Side.HELD_OUT for e in examples)
    if not earlier:
        assert len(examples) - held_out >= RULES.minimum_train
