"""Pure: one row of a table or JSON file → one answer. A row says by its fields which layout it has."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from curation.imports.answers import Answer, RowRefused
from curation.imports.shapes import list_in, object_in
from storage.records import Message

QUESTION_COLUMNS = ("question", "prompt", "input", "instruction", "user")
ANSWER_COLUMNS = ("answer", "response", "completion", "output", "corrected", "assistant")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Fields = Mapping[str, Any]


def layout_of(row: Any) -> str:
    """The row's layout in words."""
    fields = _fields_of(object_in(row))
    if "preferred_output" in fields or "chosen" in fields:
        return "preferences"
    if "messages" in fields:
        return "chat messages"
    if "choices" in fields:
        return "multiple choice"
    return "questions and answers"


def answer_in(line: int, row: Any) -> Answer:
    """The answer a row holds. Raises RowRefused."""
    if isinstance(row, json.JSONDecodeError):
        raise RowRefused(f"not valid JSON: {row.msg} at column {row.colno}")
    if not isinstance(row, Mapping):
        raise RowRefused(f"a {type(row).__name__}, not an object")
    fields = _fields_of(object_in(row))
    match layout_of(fields):
        case "preferences":
            return _preference(line, fields)
        case "chat messages":
            return _chat(line, fields["messages"])
        case "multiple choice":
            return _multiple_choice(line, fields)
        case _:
            return Answer(line, _first(fields, QUESTION_COLUMNS), _first(fields, ANSWER_COLUMNS))


def _fields_of(row: Fields) -> dict[str, Any]:
    return {str(key).strip().lower(): value for key, value in row.items()}


def _first(fields: Fields, names: Sequence[str]) -> str:
    for name in names:
        if name in fields:
            return _text(fields, name)
    raise RowRefused(f"has none of {', '.join(names)}")


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise RowRefused(f"its {name} is empty")
    if not isinstance(value, str):
        raise RowRefused(f"its {name} is a {type(value).__name__}, not text")
    return value.strip()


# ---------------------------------------------------------------- chat


def _chat(line: int, value: Any) -> Answer:
    """OpenAI's chat layout: optional system message (ignored: the voice brings its own), turns, an assistant message last."""
    messages = _turns(value, "messages")
    if len(messages) < 2 or messages[-1].role != "assistant" or messages[-2].role != "user":
        raise RowRefused("its messages do not end with a user message and an assistant message")
    return Answer(line, messages[-2].content, messages[-1].content, tuple(messages[:-2]))


def _turns(value: Any, name: str) -> list[Message]:
    """The messages of a conversation without the system's."""
    if not isinstance(value, list) or not value:
        raise RowRefused(f"its {name} are not a list of messages")
    messages: list[Message] = []
    for position, item in enumerate(list_in(value), 1):
        role, content = object_in(item).get("role"), object_in(item).get("content")
        if role == "developer":  # OpenAI's newer word for it
            role = "system"
        if role not in ("system", "user", "assistant"):
            raise RowRefused(f"message {position} has the role {role!r}; expected system, user or assistant")
        if not isinstance(content, str) or not content.strip():
            raise RowRefused(f"message {position} has no text")
        if role != "system":
            messages.append(Message(role, content.strip()))
    return messages


# ---------------------------------------------------------------- preferences


def _preference(line: int, fields: Fields) -> Answer:
    """Two answers to one prompt, in OpenAI's layout or as TRL and most public sets have them: the better one is proposed."""
    if "preferred_output" in fields:
        turns = _turns(object_in(fields.get("input")).get("messages"), "input messages")
        better, worse = (_said(fields, name) for name in ("preferred_output", "non_preferred_output"))
    else:
        prompt = fields.get("prompt", fields.get("question"))
        turns = [Message("user", prompt.strip())] if isinstance(prompt, str) else _turns(prompt, "prompt")
        better, worse = (_said(fields, name) for name in ("chosen", "rejected"))
    if not turns or turns[-1].role != "user" or not turns[-1].content:
        raise RowRefused("its prompt does not end with a user message")
    if better == worse:
        raise RowRefused("both of its answers are the same, so neither is better")
    return Answer(line, turns[-1].content, better, tuple(turns[:-1]), served=worse)


def _said(fields: Fields, name: str) -> str:
    """An answer that is a text, or the assistant's last message of a list."""
    value = fields.get(name)
    if isinstance(value, str):
        return _text(fields, name)
    messages = _turns(value, name)
    if not messages or messages[-1].role != "assistant":
        raise RowRefused(f"its {name} does not end with an assistant message")
    return messages[-1].content


# ---------------------------------------------------------------- multiple choice


def _multiple_choice(line: int, fields: Fields) -> Answer:
    """ScienceQA's layout: a question, its choices, the number of the right one from 0, perhaps a hint and a solution."""
    if fields.get("image") is not None:
        raise RowRefused("its question is about a picture, which a text model does not see")
    texts = [str(choice).strip() for choice in list_in(fields["choices"])]
    if not 2 <= len(texts) <= len(LETTERS):
        raise RowRefused("its choices are not a list of 2 to 26 texts")
    right = fields.get("answer")
    if isinstance(right, bool) or not isinstance(right, int) or not 0 <= right < len(texts):
        raise RowRefused(f"its answer is {right!r}; expected the number of a choice, 0 to {len(texts) - 1}")
    hint, solution = (str(fields.get(name) or "").strip() for name in ("hint", "solution"))
    listed = [f"{LETTERS[number]}. {text}" for number, text in enumerate(texts)]
    question = "\n".join(part for part in (hint, _text(fields, "question"), *listed) if part)
    return Answer(line, question, "\n\n".join(part for part in (listed[right], solution) if part))
