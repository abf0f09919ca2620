"""A training file is refused with the line and the reason, before anything is trained on it."""

import json
from typing import Any

import pytest

from tuner.training_file import BadLine, check_rows, parse_lines

USER = {"role": "user", "content": "Where is my order?"}
ANSWER = {"role": "assistant", "content": "On its way."}


def sft(*messages: Any) -> dict[str, Any]:
    return {"messages": list(messages)}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b'{"messages": []}\n{oops', "line 2: not valid JSON", id="json"),
        pytest.param(b"[1]", "line 1: expected a JSON object, found a list", id="list"),
        pytest.param(b'\n\n"text"', "line 3: expected a JSON object, found a string", id="blank lines count"),
        pytest.param(b'{"a": "\xff"}', "line 1: not UTF-8", id="bytes"),
        pytest.param(b"[" * 100_000, "line 1: nested too deeply", id="depth"),
    ],
)
def test_a_line_that_is_no_json_object_is_named(content: bytes, complaint: str):
    with pytest.raises(BadLine) as refused:
        parse_lines(content)
    assert str(refused.value).startswith(complaint)


def test_line_numbers_survive_blank_lines_and_a_byte_order_mark():
    assert parse_lines(b'\xef\xbb\xbf{"a": 1}\r\n\n{"b": 2}\n') == [(1, {"a": 1}), (3, {"b": 2})]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        pytest.param({}, "messages must be a list with at least one message", id="nothing"),
        pytest.param(sft(), "messages must be a list with at least one message", id="empty"),
        pytest.param(sft(USER), "no assistant message to learn", id="no answer"),
        pytest.param(sft(USER, {**ANSWER, "weight": 0}), "no assistant message to learn", id="nothing weighted"),
        pytest.param(sft({"role": "bot", "content": "hi"}), 'messages[0] has unknown role "bot"', id="role"),
        pytest.param(sft({"role": [], "content": "hi"}), "messages[0] has unknown role []", id="role type"),
        pytest.param(
            sft({"role": "user"}, ANSWER), "messages[0].content must be a string, found nothing", id="content"
        ),
        pytest.param(sft(USER, {**ANSWER, "content": " "}), "messages[1].content is empty", id="empty answer"),
        pytest.param(sft(USER, {**ANSWER, "weight": 0.5}), "messages[1].weight must be 0 or 1, found 0.5", id="weight"),
        pytest.param(sft(USER, {**ANSWER, "weight": True}), "messages[1].weight must be 0 or 1", id="bool weight"),
        pytest.param(
            sft({**USER, "weight": 1}, ANSWER), "messages[0].weight is only allowed on assistant", id="whose weight"
        ),
        pytest.param(sft(USER, {**ANSWER, "audio": 1}), 'messages[1] has unknown key "audio"', id="message key"),
        pytest.param({**sft(USER, ANSWER), "note": 1}, "unknown key 'note'", id="row key"),
        pytest.param({**sft(USER, ANSWER), "tools": [1]}, "tools are not supported", id="tools"),
        pytest.param(sft("hi"), "messages[0] must be an object with role and content, found a string", id="text"),
    ],
)
def test_a_supervised_row_is_refused_with_its_reason(row: dict[str, Any], complaint: str):
    with pytest.raises(BadLine) as refused:
        check_rows([(4, row)], "supervised")
    assert refused.value.line == 4
    assert refused.value.reason.startswith(complaint)


PAIR: dict[str, Any] = {
    "input": {"messages": [USER]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
}
FLAG: dict[str, Any] = {"prompt": [USER], "completion": [ANSWER], "label": False}


@pytest.mark.parametrize(
    ("method", "row", "complaint"),
    [
        pytest.param("dpo", {**PAIR, "input": []}, "input must be an object with messages", id="input"),
        pytest.param("dpo", {**PAIR, "preferred_output": [USER]}, "preferred_output must be one assistant", id="role"),
        pytest.param(
            "dpo", {**PAIR, "non_preferred_output": [ANSWER]}, "preferred_output and non_preferred", id="same"
        ),
        pytest.param("dpo", sft(USER, ANSWER), "unknown key 'messages'", id="supervised row"),
        pytest.param(
            "dpo", {**PAIR, "preferred_output": [{**ANSWER, "weight": 1}]}, "preferred_output[0].weight", id="weight"
        ),
        pytest.param("kto", {**FLAG, "label": 1}, "label must be true or false", id="label"),
        pytest.param("kto", {**FLAG, "completion": []}, "completion must be a list", id="completion"),
        pytest.param("kto", {**FLAG, "prompt": None}, "prompt must be a list", id="prompt"),
    ],
)
def test_a_preference_row_is_refused_with_its_reason(method: str, row: dict[str, Any], complaint: str):
    with pytest.raises(BadLine) as refused:
        check_rows([(1, row)], method)
    assert refused.value.reason.startswith(complaint)


@pytest.mark.parametrize(
    ("method", "row"),
    [
        pytest.param("supervised", sft(USER, ANSWER), id="one turn"),
        pytest.param(
            "supervised",
            sft({"role": "developer", "content": ""}, USER, {**ANSWER, "weight": 0}, USER, ANSWER),
            id="turns",
        ),
        pytest.param("dpo", PAIR, id="dpo"),
        pytest.param("kto", FLAG, id="kto"),
    ],
)
def test_good_rows_pass(method: str, row: dict[str, Any]):
    check_rows(parse_lines(json.dumps(row).encode()), method)
