"""A file, folder or archive → what it holds: the layout is told by its contents. Nothing is written anywhere."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.imports.answers import Answer, Clean, Imported, ImportRefused, Refusal, RowRefused
from curation.imports.chats import discord_conversations, slack_conversations
from curation.imports.rows import ANSWER_COLUMNS, QUESTION_COLUMNS, answer_in, layout_of
from curation.imports.shapes import list_in, object_in, objects_in
from curation.imports.talk import Said, answers_in
from curation.imports.tickets import columns_of, conversations_in
from storage.records import Message

FILE_LIMIT = 64 * 1024 * 1024  # bytes; larger files should be split, so that one report stays readable
ARCHIVE_LIMIT = 256 * 1024 * 1024  # bytes of an archive's messages unpacked: a small file may unpack to anything
FIELD_LIMIT = 1024 * 1024  # characters of one CSV field; the csv module's own default is 128 KiB
NOBODY = "nobody answered"


@dataclass(frozen=True, slots=True)
class Source:
    """How to read. `staff` are ids or names of those whose answers count in an export of chats; none: who answers others."""

    clean_question: Clean
    clean_answer: Clean
    staff: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read before it is cleaned and checked."""

    layout: str
    answers: Iterator[Answer | Refusal]
    conversations: int = 0


def read_answers(path: Path, source: Source) -> Imported:
    """Read a .csv, .json or .jsonl file, or a Slack export (.zip, or its folder). Raises ImportRefused.

    A row that a cleaner refuses is refused with its sentence; the others are taken.
    """
    found = _found(path, source.staff)
    answers: list[Answer] = []
    refusals: list[Refusal] = []
    seen: dict[tuple[str, str], Answer] = {}
    for item in found.answers:
        if isinstance(item, Refusal):
            refusals.append(item)
            continue
        try:
            answer = _cleaned(item, source)
            _check(answer, seen)
        except ValueError as refused:
            refusals.append(Refusal(item.line, str(refused), item.file))
        else:
            answers.append(answer)
    in_order = sorted(refusals, key=lambda refusal: (refusal.file, refusal.line))
    return Imported(tuple(answers), tuple(in_order), found.layout, found.conversations)


def _found(path: Path, staff: frozenset[str]) -> _Found:
    if path.is_dir() or path.suffix.lower() == ".zip":
        return _slack(path, staff)
    text = _text_of(path)
    match path.suffix.lower():
        case ".csv":
            return _csv(path, text)
        case ".jsonl" | ".ndjson":
            return _rows(list(_jsonl_rows(text)))
        case ".json":
            return _json(path, text, staff)
        case other:
            raise ImportRefused(
                f"{path} ends in {other or 'nothing'}; expected .csv, .json, .jsonl, or a Slack export (.zip or its folder)."
            )


