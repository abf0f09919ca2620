"""What the team hears of trouble: once, in the ops channel, with the next step."""

import logging

import discord

from bot.discord_app.outgoing import UNREACHABLE, CannotSpeak, Shown, reason, send
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Place
from bot.discord_app.permissions import missing, missing_to_answer
from storage.records import ThreadMode

log = logging.getLogger(__name__)


async def tell_ops(parts: Parts, about: str, sentence: str) -> None:
    """Say it in the ops channel and in the log; `about` is said once, until it leaves `parts.told` or the process ends."""
    if about in parts.told:
        return
    parts.told.add(about)
    log.error("%s", sentence)
    if not parts.rules.ops_channel:
        return
    try:
        await send(parts.client.get_partial_messageable(int(parts.rules.ops_channel)), Shown(sentence))
    except (CannotSpeak, *UNREACHABLE) as error:
        log.error("nobody could be told in the ops channel (%s)", reason(error))


def lacking(parts: Parts, place: Place, threads: ThreadMode) -> list[str]:
    """The permissions whose lack keeps the bot from answering there, as far as the cache knows the channel."""
    permissions = permissions_in(parts.client, place)
    if permissions is None:
        return []
    return missing_to_answer(permissions, is_thread=bool(place.parent), threads=threads)


def permissions_in(client: discord.Client, place: Place) -> discord.Permissions | None:
    """What the bot may do in a guild's channel; None in direct messages, and where the cache does not know it."""
    guild = None if place.is_direct else client.get_guild(int(place.guild))
    channel = None if guild is None else guild.get_channel(int(place.parent or place.channel))
    return None if guild is None or channel is None else channel.permissions_for(guild.me)


async def cannot_answer(parts: Parts, place: Place, lacking_there: list[str]) -> None:
    """Tell the team that the bot stops answering in a channel, and what it lacks there."""
    if not lacking_there:  # Discord refused, and the cache does not say why
        known = permissions_in(parts.client, place)
        lacking_there = missing(known) if known is not None else []
    what = ", ".join(lacking_there) or "a permission (Discord did not say which)"
    channel = place.parent or place.channel
    await tell_ops(
        parts,
        closed_in(place),
        f"I cannot answer in <#{channel}>: I lack {what} there. Give it to my role, then I go on by myself.",
    )


def can_answer_again(parts: Parts, place: Place) -> None:
    """What was lacking is there: the next lack is news again."""
    parts.told.discard(closed_in(place))


def closed_in(place: Place) -> str:
    """What the team is told about, by its channel."""
    return f"closed {place.channel_key}"
