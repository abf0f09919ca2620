"""An admin's own word for a model, whatever the evidence says of it. Kept for ever, with the reason."""

from datetime import datetime

from bot.moderation.rights import Outcome, require
from bot.text import clean_note
from curation import promotion
from storage.records import Actor, Deployment, Right, Voice
from storage.store import Store

SAY_WHY = "Say why it should serve although that is not proven; your words are kept with the decision."


async def release_model(
    store: Store, actor: Actor, voice: Voice, why: str, *, run_id: str = "", now: datetime
) -> Outcome[Deployment]:
    """Let the newest candidate serve all, whatever its verdict. Raises NotAllowed and promotion.NothingToRelease."""
    require(actor, Right.ADMIN, "release a model")
    why = clean_note(why)
    if not why:
        raise promotion.NothingToRelease(SAY_WHY)
    told = f"Released by {actor.name}, whatever the verdict: {why}"
    deployment = await promotion.release_anyway(store, voice, by=actor, why=told, at=now, run_id=run_id)
    return Outcome(deployment, f"Model {deployment.model.number} serves everything now, on your word.")
