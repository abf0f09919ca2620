"""Disputes, settled by an approver. Until then neither side is trained on or recalled."""

from datetime import datetime

from bot.moderation import Outcome, require
from storage.records import Actor, Dispute, Right, Settlement
from storage.store import Store

SETTLED = {
    Settlement.FIRST: "Settled: the older answer holds, and the newer one is superseded from now on.",
    Settlement.SECOND: "Settled: the newer answer holds, and the older one is superseded from now on.",
    Settlement.BOTH: "Settled: both can be right, and both are used.",
    Settlement.NEITHER: "Settled: it is taken out, and will not be trained on.",
}
STANDS = "Settled: the correction stands."


async def settle(
    store: Store, actor: Actor, dispute_id: str, settlement: Settlement, *, now: datetime
) -> Outcome[Dispute]:
    """Decide who is right. Raises NotAllowed, NotFound, AlreadySettled when somebody was faster."""
    require(actor, Right.APPROVER, "settle a dispute")
    settled = await store.disputes.settle(dispute_id, settlement, actor.id, at=now)
    is_about_one = not settled.second and settlement is Settlement.FIRST
    return Outcome(settled, STANDS if is_about_one else SETTLED[settlement])
