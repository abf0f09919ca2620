"""Pure: may this fix be shown for this question? Words forbid, then words and meaning together decide.

Embeddings alone must not: "enable SSO" and "disable SSO" have a cosine of .86. So opposites, other numbers and other names
forbid a fix whatever its score; what is left is weighed by a logistic model whose weights bench/recall.py fits (`--fit`) on the
open half of tests/curation/recall.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from curation.recall.weights import WEIGHTS
from curation.recall.words import Reading, stem


class Veto(StrEnum):
    """Why a fix is never shown for a question, however alike they look."""

    OPPOSITE = "asks for the opposite"
    NUMBER = "speaks of another number"
    NAME = "speaks of something else by name"


# Pairs of sides. A word of one side in the question and a word of the other in the correction, each without its counterpart,
# are opposites. General English, not taken from the corpus of the bench; un-, dis- and de- are seen by their prefix.
_SIDES = tuple(
    (frozenset(map(stem, left.split())), frozenset(map(stem, right.split())))
    for left, right in (
        ("enable activate allow", "disable deactivate forbid"),
        ("add invite join include", "remove kick leave exclude delete"),
        ("create make", "delete remove destroy"),
        ("pause suspend", "resume restart continue start"),
        ("open start begin", "close end finish stop"),
        ("upgrade", "downgrade"),
        ("import", "export"),
        ("upload", "download"),
        ("buy purchase", "sell"),
        ("increase raise", "decrease lower reduce"),
        ("monthly", "yearly annual annually"),
        ("public", "private"),
        ("keep archive", "delete"),
        ("restore recover", "delete"),
        ("send", "receive"),
        ("deposit", "withdraw"),
        ("accept approve", "decline reject refuse"),
        ("weak", "strong"),
        ("hot", "cold"),
        ("loud", "quiet"),
        ("min minimum", "max maximum"),
        ("early", "late"),
        ("show", "hide"),
        ("cancel terminate", "renew extend"),
        ("reserve book", "cancel"),
        ("borrow", "lend"),
        ("before", "after"),
        ("first", "last"),
        ("with", "without"),
    )
)
_DIRECTIONS = (("to", "from"), ("into", "from"))  # only where they are the one difference: "ship to", "ship from"
_EITHER_SIDE = frozenset(word for pair in _SIDES for side in pair for word in side)
_PREFIXES = ("un", "dis", "de")

Weigh = Callable[[str], float]
"""How much a term says: rare ones more."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fix's side of a comparison: its question and answer, read."""

    question: Reading
    answer: Reading


@dataclass(frozen=True, slots=True)
class Meaning:
    """Cosines of the question with the fix's question and with its answer, in [-1, 1]."""

    question: float
    answer: float


def veto(asked: Reading, candidate: Candidate) -> Veto | None:
    """The reason that forbids the fix, if any."""
    known = candidate.question
    if is_opposite(asked, known):
        return Veto.OPPOSITE
    if asked.numbers and known.numbers and asked.numbers.isdisjoint(known.numbers):
        return Veto.NUMBER
    shared = set(asked.terms) & set(known.terms)
    if shared and _other_names(asked, candidate) and _missing_names(asked, known):
        return Veto.NAME
    return None


def is_opposite(one: Reading, other: Reading) -> bool:
    """Whether two questions ask for opposite things. Symmetric."""
    a, b = one.stems, other.stems
    for left, right in () if a.isdisjoint(_EITHER_SIDE) or b.isdisjoint(_EITHER_SIDE) else _SIDES:
        for here, there in ((left, right), (right, left)):
            if a & here and b & there and not a & there and not b & here:
                return True
    for here, there in ((a - b, b - a), (b - a, a - b)):
        if any(word.startswith(_PREFIXES) and _bare(word) & here for word in there):
            return True
    words, others = set(one.words), set(other.words)
    return set(one.terms) == set(other.terms) and any(
        (x in words and y in others and y not in words and x not in others)
        or (y in words and x in others and x not in words and y not in others)
        for x, y in _DIRECTIONS
    )


def _bare(word: str) -> set[str]:
    """What a word may be the opposite of by its prefix: "unlink" of "link"."""
    return {word[len(prefix) :] for prefix in _PREFIXES if word.startswith(prefix) and len(word) > len(prefix) + 2}


