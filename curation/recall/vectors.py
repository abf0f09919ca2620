"""Vectors of questions and answers by slot: two growing numpy matrices. numpy is imported with the first vector, not before."""

import importlib
from collections.abc import Callable
from typing import Any


class Vectors:
    """Rows are unit vectors; slot = row. A forgotten row is zeroed and never proposed."""

    def __init__(self) -> None:
        self._np: Any = None
        self._questions: Any = None
        self._answers: Any = None
        self._rows = 0

    def extend(self, questions: Any, answers: Any) -> None:
        """Append rows, as many of both; room is doubled when there is none, so a row costs the same on average."""
        rows, width = questions.shape
        if self._np is None:
            self._np = importlib.import_module("numpy")
            self._questions = self._np.zeros((0, width), dtype=self._np.float32)
            self._answers = self._questions.copy()
        needed = self._rows + rows
        if needed > len(self._questions):
            room = max(needed, 2 * len(self._questions), 16)
            self._questions, self._answers = self._grown(self._questions, room), self._grown(self._answers, room)
        self._questions[self._rows : needed] = questions
        self._answers[self._rows : needed] = answers
        self._rows = needed

    def _grown(self, matrix: Any, room: int) -> Any:
        wider = self._np.zeros((room, matrix.shape[1]), dtype=self._np.float32)
        wider[: self._rows] = matrix[: self._rows]
        return wider

    def forget(self, slot: int) -> None:
        """Zero a row."""
        self._questions[slot] = 0
        self._answers[slot] = 0

    def only(self, slots: list[int]) -> "Vectors":
        """A copy with these rows, in this order."""
        kept = Vectors()
        if self._np is not None:
            kept.extend(self._questions[slots], self._answers[slots])
        return kept

    def nearest(self, vector: Any, count: int, is_open: Callable[[int], bool]) -> list[int]:
        """The slots whose questions are nearest, best first, at most `count`, of those that `is_open` lets in."""
        if self._rows == 0:
            return []
        np = self._np
        cosines = self._questions[: self._rows] @ vector
        looked_at = min(4 * count, self._rows)
        while True:
            best = np.argpartition(-cosines, looked_at - 1)[:looked_at]
            # Ties by slot, so that the order never depends on how the partition fell.
            ordered = best[np.lexsort((best, -cosines[best]))]
            found = [int(slot) for slot in ordered if cosines[slot] > 0 and is_open(int(slot))]
            if len(found) >= count or looked_at == self._rows or cosines[ordered[-1]] <= 0:
                return found[:count]
            looked_at = min(4 * looked_at, self._rows)

    def cosines(self, slot: int, vector: Any) -> tuple[float, float]:
        """With the slot's question and with its answer."""
        return float(self._questions[slot] @ vector), float(self._answers[slot] @ vector)
