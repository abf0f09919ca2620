"""Pure: a text as it is compared with others."""

import unicodedata


def normalised(text: str) -> str:
    """A text's key for comparison: NFKC, case folded, only letters and digits, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def key_of(text: str) -> str:
    """Normalised, or the bare text for one of only emoji or signs (which normalises to nothing)."""
    return normalised(text) or text.strip()
