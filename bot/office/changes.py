"""Pure: what changed between two texts, in one run of text that fits a card. The platform says how a change looks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.diff import Change, Piece

NEAR = 90  # characters of unchanged text shown on either side of a change, where the whole does not fit
WHOLE = 1_000_000  # more characters than any text of ours


@dataclass(frozen=True, slots=True)
class Look:
    """How a platform shows a diff: its escaping (a text and the characters it may have), what goes, what comes."""

    quoted: Callable[[str, int], str]
    deleted: Callable[[str], str]
    inserted: Callable[[str], str]
    limit: int  # characters of the whole, as it is sent


def shown_diff(pieces: Sequence[Piece], look: Look) -> tuple[str, bool]:
    """The diff, and whether words of it were left out.

    Where the whole does not fit, unchanged text is shown only near the changes, and then long changes are shortened.
    """
    said: list[str] = []
    for near, longest in ((WHOLE, WHOLE), (NEAR, look.limit), (NEAR, 600), (NEAR, 200), (40, 60)):
        said = _words(pieces, look, near, longest)
        if len(" ".join(said)) <= look.limit:
            return " ".join(said), near != WHOLE
    kept = 0
    while sum(map(len, said[: kept + 1])) + kept + 2 <= look.limit:
        kept += 1
    return " ".join([*said[:kept], "…"]), True


def _words(pieces: Sequence[Piece], look: Look, near: int, longest: int) -> list[str]:
    last = len(pieces) - 1
    return [said for at, piece in enumerate(pieces) if (said := _said(piece, look, near, longest, at == 0, at == last))]


def _said(piece: Piece, look: Look, near: int, longest: int, is_first: bool, is_last: bool) -> str:
    if not piece.text.strip():
        return ""
    match piece.change:
        case Change.SAME:
            return _surroundings(piece.text, look, near, is_first=is_first, is_last=is_last)
        case Change.DELETED:
            return look.deleted(look.quoted(piece.text, longest))
        case Change.INSERTED:
            return look.inserted(look.quoted(piece.text, longest))


def _surroundings(text: str, look: Look, near: int, *, is_first: bool, is_last: bool) -> str:
    """The ends of an unchanged stretch: what stands before the change that follows, and behind the one before it."""
    line = " ".join(text.split())
    if len(line) <= (near if is_first or is_last else 2 * near):
        return look.quoted(line, WHOLE)
    behind = "" if is_first else line[:near].rsplit(" ", 1)[0]
    before = "" if is_last else line[-near:].split(" ", 1)[-1]
    return " ".join(words for words in (look.quoted(behind, near), "…", look.quoted(before, near)) if words)
