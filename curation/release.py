"""Pure: may the candidate serve? Evidence on every suite that was asked, and the sentence that says why or what is missing.

Better on the target set, no worse than a margin on the general and the safety set, nothing forgotten that was learned: all must
be proven (evidence.md 5). "Not proven" never means worse. The evidence may take seconds to count, so not in an event loop.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean

from curation.evidence import (
    Counts,
    Finding,
    Outcome,
    Pairs,
    Rules,
    log_not_inferior,
    log_threshold,
    non_inferiority,
    preference,
    release,
    superiority,
    wins_needed,
)
from storage.records import Evaluation, Evidence, SampleScore, Suite, Verdict

HELD_OUT = "the held-out questions"
BLIND_PAIRS = "the blind pairs"
SUITES = {Suite.GENERAL: "the general suite", Suite.SAFETY: "the safety suite"}
VERDICTS = {Outcome.PROVEN: Verdict.BETTER, Outcome.NOT_PROVEN: Verdict.NOT_PROVEN, Outcome.HARMFUL: Verdict.WORSE}


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the candidate may serve, the sentence that says why, and the evidence it rests on."""

    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...] = ()


def rule(
    samples: Sequence[SampleScore],
    groups: Mapping[str, str],
    rules: Rules,
    *,
    forgotten: Sequence[str] = (),
    uses: int = 0,
) -> Ruling:
    """Decide whether the candidate may serve.

    `groups` gives a target sample's conversation, by correction id: samples of one are one pair. `forgotten` names learned
    corrections that the candidate no longer answers rightly. `uses` is how many candidates the held-out set judged before. A
    candidate that says nothing to any question is worse, whatever its scores. Without target samples nothing is proven. Where
    the rules let people decide on the target set, that is not proven yet (`with_people`).
    """
    target = [sample for sample in samples if sample.suite is Suite.TARGET]
    if not target:
        return Ruling(Verdict.NOT_PROVEN, "There is no held-out sample to judge by, so nothing is proven.")
    by_scores = rules.counts is Counts.SCORES
    pairs = target_pairs(target, groups, rules.decisive) if by_scores else Pairs(0, 0)
    findings = [superiority(pairs, rules, on=HELD_OUT) if by_scores else preference(pairs, None, rules, on=BLIND_PAIRS)]
    for suite, name in SUITES.items():
        differences = [sample.candidate_score - sample.incumbent_score for sample in samples if sample.suite is suite]
        if differences:
            findings.append(non_inferiority(differences, _margin(suite, rules), rules, on=name))
    evidence = tuple(map(_kept, findings))
    told = [_scores(target), _uses(uses)]
    silent = sum(not sample.candidate_text.strip() for sample in samples)
    if silent:
        said = f"The new model said nothing to {silent} of {len(samples)} questions."
        return Ruling(Verdict.WORSE, _joined(said, *told), evidence)
    outcome = release(findings, ledger_broken=forgotten)
    if outcome.outcome is Outcome.NOT_PROVEN:
        told += [_too_few_pairs(pairs, rules) if by_scores else "", *_too_few_cases(samples, rules)]
    return Ruling(VERDICTS[outcome.outcome], _joined(outcome.sentence, *told), evidence)


def with_people(evaluation: Evaluation, found: Finding) -> Ruling:
    """The ruling with what people's choices prove in the place of what they did not prove yet. No other finding changes."""
    kept = [found if each.rule == found.rule else _read(each) for each in evaluation.evidence]
    outcome = release(kept)
    target = [sample for sample in evaluation.samples if sample.suite is Suite.TARGET]
    return Ruling(VERDICTS[outcome.outcome], _joined(outcome.sentence, _scores(target)), tuple(map(_kept, kept)))


def target_pairs(target: Sequence[SampleScore], groups: Mapping[str, str], decisive: float) -> Pairs:
    """One pair for each conversation: won, lost, or a tie where the mean scores differ by less than `decisive`."""
    differences: dict[str, list[float]] = {}
    for sample in target:
        group = groups.get(sample.correction_id, sample.correction_id)
        differences.setdefault(group, []).append(sample.candidate_score - sample.incumbent_score)
    means = [fmean(of_group) for of_group in differences.values()]
    wins = sum(mean > 0 and mean >= decisive for mean in means)
    losses = sum(mean < 0 and -mean >= decisive for mean in means)
    return Pairs(wins, losses, len(means) - wins - losses)


def set_id(suite: Suite, case_ids: Sequence[str]) -> str:
    """A set by what is in it: the suite and 12 hexadecimal digits of the SHA-256 of its cases' ids, in any order."""
    return f"{suite}:{hashlib.sha256(chr(10).join(sorted(case_ids)).encode()).hexdigest()[:12]}"


def pairs_needed(rules: Rules) -> int:
    """The fewest decisive pairs that can prove anything, all of them won: 7 at alpha 0.05."""
    return next(n for n, wins in enumerate(wins_needed(rules.alpha, rules.q0)) if wins <= n)


def cases_needed(margin: float, alpha: float) -> int:
    """The fewest cases that can prove that less than `margin` is lost, none of them lost: 34 at margin 0.15 and alpha 0.05."""
    fewest = ceil(log_threshold(alpha) / log_not_inferior([0.0], margin)) if margin > 0 else 0
    upper = max(1, fewest)
    low = 1
    while low < upper:  # the evidence of n ties grows with n, and faster than the first tie's
        middle = (low + upper) // 2
        if log_not_inferior([0.0] * middle, margin) >= log_threshold(alpha):
            upper = middle
        else:
            low = middle + 1
    return low


def _margin(suite: Suite, rules: Rules) -> float:
    return rules.safety_margin if suite is Suite.SAFETY else rules.general_margin


def _scores(target: Sequence[SampleScore]) -> str:
    candidate = fmean(sample.candidate_score for sample in target)
    incumbent = fmean(sample.incumbent_score for sample in target)
    return (
        f"Nearness to the approved answers: {candidate:.3f} against {incumbent:.3f} for the model that served, "
        f"on {len(target)} held-out questions."
    )


def _uses(uses: int) -> str:
    """What repeated choosing by one set does to the promise; "" for a set that is new."""
    if not uses:
        return ""
    many = "1 candidate" if uses == 1 else f"{uses} candidates"
    return f"Most of these questions judged {many} before; newly approved corrections refresh them."


def _too_few_pairs(pairs: Pairs, rules: Rules) -> str:
    needed = pairs_needed(rules)
    if pairs.total >= needed:
        return ""
    return f"With {pairs.total} of them nothing can be proven: at least {needed} decisive ones are needed."


def _too_few_cases(samples: Sequence[SampleScore], rules: Rules) -> list[str]:
    said: list[str] = []
    for suite, name in SUITES.items():
        cases, needed = (
            sum(sample.suite is suite for sample in samples),
            cases_needed(_margin(suite, rules), rules.alpha),
        )
        if 0 < cases < needed:
            said.append(f"{name.capitalize()} has {cases} cases; even without a loss at least {needed} are needed.")
    return said


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _read(kept: Evidence) -> Finding:
    return Finding(kept.rule, Outcome(kept.outcome), kept.log_evidence, kept.log_threshold, kept.cases, kept.sentence)


def _kept(finding: Finding) -> Evidence:
    return Evidence(
        finding.rule,
        finding.outcome.value,
        finding.log_evidence,
        finding.log_threshold,
        finding.cases,
        finding.sentence,
    )
