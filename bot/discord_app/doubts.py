"""Replies that moderators are asked about on Discord: their cards, and the flag that only stands there."""

from discord import ui

from bot.discord_app.buttons import Label
from bot.discord_app.cards import GOOD, PRIMARY, WAITS, card
from bot.discord_app.interactions import Asked, Feature
from bot.discord_app.parts import Parts
from bot.discord_app.quoting import fitted, named
from bot.office import verbs
from bot.office.cards import DoubtCard
from bot.office.doubts import ASKED, THANKS
from bot.office.verbs import Said
from bot.wording import counted
from storage.records import Actor

TEXT_LIMIT = 2_000


def doubt_card(shown: DoubtCard) -> ui.LayoutView:
    """The question, the reply and the verbs; or who answered."""
    id = shown.reply.id
    texts = [
        f"**{ASKED}**",
        f"**Question**  {fitted(shown.question, 500)}",
        f"**Answer**  {fitted(shown.reply.standing_text, TEXT_LIMIT)}",
        f"-# Asked by {counted(shown.askers, 'person', 'people')} of late",
    ]
    if shown.answered_by:
        return card(id, [*texts, f"**{THANKS}**, {named(shown.answered_by)}"], (), GOOD)
    labels = [Label("good", id, "Good", PRIMARY), Label("flag", id, "Flag"), Label("open_correct", id, "Correct")]
    return card(id, texts, labels, WAITS)


async def flag(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The reply is flagged."""
    said = await verbs.flag(parts, actor, await parts.store.conversations.reply(asked.about))
    parts.wake_board()
    return said


FEATURE = Feature(works={"press flag": flag})
