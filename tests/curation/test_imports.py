"""Files become answers to propose; every row refused is named with its line and the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.text import clean_correction, clean_question
from curation.imports import Imported, ImportRefused, Source, read_answers


def read(path: Path) -> Imported:
    return read_answers(path, Source(clean_question, clean_correction))


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'question,answer\nQ1?,A1\nQ2?,"A2, really"\n'),
        ("a.csv", '\ufeffPrompt,Response,other\r\nQ1?,A1,x\r\nQ2?,"A2, really",\r\n'),
        ("a.jsonl", '{"question":"Q1?","answer":"A1"}\n\n{"prompt":"Q2?","completion":"A2, really"}\n'),
        ("a.json", '[{"instruction":"Q1?","output":"A1"},{"input":"Q2?","response":"A2, really"}]'),
    ],
    ids=["csv", "csv-with-bom-and-crlf", "jsonl", "json"],
)
def test_the_common_layouts_are_read(tmp_path: Path, name: str, content: str):
    imported = read(write(tmp_path, name, content))
    assert [(a.question, a.answer) for a in imported.answers] == [("Q1?", "A1"), ("Q2?", "A2, really")]
    assert imported.refusals == ()


def test_chat_messages_keep_their_history_and_lose_their_system_prompt(tmp_path: Path):
    messages = [("system", "S"), ("user", "Hi"), ("assistant", "Hello"), ("user", "Q?"), ("assistant", "A")]
    row = {"messages": [{"role": role, "content": content} for role, content in messages]}
    (answer,) = read(write(tmp_path, "a.jsonl", json.dumps(row))).answers
    assert (answer.question, answer.answer) == ("Q?", "A")
    assert [m.content for m in answer.history] == ["Hi", "Hello"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not valid JSON"),
        ("[1]", "a list, not an object"),
        ('{"question":"Q"}', "has none of answer, response"),
        ('{"question":"","answer":"A"}', "its question is empty"),
        ('{"question":"\\u0000","answer":"A"}', "nothing a person could read"),
        ('{"question":"Q","answer":5}', "its answer is a int, not text"),
        ('{"question":"Q","answer":"' + "x" * 12_001 + '"}', "12,001 characters; at most 12,000"),
        ('{"messages":[]}', "not a list of messages"),
        ('{"messages":[{"role":"bot","content":"x"}]}', "has the role 'bot'"),
        ('{"messages":[{"role":"user","content":"x"}]}', "do not end with a user message and an assistant message"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_others_are_taken(tmp_path: Path, row: str, reason: str):
    content = f'{{"question":"Q1","answer":"A1"}}\n{row}\n{{"question":"Q3","answer":"A3"}}\n'
    imported = read(write(tmp_path, "a.jsonl", content))
    assert [a.line for a in imported.answers] == [1, 3]
    assert [r.line for r in imported.refusals] == [2]
    assert reason in imported.refusals[0].reason


def test_a_repeated_row_names_the_first(tmp_path: Path):
    imported = read(write(tmp_path, "a.csv", "question,answer\nQ,A\nQ,A\n"))
    assert imported.refusals[0].reason == "the same question and answer as line 2"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", "x", "expected .csv, .json, .jsonl, or a Slack export"),
        ("a.csv", "title,body\nx,y\n", "has the columns title, body"),
        ("a.csv", "", r"has the columns \(none\)"),
        ("a.json", "{}", "holds a dict"),
        ("a.json", "[", "is not valid JSON"),
        ("a.csv", b"question,answer\n\xff\xfe,x", "not UTF-8"),
    ],
)
def test_an_unreadable_file_is_refused_by_name(tmp_path: Path, name: str, content: Any, said: str):
    with pytest.raises(ImportRefused, match=said):
        read(write(tmp_path, name, content))


def test_a_missing_file_is_refused_by_name(tmp_path: Path):
    with pytest.raises(ImportRefused, match=r"none\.csv cannot be read: No such file"):
        read(tmp_path / "none.csv")
