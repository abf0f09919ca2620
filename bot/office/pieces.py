"""Pure: a long text as pieces that fit a form's inputs, and put together again as it was."""

from collections.abc import Sequence

JOINT_LIMIT = 50  # characters of white space between two pieces
PARAGRAPH = "\n\n"


def cut(text: str, limit: int) -> tuple[list[str], tuple[str, ...]]:
    """`text` as pieces of at most `limit` characters, and the white space that stood between them: together they are the text.

    White space at a piece's ends would be lost on the way through a form, so cuts fall on it where there is any.
    """
    text = text.strip()
    pieces: list[str] = []
    joints: list[str] = []
    while len(text) > limit:
        window = text[:limit]
        ends = (window.rfind(PARAGRAPH), window.rfind("\n"), window.rfind(" "), limit)
        at = next(end for end in ends if end > limit // 3)
        piece, rest = text[:at].rstrip(), text[at:].lstrip()
        pieces.append(piece)
        joints.append(text[len(piece) : len(text) - len(rest)][:JOINT_LIMIT])
        text = rest
    return [*pieces, text], tuple(joints)


def joined(pieces: Sequence[str], joints: Sequence[str]) -> str:
    """The pieces put together again. An emptied piece takes the joint before it along; missing joints are paragraphs."""
    found = ""
    for number, piece in enumerate(pieces):
        joint = "" if number == 0 else joints[number - 1] if number <= len(joints) else PARAGRAPH
        found += (joint if found else "") + piece.strip() if piece.strip() else ""
    return found
