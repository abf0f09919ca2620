"""Until when a correction holds: from that day on it is neither shown nor trained on."""

from datetime import datetime

from bot.moderation.rights import NotAllowed, Outcome, require
from bot.wording import day
from storage.records import Actor, Correction, CorrectionState, Right
from storage.store import Store


async def let_expire(
    store: Store, actor: Actor, correction_id: str, expires_at: datetime | None, *, now: datetime
) -> Outcome[Correction]:
    """Let a proposed or approved correction hold until then; None: until somebody says otherwise.

    Raises NotAllowed, NotFound, and AlreadyDecided for one that never held or holds no longer.
    """
    require(actor, Right.APPROVER, "say until when a correction holds")
    correction = await store.corrections.get(correction_id)
    if expires_at is not None and expires_at <= now:
        raise NotAllowed(f"{day(expires_at)} is not in the future. Choose a later day; days are UTC's.")
    if expires_at is not None and correction.holds_from is not None and expires_at <= correction.holds_from:
        raise NotAllowed(
            f"It holds only from {day(correction.holds_from)} on, so it cannot end on {day(expires_at)}. Choose a later day."
        )
    if correction.expires_at == expires_at and correction.state in (CorrectionState.PROPOSED, CorrectionState.APPROVED):
        return Outcome(correction, expiry_told(correction, now))
    saved = await store.corrections.let_expire(correction_id, expires_at, actor.id, at=now)
    return Outcome(saved, expiry_told(saved, now))


def expiry_told(correction: Correction, now: datetime) -> str:
    """Until when it holds, as a sentence."""
    if correction.expires_at is None:
        return "It holds until somebody says otherwise."
    if correction.expires_at <= now:
        return f"Its time was over on {day(correction.expires_at)}: it is neither shown nor trained on."
    return f"It holds until {day(correction.expires_at)}; from that day on it is neither shown nor trained on."