def _text_of(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > FILE_LIMIT:
            raise ImportRefused(f"{path} has {size:,} bytes; at most {FILE_LIMIT:,} are read. Split it into parts.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ImportRefused(
            f"{path} is not UTF-8 text (byte {error.start}). Save it as UTF-8 and try again."
        ) from error


# ---------------------------------------------------------------- tables and lists


def _csv(path: Path, text: str) -> _Found:
    csv.field_size_limit(FIELD_LIMIT)
    reader = csv.DictReader(io.StringIO(text))
    columns = [name.strip().lower() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    rows = _csv_rows(path, reader)
    if (of_tickets := columns_of(columns)) is not None:
        talks, refusals = conversations_in(rows, of_tickets)
        return _of_talks("a help desk's messages", talks, refusals)
    if not (set(columns) & set(QUESTION_COLUMNS) and set(columns) & set(ANSWER_COLUMNS)):
        raise ImportRefused(
            f"{path} has the columns {', '.join(columns) or '(none)'}; expected one of {', '.join(QUESTION_COLUMNS)} "
            f"and one of {', '.join(ANSWER_COLUMNS)}; or, with a message in each row, a ticket_id, an author_role and a body."
        )
    return _Found("questions and answers", _answers(rows))


def _csv_rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
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
            except RecursionError:
                yield number, None


def _json(path: Path, text: str, staff: frozenset[str]) -> _Found:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportRefused(f"{path} line {error.lineno} is not valid JSON: {error.msg}.") from error
    except RecursionError as error:
        raise ImportRefused(f"{path} is nested too deeply to be read.") from error
    whole = object_in(content)
    if "channel" in whole and isinstance(whole.get("messages"), list):
        return _of_talks("an export of a Discord channel", discord_conversations(whole, staff))
    by_id = list(whole.values())  # rows by their ids, as ScienceQA's own file has them
    if by_id and all(isinstance(row, Mapping) for row in by_id):
        return _rows(list(enumerate(by_id, 1)))
    if not isinstance(content, list):
        raise ImportRefused(f"{path} holds a {type(content).__name__}; expected a list of objects.")
    return _rows(list(enumerate(list_in(content), 1)))


def _rows(rows: Sequence[tuple[int, Any]]) -> _Found:
    return _Found(layout_of(rows[0][1]) if rows else "nothing", _answers(iter(rows)))


def _answers(rows: Iterator[tuple[int, Any]]) -> Iterator[Answer | Refusal]:
    for line, row in rows:
        try:
            yield answer_in(line, row)
        except RowRefused as refused:
            yield Refusal(line, str(refused))


# ---------------------------------------------------------------- conversations


def _of_talks(layout: str, talks: Sequence[Sequence[Said]], refusals: Sequence[Refusal] = ()) -> _Found:
    def answers() -> Iterator[Answer | Refusal]:
        yield from refusals
        for talk in talks:
            found = answers_in(talk)
            yield from found
            if not found:
                yield Refusal(talk[0].line, NOBODY, talk[0].file)

    return _Found(layout, answers(), len(talks))


def _slack(path: Path, staff: frozenset[str]) -> _Found:
    """Channel folders with a JSON file a day; users.json and the like beside them are not read."""
    channels: dict[str, list[tuple[str, Sequence[Mapping[str, Any]]]]] = {}
    for name, content in _members(path):
        folder, _, day = name.rpartition("/")
        if not folder or not day.endswith(".json"):
            continue
        try:
            messages = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ImportRefused(f"{path}: {name} is not valid JSON.") from error
        if isinstance(messages, list):
            channels.setdefault(folder, []).append((name, objects_in(messages)))
    if not channels:
        raise ImportRefused(f"{path} holds no channel of a Slack export: folders with a .json file for each day.")
    talks = [talk for days in channels.values() for talk in slack_conversations(sorted(days, key=_name), staff)]
    return _of_talks("a Slack export", talks)


def _name(day: tuple[str, Sequence[Mapping[str, Any]]]) -> str:
    return day[0]


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive or folder by their names within it. Raises ImportRefused for one that unpacks to too much."""
    total = 0
    try:
        if path.is_dir():
            for file in sorted(path.rglob("*.json")):
                total = _within_limit(path, total + file.stat().st_size)
                yield file.relative_to(path).as_posix(), file.read_bytes()
            return
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".json"):
                    total = _within_limit(path, total + member.file_size)
                    yield member.filename, archive.read(member)
    except zipfile.BadZipFile as error:
        raise ImportRefused(f"{path} is not a ZIP archive, or is damaged.") from error
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror or error}.") from error


def _within_limit(path: Path, size: int) -> int:
    if size > ARCHIVE_LIMIT:
        raise ImportRefused(f"{path} unpacks to more than {ARCHIVE_LIMIT:,} bytes. Import its channels one by one.")
    return size


# ---------------------------------------------------------------- checking


def _cleaned(raw: Answer, source: Source) -> Answer:
    """Raises what a cleaner raises."""
    return replace(
        raw,
        question=source.clean_question(raw.question),
        answer=source.clean_answer(raw.answer),
        history=tuple(Message(said.role, source.clean_answer(said.content)) for said in raw.history),
        served=source.clean_answer(raw.served) if raw.served else None,
    )


def _check(answer: Answer, seen: dict[tuple[str, str], Answer]) -> None:
    if not answer.question:
        raise RowRefused("its question has nothing a person could read")
    first = seen.setdefault((answer.question, answer.answer), answer)
    if first is not answer:
        where = f"{first.file} line {first.line}" if first.file else f"line {first.line}"
        raise RowRefused(f"the same question and answer as {where}")
    if answer.served is not None and answer.served.strip() == answer.answer.strip():
        raise RowRefused("the person said the same as the machine had")
