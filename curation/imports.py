"""Pure: CSV, JSON or JSONL with question/answer columns → answers to propose, and a report of every row refused and why."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from storage.records import Message

QUESTION_COLUMNS = ("question", "prompt", "input", "instruction", "user")
ANSWER_COLUMNS = ("answer", "response", "completion", "output", "corrected", "assistant")
FILE_LIMIT = 64 * 1024 * 1024  # bytes; larger files should be split, so that one report stays readable
FIELD_LIMIT = 1024 * 1024  # characters of one CSV field; the csv module's own default is 128 KiB

Clean = Callable[[str], str]
"""Makes a text fit to keep, or raises ValueError with a sentence."""


class ImportRefused(ValueError):
    """The file as a whole cannot be read; the message names it, the reason and what is expected."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and the answer a person gave. `line` is the row's number in the file, from 1 (a CSV's header is line 1)."""

    line: int
    question: str
    answer: str
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held: answers in file order, and the rows refused."""

    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]


class _RowRefused(ValueError):
    pass


def read_answers(path: Path, *, clean_question: Clean, clean_answer: Clean) -> Imported:
    """Read a .csv, .json or .jsonl file; a row that a cleaner refuses is refused with its sentence. Raises ImportRefused."""
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT:
            raise ImportRefused(f"{path} has {size:,} bytes; at most {FILE_LIMIT:,} are read. Split it into parts.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8 and try again."
        ) from error
    answers: list[Answer] = []
    refusals: list[Refusal] = []
    seen: dict[tuple[str, str], int] = {}
    for line, row in _rows(path, text):
        try:
            raw = _answer(line, row)
            answer = replace(raw, question=clean_question(raw.question), answer=clean_answer(raw.answer))
            _check(answer, seen)
        except ValueError as refused:
            refusals.append(Refusal(line, str(refused)))
        else:
            answers.append(answer)
    return Imported(tuple(answers), tuple(refusals))


def _rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    match path.suffix.lower():
        case ".csv":
            return _csv_rows(path, text)
        case ".jsonl" | ".ndjson":
            return _jsonl_rows(text)
        case ".json":
            return _json_rows(path, text)
        case other:
            raise ImportRefused(f"{path} ends in {other or 'nothing'}; expected .csv, .json or .jsonl.")


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.DictReader(io.StringIO(text))
    columns = [name.strip().lower() for name in reader.fieldnames or []]
    if not (set(columns) & set(QUESTION_COLUMNS) and set(columns) & set(ANSWER_COLUMNS)):
        raise ImportRefused(
            f"{path} has the columns {', '.join(columns) or '(none)'}; expected one of {', '.join(QUESTION_COLUMNS)} "
            f"and one of {', '.join(ANSWER_COLUMNS)}."
        )
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ImportRefused(f"{path} line {reader.line_num} is not valid CSV: {error}.") from error


def _jsonl_rows(text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError as error:
                yield number, error


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportRefused(f"{path} line {error.lineno} is not valid JSON: {error.msg}.") from error
    if not isinstance(content, list):
        raise ImportRefused(f"{path} holds a {type(content).__name__}; expected a list of objects.")
    yield from enumerate(cast(list[Any], content), 1)


def _answer(line: int, row: Any) -> Answer:
    if isinstance(row, json.JSONDecodeError):
        raise _RowRefused(f"not valid JSON: {row.msg} at column {row.colno}")
    if not isinstance(row, Mapping):
        raise _RowRefused(f"a {type(row).__name__}, not an object")
    fields = {str(key).strip().lower(): value for key, value in cast(Mapping[Any, Any], row).items()}
    if "messages" in fields:
        return _from_messages(line, fields["messages"])
    question, answer = _first(fields, QUESTION_COLUMNS), _first(fields, ANSWER_COLUMNS)
    return Answer(line, question, answer)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if name in fields:
            value = fields[name]
            if value is None or (isinstance(value, str) and not value.strip()):
                raise _RowRefused(f"its {name} is empty")
            if not isinstance(value, str):
                raise _RowRefused(f"its {name} is a {type(value).__name__}, not text")
            return value.strip()
    raise _RowRefused(f"has none of {', '.join(names)}")


def _from_messages(line: int, value: Any) -> Answer:
    """OpenAI's chat layout: optional system message (ignored: the voice brings its own), turns, an assistant message last."""
    if not isinstance(value, list) or not value:
        raise _RowRefused("its messages are not a list of messages")
    messages: list[Message] = []
    for position, item in enumerate(cast(list[Any], value), 1):
        fields: Mapping[str, Any] = cast(Mapping[str, Any], item) if isinstance(item, Mapping) else dict[str, Any]()
        role, content = fields.get("role"), fields.get("content")
        if role not in ("system", "user", "assistant"):
            raise _RowRefused(f"message {position} has the role {role!r}; expected system, user or assistant")
        if not isinstance(content, str) or not content.strip():
            raise _RowRefused(f"message {position} has no text")
        if role != "system":
            messages.append(Message(role, content.strip()))
    if len(messages) < 2 or messages[-1].role != "assistant" or messages[-2].role != "user":
        raise _RowRefused("its messages do not end with a user message and an assistant message")
    return Answer(line, messages[-2].content, messages[-1].content, tuple(messages[:-2]))


def _check(answer: Answer, seen: dict[tuple[str, str], int]) -> None:
    if not answer.question:
        raise _RowRefused("its question has nothing a person could read")
    first = seen.setdefault((answer.question, answer.answer), answer.line)
    if first != answer.line:
        raise _RowRefused(f"the same question and answer as line {first}")
