"""Pure: which cases a run asks: an owner's own first, then the shipped ones, each suite up to its size, always the same ones."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from curation.suites.cases import Case
from storage.records import Suite


@dataclass(frozen=True, slots=True)
class SuiteSizes:
    """How many cases of each suite a run asks at most; 0: none."""

    general: int
    safety: int

    def of(self, suite: Suite) -> int:
        """The size of this suite."""
        return {Suite.GENERAL: self.general, Suite.SAFETY: self.safety}.get(suite, 0)


def chosen(own: Sequence[Case], shipped: Sequence[Case], sizes: SuiteSizes, seed: int) -> tuple[Case, ...]:
    """The cases to ask, by suite. Which of more than fit is decided by a hash of seed and id: a new case moves few others.

    A shipped case that has an id of one's own gives way to it.
    """
    taken = {(case.suite, case.id) for case in own}
    pool = [*own, *(case for case in shipped if (case.suite, case.id) not in taken)]
    found: list[Case] = []
    for suite in (Suite.GENERAL, Suite.SAFETY):
        ranked = sorted(
            (case for case in pool if case.suite is suite),
            key=lambda case: ((suite, case.id) not in taken, _rank(seed, case.id)),
        )
        found += ranked[: sizes.of(suite)]
    return tuple(found)


def _rank(seed: int, id: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{id}".encode()).digest()
