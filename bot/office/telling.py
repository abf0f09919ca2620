"""Pure: answers as lines, before a platform gives them its markup."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a label that is set off ("" for none), and words. Both plain text, escaped by the platform.

    A command between backticks, `/like this`, is set as code by every platform. `link` is where the label leads; "": nowhere.
    """

    words: str
    label: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something the person may do next, as a button: `action` names it, `value` is the id it is about."""

    label: str
    action: str
    value: str
    style: str = ""  # "primary" | "danger" | ""
    confirm: str = ""  # what is asked before it is done; "" where nothing is


@dataclass(frozen=True, slots=True)
class Told:
    """An answer for one person: lines under a heading ("" for none), and what they may do next."""

    lines: Sequence[Line]
    heading: str = ""
    offers: tuple[Offer, ...] = ()


def told(*sentences: str) -> Told:
    """Sentences, a line each."""
    return Told([Line(sentence) for sentence in sentences])
