"""Pure: which texts say nearly the same. Pairs by exact Jaccard similarity of their shingles, and clusters that keep every id.

MinHash (Broder 1997) proposes: texts whose signatures agree in a whole band (Leskovec, Rajaraman, Ullman: Mining of Massive
Datasets, 3.4) are compared exactly, so that nothing below the threshold is ever a pair. What is at the threshold may be missed:
with 32 bands of 6, 2 in 1,000 pairs at a similarity of 0.75, none in practice above 0.85.
"""

import itertools
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import rensa  # no stubs; two calls, both in `_signature`

from curation.agreeing import prompts_agree
from curation.normal import key_of

THRESHOLD = 0.75  # Jaccard, in [0, 1]: a typo, a changed ending or one word more in a question of fifteen words
SHINGLE = 4  # characters; two where words have no spaces between them
BANDS, ROWS = 32, 6
SEED = 7  # any; the same for ever, so that the same texts give the same clusters
# One text is compared with so many before it, the latest in each band first: what keeps 100,000 questions from one template
# linear. Who had more is counted in `Clusters.cut_short`, never lost in silence.
MOST_COMPARED = 24
_UNSPACED = re.compile("[\u3040-\u9fff]")  # kana and Chinese characters
_WIDTH = 4 * ROWS  # bytes of a band of a signature


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts by their position, the earlier first, and their similarity in [0, 1]."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to compare, by the id of what it belongs to."""

    id: str
    question: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which ids ask the same. Every id given is in exactly one cluster, in the order given, so that its first is the oldest."""

    clusters: tuple[tuple[str, ...], ...]
    cut_short: int  # questions with more look-alikes than MOST_COMPARED

    @property
    def of(self) -> dict[str, str]:
        """id → the first id of its cluster: a name that stays as long as the oldest stays."""
        return {member: cluster[0] for cluster in self.clusters for member in cluster}


def cluster(items: Sequence[Asked], threshold: float = THRESHOLD) -> Clusters:
    """Join what asks nearly the same, directly or through others between.

    Alike is not enough: questions that differ in a number, a negation, an opposite ("enable", "disable") or a word that was
    exchanged are kept apart, however many letters they share.
    """
    parent = list(range(len(items)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    search = Search([item.question for item in items], threshold)
    for pair in search.pairs(is_settled=lambda first, second: root(first) == root(second)):
        first, second = root(pair.first), root(pair.second)
        if first != second and prompts_agree(items[pair.first].question, items[pair.second].question):
            parent[max(first, second)] = min(first, second)
    members: dict[int, list[str]] = {}
    for position, item in enumerate(items):
        members.setdefault(root(position), []).append(item.id)
    return Clusters(tuple(tuple(ids) for _, ids in sorted(members.items())), search.cut_short)


def shingles(text: str) -> frozenset[str]:
    """What two texts are compared by: every run of SHINGLE characters of the normalised text, or the text if it is shorter."""
    text = key_of(text)
    length = SHINGLE if text.isascii() or not _UNSPACED.search(text) else 2
    if len(text) <= length:
        return frozenset({text} if text else ())
    return frozenset([text[start : start + length] for start in range(len(text) - length + 1)])


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared over all; two empty sets are not alike."""
    return len(one & other) / len(one | other) if one and other else 0.0


class Search:
    """Finds the pairs of texts at or above a threshold. `cut_short` is set once the pairs have been gone through."""

    def __init__(self, texts: Sequence[str], threshold: float) -> None:
        if not 0.0 < threshold <= 1.0:
            raise ValueError(f"The threshold is {threshold}; it has to be above 0 and at most 1.")
        self._threshold = threshold
        self._cut_short: set[int] = set()
        self._compared: dict[int, array[int]] = {}
        same: dict[str, list[int]] = {}
        for position, text in enumerate(texts):
            same.setdefault(key_of(text), []).append(position)
        same.pop("", None)
        self._positions = list(same.values())  # the texts that are one when normalised
        self._bands = [array("q") for _ in range(BANDS)]  # of each, every text's part, hashed: 8 bytes instead of 57
        self._shingles: list[array[int]] = []  # as numbers
        numbers: dict[str, int] = defaultdict(itertools.count().__next__)
        for text in same:
            own = shingles(text)
            signature = _signature(own)
            for band, start in zip(self._bands, range(0, BANDS * _WIDTH, _WIDTH), strict=True):
                band.append(hash(signature[start : start + _WIDTH]))
            self._shingles.append(array("I", map(numbers.__getitem__, own)))

    @property
    def cut_short(self) -> int:
        """Texts that were not compared with all that look like them."""
        return sum(len(self._positions[own]) for own in self._cut_short)

    def pairs(self, is_settled: Callable[[int, int], bool] = lambda first, second: False) -> Iterator[Pair]:
        """Each pair once. One that `is_settled` says yes to (asked just before it would be compared) is passed over."""
        for positions in self._positions:
            yield from (Pair(positions[0], other, 1.0) for other in positions[1:])
        for keys in self._bands:
            times = Counter(keys)
            alike: dict[int, list[int]] = {}
            for own, key in enumerate(keys):
                if times[key] == 1:  # of questions that nobody asks alike, nearly all
                    continue
                before = alike.setdefault(key, [])
                if before:
                    yield from self._compare(own, before, is_settled)
                before.append(own)

    def _compare(self, own: int, others: Sequence[int], is_settled: Callable[[int, int], bool]) -> Iterator[Pair]:
        compared = self._compared.setdefault(own, array("I"))
        if own in self._cut_short and len(compared) == MOST_COMPARED:
            return  # a template's, in one band after another
        mine: set[int] = set()
        for other in others[: -MOST_COMPARED - 1 : -1]:
            first, second = self._positions[other][0], self._positions[own][0]
            if other in compared or is_settled(first, second):
                continue
            if len(compared) == MOST_COMPARED:
                self._cut_short.add(own)
                return
            compared.append(other)
            mine = mine or set(self._shingles[own])
            shared = len(mine.intersection(self._shingles[other]))
            similarity = shared / (len(mine) + len(self._shingles[other]) - shared)
            if similarity >= self._threshold:
                yield Pair(first, second, similarity)
        if len(others) > MOST_COMPARED and not is_settled(self._positions[others[0]][0], self._positions[own][0]):
            self._cut_short.add(own)


def _signature(of: Iterable[str]) -> bytes:
    """The least hash of a text's shingles under each of BANDS × ROWS permutations."""
    made = cast(Any, rensa).RMinHash(num_perm=BANDS * ROWS, seed=SEED)
    made.update(list(of))
    return array("I", made.digest()).tobytes()
