"""What stands under each reply: Helpful, Not right, Get a human. Anybody may press; a second press changes the first."""

from bot import moderation
from bot.discord_app import hand_over
from bot.discord_app.buttons import Label, row
from bot.discord_app.interactions import Answer, Asked, Feature
from bot.discord_app.parts import Parts
from storage.records import Actor, Judgement


async def good(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """The reply helped."""
    return await _judged(parts, actor, asked, Judgement.GOOD)


async def wrong(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """The reply did not help."""
    return await _judged(parts, actor, asked, Judgement.WRONG)


async def undo(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Take one's own judgement back."""
    outcome = await moderation.unmark(parts.store, actor, asked.about, now=parts.now())
    parts.wake_board()
    return Answer(outcome.said)


async def _judged(parts: Parts, actor: Actor, asked: Asked, judgement: Judgement) -> Answer:
    outcome = await moderation.mark(parts.store, actor, asked.about, judgement, now=parts.now())
    parts.wake_board()
    return Answer(outcome.said, row([Label("undo", asked.about, "Undo")]))


FEATURE = Feature(works={"press good": good, "press wrong": wrong, "press undo": undo, "press human": hand_over.ask})
