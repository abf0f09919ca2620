"""Holds, released by an admin who has looked."""

from datetime import datetime

from bot.moderation import Outcome, require
from storage.records import Actor, Hold, Right
from storage.store import Store


async def release(store: Store, actor: Actor, hold_id: str, *, now: datetime) -> Outcome[Hold]:
    """Let through what was held back. Raises NotAllowed and NotFound."""
    require(actor, Right.ADMIN, "release a hold")
    hold = await store.holds.release(hold_id, actor.id, at=now)
    return Outcome(hold, f"Released. {hold.why}")
