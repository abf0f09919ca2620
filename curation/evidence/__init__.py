"""Pure: the statistics of every gate. Counts and votes in; evidence, intervals and sentences out. No I/O, no clock, no models.

A rule here may be looked at after every vote and still errs at most as often as promised; what may not says so. Formulae,
sources and what was checked against what: docs/decisions/0007-evidence.md. A bench holds the error rates and the medians.
"""

from curation.evidence.betting import Vote, least_difference, log_canary_harm, log_inferior, log_not_inferior, tally
from curation.evidence.findings import (
    Finding,
    Outcome,
    Release,
    harm_against_floor,
    harm_in_canary,
    harm_in_pairs,
    non_inferiority,
    release,
    rolls_back,
    shown,
    superiority,
)
from curation.evidence.length import LengthControlled, LengthPair, length_controlled
from curation.evidence.needed import MorePairs, decided_by, median_pairs, more_pairs
from curation.evidence.pairs import (
    Interval,
    Pairs,
    always_valid_p,
    confidence_sequence,
    log_evidence,
    log_threshold,
    pairs_by_arrival,
    wins_needed,
)
from curation.evidence.people import JudgeBeside, WithJudge, preference, with_judge
from curation.evidence.rates import TooFewVerdicts, WinRate, wilson, win_rate
from curation.evidence.rules import Counts, Rules, RulesChanged
from curation.evidence.votes import Blocks, VoteEvent, votes_that_count

__all__ = [
    "Blocks",
    "Counts",
    "Finding",
    "Interval",
    "JudgeBeside",
    "LengthControlled",
    "LengthPair",
    "MorePairs",
    "Outcome",
    "Pairs",
    "Release",
    "Rules",
    "RulesChanged",
    "TooFewVerdicts",
    "Vote",
    "VoteEvent",
    "WinRate",
    "WithJudge",
    "always_valid_p",
    "confidence_sequence",
    "decided_by",
    "harm_against_floor",
    "harm_in_canary",
    "harm_in_pairs",
    "least_difference",
    "length_controlled",
    "log_canary_harm",
    "log_evidence",
    "log_inferior",
    "log_not_inferior",
    "log_threshold",
    "median_pairs",
    "more_pairs",
    "non_inferiority",
    "pairs_by_arrival",
    "preference",
    "release",
    "rolls_back",
    "shown",
    "superiority",
    "tally",
    "votes_that_count",
    "wilson",
    "win_rate",
    "wins_needed",
    "with_judge",
]
