"""Blind pairs, and what every answer of a voice keeps to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.moderation.rights import NotAllowed, Outcome, require
from curation.blind import blind_pair, can_be_shown
from curation.checks import DECLARABLE, declared
from storage.errors import NotFound
from storage.records import Actor, PairVote, Preference, Right, Voice
from storage.store import Store

SIDES = A, B, SAME, NEITHER = "a", "b", "same", "neither"
SAID: Mapping[str, str] = {A: "A is better", B: "B is better", SAME: "Equally good", NEITHER: "Neither is good"}
"""What can be said of a pair, in the order it is offered."""


async def choose_answer(
    store: Store, actor: Actor, run_id: str, sample_id: str, side: str, *, now: datetime
) -> Outcome[PairVote]:
    """Say which of two unlabelled answers is better: a, b, same (as good) or neither (is good). Raises NotAllowed, NotFound.

    The sides are this person's own, so the same choice made twice means the same. The first one stands, since it is evidence.
    Own corrections are refused: whoever wrote the approved answer knows it.
    """
    require(actor, Right.MODERATOR, "judge pairs")
    evaluation = await store.runs.evaluation(run_id)
    samples = evaluation.samples if evaluation is not None else ()
    sample = next((each for each in samples if each.correction_id == sample_id and can_be_shown(each)), None)
    if sample is None:
        raise NotFound("pair", sample_id)
    corrections = await store.corrections.many([sample_id])
    if any(correction.proposed_by == actor.id for correction in corrections):
        raise NotAllowed(f"{actor.name} wrote the approved answer to this question, so somebody else judges this pair.")
    candidate_first = blind_pair(run_id, sample, actor.id).candidate_first
    match side:
        case "a" | "b":
            is_candidate = (side == A) is candidate_first
            preference = Preference.CANDIDATE if is_candidate else Preference.INCUMBENT
        case "same":
            preference = Preference.NEITHER
        case "neither":
            preference = Preference.UNFIT
        case _:
            raise NotAllowed(f"“{side}” is no choice here; there are {', '.join(SIDES)}.")
    vote = PairVote(run_id, sample_id, actor.id, preference, candidate_first, now)
    if await store.blind_pairs.choose(vote):
        return Outcome(vote, "Thank you, kept.")
    votes = await store.blind_pairs.of_run(run_id)
    stands = next(each for each in votes if (each.sample_id, each.actor_id) == (sample_id, actor.id))
    if stands.preference is preference:
        return Outcome(stands, "Thank you, kept.")
    return Outcome(stands, "You judged this pair before, and the first choice stands.")


async def set_checks(
    store: Store, actor: Actor, voice: Voice, checks: Mapping[str, Any], *, now: datetime
) -> Outcome[Mapping[str, Any]]:
    """Declare what every answer keeps to, from the next comparison on; {}: nothing. Raises NotAllowed, ChecksWrong."""
    require(actor, Right.ADMIN, "set what answers keep to")
    declared(checks)
    await store.voices.set_checks(voice.id, checks, by=actor.id, at=now)
    if not checks:
        return Outcome(checks, "No checks are declared any more.")
    said = ", ".join(name.replace("_", " ") for name in DECLARABLE if name in checks)
    return Outcome(checks, f"Kept. From the next comparison on every answer is checked: {said}.")
