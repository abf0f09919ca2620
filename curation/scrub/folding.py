"""A text as the rules read it: full-width and other digits as ASCII, odd spaces and dashes as plain ones, nothing invisible.

Positions in the folded text lead back to the original, so that what is cut is what a reader saw.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# What is folded to itself in most texts, so that they need not be gone through: letters of Latin, Greek, Cyrillic, kana, Chinese
# and Korean, quotation marks, the ellipsis and €. What is missing here is only slower.
_AS_IT_IS = (
    "\0-\x9f\xa1-\xa9\xab\xac\xae-\xb1\xb4\xb6-\xb8\xbb-\u017e\u0180-\u024f\u0388-\u03cf\u0400-\u052f"
    "\u2018-\u201f\u2026\u20ac\u3001\u3002\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3"
)
_TO_FOLD = re.compile(f"[^{_AS_IT_IS}]")
_INVISIBLE = "\u200b"  # what every character without a glyph is folded to, before it is left out


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is what the rules read. `origins[i]` is where its character i stands in the original; None: at i."""

    text: str
    origins: Sequence[int] | None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that `text[start:end]` (not empty) was folded from."""
        return (start, end) if self.origins is None else (self.origins[start], self.origins[end - 1] + 1)


class _Folds(dict[int, str]):
    """What each character is folded to, worked out when it is first met: always exactly one character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = folded = _folded(character)
        return folded


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if (
        category == "Cf" or "\ufe00" <= character <= "\ufe0f"
    ):  # joiners, direction marks, soft hyphens; variation selectors
        return _INVISIBLE
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    if category in ("Zl", "Zp"):
        return "\n"
    normal = unicodedata.normalize("NFKC", character)
    return normal if len(normal) == 1 else character


_FOLDS = _Folds()


def fold(text: str) -> Folded:
    """Fold a text. One of plain letters and signs comes back as it is."""
    if text.isascii() or not _TO_FOLD.search(text):
        return Folded(text, None)
    folded = text.translate(_FOLDS)
    if _INVISIBLE not in folded:
        return Folded(folded, None)
    origins = [position for position, character in enumerate(folded) if character != _INVISIBLE]
    return Folded(folded.replace(_INVISIBLE, ""), origins)
