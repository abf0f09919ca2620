"""Pure: how long a decision takes: how many more pairs would be needed now, and how many a test needs from the start.

`more_pairs` is for people who wait, `decided_by` for planning. Neither decides anything.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from statistics import median_low

from curation.evidence.pairs import EVEN, Pairs, log_evidence, log_threshold, wins_needed

RUNS = 500  # simulated continuations, of which the median is told
HORIZON = 5_000  # pairs; beyond, the answer is "not in any near future", and the number would mean nothing


@dataclass(frozen=True, slots=True)
class MorePairs:
    """How many more pairs a decision would probably take; `pairs` is None where the present rate never gets there."""

    pairs: int | None
    q: float  # the winning share that was assumed

    @property
    def sentence(self) -> str:
        """What a moderator reads."""
        match self.pairs:
            case None:
                return "Not reachable at the present rate."
            case 0:
                return "No more pairs are needed."
            case pairs if pairs > HORIZON:
                return f"More than {HORIZON:,} more pairs would be needed at the present rate."
            case 1:
                return "About one more pair is needed at the present rate."
            case pairs:
                return f"About {_rounded(pairs):,} more pairs are needed at the present rate."


def more_pairs(pairs: Pairs, alpha: float, q0: float = EVEN) -> MorePairs:
    """The median of 500 simulated continuations from `pairs`: their winning share, (S+1)/(n+2), and their share of ties go on.

    None at a winning share of at most `q0`. HORIZON + 1 where most continuations are not decided within HORIZON pairs. The
    same pairs always get the same answer. May compute for seconds, so not in an event loop.
    """
    q = (pairs.wins + 1) / (pairs.decisive + 2)
    if log_evidence(pairs.wins, pairs.decisive, q0) >= log_threshold(alpha):
        return MorePairs(0, q)
    if q <= q0:
        return MorePairs(None, q)
    needed = _table(alpha, q0, pairs.decisive, pairs.decisive + HORIZON)
    decisive_share = pairs.decisive / pairs.total
    chance = random.Random(f"{pairs.wins}/{pairs.losses}/{pairs.ties}/{alpha}/{q0}")
    return MorePairs(median_low(_continued(pairs, needed, q, decisive_share, chance) for _ in range(RUNS)), q)


def decided_by(q: float, alpha: float, decisive: int, q0: float = EVEN) -> list[float]:
    """The chance that E has reached 1/alpha after 0, 1, … `decisive` pairs with a winning share of `q`. Exact, no simulation.

    At `q` = `q0` this is the chance of a false decision; elsewhere it is the power; where it passes ½ is the median.
    """
    needed = _table(alpha, q0, 0, decisive)
    undecided = {0: 1.0}  # wins → chance of having so many and no decision yet
    decided = [0.0]
    for n in range(1, decisive + 1):
        after: dict[int, float] = {}
        crossed = 0.0
        for wins, chance in undecided.items():
            after[wins] = after.get(wins, 0.0) + chance * (1 - q)
            if wins + 1 >= needed[n]:
                crossed += chance * q
            else:
                after[wins + 1] = chance * q
        undecided = after
        decided.append(decided[-1] + crossed)
    return decided


def median_pairs(q: float, alpha: float, horizon: int, q0: float = EVEN) -> int | None:
    """After how many decisive pairs half of all tests are decided; None if not within `horizon`."""
    return next((n for n, chance in enumerate(decided_by(q, alpha, horizon, q0)) if chance >= EVEN), None)


@lru_cache(maxsize=16)
def _table(alpha: float, q0: float, start: int, upto: int) -> Sequence[int]:
    """The wins needed after `start` … `upto` decisive pairs."""
    return tuple(islice(wins_needed(alpha, q0, start=start), upto - start + 1))


def _continued(pairs: Pairs, needed: Sequence[int], q: float, decisive_share: float, chance: random.Random) -> int:
    wins, decisive = pairs.wins, pairs.decisive
    winning = decisive_share * q
    draw = chance.random
    for more in range(1, HORIZON + 1):
        drawn = draw()
        if drawn >= decisive_share:
            continue
        decisive += 1
        if drawn < winning:
            wins += 1
            if wins >= needed[decisive - pairs.decisive]:
                return more
    return HORIZON + 1


def _rounded(pairs: int) -> int:
    """Two figures are all a median of 500 can claim: 1,025 → 1,000; 37 → 37."""
    unit = 10 ** max(0, len(str(pairs)) - 2)
    return round(pairs / unit) * unit
