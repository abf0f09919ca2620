"""What stands under each reply: Helpful, Not right, Get a human. Anybody may press; a second press changes the first."""

from typing import Any

import discord
from discord import ui

from bot.discord_app import hand_over
from bot.discord_app.buttons import custom_id
from bot.discord_app.interactions import Asked, Feature
from bot.discord_app.parts import Parts
from bot.office import verbs
from bot.office.verbs import Said
from bot.text import NOTE_LIMIT
from bot.wording import REASONS
from storage.records import Actor, Judgement


async def good(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The reply helped."""
    return _woken(parts, await verbs.good(parts, actor, await parts.store.conversations.reply(asked.about)))


async def wrong(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The reply did not help."""
    return _woken(parts, await verbs.wrong(parts, actor, await parts.store.conversations.reply(asked.about)))


async def undo(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """Take one's own judgement back."""
    return _woken(parts, await verbs.undo(parts, actor, await parts.store.conversations.reply(asked.about)))


async def explain_form(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal:
    """What anyone may say after “Not right”: why, and better words for the people who review."""
    form = ui.Modal(title="What was not right?", custom_id=custom_id("explain", asked.about))
    options = [discord.SelectOption(label=words, value=str(reason)) for reason, words in REASONS.items()]
    form.add_item(ui.Label(text="What was wrong", component=ui.Select[Any](custom_id="reason", options=options)))
    note = ui.TextInput[Any](custom_id="note", style=discord.TextStyle.paragraph, required=False, max_length=NOTE_LIMIT)
    form.add_item(ui.Label(text="In your own words", component=note))
    return form


async def explained(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The reply is flagged, with the reason and the words."""
    reply = await parts.store.conversations.reply(asked.about)
    chosen = asked.inputs.get("reason") or [Judgement.WRONG.value]
    note = str(asked.inputs.get("note") or "")
    return _woken(parts, await verbs.flag(parts, actor, reply, judgement=Judgement(chosen[0]), note=note))


def _woken(parts: Parts, said: Said) -> Said:
    parts.wake_board()
    return said


FEATURE = Feature(
    works={
        "press good": good,
        "press wrong": wrong,
        "press undo": undo,
        "press human": hand_over.ask,
        "form explain": explained,
    },
    opens={"press explain": explain_form},
)
