"""Pure: answers to one question that cannot both be right. Each is found with what differs, for a person to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import product

from curation.agreeing import is_negated, is_same_word, opposites, prompts_agree, words
from curation.normal import key_of
from curation.similar import Search
from curation.sketches import Sketches, jaccard, shingles
from curation.stated import Stated, read

AGREEING = 0.6  # Jaccard of two questions from which they may ask the same; `prompts_agree` has the last word
SAME_TEXT = 0.5  # of the shorter answer's words, that two answers share when they say the same
# A question asked a thousand times stays linear: of the different answers to one question, so many of the newest are compared
# with each other, and so many with those to another question that agrees.
MOST_COMPARED = 20
MOST_ACROSS = 5


class Differs(StrEnum):
    """What two answers differ in."""

    NUMBER = "number"
    NEGATION = "negation"  # one says no or the opposite
    URL = "url"
    DATE = "date"  # also weekdays and times of day
    TEXT = "text"  # they have too few words in common


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and its answer, by the id of what they belong to. `at` is when the answer began to hold."""

    id: str
    question: str
    answer: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """What one answer says and the other does not, in the spelling they were compared in; both empty for `TEXT`."""

    kind: Differs
    older: tuple[str, ...]
    newer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two ids whose questions agree and whose answers do not."""

    older: str
    newer: str
    similarity: float  # of the questions, in [0, 1]
    differences: tuple[Difference, ...]  # never empty


def contradictions(items: Sequence[Answered], sketches: Sketches | None = None) -> tuple[Contradiction, ...]:
    """Every pair that contradicts, oldest first. Items of one time are in the order of their ids.

    The same answer given again to the same question is compared once, as its newest.
    """
    newest: dict[tuple[str, str], Answered] = {}  # (question, answer) → the newest item that gives it
    askings: dict[str, list[Answered]] = {}
    for item in sorted(items, key=lambda item: (item.at, item.id)):
        asking = " ".join(words(item.question)) or item.question.strip()
        askings.setdefault(asking, [])
        newest.pop((asking, item.answer.strip()), None)
        newest[asking, item.answer.strip()] = item
    for (asking, _), item in newest.items():
        askings[asking].append(item)
    groups = [answers[-MOST_COMPARED:] for answers in askings.values()]
    del newest, askings  # as large as what the search needs
    found = [
        contradiction
        for group in groups
        for number, older in enumerate(group)
        for newer in group[number + 1 :]
        if (contradiction := _contradiction(older, newer, 1.0))
    ]
    sketches = sketches or Sketches()
    for pair in Search([group[0].question for group in groups], AGREEING, sketches).pairs():
        one, other = groups[pair.first], groups[pair.second]
        if not sketches.agree(one[0].question, other[0].question):
            continue
        for mine, theirs in product(one[-MOST_ACROSS:], other[-MOST_ACROSS:]):
            older, newer = sorted((mine, theirs), key=lambda item: (item.at, item.id))
            if contradiction := _contradiction(older, newer, pair.similarity):
                found.append(contradiction)
    position = {item.id: (item.at, item.id) for item in items}
    return tuple(sorted(found, key=lambda pair: (position[pair.newer], position[pair.older])))


def against(new: Answered, others: Sequence[Answered]) -> tuple[Contradiction, ...]:
    """What contradicts one new item among many: the same as `contradictions` finds, without looking for other pairs."""
    mine, asked = shingles(new.question), key_of(new.question)
    found: list[Contradiction] = []
    for other in others:
        is_same = key_of(other.question) == asked
        if not is_same and not AGREEING <= (len(other.question) + 1) / (len(new.question) + 1) <= 1 / AGREEING:
            continue  # far too short or too long to share enough; a first look, because shingles take a hundred times longer
        similarity = 1.0 if is_same else jaccard(mine, shingles(other.question))
        if similarity < AGREEING or not (is_same or prompts_agree(new.question, other.question)):
            continue
        older, newer = sorted((new, other), key=lambda item: (item.at, item.id))
        if contradiction := _contradiction(older, newer, similarity):
            found.append(contradiction)
    return tuple(sorted(found, key=lambda pair: (pair.older, pair.newer)))


def _contradiction(older: Answered, newer: Answered, similarity: float) -> Contradiction | None:
    differences = differing(older.answer, newer.answer)
    return Contradiction(older.id, newer.id, similarity, differences) if differences else None


def differing(older: str, newer: str) -> tuple[Difference, ...]:
    """What two answers to one question disagree in; () when they can both be right.

    Saying more is no disagreement: each must state something of a kind that the other does not.
    """
    one, other = _telling(older), _telling(newer)
    found: list[Difference] = []
    for kind, mine, theirs in (
        (Differs.NUMBER, one.stated.numbers, other.stated.numbers),
        (Differs.URL, one.stated.urls, other.stated.urls),
        (Differs.DATE, one.stated.dates, other.stated.dates),
    ):
        if mine - theirs and theirs - mine:
            found.append(Difference(kind, tuple(sorted(mine - theirs)), tuple(sorted(theirs - mine))))
    if _shared(one.rest, other.rest) < SAME_TEXT:
        return (*found, Difference(Differs.TEXT, (), ()))
    opposed = opposites(one.words, other.words)
    if opposed or one.is_negated != other.is_negated:
        found.append(Difference(Differs.NEGATION, tuple(a for a, _ in opposed), tuple(b for _, b in opposed)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Telling:
    """What of an answer counts when it is compared."""

    stated: Stated
    words: tuple[str, ...]
    rest: frozenset[str]  # of what it says beside what it states
    is_negated: bool


@lru_cache(maxsize=1_024)  # an answer is compared with several in a row; about 4 KB each
def _telling(answer: str) -> _Telling:
    stated, said = read(answer), tuple(words(answer))
    rest = said if stated.rest == answer else words(stated.rest)
    return _Telling(stated, said, frozenset(_parts(rest)), is_negated(answer, said))


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of the shorter text's words that the longer has, too, typos and endings aside; 1 when one of them has none."""
    shorter, longer = sorted((one, other), key=len)
    if not shorter:
        return 1.0
    return sum(
        word in longer or any(is_same_word(word, w) for w in longer if w[:1] == word[:1]) for word in shorter
    ) / len(shorter)


def _parts(of: Sequence[str]) -> set[str]:
    """Words of three letters and more (articles and the like say little); all when there are none; pairs of unspaced letters."""
    unspaced = {word[i : i + 2] for word in of for i in range(len(word) - 1) if "\u3040" <= word[i] <= "\u9fff"}
    return unspaced or {word for word in of if len(word) >= 3} or set(of)
