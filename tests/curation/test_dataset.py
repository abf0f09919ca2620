"""Examples become a grouped, stable split, JSONL bytes and a version named by its content."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.dataset import (
    FILE_OF_SIDE,
    FLAGGED_FILE,
    HELD_OUT_FILE,
    SERVED_FILES,
    TRAIN_FILE,
    Dataset,
    Rules,
    TooFewExamples,
    assign_sides,
    build_dataset,
    example_messages,
)
from curation.examples import Example, Kind, LeftOut, Provenance, Selection, group_key
from curation.marks import Flagged
from curation.selecting import Circumstances, select_examples
from storage.records import Correction, Message, Side
from tests.curation.test_selecting import correction, marked_good

SAID = (Message("user", "x"), Message("assistant", "y"))
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


# ---------------------------------------------------------------- groups that join, marks and flags, fixes


def test_what_asks_nearly_what_is_kept_back_is_never_trained_on():
    """Two groups that stood apart are found to ask the same: what was trained on before is left out, nothing changes sides."""
    first = build(of(20))
    kept_back = next(iter(first.held_out))
    trained = next(iter(first.train))
    again = replace(correction(90), question=kept_back.question, conversation_id="conv_90", corrected_text="Other.")
    joins = replace(
        correction(91, history=(Message("user", "x"), Message("assistant", "y"))),
        question=kept_back.question,
        conversation_id=f"conv_{int(trained.source_id[5:])}",
    )
    selection = select_examples([*(correction(i) for i in range(20)), again, joins])
    second = build(selection, dict(first.sides))
    assert {key: second.sides[key] for key in first.sides} == first.sides  # also of what another one speaks for
    left_out = second.card["left_out_corrections"]
    assert left_out[trained.source_id] == left_out["corr_091"] == str(LeftOut.BESIDE_HELD_OUT)
    assert "corr_090" in [e.source_id for e in second.held_out]


def test_a_side_is_remembered_under_every_conversation_that_was_joined_into_a_group():
    pair = [correction(30, "Same?", "One."), correction(31, "Same?", "Two.", history=SAID)]
    made = build(select_examples([*(correction(i) for i in range(20)), *pair]))
    assert {group_key(each) for each in pair} <= set(made.sides)


def test_an_example_made_of_marks_is_trained_on_and_never_judged_by():
    good = [marked_good(f"reply_{i}", f"conv_m{i}", f"Mark {i}?") for i in range(30)]
    made = build(select_examples([correction(i) for i in range(12)], Circumstances(marked=good)))
    assert [e.source_id for e in made.train if e.provenance.kind is Kind.MARK] == [e.source_id for e in good]
    assert not [e for e in made.held_out if e.provenance.kind is Kind.MARK]
    assert not set(made.sides) & {e.group_key for e in good}


def test_a_mark_in_a_conversation_that_is_kept_back_is_left_out():
    first = build(of(12))
    kept_back = next(iter(first.held_out))
    good = replace(marked_good("reply_9", "", "Another?"), group_key=kept_back.own_keys[0])
    made = build(select_examples([correction(i) for i in range(12)], Circumstances(marked=[good])), dict(first.sides))
    assert made.card["left_out_corrections"]["reply_9"] == str(LeftOut.BESIDE_HELD_OUT)


def joined_and_kept_back() -> list[Correction]:
    """Two of different conversations that ask the same after another history, and come to be judged by."""
    for number in range(30, 200):
        pair = [correction(number, "Same?", "One."), correction(number + 1, "Same?", "Two.", history=SAID)]
        made = build(select_examples([*(correction(i) for i in range(20)), *pair]))
        if {each.id for each in pair} <= {e.source_id for e in made.held_out}:
            return pair
    raise AssertionError("no group of two conversations came to be kept back")


@pytest.mark.parametrize("which", [0, 1])
def test_neither_a_good_nor_a_bad_mark_in_any_conversation_of_a_group_that_is_kept_back_is_learned_from(which: int):
    pair = joined_and_kept_back()
    key = group_key(pair[which])
    good = replace(marked_good("reply_9", "", "Another?"), group_key=key)
    bad = Flagged("reply_8", key, (), "Where?", "No idea.", Provenance(Kind.MARK))
    made = build_dataset(
        select_examples([*(correction(i) for i in range(20)), *pair], Circumstances(marked=[good])),
        {},
        system_prompt="Be kind.",
        rules=RULES,
        count_tokens=words,
        counter_name="words",
        flagged=[bad],
    )
    assert made.card["left_out_corrections"]["reply_9"] == str(LeftOut.BESIDE_HELD_OUT)
    assert "reply_9" not in {e.source_id for e in made.train}
    assert made.flagged == ()
    assert FLAGGED_FILE not in made.files


def test_a_mark_is_not_learned_from_where_what_was_judged_by_is_gone():
    good = marked_good("reply_9", "conv_gone", "Another?")
    bad = Flagged("reply_8", good.group_key, (), "Where?", "No idea.", Provenance(Kind.MARK))
    selection = select_examples([correction(i) for i in range(12)], Circumstances(marked=[good]))
    made = [
        build_dataset(
            selection,
            {good.group_key: side},
            system_prompt="Be kind.",
            rules=RULES,
            count_tokens=words,
            counter_name="words",
            flagged=[bad],
        )
        for side in (Side.HELD_OUT, Side.TRAIN)
    ]
    assert [("reply_9" in {e.source_id for e in each.train}, len(each.flagged)) for each in made] == [
        (False, 0),
        (True, 1),
    ]


def test_flagged_replies_stand_in_a_file_of_their_own_and_change_neither_side():
    bad = Flagged("reply_1", "g", (), "Where?", "No idea.", Provenance(Kind.MARK))
    plain = build(of(12))
    flagged = build_dataset(
        of(12), {}, system_prompt="Be kind.", rules=RULES, count_tokens=words, counter_name="words", flagged=[bad]
    )
    assert flagged.id != plain.id
    assert flagged.card["sides_id"] == plain.card["sides_id"]
    (line,) = [json.loads(line) for line in flagged.files[FLAGGED_FILE].splitlines()]
    assert [m["content"] for m in line["messages"]] == ["Be kind.", "Where?", "No idea."]


def test_what_the_bot_had_said_stands_beside_each_line():
    made = build(of(12))
    for side in Side:
        answers = made.files[FILE_OF_SIDE[side]].splitlines()
        served = [json.loads(line)["served"] for line in made.files[SERVED_FILES[side]].splitlines()]
        assert served == ["old"] * len(answers)


def test_fixes_are_shown_between_the_system_prompt_and_the_conversation():
    fixes = (Message("user", "Before?"), Message("assistant", "Fixed."))
    example = Example("c", "g", SAID, "Now?", "Yes.", fixes=fixes)
    messages = example_messages(example, "Be kind.", 200, words)
    assert [m.content for m in messages] == ["Be kind.", "Before?", "Fixed.", "x", "y", "Now?", "Yes."]


def test_a_text_is_tokenised_once_for_its_line():
    counted: list[str] = []

    def count(contents: list[str]) -> int:
        counted.extend(contents)
        return words(contents)

    build_dataset(of(12), {}, system_prompt="Be kind.", rules=RULES, count_tokens=count, counter_name="words")
    assert len(counted) == len(set(counted)) == 25
