"""Room on the disk: asked for before something large is written, so that a full disk is a sentence and not half a file."""

from __future__ import annotations

import shutil
from pathlib import Path

from tuner.errors import TunerError

FULL_BYTES = 1_000_000  # with less than this left, a failed write has failed for want of room


class DiskFull(TunerError):
    """There is not room enough; the message names the folder, what is needed and what is free."""


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def require_room(folder: Path, needed_bytes: int, what: str) -> None:
    """Raise DiskFull unless the disk of `folder` has `needed_bytes` free. `what` begins the sentence."""
    if (free := free_bytes(folder)) < needed_bytes:
        raise DiskFull(
            f"The disk is too full: {what} needs {_megabytes(needed_bytes)} MB free in {folder}, "
            f"where {_megabytes(free)} MB are. Free some space, then train again."
        )


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f}"
