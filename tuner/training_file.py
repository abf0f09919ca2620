"""Training files as they arrive: JSON lines checked against the method, each refusal with its line and reason.

Pure: bytes in, rows or a complaint out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

MIN_EXAMPLES = 10  # the official minimum (providers.md section 5)
ROLES = ("system", "developer", "user", "assistant", "tool", "function")
METHODS = ("supervised", "dpo", "kto")

Row = dict[str, Any]


@dataclass
class BadLine(Exception):
    """One line of a training file is not usable: `line` counts from 1; `reason` is a clause for people."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def parse_lines(content: bytes) -> list[tuple[int, Row]]:
    """The objects of a JSONL file with their line numbers, from 1; blank lines are skipped.

    Raises BadLine on the first line that is not UTF-8 or not a JSON object.
    """
    rows: list[tuple[int, Row]] = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except UnicodeDecodeError as error:
            raise BadLine(number, f"not UTF-8 (byte {error.start})") from None
        except json.JSONDecodeError as error:
            raise BadLine(number, f"not valid JSON ({error.msg} at column {error.colno})") from None
        except RecursionError:
            raise BadLine(number, "nested too deeply") from None
        if not isinstance(row, dict):
            raise BadLine(number, f"expected a JSON object, found {_kind(row)}")
        rows.append((number, cast(Row, row)))
    return rows


def check_rows(rows: list[tuple[int, Row]], method: str) -> None:
    """Check each row against the method's shape. Raises BadLine on the first that does not fit.

    supervised: `{"messages": [{"role", "content", "weight"?}, ...]}` with an assistant message to learn.
    dpo: `{"input": {"messages": [...]}, "preferred_output": [message], "non_preferred_output": [message]}`.
    kto: `{"prompt": [message, ...], "completion": [message], "label": true | false}`.
    """
    check: Callable[[Row], str | None]
    match method:
        case "supervised":
            check = _supervised_fault
        case "dpo":
            check = _dpo_fault
        case _:
            check = _kto_fault
    for number, row in rows:
        if fault := check(row):
            raise BadLine(number, fault)


def prompts_and_answers(row: Row, method: str) -> tuple[list[Row], str]:
    """The messages before the answer a row teaches, and that answer (dpo: the preferred one)."""
    match method:
        case "supervised":
            messages = row["messages"]
            last = max(
                index
                for index, message in enumerate(messages)
                if message["role"] == "assistant" and message.get("weight", 1) == 1
            )
            return messages[:last], messages[last]["content"]
        case "dpo":
            return row["input"]["messages"], row["preferred_output"][0]["content"]
        case _:
            return row["prompt"], row["completion"][0]["content"]


def texts(row: Row, method: str) -> list[str]:
    """Every text of a row, for counting tokens."""
    match method:
        case "supervised":
            messages = row["messages"]
        case "dpo":
            messages = row["input"]["messages"] + row["preferred_output"] + row["non_preferred_output"]
        case _:
            messages = row["prompt"] + row["completion"]
    return [message["content"] for message in messages]


def _supervised_fault(row: Row) -> str | None:
    if extra := sorted(set(row) - {"messages", "tools", "parallel_tool_calls"}):
        return f"unknown key {extra[0]!r}; a supervised example has messages"
    if fault := _tools_fault(row):
        return fault
    messages: Any = row.get("messages")
    if fault := _messages_fault(messages, "messages", weights=True):
        return fault
    if not any(m["role"] == "assistant" and m.get("weight", 1) == 1 for m in messages):
        return "no assistant message to learn (every example needs one with weight 1)"
    return None


def _dpo_fault(row: Row) -> str | None:
    if extra := sorted(set(row) - {"input", "preferred_output", "non_preferred_output"}):
        return f"unknown key {extra[0]!r}; a dpo example has input, preferred_output and non_preferred_output"
    given: Any = row.get("input")
    if not isinstance(given, dict):
        return "input must be an object with messages"
    given = cast(Row, given)
    if fault := _tools_fault(given) or _messages_fault(given.get("messages"), "input.messages"):
        return fault
    for key in ("preferred_output", "non_preferred_output"):
        if fault := _answer_fault(row.get(key), key):
            return fault
    if row["preferred_output"][0]["content"] == row["non_preferred_output"][0]["content"]:
        return "preferred_output and non_preferred_output are the same"
    return None


def _kto_fault(row: Row) -> str | None:
    if extra := sorted(set(row) - {"prompt", "completion", "label"}):
        return f"unknown key {extra[0]!r}; a kto example has prompt, completion and label"
    if fault := _messages_fault(row.get("prompt"), "prompt") or _answer_fault(row.get("completion"), "completion"):
        return fault
    if not isinstance(row.get("label"), bool):
        return "label must be true or false"
    return None


def _tools_fault(row: Row) -> str | None:
    if row.get("tools"):
        return "tools are not supported: the base model's chat template has no place for them"
    return None


def _answer_fault(value: Any, where: str) -> str | None:
    if fault := _messages_fault(value, where):
        return fault
    if len(value) != 1 or value[0]["role"] != "assistant":
        return f"{where} must be one assistant message"
    return None


def _messages_fault(value: Any, where: str, weights: bool = False) -> str | None:
    if not isinstance(value, list) or not value:
        return f"{where} must be a list with at least one message"
    for index, message in enumerate(cast(list[Any], value)):
        at = f"{where}[{index}]"
        if not isinstance(message, dict):
            return f"{at} must be an object with role and content, found {_kind(message)}"
        message = cast(Row, message)
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            return f"{at} has unknown role {_shown(role)}; roles are {', '.join(ROLES)}"
        content = message.get("content")
        if not isinstance(content, str):
            return f"{at}.content must be a string, found {_kind(content)}"
        if role == "assistant" and not content.strip():
            return f"{at}.content is empty; an assistant message needs text"
        if extra := sorted(set(message) - {"role", "content", "weight", "name"}):
            return f"{at} has unknown key {_shown(extra[0])}"
        if "weight" in message:
            if not weights:
                return f"{at}.weight is only allowed in supervised examples"
            if role != "assistant":
                return f"{at}.weight is only allowed on assistant messages, not on {role}"
            if isinstance(message["weight"], bool) or message["weight"] not in (0, 1):
                return f"{at}.weight must be 0 or 1, found {_shown(message['weight'])}"
    return None


def _shown(value: object) -> str:
    """A short, safe rendering of something a file contains; never a person's whole text."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 24 else text[:20] + "…"


def _kind(value: object) -> str:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        type(None): "nothing",
    }
    return names.get(type(value), "a number")
