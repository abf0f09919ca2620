"""Vectors of questions and answers by slot: two growing numpy matrices. numpy is imported with the first vector, not before."""

import importlib
import itertools
from collections.abc import Callable, Sequence
from typing import Any

SHORTLIST, SHORTLIST_SHARE = 384, 1 / 20  # rows that a first look keeps: so many, and at least this share of all


class Vectors:
    """Rows are unit vectors; slot = row. A forgotten row is zeroed and never proposed.

    `first_look` is how many of a vector's first numbers choose the rows that are compared whole; 0 compares every row whole.
    """

    def __init__(self, first_look: int = 0) -> None:
        self._first_look = first_look
        self._heads: Any = None  # the first numbers of each question, by themselves: what is read of every row
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
            self._heads = self._questions[:, : self._first_look]
        needed = self._rows + rows
        if needed > len(self._questions):
            room = max(needed, 2 * len(self._questions), 16)
            self._questions, self._answers = self._grown(self._questions, room), self._grown(self._answers, room)
            self._heads = self._grown(self._heads, room)
        self._questions[self._rows : needed] = questions
        self._heads[self._rows : needed] = questions[:, : self._first_look]
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
        self._heads[slot] = 0

    def only(self, slots: list[int]) -> "Vectors":
        """A copy with these rows, in this order."""
        kept = Vectors(self._first_look)
        if self._np is not None:
            kept.extend(self._questions[slots], self._answers[slots])
        return kept

    def nearest(self, vector: Any, count: int, is_open: Callable[[int], bool]) -> list[int]:
        """The slots whose questions are nearest, best first, at most `count`, of those that `is_open` lets in."""
        if self._rows == 0:
            return []
        np, rows = self._np, self._rows
        rough = self._heads[:rows] @ vector[: self._first_look] if self._first_look else self._questions[:rows] @ vector
        looked_at = min(max(SHORTLIST, int(rows * SHORTLIST_SHARE)) if self._first_look else 4 * count, rows)
        while True:
            slots = np.argpartition(rough, rows - looked_at)[rows - looked_at :]
            cosines = self._questions[slots] @ vector if self._first_look else rough[slots]
            # Ties by slot, so that the order never depends on how the partition fell.
            ordered = slots[np.lexsort((slots, -cosines))][: int(np.count_nonzero(cosines > 0))]
            found = list(itertools.islice((int(slot) for slot in ordered if is_open(int(slot))), count))
            if len(found) == count or looked_at == rows or not len(ordered):
                return found
            looked_at = min(4 * looked_at, rows)

    def cosines(self, slot: int, vector: Any) -> tuple[float, float]:
        """With the slot's question and with its answer."""
        return float(self._questions[slot] @ vector), float(self._answers[slot] @ vector)

    def together(self, slots: Sequence[int], vector: Any) -> float:
        """The mean of the cosines with these slots' questions."""
        return float((self._questions[list(slots)] @ vector).sum()) / len(slots)
