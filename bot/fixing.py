"""What moderators read of the fixes a reply rests on; customers read nothing of it."""

from bot.wording import counted
from storage.records import Correction, CorrectionState, Reply, ReplySource
from storage.store import Store


def uses(reply: Reply) -> str:
    """ "uses 1 approved fix"; "" where it rests on none."""
    if not reply.fix_ids:
        return ""
    said = f"uses {counted(len(reply.fix_ids), 'approved fix', 'approved fixes')}"
    return f"{said}, word for word" if reply.source is ReplySource.FIX else said


async def fixes_of(store: Store, reply: Reply) -> list[Correction]:
    """The corrections a reply rests on, the likeliest first."""
    known = {correction.id: correction for correction in await store.corrections.many(reply.fix_ids)}
    return [known[id] for id in reply.fix_ids if id in known]


GONE = {
    CorrectionState.SUPERSEDED: "replaced since",
    CorrectionState.ERASED: "erased since",
    CorrectionState.RETRACTED: "taken back since",
}
"""What became of a fix that is not in force any more."""
