"""Pure: what an experiment fixed before its first vote. Numbers that may be chosen after looking prove nothing.

The audit log keeps the seal; an experiment whose numbers no longer give it refuses to decide. A change is a new experiment,
which begins at E = 1.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum

from curation.evidence.pairs import EVEN

HARM_RULES = 3  # against the incumbent in pairs, against it at unequal shares, against the floor
PEOPLE = frozenset(
    {"counts", "judge", "judged_at", "people_hours"}
)  # what came later: left out of a seal at its default
NOT_SHARES = (
    frozenset({"sets", "seed", "canary_votes", "canary_hours"}) | PEOPLE
)  # every other number lies between 0 and 1
MAY_BE_ZERO = frozenset({"candidate_share", "decisive"})


class Counts(StrEnum):
    """What shows on the target set that the candidate is better."""

    SCORES = "scores"  # nearness to the approved answers
    PEOPLE = "people"  # moderators' choices on blind pairs, and a calibrated judge's beside them


class RulesChanged(RuntimeError):
    """The numbers in use are not those that were sealed; the message says how to go on."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of one experiment. Alphas are chances of a false decision over its whole life, however often one looks."""

    alpha: float = 0.05  # of promoting a candidate that is no better, or calling one safe that is not
    harm_alpha: float = (
        0.10  # of rolling back one that does no harm, all harm rules together; looser, as rolling back is cheap
    )
    q0: float = EVEN  # the winning share that must be beaten
    decisive: float = 0.02  # the least difference of two scores that is no tie, in points of [0, 1]
    general_margin: float = 0.10  # the mean score the candidate may lose on the general set, in points of [0, 1]
    safety_margin: float = 0.10  # the same for the safety set
    floor: float = 0.60  # the share of thumbs up below which the canary is harmful whatever the incumbent's is
    candidate_share: float = 0.10  # the chance with which a conversation is given to the canary; 0: there is none
    canary_votes: int = 60  # a canary with so many votes on its replies and no harm is over
    canary_hours: float = 72.0  # and one this old, whatever its votes
    sets: tuple[str, ...] = ()  # ids of the sets asked, so that another set is another experiment
    seed: int = 0  # of the assignment and of the order of blind pairs
    counts: Counts = Counts.SCORES
    judge: str = ""  # key of the judge that counts beside people, because it agreed with them before; "": none does
    judged_at: int = 60  # pairs judged by people after which the judge's verdicts are looked at, once
    people_hours: float = 72.0  # that people have, from the comparison on; undecided by then is not proven

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name in NOT_SHARES or (value == 0 and name in MAY_BE_ZERO):
                continue
            if not 0 < value < 1:
                raise ValueError(f"{name} is {value}; it must lie between 0 and 1.")
        if self.judged_at < 2 or self.people_hours <= 0:
            raise ValueError(
                f"People cannot decide by {self.judged_at} pairs within {self.people_hours} hours; at least 2, and above 0."
            )
        if self.canary_votes < 1 or self.canary_hours <= 0:
            raise ValueError(
                f"A canary cannot end after {self.canary_votes} votes or {self.canary_hours} hours; both must be above 0."
            )

    @property
    def each_harm_alpha(self) -> float:
        """Each harm rule's part, so that all three together keep to `harm_alpha`."""
        return self.harm_alpha / HARM_RULES

    @property
    def people_alpha(self) -> float:
        """What people's choices may err by: with a judge that counts, half of `alpha`, and the look with it the other half."""
        return self.alpha / 2 if self.judge else self.alpha

    def seal(self) -> str:
        """The SHA-256 of these numbers, 64 hexadecimal digits: written down before the first vote."""
        usual = {field.name: field.default for field in fields(self) if field.name in PEOPLE}
        numbers = {name: value for name, value in asdict(self).items() if name not in usual or value != usual[name]}
        written = json.dumps(numbers, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(written.encode()).hexdigest()

    def check(self, seal: str) -> None:
        """Raise RulesChanged unless these are the numbers that were sealed."""
        if self.seal() != seal:
            raise RulesChanged(
                f"The rules of this experiment (seal {self.seal()[:12]}) are not those written down before its first vote "
                f"({seal[:12]}), so it decides nothing. Restore the settings, or begin a new experiment."
            )
