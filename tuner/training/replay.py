"""General examples mixed among a job's own, so that learning a voice does not unlearn the rest. Pure but for the file."""

from __future__ import annotations

import random
from importlib.resources import files

from tuner.training_file import Row, parse_lines


def general_rows() -> list[Row]:
    """Plain questions with plain helpful answers, in the supervised shape."""
    return [row for _, row in parse_lines((files("tuner") / "general.jsonl").read_bytes())]


def with_replay(rows: list[Row], general: list[Row], share: float, seed: int) -> list[Row]:
    """`rows`, and after them so many of `general` that they make up `share` of all, to the nearest row.

    Which ones is decided by `seed`; none comes twice before each has come once.
    """
    n_wanted = round(len(rows) * share / (1 - share))
    chance = random.Random(f"replay {seed}")
    chosen: list[Row] = []
    while len(chosen) < n_wanted:
        chosen += chance.sample(general, min(len(general), n_wanted - len(chosen)))
    return [*rows, *chosen]
