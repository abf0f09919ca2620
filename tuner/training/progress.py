"""The job's append-only account of itself; the server reads it from where it left off."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass
class Progress:
    """One JSON line for each thing that happened."""

    path: Path

    def write(self, kind: str, **facts: object) -> None:
        line = json.dumps({"kind": kind, "at": time.time(), **facts})
        with self.path.open("ab+") as stream:
            # A killed trainer may have left half a line; start on a fresh one so only that half is lost.
            if stream.tell() and not _ends_with_newline(stream):
                stream.write(b"\n")
            stream.write(line.encode() + b"\n")

    def message(self, text: str, level: str = "info") -> None:
        self.write("message", message=text, level=level)


def _ends_with_newline(stream: BinaryIO) -> bool:
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) == b"\n"
