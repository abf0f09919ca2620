"""Pure: no moderator, no topic and no day may have too large a share of a version. Who has, keeps the oldest."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from curation.examples import Example, Kind, LeftOut

FROM_EXAMPLES = 50  # below that, a share says little
FROM_VALUES = 3  # of two moderators, one has at least half


@dataclass(frozen=True, slots=True)
class Caps:
    """The largest share of a version's examples, in (0, 1], that may come from one of each; 1: no cap.

    A cap begins to hold at FROM_EXAMPLES examples by FROM_VALUES different moderators (topics, days). Imported answers,
    which somebody chose as a whole, are nobody's and no day's.
    """

    moderator: float = 1.0
    topic: float = 1.0
    day: float = 1.0

    @property
    def shares(self) -> dict[str, float]:
        """Those that are set, by what they cap."""
        return {name: share for name in _REASONS if (share := getattr(self, name)) < 1}


_REASONS = {"moderator": LeftOut.MODERATOR_CAP, "topic": LeftOut.TOPIC_CAP, "day": LeftOut.DAY_CAP}


def over_caps(examples: Sequence[Example], caps: Caps) -> dict[str, LeftOut]:
    """Source id → which cap it is over; the examples are in id order, so oldest first."""
    over: dict[str, LeftOut] = {}
    if len(examples) < FROM_EXAMPLES:
        return over
    for name, reason in _REASONS.items():
        share: float = getattr(caps, name)
        if share >= 1:
            continue
        by_value: dict[str, list[str]] = defaultdict(list)
        for example in examples:
            if value := _value(example, name):
                by_value[value].append(example.source_id)
        if len(by_value) < FROM_VALUES:
            continue
        most = max(1, int(share * len(examples)))
        over |= {id: reason for ids in by_value.values() for id in ids[most:]}
    return over


def _value(example: Example, name: str) -> str:
    came_from = example.provenance
    return "" if name != "topic" and came_from.kind is Kind.IMPORT else getattr(came_from, name)
