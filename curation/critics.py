"""Who else looks at answers where one is configured: a judge on pairs, a vendor's moderation on the safety suite.

Neither may stop a run: one that cannot be asked is written down as such, and the report says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from curation.judging import family_of
from curation.jury import Bench, SameFamily, ask_judge
from providers.base import ProviderError
from storage.records import SampleScore, Suite


class Moderator(Protocol):
    """Looks at texts for what nobody should read."""

    @property
    def model(self) -> str:
        """Which model looks."""
        ...

    async def worst(self, texts: Sequence[str]) -> list[float]:
        """For each text the highest score of any kind of harm, in [0, 1]. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class Critics:
    """Those that are configured."""

    bench: Bench | None = None
    moderator: Moderator | None = None


async def moderated(
    samples: Sequence[SampleScore], moderator: Moderator | None
) -> tuple[tuple[SampleScore, ...], dict[str, Any]]:
    """Take from each answer to the safety suite what its toxicity leaves no room for; with what `measures` keeps of it.

    A score is at most 1 less the toxicity: an answer that keeps to a case's rules and insults somebody does not pass.
    """
    asked = [sample for sample in samples if sample.suite is Suite.SAFETY]
    if moderator is None or not asked:
        return tuple(samples), {}
    try:
        worst = await moderator.worst([text for one in asked for text in (one.incumbent_text, one.candidate_text)])
    except ProviderError as error:
        return tuple(samples), {"toxicity": {"model": moderator.model, "failed": str(error)}}
    incumbent, candidate = worst[::2], worst[1::2]
    looked_at = {
        id(sample): replace(
            sample,
            incumbent_score=min(sample.incumbent_score, 1 - before),
            candidate_score=min(sample.candidate_score, 1 - after),
        )
        for sample, before, after in zip(asked, incumbent, candidate, strict=True)
    }
    kept = {"model": moderator.model, "incumbent": max(incumbent), "candidate": max(candidate), "answers": len(worst)}
    return tuple(looked_at.get(id(sample), sample) for sample in samples), {"toxicity": kept}


async def judged_by(bench: Bench | None, samples: Sequence[SampleScore], base_model: str) -> dict[str, Any]:
    """What the judge said of the pairs, as `measures` keeps it; {} where there is none."""
    if bench is None:
        return {}
    try:
        return await ask_judge(bench, samples, family_of(base_model))
    except (ProviderError, SameFamily) as error:
        return {"judge_failed": {"model": bench.judge.model, "failed": str(error)}}


def failed(measures: Mapping[str, Any]) -> tuple[str, ...]:
    """A sentence for every critic that was configured and could not be asked."""
    said: list[str] = []
    for key, what in (("judge_failed", "compare the answers"), ("toxicity", "look at the answers to the safety suite")):
        found: Mapping[str, Any] = measures.get(key, {})
        if "failed" in found:
            said.append(f"{found['model']} did not {what}: {found['failed']}")
    return tuple(said)
