"""Pure: rows as JSON lines, the same bytes for the same rows: keys in order, text as it is, a line feed after each."""

import json
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import Any


def written(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows' bytes; none for no row."""
    buffer = BytesIO()  # joining the lines would hold them all twice
    buffer.writelines(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in rows)
    return buffer.getvalue()


def read(content: bytes) -> Iterator[dict[str, Any]]:
    """The rows of bytes that `written` made, one after another."""
    return (json.loads(line) for line in BytesIO(content) if line != b"\n")
