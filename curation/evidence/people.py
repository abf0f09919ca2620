"""Pure: is the candidate preferred in blind pairs? People's choices at any moment, and once, at a number of pairs sealed
beforehand, with a judge's beside them. A judge without people gives no evidence at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log
from statistics import NormalDist

from curation.evidence.findings import Finding, Outcome, shown, superiority
from curation.evidence.pairs import Pairs, log_threshold
from curation.evidence.rates import WinRate, win_rate
from curation.evidence.rules import Rules

LEAST_CHANCE = 1e-300  # below, a chance counts as this much: its logarithm has to be a number


@dataclass(frozen=True, slots=True)
class JudgeBeside:
    """A judge's verdicts and people's, 1 for the candidate, 0 for the incumbent, 0.5 for neither.

    `people` and `judge` are of the first `Rules.judged_at` pairs that people judged, in one order; `judge_only` are of the
    pairs that nobody had judged by then.
    """

    people: Sequence[float]
    judge: Sequence[float]
    judge_only: Sequence[float]


@dataclass(frozen=True, slots=True)
class WithJudge:
    """What people's verdicts with a judge's beside them give."""

    rate: WinRate
    log_evidence: float  # -ln of the one-sided p-value of the win rate
    log_threshold: float

    @property
    def is_proven(self) -> bool:
        """Whether the candidate is preferred by it."""
        return self.log_evidence >= self.log_threshold

    @property
    def sentence(self) -> str:
        """The numbers, as the end of a sentence."""
        rate = self.rate
        return (
            f"it is preferred in {rate.rate:.0%} (at least {rate.interval.low:.0%}), by {rate.people} pairs that people judged "
            f"and {rate.judge_only} more that the judge did, of which each counted as {rate.judge_weight:.2f} of a person's. "
            f"Evidence {shown(self.log_evidence)}, needed {shown(self.log_threshold)}."
        )


def with_judge(beside: JudgeBeside, rules: Rules) -> WithJudge | None:
    """The one look at people's verdicts with the judge's beside them; None where everybody said the same.

    For one use, at `rules.judged_at` pairs. Raises TooFewVerdicts.
    """
    rate = win_rate(beside.people, beside.judge, beside.judge_only, 1 - 2 * rules.people_alpha)
    if not rate.standard_error:
        return None
    chance = NormalDist().cdf((rules.q0 - rate.rate) / rate.standard_error)
    return WithJudge(rate, -log(max(chance, LEAST_CHANCE)), log_threshold(rules.people_alpha))


def preference(pairs: Pairs, beside: JudgeBeside | None, rules: Rules, *, on: str) -> Finding:
    """Do people prefer the candidate? `beside` is None while too few pairs are judged, and where no judge counts.

    Both looks together keep to `rules.alpha`: where a judge counts, each has half of it. The look with the judge is always at the
    same pairs, so it does not matter how often this is asked. May compute for seconds.
    """
    by_people = superiority(pairs, replace(rules, alpha=rules.people_alpha), on=on)
    if beside is None or not rules.judge or by_people.outcome is not Outcome.NOT_PROVEN:
        return by_people
    both = with_judge(beside, rules)
    if both is None:
        return by_people
    if not both.is_proven:
        return replace(
            by_people, sentence=f"{by_people.sentence} Nor is it with the judge beside them: {both.sentence}"
        )
    sentence = f"The new model is better on {on}, by people's choices with the judge's beside them: {both.sentence}"
    return Finding(by_people.rule, Outcome.PROVEN, both.log_evidence, both.log_threshold, both.rate.people, sentence)
