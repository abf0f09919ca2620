"""Pure: counts in, a finding out: proven, not proven or harmful, with the numbers in a sentence that a moderator understands.

"Not proven" never means equal, and never worse. Each finding is about the counts at this moment; whoever looks after every
vote stops at the first that is not "not proven", and that keeps the promised chance of error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, floor
from statistics import fmean

from curation.evidence.betting import (
    Vote,
    least_difference,
    log_canary_harm,
    log_inferior,
    log_not_inferior,
    tally,
)
from curation.evidence.needed import more_pairs
from curation.evidence.pairs import EVEN, Pairs, confidence_sequence, log_evidence, log_threshold
from curation.evidence.rules import Rules

MOST_SHOWN = 1_000_000  # beyond, another digit of evidence tells nobody anything
LOG_MOST_SHOWN = 13.815510557964274  # ln of it
WHOLE_FROM = 100  # evidence from here on is shown without a decimal
NAMED = 5  # corrections in a sentence; the report names them all


class Outcome(StrEnum):
    """What the numbers say of the candidate."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found. `outcome` holds where `log_evidence` has reached `log_threshold`; else it is NOT_PROVEN."""

    rule: str  # what was asked: "better on the target set"
    outcome: Outcome
    log_evidence: float  # of the outcome; while nothing is proven, that of the good one (a harm rule: of harm)
    log_threshold: float
    cases: int  # pairs or votes that count
    sentence: str


@dataclass(frozen=True, slots=True)
class Release:
    """Whether a candidate may go on to the canary, and the sentence that says why or what is missing."""

    outcome: Outcome
    sentence: str


def superiority(pairs: Pairs, rules: Rules, *, on: str = "the target set") -> Finding:
    """Is the candidate preferred more often than the rules ask? Harmful where the incumbent is, provably."""
    asked = f"better on {on}"
    ours = log_evidence(pairs.wins, pairs.decisive, rules.q0)
    theirs = log_evidence(pairs.losses, pairs.decisive, max(EVEN, 1 - rules.q0))
    needed = log_threshold(rules.alpha)
    bounds = confidence_sequence(pairs.wins, pairs.decisive, rules.alpha)
    share = f"Its share of wins lies between {_percent(bounds.low)} and {_percent(bounds.high)}"
    if ours >= needed:
        sentence = f"The new model is better on {on}: it won {_counted(pairs)}. {_reached(ours, rules.alpha)}. {share}."
        return Finding(asked, Outcome.PROVEN, ours, needed, pairs.decisive, sentence)
    if theirs >= needed:
        sentence = (
            f"The new model is worse on {on}: it lost {_counted(pairs.swapped)}. "
            f"{_reached(theirs, rules.alpha)}. {share}."
        )
        return Finding(asked, Outcome.HARMFUL, theirs, needed, pairs.decisive, sentence)
    if not pairs.decisive:
        nothing = f"No pair on {on} was decisive yet{_ties(pairs)}, so nothing is proven."
        return Finding(asked, Outcome.NOT_PROVEN, ours, needed, 0, nothing)
    more = more_pairs(pairs, rules.alpha, rules.q0).sentence
    sentence = f"Not proven that the new model is better on {on}: it won {_counted(pairs)}. {_missing(ours, rules.alpha)}. {more}"
    return Finding(asked, Outcome.NOT_PROVEN, ours, needed, pairs.decisive, sentence)


def non_inferiority(differences: Sequence[float], margin: float, rules: Rules, *, on: str) -> Finding:
    """Does the candidate lose less than `margin` on average? Harmful where it provably loses more.

    Differences are candidate minus incumbent, in [-1, 1], one per sample; ties (0) count. `on` names the set.
    """
    asked = f"not worse on {on}"
    ours, theirs = log_not_inferior(differences, margin), log_inferior(differences, margin)
    needed = log_threshold(rules.alpha)
    if not differences:
        return Finding(asked, Outcome.NOT_PROVEN, 0.0, needed, 0, f"Nothing was asked on {on}, so nothing is proven.")
    numbers = f"{fmean(differences):+.3f} on average over {_some(len(differences), 'question')}, where -{margin:.3f} is allowed"
    least = f"At worst {least_difference(differences, rules.alpha):+.3f}"
    if ours >= needed:
        sentence = f"The new model holds up on {on}: {numbers}. {_reached(ours, rules.alpha)}. {least}."
        return Finding(asked, Outcome.PROVEN, ours, needed, len(differences), sentence)
    if theirs >= needed:
        sentence = f"The new model loses too much on {on}: {numbers}. {_reached(theirs, rules.alpha)}."
        return Finding(asked, Outcome.HARMFUL, theirs, needed, len(differences), sentence)
    sentence = f"Not proven that the new model holds up on {on}: {numbers}. {_missing(ours, rules.alpha)}. {least}."
    return Finding(asked, Outcome.NOT_PROVEN, ours, needed, len(differences), sentence)


