"""A message's menu: correct, mark good, flag, why, teach. Shown by default to who may manage messages; the right is checked."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, cast

import discord
from discord import app_commands, ui

from bot import moderation
from bot.discord_app.answers import Reading
from bot.discord_app.correcting import form_for
from bot.discord_app.interactions import Answer, Asked, Feature, Work
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Person, Place
from bot.discord_app.payloads import Said as Message
from bot.discord_app.teaching import teach
from bot.office import commands, verbs
from bot.office.verbs import MINE, NOT_MINE, Said
from storage.records import Actor, Reply, Right

MENUS = {
    "Correct this answer": "correct_menu",
    "Mark good": "good_menu",
    "Flag": "flag_menu",
    "Why this answer?": "why_menu",
    "Teach from this": "teach_menu",
}
"""What stands in the menu, and the verb."""


class Commanded(Protocol):
    """What a client of ours does with a command."""

    async def commanded(self, interaction: discord.Interaction[Any], verb: str, inputs: Mapping[str, Any]) -> None: ...


async def commanded(interaction: discord.Interaction[Any], verb: str, **inputs: Any) -> None:
    """Hand a command over, as every interaction is."""
    await cast(Commanded, interaction.client).commanded(interaction, verb, inputs)


def add_menus(tree: app_commands.CommandTree[Any]) -> None:
    """Define the menus; in servers only, because nobody has roles elsewhere."""
    for name, verb in MENUS.items():
        tree.add_command(_menu(name, verb))


def _menu(name: str, verb: str) -> app_commands.ContextMenu:
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def chosen(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await commanded(interaction, verb)

    return app_commands.ContextMenu(name=name, callback=chosen)


def on_reply(do: Callable[[Parts, Actor, Reply], Awaitable[Answer]]) -> Work:
    """What is done with an answer of ours; anything else is none."""

    async def work(parts: Parts, actor: Actor, asked: Asked) -> Answer:
        reply = await _reply(parts, asked)
        if reply is None:
            return Said(NOT_MINE)
        answer = await do(parts, actor, reply)
        parts.wake_board()
        return answer

    return work


async def open_correction(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Answer:
    """Ask what the answer should have been."""
    moderation.require(actor, Right.MODERATOR, "correct a reply")
    reply = await _reply(parts, asked)
    return Said(NOT_MINE) if reply is None else await form_for(parts, actor, reply)


async def why(parts: Parts, actor: Actor, reply: Reply) -> Answer:
    """Where the answer comes from."""
    return Reading(await commands.why(parts, actor, reply, parts.surface.link))


async def taught(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """Learn from a person's message."""
    moderation.require(actor, Right.MODERATOR, "teach from a thread")
    target, place = asked.target, asked.place
    if target is None or target.author == parts.me:
        return Said(MINE)
    message = Message(
        by=Person(target.author, "", (), place.guild),
        place=_at(asked),
        text=target.text,
        is_mention=False,
        is_thread=bool(place.parent),
        reply_to=target.reply_to,
        n_files=0,
        is_lost=not place.parent,
    )
    return await teach(parts, actor, message)


async def _reply(parts: Parts, asked: Asked) -> Reply | None:
    place = _at(asked)
    return await parts.reply_at(place.room_key, place.message)


def _at(asked: Asked) -> Place:
    """Where the message stands that the menu was opened on."""
    return replace(asked.place, message="" if asked.target is None else asked.target.message)


FEATURE = Feature(
    works={
        "command good_menu": on_reply(verbs.good),
        "command flag_menu": on_reply(verbs.flag),
        "command why_menu": on_reply(why),
        "command teach_menu": taught,
    },
    opens={"command correct_menu": open_correction},
    add_commands=add_menus,
)
