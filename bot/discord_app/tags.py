"""A forum post's tags say where it stands: answered, in need of a person, corrected. Only tags that the forum has are used.

It takes Manage Threads, which the bot does not ask for: without it, or without such tags, nothing is done.
"""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from enum import StrEnum

import discord

from bot.discord_app.interactions import Feature
from bot.discord_app.outgoing import UNREACHABLE, patiently, reason
from bot.discord_app.parts import PLATFORM, Parts
from storage.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

LOOK_S = 5.0
MOST_TAGS = 5  # on one post, docs.discord.com, channel resource, read 2026-11-21
MOST_NOTED = 1_000
EVER = datetime(2015, 1, 1, tzinfo=UTC)  # Discord's own beginning
WAITING = "waiting/"  # what the notes begin with of posts whose tag says that a person is needed


class Stand(StrEnum):
    """Where a post stands, by the tag's name in small letters."""

    ANSWERED = "answered"
    NEEDS_HUMAN = "needs human"
    CORRECTED = "corrected"


INSTEAD_OF = {Stand.ANSWERED: Stand.NEEDS_HUMAN, Stand.NEEDS_HUMAN: Stand.ANSWERED}


async def mark(parts: Parts, room_key: str, stand: Stand) -> None:
    """Let the post's tags say it. Never raises: a tag only decorates."""
    post = _post_at(parts.client, room_key)
    if post is None:
        return
    gone = INSTEAD_OF.get(stand)
    wanted = [tag for tag in post.applied_tags if _stand_of(tag) is not gone or gone is None]
    wanted += [tag for tag in _tags(post.parent) if _stand_of(tag) is stand and tag not in wanted]
    if len(wanted) > MOST_TAGS or {tag.id for tag in wanted} == {tag.id for tag in post.applied_tags}:
        return
    try:
        await patiently(lambda: post.edit(applied_tags=wanted, reason=f"The conversation is {stand}."))
    except UNREACHABLE as error:
        log.info("no tag on %s (%s)", room_key, reason(error))


async def serve(parts: Parts, stop: asyncio.Event) -> None:
    """Follow who is in a person's hands, wherever that was decided, until `stop` is set."""
    while not stop.is_set():
        try:
            await follow(parts)
        except DatabaseUnavailable as error:
            log.warning("tags of forum posts wait: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)


async def follow(parts: Parts) -> None:
    """Posts that came into a person's hands need one from now on; those that were given back are answered."""
    if not any(_tags(forum) for guild in parts.client.guilds for forum in guild.forums):
        return
    store = parts.store
    open_ids = [hand_over.conversation_id for hand_over in await store.hand_overs.all_open()]
    found = await store.conversations.many(open_ids)
    waiting = {conversation.external_id for conversation in found if conversation.platform == PLATFORM}
    noted = await store.channels.listened_to(PLATFORM, WAITING, EVER, MOST_NOTED)
    known = {part.removeprefix(WAITING).removesuffix("/") for part in noted}
    for room_key in sorted(waiting - known):
        if _post_at(parts.client, room_key) is not None:
            await mark(parts, room_key, Stand.NEEDS_HUMAN)
            await store.channels.listened(PLATFORM, f"{WAITING}{room_key}/", parts.now())
    for room_key in sorted(known - waiting):
        await mark(parts, room_key, Stand.ANSWERED)
        await store.channels.forget_listened(PLATFORM, f"{WAITING}{room_key}/")


def _post_at(client: discord.Client, room_key: str) -> discord.Thread | None:
    """The open forum post with this key, where the bot may set its tags."""
    guild_id, thread_id = room_key.split("/")
    guild = client.get_guild(int(guild_id)) if guild_id.isdecimal() else None
    post = None if guild is None else guild.get_thread(int(thread_id))
    return post if post is not None and _tags(post.parent) else None


def _tags(forum: discord.ForumChannel | discord.TextChannel | None) -> list[discord.ForumTag]:
    """The forum's tags that stand for something, where the bot may set them."""
    if not isinstance(forum, discord.ForumChannel) or not forum.permissions_for(forum.guild.me).manage_threads:
        return []
    return [tag for tag in forum.available_tags if _stand_of(tag) is not None]


def _stand_of(tag: discord.ForumTag) -> Stand | None:
    name = tag.name.strip().lower().replace(" a human", " human")
    return next((stand for stand in Stand if stand.value == name), None)


FEATURE = Feature(serves=serve)
