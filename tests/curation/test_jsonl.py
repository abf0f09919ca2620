"""Rows as JSON lines: the same bytes for the same rows, and the rows again."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from curation import jsonl

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.dictionaries(TEXT, TEXT | st.integers() | st.none())))
def test_what_was_written_is_read(rows: list[dict[str, Any]]):
    content = jsonl.written(rows)
    assert list(jsonl.read(content)) == rows
    assert content.count(b"\n") == len(rows)


def test_keys_are_in_order_and_text_stays_as_it_is():
    assert jsonl.written([{"b": "ü\u2028", "a": 1}, {}]) == '{"a": 1, "b": "ü\u2028"}\n{}\n'.encode()


def test_no_rows_are_no_bytes():
    assert jsonl.written([]) == b""
    assert list(jsonl.read(b"")) == list(jsonl.read(b"\n")) == []


def test_a_last_line_without_its_end_is_read():
    assert list(jsonl.read(b'{"a": 1}\n\n{"a": 2}')) == [{"a": 1}, {"a": 2}]