def _other_names(asked: Reading, candidate: Candidate) -> bool:
    return any(n not in candidate.question.stems and n not in candidate.answer.stems for n in asked.names)


def _missing_names(asked: Reading, known: Reading) -> bool:
    return not known.names <= asked.stems


def features(asked: Reading, candidate: Candidate, meaning: Meaning | None, weigh: Weigh) -> tuple[float, ...]:
    """What the decision rests on, in the order of the weights. Shares are of the terms' weight, in [0, 1]."""
    known = candidate.question
    in_known, in_asked = _in_both(asked.terms, known.terms)
    in_answer = [t for t in asked.terms if t in in_known or t in candidate.answer.terms]
    covers = _share(in_known, asked.terms, weigh)
    covered = _share(in_asked, known.terms, weigh)
    both_differ = len(in_known) < len(asked.terms) and len(in_asked) < len(known.terms)
    overlap = min(covers, covered)
    grams = _cosine(asked.grams, known.grams)
    same_frame = len(asked.words) > 2 and len(known.words) > 2 and asked.words[:3] == known.words[:3]
    words = (
        covers,
        covered,
        covers * covered,
        _share(in_answer, asked.terms, weigh),
        grams,
        math.sqrt(grams),
        overlap if both_differ else 0.0,
        float(both_differ and same_frame),
        float(_missing_names(asked, known)),
        float(_other_names(asked, candidate)),
        float(asked.is_negated != known.is_negated),
        float(bool(asked.numbers) and not known.numbers),
        min(len(asked.terms), 6) / 6,
        1 - len(in_known) / max(1, len(asked.terms)),
    )
    if meaning is None:
        return words
    close = max(meaning.question, 0.0)
    return (*words, close, max(meaning.answer, 0.0), close * close, close * overlap)


def chance(model: str, asked: Reading, candidate: Candidate, meaning: Meaning | None, weigh: Weigh) -> float:
    """The chance that the fix answers the question, in [0, 1], by the weights fitted for `model` ("words" without one)."""
    constant, *weights = WEIGHTS[model]
    values = features(asked, candidate, meaning, weigh)
    total = constant + sum(weight * value for weight, value in zip(weights, values, strict=True))
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, total))))


def is_repeat(asked: Reading, candidate: Candidate) -> bool:
    """Whether the same was asked before but for spelling, order and small words: then the correction's own words fit."""
    known = candidate.question
    if asked.text == known.text:
        return True
    return (
        bool(asked.terms)
        and set(asked.terms) == set(known.terms)
        and asked.is_negated == known.is_negated
        and asked.numbers == known.numbers
        and (asked.asks == known.asks or not asked.asks or not known.asks)
        and _cosine(asked.grams, known.grams) >= 0.6
    )


def _in_both(terms: tuple[str, ...], others: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Of the terms of either side those that the other has, or has one alike to, in their order."""
    here, there = set(terms), set(others)
    by_letter: dict[str, list[str]] = {}
    for other in others:
        by_letter.setdefault(other[0], []).append(other)
    found, found_there = here & there, here & there
    for term in terms:
        for other in by_letter.get(term[0], ()):
            if term != other and _alike(term, other):
                found.add(term)
                found_there.add(other)
    return [term for term in terms if term in found], [other for other in others if other in found_there]


@lru_cache(maxsize=50_000)
def _alike(one: str, other: str) -> bool:
    """Of two stems with the same first letter: one the beginning of the other ("zip", "zipper" are not: too short to tell), or
    one typing error.
    """
    shorter = min(len(one), len(other))
    if shorter < 4 or not one[0].isalpha():
        return False
    return one.startswith(other) or other.startswith(one) or (shorter > 4 and _one_error(one, other))


def _one_error(one: str, other: str) -> bool:
    """One letter more, less, other, or two swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[at:], other[at:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _share(some: list[str], of: tuple[str, ...], weigh: Weigh) -> float:
    total = sum(map(weigh, of))
    return sum(map(weigh, some)) / total if total else 0.0


def _cosine(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / math.sqrt(len(one) * len(other)) if one and other else 0.0
