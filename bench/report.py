"""What every bench prints at its end: a table a person can read, and one JSON line a program can."""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Promise:
    """A number we promise. `better` says on which side of `bound` the value has to be ("higher", "lower")."""

    name: str
    value: float
    bound: float
    better: str

    @property
    def holds(self) -> bool:
        """Whether the promise is kept; being exactly at the bound keeps it."""
        return self.value >= self.bound if self.better == "higher" else self.value <= self.bound


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the two options that every bench has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="under a minute, with fewer repetitions")
    parser.add_argument("--json", type=Path, help="also write the last line to this file")
    return parser


def finish(bench: str, promises: Sequence[Promise], rows: Sequence[Mapping[str, Any]], to: Path | None) -> None:
    """Print rows, promises and the JSON line; exit 1 when a promise is missed."""
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    for promise in promises:
        sign = "≥" if promise.better == "higher" else "≤"
        print(
            f"{'holds ' if promise.holds else 'MISSED'}  {promise.name}: {promise.value:g} ({sign} {promise.bound:g})"
        )
    line = json.dumps(
        {
            "bench": bench,
            "commit": _commit(),
            "cpu": platform.processor() or platform.machine(),
            "promises": [{**asdict(promise), "holds": promise.holds} for promise in promises],
            "rows": list(rows),
        },
        ensure_ascii=False,
    )
    if to is not None:
        to.write_text(line + "\n")
    print(line)
    sys.exit(0 if all(promise.holds for promise in promises) else 1)


def _commit() -> str:
    shown = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or "unknown"
