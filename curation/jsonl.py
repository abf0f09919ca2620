"""Pure: rows as JSON lines, the same bytes for the same rows: keys in order, text as it is, a line feed after each."""

import json
from collections.abc import Iterable, Mapping
from typing import Any


def written(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The rows' bytes; none for no row."""
    return b"".join(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in rows)


def read(content: bytes) -> list[dict[str, Any]]:
    """The rows of bytes that `written` made."""
    return [json.loads(line) for line in content.split(b"\n") if line]
