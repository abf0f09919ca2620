"""Pure: what changed between two texts, word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

# A word with the white space behind it; a sign of Chinese or Japanese stands alone, because no space parts their words.
_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]\s*|[^\s\u3040-\u30ff\u3400-\u9fff]+\s*")


class Change(StrEnum):
    """What became of a piece."""

    SAME = "same"
    DELETED = "deleted"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that share one fate. White space is kept, so joining the pieces of one side gives its text."""

    change: Change
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """Pieces in reading order: SAME and DELETED make up `before`, SAME and INSERTED make up `after` (but for outer space).

    White space alone is no change. Where words were replaced, the deleted ones come first. A few words that only happen to
    stand in both, between larger changes, count as replaced, so that a rewritten sentence reads as one sentence.
    """
    old, new = _WORDS.findall(before.strip()), _WORDS.findall(after.strip())
    matcher = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new])
    runs = [
        _Run(tag == "equal", "".join(old[old_from:old_to]), "".join(new[new_from:new_to]))
        for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes()
    ]
    pieces: list[Piece] = []
    for run in _without_coincidences(runs):
        if run.is_same:
            pieces.append(Piece(Change.SAME, run.new))
        else:
            pieces += [Piece(change, text) for change, text in zip(_CHANGES, (run.old, run.new), strict=True) if text]
    return pieces


_CHANGES = (Change.DELETED, Change.INSERTED)


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of both texts that is the same, or that was replaced."""

    is_same: bool
    old: str
    new: str

    @property
    def size(self) -> int:
        return max(len(self.old), len(self.new))


def _without_coincidences(runs: list[_Run]) -> list[_Run]:
    """Join a same run with the changes on its two sides where both are at least as large (as diff-match-patch does)."""
    kept: list[_Run] = []
    for run in runs:
        kept.append(run)
        while len(kept) >= 3 and _is_coincidence(*kept[-3:]):
            left, middle, right = kept[-3:]
            kept[-3:] = [_Run(False, left.old + middle.old + right.old, left.new + middle.new + right.new)]
    return kept


def _is_coincidence(left: _Run, middle: _Run, right: _Run) -> bool:
    return middle.is_same and not left.is_same and not right.is_same and middle.size <= min(left.size, right.size)
