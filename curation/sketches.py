"""Pure: what texts are compared by, worked out once for each text, so that several searches over the same texts share it.

Shingles tell how like two texts are; MinHash signatures of them (Broder 1997), cut into bands, which of them to compare at all.
"""

import itertools
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import eq
from struct import Struct
from typing import Any, cast

import rensa  # no stubs; two calls, both in `_signature`

from curation.agreeing import prompts_agree
from curation.normal import key_of

SHINGLE = 4  # characters; two where words have no spaces between them
BANDS, ROWS = 32, 6
SEED = 7  # any; the same for ever, so that the same texts give the same clusters
_UNSPACED = re.compile("[\u3040-\u9fff]")  # kana and Chinese characters
_PARTS = Struct(f"{4 * ROWS}s" * BANDS)  # a signature's bytes, a band at a time
MOST_REMEMBERED = 24  # texts that are known not to agree with one; a template has thousands


def shingles(text: str) -> frozenset[str]:
    """What two texts are compared by: every run of SHINGLE characters of the normalised text, or the text if it is shorter."""
    return _shingles(key_of(text))


def _shingles(key: str) -> frozenset[str]:
    length = SHINGLE if key.isascii() or not _UNSPACED.search(key) else 2
    if len(key) <= length:
        return frozenset({key} if key else ())
    return frozenset([key[start : start + length] for start in range(len(key) - length + 1)])


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared over all; two empty sets are not alike."""
    return len(one & other) / len(one | other) if one and other else 0.0


class Sketches:
    """A sketch has the number of its row. Texts that are one when normalised have one sketch."""

    def __init__(self) -> None:
        self._shingles = array(
            "I"
        )  # of each row, as numbers: all in one array, because 100,000 small ones are never given back
        self._ends = array("Q", [0])  # where those of each row end
        self._numbers: dict[str, int] = defaultdict(itertools.count().__next__)
        self._bands = array("q")  # of each row BANDS parts of its signature, hashed: 8 bytes instead of 57
        self._row_of_text: dict[str, int | None] = {}
        self._row_of_key: dict[str, int] = {}
        self._text_of: list[str] = []  # of each row, as it was first met
        self._unlike: dict[int, array[int]] = {}  # row → rows whose texts do not agree with its text

    def row(self, text: str) -> int | None:
        """The row of a text's sketch; None for an empty text, which is like nothing."""
        if text not in self._row_of_text:
            key = key_of(text)
            row = self._row_of_key.get(key) if key else None
            self._row_of_text[text] = self._added(text, key) if key and row is None else row
        return self._row_of_text[text]

    def size(self, row: int) -> int:
        """How many shingles a row has."""
        return self._ends[row + 1] - self._ends[row]

    def shingles(self, row: int) -> Sequence[int]:
        """A row's shingles as numbers, each once."""
        return self._shingles[self._ends[row] : self._ends[row + 1]]

    def parts(self, band: int, rows: Sequence[int]) -> list[int]:
        """One band of the signatures of these rows."""
        bands = self._bands
        return [bands[row * BANDS + band] for row in rows]

    def share_a_part(self, one: int, other: int) -> bool:
        """Whether the signatures of two rows are alike in a whole band."""
        mine, theirs = (self._bands[row * BANDS : (row + 1) * BANDS] for row in (one, other))
        return any(map(eq, mine, theirs))

    def agree(self, one: str, other: str) -> bool:
        """Whether two texts that look alike ask the same: `prompts_agree`. That they do not is remembered."""
        if self.are_unlike(one, other):
            return False
        if not (agreed := prompts_agree(one, other)):
            self._remember(one, other)
        return agreed

    def are_unlike(self, one: str, other: str) -> bool:
        """Whether `agree` is known to say no of two texts."""
        rows = self._representing(one, other)
        unlike = self._unlike.get(rows[1]) if rows else None
        return unlike is not None and rows is not None and rows[0] in unlike

    def _remember(self, one: str, other: str) -> None:
        if rows := self._representing(one, other):
            unlike = self._unlike.setdefault(rows[1], array("I"))
            if len(unlike) < MOST_REMEMBERED:
                unlike.append(rows[0])

    def _representing(self, one: str, other: str) -> tuple[int, int] | None:
        """The rows of two texts, in order; None unless each is the very text of its row ("can't" and "can t" are one row)."""
        first, second = self._row_of_text.get(one), self._row_of_text.get(other)
        if first is None or second is None or self._text_of[first] != one or self._text_of[second] != other:
            return None
        return (first, second) if first < second else (second, first)

    def _added(self, text: str, key: str) -> int:
        own = _shingles(key)
        self._bands.extend(map(hash, _PARTS.unpack(_signature(own))))
        self._shingles.extend(map(self._numbers.__getitem__, own))
        self._ends.append(len(self._shingles))
        self._text_of.append(text)
        self._row_of_key[key] = row = len(self._text_of) - 1
        return row


def _signature(of: Iterable[str]) -> bytes:
    """The least hash of a text's shingles under each of BANDS × ROWS permutations."""
    made = cast(Any, rensa).RMinHash(num_perm=BANDS * ROWS, seed=SEED)
    made.update(list(of))
    return array("I", made.digest()).tobytes()
