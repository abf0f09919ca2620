"""What changed between two versions, line by line: added, removed, changed, moved, and nothing twice."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.card import Kind, Origin, lineage_files
from curation.dataset import HELD_OUT_FILE, TRAIN_FILE
from curation.version_diff import SHOWN, VersionDiff, compare_versions, diff_markdown
from storage.records import Side

Line = tuple[str, str, str]  # correction id ("" without lineage), question, answer


def version(train: Sequence[Line], held_out: Sequence[Line] = (), prompt: str = "Be kind.") -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    origins: list[Origin] = []
    for side, name, lines in ((Side.TRAIN, TRAIN_FILE, train), (Side.HELD_OUT, HELD_OUT_FILE, held_out)):
        rows: list[dict[str, Any]] = []
        for position, (source_id, question, answer) in enumerate(lines):
            head = [{"role": "system", "content": prompt}] if prompt else []
            said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            rows.append({"messages": [*head, *said]})
            if source_id:
                origins.append(Origin(side, position, source_id, source_id, Kind.CORRECTION))
        files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return {**files, **lineage_files(origins, [], [])}


def compared(before: dict[str, bytes], after: dict[str, bytes]) -> VersionDiff:
    return compare_versions("ds_1", before, "ds_2", after)


A, B, C = ("c1", "A?", "a."), ("c2", "B?", "b."), ("c3", "C?", "c.")


def test_the_same_version_differs_in_nothing():
    diff = compared(version([A, B], [C]), version([A, B], [C]))
    assert diff.summary() == "0 added, 0 removed, 0 changed, 0 moved to the other side, 3 unchanged."
    assert not diff.is_prompt_changed


def test_another_order_is_no_change():
    assert compared(version([A, B, C]), version([C, A, B])).unchanged == 3


def test_a_line_come_and_a_line_gone_are_told_with_their_places():
    diff = compared(version([A, B]), version([B], [C]))
    assert [(line.place, line.source_id) for line in diff.added] == [("held_out.jsonl:1", "c3")]
    assert [(line.place, line.source_id) for line in diff.removed] == [("train.jsonl:1", "c1")]
    assert diff.unchanged == 1


def test_an_answer_that_a_newer_correction_replaced_is_a_change():
    diff = compared(version([A, B]), version([B, ("c9", "A?", "Better.")]))
    (pair,) = diff.changed
    assert (pair.before.source_id, pair.after.source_id) == ("c1", "c9")
    assert (pair.before.answer, pair.after.answer) == ("a.", "Better.")
    assert (diff.added, diff.removed, diff.unchanged) == ((), (), 1)


def test_the_same_correction_with_another_question_is_a_change():
    """A name was scrubbed from the question since."""
    (pair,) = compared(version([("c1", "I am Ann. A?", "a.")]), version([("c1", "I am [NAME_1]. A?", "a.")])).changed
    assert pair.after.asked[0].content == "I am [NAME_1]. A?"


def test_a_line_on_the_other_side_is_moved_and_if_its_words_changed_changed_too():
    diff = compared(version([A, B]), version([], [A, ("c2", "B?", "b!")]))
    assert [(p.before.place, p.after.place) for p in diff.moved] == [
        ("train.jsonl:1", "held_out.jsonl:1"),
        ("train.jsonl:2", "held_out.jsonl:2"),
    ]
    assert [pair.after.answer for pair in diff.changed] == ["b!"]
    assert diff.unchanged == 0


def test_without_lineage_lines_are_known_by_their_question():
    diff = compared(version([("", "A?", "a."), ("", "B?", "b.")]), version([("", "a? ", "other"), ("", "B?", "b.")]))
    assert [(pair.before.answer, pair.after.answer) for pair in diff.changed] == [("a.", "other")]
    assert diff.unchanged == 1


def test_of_lines_with_the_same_question_equal_answers_meet_first():
    before = version([("", "A?", "one"), ("", "A?", "two")])
    diff = compared(before, version([("", "A?", "three"), ("", "A?", "one")]))
    assert [(pair.before.answer, pair.after.answer) for pair in diff.changed] == [("two", "three")]
    assert diff.unchanged == 1


def test_another_system_prompt_is_told_once_and_not_with_every_line():
    diff = compared(version([A, B]), version([A, B], prompt="Be brief."))
    assert diff.is_prompt_changed
    assert (diff.unchanged, diff.changed) == (2, ())
    assert "- Be kind.\n+ Be brief." in diff_markdown(diff)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([], [], "0 added, 0 removed, 0 changed, 0 moved to the other side, 0 unchanged."),
        ([], [A], "1 added, 0 removed, 0 changed, 0 moved to the other side, 0 unchanged."),
        ([A], [], "0 added, 1 removed, 0 changed, 0 moved to the other side, 0 unchanged."),
    ],
)
def test_an_empty_version_can_be_compared(before: list[Line], after: list[Line], said: str):
    assert compared(version(before), version(after)).summary() == said


lines = st.lists(
    st.tuples(
        st.sampled_from(["", "c1", "c2", "c3", "c4"]), st.sampled_from(["A?", "a?", "B?"]), st.sampled_from("xyz")
    ),
    max_size=6,
)


@given(lines, lines, lines, lines)
def test_every_line_of_both_versions_is_accounted_for_once(a: list[Line], b: list[Line], c: list[Line], d: list[Line]):
    diff = compared(version(a, b), version(c, d))
    both = {(p.before.place, p.after.place) for p in (*diff.changed, *diff.moved)}
    assert len(a) + len(b) == len(diff.removed) + len(both) + diff.unchanged
    assert len(c) + len(d) == len(diff.added) + len(both) + diff.unchanged
    assert len({before for before, _ in both}) == len({after for _, after in both}) == len(both)


@given(lines, lines)
def test_there_and_back_swap_what_came_and_what_went(a: list[Line], b: list[Line]):
    there, back = compared(version(a), version(b)), compared(version(b), version(a))
    assert (len(there.added), len(there.removed)) == (len(back.removed), len(back.added))


# ---------------------------------------------------------------- as a page


def test_the_page_shows_each_line_with_its_place_and_its_words():
    diff = compared(version([A, B]), version([("c1", "A?", "Better.")], [C]))
    assert diff_markdown(diff) == (
        "# ds_1 → ds_2\n\n"
        "1 added, 1 removed, 1 changed, 0 moved to the other side, 0 unchanged.\n\n"
        "## Changed (1)\n\n"
        "`train.jsonl:1` `c1` (was `train.jsonl:1` `c1`)\n\n"
        "```diff\n  user: A?\n- a.\n+ Better.\n```\n\n"
        "## Added (1)\n\n"
        "`held_out.jsonl:1` `c3`\n\n"
        "```diff\n+ user: C?\n+ c.\n```\n\n"
        "## Removed (1)\n\n"
        "`train.jsonl:2` `c2`\n\n"
        "```diff\n- user: B?\n- b.\n```\n"
    )


def test_a_text_cannot_leave_its_fence():
    page = diff_markdown(compared(version([]), version([("c1", "A?", "```\n# Hi\n````")])))
    assert "`````diff\n+ user: A?\n+ ```\n+ # Hi\n+ ````\n`````" in page


@pytest.mark.parametrize(
    ("more", "said"), [(0, []), (1, ["1 further line is not shown."]), (7, ["7 further lines are not shown."])]
)
def test_a_long_comparison_is_cut_and_says_so(more: int, said: list[str]):
    many = [(f"c{i}", f"Question {i}?", "a.") for i in range(SHOWN + more)]
    diff = compared(version([]), version(many))
    assert len(diff.added) == SHOWN + more
    assert [line for line in diff_markdown(diff).split("\n") if "further" in line] == said
