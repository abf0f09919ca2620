"""Where somebody of the team has begun to answer, the bot is quiet until they have said nothing more for a while.

Where a person was asked for, it stays silent until the conversation is given back, however long that takes.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

from bot.discord_app.interactions import Feature
from bot.discord_app.parts import PLATFORM, Parts
from storage.errors import DatabaseUnavailable
from storage.records import PROGRAM_ACTOR_ID

log = logging.getLogger(__name__)

LOOK_S = 10.0
MOST = 1_000  # conversations looked at at once, those with the last words of the team
EVER = datetime(2015, 1, 1, tzinfo=UTC)  # Discord's own beginning
SPOKE = "spoke/"  # what the notes begin with of when the team last spoke in a conversation


async def team_spoke(parts: Parts, conversation_id: str) -> None:
    """Somebody of the team answers there: the quiet time begins anew."""
    await parts.store.channels.listened(PLATFORM, f"{SPOKE}{conversation_id}/", parts.now())


async def is_asked_for(parts: Parts, conversation_id: str) -> None:
    """A person was asked for there: the silence ends only when they say so."""
    await parts.store.channels.forget_listened(PLATFORM, f"{SPOKE}{conversation_id}/")


async def serve(parts: Parts, stop: asyncio.Event) -> None:
    """Give back what the team has left, again and again, until `stop` is set."""
    while not stop.is_set():
        try:
            await give_back(parts)
        except DatabaseUnavailable as error:
            log.warning("conversations that the team has left wait: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)


async def give_back(parts: Parts) -> None:
    """Release the conversations in which somebody stepped in and has said nothing for the quiet time."""
    channels, hand_overs, quiet_for = parts.store.channels, parts.store.hand_overs, parts.rules.quiet_for
    if quiet_for is None:
        return
    for part in await channels.listened_to(PLATFORM, SPOKE, EVER, MOST):
        spoke_at = await channels.listened_until(PLATFORM, part)
        if spoke_at is None or spoke_at > parts.now() - quiet_for:
            continue
        hand_over = await hand_overs.open(part.removeprefix(SPOKE).removesuffix("/"))
        if hand_over is not None and hand_over.taken_at == hand_over.asked_at:  # nobody asked for them
            await hand_overs.release(hand_over.id, PROGRAM_ACTOR_ID, at=parts.now())
            parts.wake_board()
        await channels.forget_listened(PLATFORM, part)


FEATURE = Feature(serves=serve)
