"""Corrections that no later model may forget, whatever else it does better."""

from datetime import datetime

from bot.moderation.rights import NotAllowed, Outcome, require
from storage.records import Actor, Correction, CorrectionState, Right
from storage.store import Store


async def set_critical(
    store: Store, actor: Actor, correction_id: str, is_critical: bool, *, now: datetime
) -> Outcome[Correction]:
    """Mark an approved correction as critical, or as one like others. Raises NotAllowed and NotFound."""
    require(actor, Right.APPROVER, "say which corrections are critical")
    correction = await store.corrections.get(correction_id)
    if is_critical and correction.state is not CorrectionState.APPROVED:
        raise NotAllowed(f"It is {correction.state.value}, and only an approved correction can be critical.")
    saved = await store.corrections.set_critical(correction_id, is_critical, actor.id, at=now)
    return Outcome(saved, CRITICAL if is_critical else LIKE_OTHERS)


CRITICAL = "Critical now: once a model has learned it, a new model that forgets it is stopped for that alone."
LIKE_OTHERS = "No longer critical: forgetting it counts like forgetting any other."
