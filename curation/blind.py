"""Pure: pairs of answers shown without names: which ones a moderator is asked about, in what order, and what all choices come to.

Left out are pairs whose answers are the same or were erased, and those made from a moderator's own correction. Several people on
one pair are one verdict, their majority: otherwise a busy pair would weigh more than a quiet one.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.evidence import Pairs
from storage.records import Evaluation, PairVote, Preference, SampleScore, Suite


@dataclass(frozen=True, slots=True)
class BlindPair:
    """One pair as a moderator sees it."""

    run_id: str
    sample: SampleScore
    candidate_first: bool

    @property
    def texts(self) -> tuple[str, str]:
        """The answers in the order they are shown."""
        ours, theirs = self.sample.candidate_text, self.sample.incumbent_text
        return (ours, theirs) if self.candidate_first else (theirs, ours)


def can_be_shown(sample: SampleScore) -> bool:
    """Whether there is anything to choose between."""
    return (
        sample.suite is Suite.TARGET
        and bool(sample.question.strip())
        and sample.candidate_text.strip() != sample.incumbent_text.strip()
    )


def pairs_for(
    evaluation: Evaluation, actor_id: str, proposed_by: Mapping[str, str], chosen: Sequence[PairVote]
) -> list[BlindPair]:
    """The pairs of a run that this person may still judge, in an order of their own; `proposed_by` is by correction."""
    done = {vote.sample_id for vote in chosen if vote.actor_id == actor_id}
    found = [
        sample
        for sample in evaluation.samples
        if can_be_shown(sample)
        and sample.correction_id not in done
        and proposed_by.get(sample.correction_id) != actor_id
    ]
    found.sort(key=lambda sample: _chance(evaluation.run_id, sample.correction_id, actor_id, "order"))
    return [blind_pair(evaluation.run_id, sample, actor_id) for sample in found]


def blind_pair(run_id: str, sample: SampleScore, actor_id: str) -> BlindPair:
    """The pair with its sides as this person sees them, the same each time."""
    return BlindPair(run_id, sample, _chance(run_id, sample.correction_id, actor_id, "side")[0] % 2 == 0)


def preferences(votes: Sequence[PairVote]) -> dict[tuple[str, str], Preference]:
    """(Run, sample) → what the majority of those who judged it prefers; NEITHER where none is ahead."""
    by_pair: dict[tuple[str, str], Counter[Preference]] = {}
    for vote in votes:
        by_pair.setdefault((vote.run_id, vote.sample_id), Counter())[vote.preference] += 1
    return {pair: _majority(counts) for pair, counts in by_pair.items()}


def counted_pairs(votes: Sequence[PairVote]) -> Pairs:
    """The pairs that people judged, as evidence takes them."""
    counts = Counter(preferences(votes).values())
    return Pairs(counts[Preference.CANDIDATE], counts[Preference.INCUMBENT], counts[Preference.NEITHER])


def _majority(counts: Counter[Preference]) -> Preference:
    candidate, incumbent = counts[Preference.CANDIDATE], counts[Preference.INCUMBENT]
    if 2 * max(candidate, incumbent) <= counts.total():
        return Preference.NEITHER
    return Preference.CANDIDATE if candidate > incumbent else Preference.INCUMBENT


def _chance(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