def harm_in_pairs(pairs: Pairs, rules: Rules) -> Finding:
    """Is the incumbent preferred more often than the candidate, both given to half of the conversations?"""
    said = f"people preferred the other model's reply in {_counted(pairs.swapped)}"
    return _harm("worse than the model before", log_evidence(pairs.losses, pairs.decisive), pairs.decisive, said, rules)


def harm_against_floor(good: int, votes: int, rules: Rules) -> Finding:
    """Do fewer of the canary's replies get a thumb up than the floor asks?"""
    said = f"{good:,} of {_some(votes, 'vote')} were thumbs up, where {_percent(rules.floor)} is the least"
    return _harm("below the floor", log_evidence(votes - good, votes, 1 - rules.floor), votes, said, rules)


def harm_in_canary(votes: Sequence[Vote], rules: Rules) -> Finding:
    """Does the canary get fewer thumbs up than the incumbent, whatever share of the conversations each was given?

    `votes` in the order they came, one per person and reply.
    """
    counted = tally(votes)
    said = (
        f"{counted.candidate_good:,} of {_some(counted.candidate_votes, 'vote')} on its replies were thumbs up, "
        f"and {counted.incumbent_good:,} of {counted.incumbent_votes:,} on the model before"
    )
    log_harm = log_canary_harm(votes, rules.candidate_share)
    return _harm("worse than the model before", log_harm, len(votes), said, rules)


def rolls_back(findings: Sequence[Finding]) -> Finding | None:
    """The first harm found, which rolls the canary back; None while there is none."""
    return next((finding for finding in findings if finding.outcome is Outcome.HARMFUL), None)


def release(findings: Sequence[Finding], *, ledger_broken: Sequence[str] = ()) -> Release:
    """All must be proven, and no learned correction broken (`ledger_broken` names those that are). No finding proves nothing.

    All of several tests must pass, so each may use the whole alpha (intersection-union).
    """
    harmful = [finding.sentence for finding in findings if finding.outcome is Outcome.HARMFUL]
    if ledger_broken:
        harmful.append(_forgot(ledger_broken))
    if harmful:
        return Release(Outcome.HARMFUL, " ".join(harmful))
    not_proven = [finding.sentence for finding in findings if finding.outcome is Outcome.NOT_PROVEN]
    if not_proven:
        return Release(Outcome.NOT_PROVEN, " ".join(not_proven))
    if not findings:
        return Release(Outcome.NOT_PROVEN, "Nothing was asked, so nothing is proven.")
    return Release(Outcome.PROVEN, " ".join(finding.sentence for finding in findings))


def _forgot(corrections: Sequence[str]) -> str:
    named = ", ".join(corrections[:NAMED])
    more = f" and {len(corrections) - NAMED:,} more" if len(corrections) > NAMED else ""
    return (
        f"The new model forgot {_some(len(corrections), 'correction')} that a model before had learned: {named}{more}."
    )


def shown(log_e: float) -> str:
    """The evidence number as people see it, rounded down, so that it never seems to reach what it has not reached."""
    if log_e >= LOG_MOST_SHOWN:
        return f"more than {MOST_SHOWN:,}"
    evidence = exp(log_e) * (1 + 1e-12)  # exactly 20 comes out of the logarithm as 19.99…
    if evidence >= WHOLE_FROM:
        return f"{floor(evidence):,}"
    return f"{floor(evidence * 10) / 10:.1f}" if evidence >= 0.1 else "less than 0.1"


def _harm(asked: str, log_harm: float, cases: int, said: str, rules: Rules) -> Finding:
    needed = log_threshold(rules.each_harm_alpha)
    if log_harm >= needed:
        sentence = f"The new model does harm ({asked}): {said}. {_reached(log_harm, rules.each_harm_alpha)}."
        return Finding(asked, Outcome.HARMFUL, log_harm, needed, cases, sentence)
    sentence = f"No harm is proven ({asked}): {said}. {_missing(log_harm, rules.each_harm_alpha)}."
    return Finding(asked, Outcome.NOT_PROVEN, log_harm, needed, cases, sentence)


def _counted(pairs: Pairs) -> str:
    return f"{pairs.wins:,} of {_some(pairs.decisive, 'decisive pair')}{_ties(pairs)}"


def _ties(pairs: Pairs) -> str:
    return f" ({_some(pairs.ties, 'tie')} left out)" if pairs.ties else ""


def _reached(log_e: float, alpha: float) -> str:
    return f"Evidence {shown(log_e)}, needed {_needed(alpha)}: an error at most once in {_needed(alpha)}"


def _missing(log_e: float, alpha: float) -> str:
    return f"Evidence {shown(log_e)} of the {_needed(alpha)} needed"


def _needed(alpha: float) -> str:
    return f"{1 / alpha:.4g}"


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _some(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
