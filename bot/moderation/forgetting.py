"""What somebody asked to have forgotten."""

from datetime import datetime

from bot.moderation.rights import Outcome, require
from bot.wording import counted
from storage.records import (
    Actor,
    Erasure,
    Right,
)
from storage.store import Store


async def forget_person(store: Store, actor: Actor, whose: Actor, *, now: datetime) -> Outcome[Erasure]:
    """Erase what somebody asked and said, and their name; oneself, or as an admin another. Raises NotAllowed, NotFound.

    `said` tells what was made from it and is marked, a line each: versions, models, and what a provider may still hold.
    """
    if whose.id != actor.id:
        require(actor, Right.ADMIN, "delete another person's questions")
    done = await store.erasures.erase_person(whose, by=actor.id, at=now)
    detail = done.detail
    lines: list[str] = []
    if detail["versions"]:
        lines.append(f"Their lines were taken out of {counted(len(detail['versions']), 'dataset version')}.")
    for model in detail["models"]:
        lines.append(f"Model {model['number']} was trained on them and is marked; the next run trains without them.")
    if detail["vendors"]:
        lines.append("The provider may still hold the uploaded files and tuned models; the certificate names each.")
    return Outcome(done, "\n".join(lines))
