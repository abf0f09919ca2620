"""People's part of the release rule, where the sealed plan says that their choices on blind pairs count.

Everything else has to be proven first; then the run waits, compared, until the choices prove something, nobody can add one, or
the time that was sealed is over. The first choice on a pair counts and never changes: one that could would make looking again
an error. A judge counts beside people where the plan named it, and never alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from curation.blind import can_be_shown, first_choices
from curation.evaluation import beside_told
from curation.evidence import Counts, Finding, JudgeBeside, Outcome, Pairs, Rules, preference
from curation.jury import judge_said
from curation.release import BLIND_PAIRS, with_people
from curation.step import promised, tell
from curation.workshop import Workshop
from storage.records import Evaluation, Part, Preference, Role, Run, Verdict

LEAST_ALONE = 2  # pairs that the judge alone judged; with fewer there is nothing it adds
ASKED = f"better on {BLIND_PAIRS}"  # the finding's rule
VALUES = {Preference.CANDIDATE: 1.0, Preference.INCUMBENT: 0.0, Preference.NEITHER: 0.5, Preference.UNFIT: 0.5}


@dataclass(frozen=True, slots=True)
class Choices:
    """What people chose on a run's pairs, and what a judge said of all of them; one pair for each conversation."""

    order: tuple[tuple[str, Preference], ...]  # (conversation, first choice on it) as they came
    open_pairs: int  # that nobody has judged yet
    judge: Mapping[str, Preference]  # by conversation; {} where no judge counts

    @property
    def pairs(self) -> Pairs:
        """As evidence takes them."""
        said = [chosen for _, chosen in self.order]
        wins, losses = said.count(Preference.CANDIDATE), said.count(Preference.INCUMBENT)
        return Pairs(wins, losses, len(said) - wins - losses)

    def beside(self, judged_at: int) -> JudgeBeside | None:
        """The judge's verdicts beside people's on the first `judged_at` pairs that both judged; None before there are so many."""
        both = {group: VALUES[chosen] for group, chosen in self.order if group in self.judge}
        first = list(both)[:judged_at]
        alone = [VALUES[said] for group, said in self.judge.items() if group not in first]
        if len(first) < judged_at or len(alone) < LEAST_ALONE:
            return None
        return JudgeBeside([both[group] for group in first], [VALUES[self.judge[group]] for group in first], alone)


def choices_of(
    evaluation: Evaluation, chosen: Sequence[tuple[str, Preference]], groups: Mapping[str, str], judge_key: str
) -> Choices:
    """What of `chosen` counts: (sample, preference) in the order they came. `groups` gives a sample's conversation.

    The judge counts where it is the one that the plan named, by its verdict on the first sample of a conversation.
    """
    first: dict[str, Preference] = {}
    for id, preferred in chosen:
        first.setdefault(groups.get(id, id), preferred)
    said = judge_said(evaluation.measures) if judge_key else None
    judged: dict[str, Preference] = {}
    for verdict in said.verdicts if said is not None and said.key == judge_key else ():
        judged.setdefault(groups.get(verdict.pair_id, verdict.pair_id), verdict.preference)
    shown = {groups.get(s.correction_id, s.correction_id) for s in evaluation.samples if can_be_shown(s)}
    return Choices(tuple(first.items()), len(shown - first.keys()), judged)


def found_by(choices: Choices, rules: Rules) -> Finding:
    """What the choices prove so far. May compute for seconds."""
    return preference(choices.pairs, choices.beside(rules.judged_at), rules, on=BLIND_PAIRS)


def people_count(evaluation: Evaluation) -> bool:
    """Whether the plan of this comparison let people decide."""
    return any(each.rule == ASKED for each in evaluation.evidence)


def waits(evaluation: Evaluation, rules: Rules) -> bool:
    """Whether people's choices are all that is missing."""
    is_open = rules.counts is Counts.PEOPLE and people_count(evaluation) and evaluation.verdict is Verdict.NOT_PROVEN
    return is_open and all(each.outcome == Outcome.PROVEN for each in evaluation.evidence if each.rule != ASKED)


def ends_at(evaluation: Evaluation, rules: Rules) -> datetime:
    """When people's time is over."""
    return evaluation.evaluated_at + timedelta(hours=rules.people_hours)


async def look(workshop: Workshop, run: Run, evaluation: Evaluation, rules: Rules) -> Evaluation | None:
    """The evaluation with people's choices in its verdict; None while they may still prove something."""
    store = workshop.store
    votes = [vote for vote in await store.blind_pairs.of_run(run.id) if vote.given_at >= evaluation.evaluated_at]
    choices = choices_of(evaluation, first_choices(votes), await _groups(workshop, run), rules.judge)
    found = await asyncio.to_thread(found_by, choices, rules)
    is_over = workshop.now() >= ends_at(evaluation, rules)
    if found.outcome is Outcome.NOT_PROVEN and choices.open_pairs and not is_over:
        await _ask(workshop, run, evaluation, rules, choices)
        return None
    ruling = with_people(evaluation, found)
    why = "" if found.outcome is not Outcome.NOT_PROVEN else _given_up(choices, rules)
    reason = " ".join(filter(None, (ruling.reason, why, beside_told(evaluation.samples))))
    return replace(evaluation, verdict=ruling.verdict, reason=reason, evidence=ruling.evidence)


async def _groups(workshop: Workshop, run: Run) -> Mapping[str, str]:
    """The conversation of each held-out question of the run's dataset version."""
    lines = await workshop.store.datasets.lines(promised(run.dataset_version_id))
    return {line.source_id: line.group_key for line in lines if line.part is Part.HELD_OUT and line.role is Role.ANSWER}


async def _ask(workshop: Workshop, run: Run, evaluation: Evaluation, rules: Rules, choices: Choices) -> None:
    """Say, once for each comparison, that people decide now."""
    many = "1 pair waits" if choices.open_pairs == 1 else f"{choices.open_pairs} pairs wait"
    text = (
        f"Everything else is proven; moderators decide now which answers are better, without names: {many}, until "
        f"{ends_at(evaluation, rules):%-d %b %Y, %H:%M} UTC. {plan(rules)}"
    )
    await tell(workshop, run, f"asks-people-{evaluation.evaluated_at.isoformat()}", text)


def plan(rules: Rules) -> str:
    """What was written down beforehand to count on the held-out questions, as a sentence."""
    if rules.counts is Counts.SCORES:
        return "By the plan, nearness to the approved answers decides; choices on blind pairs are shown, and decide nothing."
    judge = (
        f"; a judge that agreed with them counts beside them, once, at {rules.judged_at} pairs" if rules.judge else ""
    )
    return f"By the plan, moderators' choices on blind pairs decide{judge}."


def _given_up(choices: Choices, rules: Rules) -> str:
    if choices.open_pairs == 0:
        return "Every pair is judged."
    return f"People's time, {rules.people_hours:g} hours, is over."
