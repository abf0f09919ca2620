"""The rules of a run's experiment, written into the audit before its first question is asked, and held to from then on.

Numbers that may be chosen after looking prove nothing (evidence.md 5). A run whose settings changed since decides nothing.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

from curation.calibrating import counting_judge
from curation.evidence import Counts, Rules
from curation.workshop import PROGRAM, Workshop
from storage.records import Run

SEALS = "seal_rules"  # the audit's verb


async def seal(workshop: Workshop, run: Run, sets: Sequence[str]) -> Rules:
    """The rules of this run, sealed now if they were not before. Raises RulesChanged where they are others by now."""
    known = await workshop.store.audit.first(run.id, SEALS)
    judge = await _judge(workshop, run) if known is None else known.detail.get("judge", "")
    rules = replace(workshop.recipe.evidence, sets=tuple(sets), judge=judge)
    if known is None:
        detail = {"seal": rules.seal(), **asdict(rules)}
        await workshop.store.audit.append(PROGRAM, SEALS, run.id, detail, at=workshop.now())
    else:
        rules.check(known.detail["seal"])
    return rules


async def sealed(workshop: Workshop, run: Run) -> Rules:
    """The rules that were sealed for this run. Raises RulesChanged where the settings say others by now, or none were."""
    known = await workshop.store.audit.first(run.id, SEALS)
    sets, judge = (known.detail["sets"], known.detail.get("judge", "")) if known else ((), "")
    rules = replace(workshop.recipe.evidence, sets=tuple(sets), judge=judge)
    rules.check(known.detail["seal"] if known else "")
    return rules


async def _judge(workshop: Workshop, run: Run) -> str:
    """The key of the judge that may count beside people in this run, by its agreement with them in earlier ones; "" for none."""
    if workshop.recipe.evidence.counts is not Counts.PEOPLE:
        return ""
    return await counting_judge(workshop, await workshop.store.voices.get(run.voice_id))
