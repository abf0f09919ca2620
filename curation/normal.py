"""Pure: a text as it is compared with others."""

import unicodedata


class _Letters(dict[int, str]):
    """A letter or digit as it is, anything else as a space; worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = kept = chr(code) if chr(code).isalnum() else " "
        return kept


_LETTERS = _Letters()


def normalised(text: str) -> str:
    """A text's key for comparison: NFKC, case folded, only letters and digits, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS).split())


def key_of(text: str) -> str:
    """Normalised, or the bare text for one of only emoji or signs (which normalises to nothing)."""
    return normalised(text) or text.strip()
