"""Pure: pairs of answers shown without names: which ones a moderator is asked about, in what order, and what all choices come to.

Left out are pairs whose answers are the same or were erased, and those made from a moderator's own correction. As evidence the
first choice on a pair counts: it does not change when somebody looks again. For a judge's agreement several people on one pair
are one verdict, their majority. Either way a busy pair weighs no more than a quiet one.
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
        prefers = Preference.NEITHER if vote.preference is Preference.UNFIT else vote.preference
        by_pair.setdefault((vote.run_id, vote.sample_id), Counter())[prefers] += 1
    return {pair: _majority(counts) for pair, counts in by_pair.items()}


def first_choices(votes: Sequence[PairVote]) -> list[tuple[str, Preference]]:
    """(Sample, preference) of whoever judged a pair of one run first, in the order they came. `votes` are oldest first."""
    first: dict[str, Preference] = {}
    for vote in votes:
        first.setdefault(vote.sample_id, vote.preference)
    return list(first.items())


def counted_pairs(votes: Sequence[PairVote]) -> Pairs:
    """The pairs of one run that people judged, as evidence takes them: by the first choice on each. `votes` are oldest first."""
    chosen = [preference for _, preference in first_choices(votes)]
    wins, losses = chosen.count(Preference.CANDIDATE), chosen.count(Preference.INCUMBENT)
    return Pairs(wins, losses, len(chosen) - wins - losses)


def _majority(counts: Counter[Preference]) -> Preference:
    candidate, incumbent = counts[Preference.CANDIDATE], counts[Preference.INCUMBENT]
    if 2 * max(candidate, incumbent) <= counts.total():
        return Preference.NEITHER
    return Preference.CANDIDATE if candidate > incumbent else Preference.INCUMBENT


def _chance(*parts: str) -> bytes:
    return hashlib.sha256("\0".join(parts).encode()).digest()
