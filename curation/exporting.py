"""Pure: the lines of a stored version as what an export is written from; nothing beside the version's own files is needed."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from curation import jsonl
from curation.card import LINEAGE_FILE
from curation.dataset import FILE_OF_SIDE, FLAGGED_FILE, SERVED_FILES
from curation.examples import Kind
from curation.export import Exportable
from storage.records import Message, Side


def exportables(files: Mapping[str, bytes], side: Side) -> tuple[str, list[Exportable]]:
    """The system prompt that the version was built with, and each line of a side; with the train side, flagged replies."""
    origins = {row["position"]: row for row in jsonl.read(files.get(LINEAGE_FILE, b"")) if row["side"] == side}
    served = [row["served"] for row in jsonl.read(files.get(SERVED_FILES[side], b""))]
    prompt, found = "", list[Exportable]()
    for position, row in enumerate(jsonl.read(files.get(FILE_OF_SIDE[side], b""))):
        origin = origins[position]
        prompt, said = _apart(row)
        rejected = served[position] if served else None
        label = True if origin["kind"] == Kind.MARK else None
        learnable = frozenset(range(1, 2 * len(origin.get("fixes", ())), 2))  # the answers of the fixes shown first
        found.append(_exportable(origin["source_id"], said, rejected, label, learnable))
    if side is Side.TRAIN:
        for position, row in enumerate(jsonl.read(files.get(FLAGGED_FILE, b"")), 1):
            prompt, said = _apart(row)
            found.append(_exportable(f"{FLAGGED_FILE}:{position}", said, None, False, frozenset()))
    return prompt, found


def first_exchanges(content: bytes, count: int) -> list[tuple[str, str]]:
    """Question and answer of the first lines of a side; an erased line is passed over."""
    rows = jsonl.read(content)
    found = ((row["messages"][-2]["content"], row["messages"][-1]["content"]) for row in rows if "messages" in row)
    return list(islice(found, count))


def fixes_before(content: bytes, fixes: Mapping[int, int]) -> dict[int, tuple[Message, ...]]:
    """The exchanges of fixes that lines of a side begin with, by position; `fixes` says how many each has. An erased line
    has none any more.
    """
    found: dict[int, tuple[Message, ...]] = {}
    for position, row in enumerate(jsonl.read(content)):
        if "messages" in row and (count := fixes.get(position, 0)):
            found[position] = tuple(_apart(row)[1][: 2 * count])
    return found


def _exportable(
    id: str, said: list[Message], rejected: str | None, label: bool | None, learnable: frozenset[int]
) -> Exportable:
    *history, question, answer = said
    return Exportable(id, tuple(history), question.content, answer.content, rejected, label, learnable)


def _apart(row: Mapping[str, Any]) -> tuple[str, list[Message]]:
    """The system prompt of a line, and what was said."""
    messages = [Message(each["role"], each["content"]) for each in row["messages"]]
    return (messages[0].content, messages[1:]) if messages[0].role == "system" else ("", messages)
