"""Pure: which texts say nearly the same. Pairs by exact Jaccard similarity of their shingles, and clusters that keep every id.

MinHash (Broder 1997) proposes: texts whose signatures agree in a whole band (Leskovec, Rajaraman, Ullman: Mining of Massive
Datasets, 3.4) are compared exactly, so that nothing below the threshold is ever a pair. What is at the threshold may be missed:
with 32 bands of 6, 2 in 1,000 pairs at a similarity of 0.75, none in practice above 0.85.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from curation.sketches import BANDS, Sketches

THRESHOLD = 0.75  # Jaccard, in [0, 1]: a typo, a changed ending or one word more in a question of fifteen words
# One text is compared with so many before it, the latest in each band first: what keeps 100,000 questions from one template
# linear. Who had more is counted in `Clusters.cut_short`, never lost in silence.
MOST_COMPARED = 24

Ask = Callable[[int, int], bool]
"""Two positions, the earlier first."""


def _never(first: int, second: int) -> bool:
    return False


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


def cluster(items: Sequence[Asked], threshold: float = THRESHOLD, sketches: Sketches | None = None) -> Clusters:
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

    texts = [item.question for item in items]
    sketches = sketches or Sketches()
    search = Search(texts, threshold, sketches)
    for pair in search.pairs(
        is_settled=lambda first, second: root(first) == root(second),
        is_ruled_out=lambda first, second: sketches.are_unlike(texts[first], texts[second]),
    ):
        first, second = root(pair.first), root(pair.second)
        if first != second and sketches.agree(texts[pair.first], texts[pair.second]):
            parent[max(first, second)] = min(first, second)
    members: dict[int, list[str]] = {}
    for position, item in enumerate(items):
        members.setdefault(root(position), []).append(item.id)
    return Clusters(tuple(tuple(ids) for _, ids in sorted(members.items())), search.cut_short)


class Search:
    """Finds the pairs of texts at or above a threshold. `cut_short` is set once the pairs have been gone through."""

    def __init__(self, texts: Sequence[str], threshold: float, sketches: Sketches | None = None) -> None:
        if not 0.0 < threshold <= 1.0:
            raise ValueError(f"The threshold is {threshold}; it has to be above 0 and at most 1.")
        self._threshold = threshold
        self._sketches = sketches or Sketches()
        self._cut_short: set[int] = set()
        self._compared: dict[int, array[int]] = {}
        same: dict[int, list[int]] = {}
        for position, text in enumerate(texts):
            if (row := self._sketches.row(text)) is not None:
                same.setdefault(row, []).append(position)
        self._rows = list(same)
        self._positions = list(same.values())  # of each row, the texts that are one when normalised

    @property
    def cut_short(self) -> int:
        """Texts that were not compared with all that look like them."""
        return sum(len(self._positions[own]) for own in self._cut_short)

    def pairs(self, is_settled: Ask = _never, is_ruled_out: Ask = _never) -> Iterator[Pair]:
        """Each pair once. One that `is_settled` says yes to (asked just before it would be compared) is passed over. One that
        `is_ruled_out` says yes to counts as compared, and is no pair.
        """
        for positions in self._positions:
            yield from (Pair(positions[0], other, 1.0) for other in positions[1:])
        for own, before in self._candidates():
            if not self._has_enough(own):
                yield from self._compare(own, before, is_settled, is_ruled_out)

    def _candidates(self) -> Iterator[tuple[int, Sequence[int]]]:
        """Each text and those before it that it shares a band with, the latest last; once for each band."""
        if len(self._rows) <= MOST_COMPARED:
            for own, row in enumerate(self._rows):
                before = [other for other in range(own) if self._sketches.share_a_part(row, self._rows[other])]
                if before:
                    yield own, before
            return
        for band in range(BANDS):
            keys = self._sketches.parts(band, self._rows)
            alike: dict[int, list[int]] = {key: [] for key, times in Counter(keys).items() if times > 1}
            for own in [own for own, key in enumerate(keys) if key in alike]:
                before = alike[keys[own]]
                if before:
                    yield own, before
                before.append(own)

    def _has_enough(self, own: int) -> bool:
        """Whether it was compared with as many as may be: a template's, in one band after another."""
        return own in self._cut_short and len(self._compared[own]) == MOST_COMPARED

    def _compare(self, own: int, others: Sequence[int], is_settled: Ask, is_ruled_out: Ask) -> Iterator[Pair]:
        if (compared := self._compared.get(own)) is None:
            compared = self._compared[own] = array("I")
        sketches, rows, positions = self._sketches, self._rows, self._positions
        second, size = positions[own][0], sketches.size(rows[own])
        mine: set[int] = set()
        for other in others[: -MOST_COMPARED - 1 : -1]:
            first = positions[other][0]
            if other in compared or is_settled(first, second):
                continue
            if len(compared) == MOST_COMPARED:
                self._cut_short.add(own)
                return
            compared.append(other)
            many = sketches.size(rows[other])
            if (size / many if size < many else many / size) < self._threshold or is_ruled_out(first, second):
                continue  # where one is so much longer, they cannot share enough
            mine = mine or set(sketches.shingles(rows[own]))
            shared = len(mine.intersection(sketches.shingles(rows[other])))
            similarity = shared / (size + many - shared)
            if similarity >= self._threshold:
                yield Pair(first, second, similarity)
        if len(others) > MOST_COMPARED and not is_settled(positions[others[0]][0], second):
            self._cut_short.add(own)
