"""discord.py's client: it hears, and hands over what it heard. Nothing is decided here."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import discord
from discord import app_commands

from bot.discord_app.app import DiscordApp
from bot.discord_app.buttons import VerbButton
from bot.discord_app.outgoing import NOBODY
from bot.discord_app.payloads import DIRECT, Person, Place, person_of
from bot.discord_app.syncing import sync
from storage.ids import new_id

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 30.0  # discord.py waits out shorter rate limits by itself; a longer one is told (outgoing.patiently)


def intents(*, is_reduced: bool) -> discord.Intents:
    """What the gateway is asked to tell. Reduced: without the words of messages that do not mention the bot."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        guild_reactions=True,
        dm_messages=True,
        dm_reactions=True,
        message_content=not is_reduced,
    )


class FinetoneClient(discord.AutoShardedClient):
    """Hears for one app. `app` is set before it connects."""

    def __init__(self, app: DiscordApp, *, is_reduced: bool = False) -> None:
        super().__init__(
            intents=intents(is_reduced=is_reduced),
            allowed_mentions=NOBODY,
            max_ratelimit_timeout=LONGEST_WAIT_S,
            max_messages=None,  # raw events tell what we need, and rows remember it
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),  # roles come with each message and each press
        )
        self.app = app
        self.tree: app_commands.CommandTree[Any] = app_commands.CommandTree(self)
        app.registry.add_commands(self.tree)
        app.parts.client = self
        app.parts.is_reduced = is_reduced

    async def setup_hook(self) -> None:
        """Know the buttons under every message of ours, old and new, and let Discord know our commands."""
        self.add_dynamic_items(VerbButton)
        await sync(self, self.tree)

    # ------------------------------------------------------------ the connection

    async def on_ready(self) -> None:
        """A session began: what was said before it is not told."""
        await self.app.began()

    async def on_disconnect(self) -> None:
        """The connection is gone; discord.py connects again."""
        self.app.listening.lost()

    async def on_resumed(self) -> None:
        """The old session goes on, and Discord has told what was missed."""
        self.app.listening.resumed()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A server added the bot. One that is back after an outage is told otherwise."""
        await self.app.joined(str(guild.id))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """A server removed the bot, or is no more."""
        await self.app.left(str(guild.id))

    # ------------------------------------------------------------ messages

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote."""
        await self.app.message(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """A message changed. Discord also tells so when it adds a preview of a link; then nobody edited anything."""
        message = event.message
        if event.data.get("edited_timestamp") is None or message.author.bot:
            return
        place = self._place(event.guild_id, event.channel_id, event.message_id)
        mentioned = tuple(person_of(user, place.guild) for user in message.mentions)
        stamp = datetime.fromisoformat(str(event.data["edited_timestamp"])).timestamp()
        await self.app.changed(f"{place.key}/edited/{stamp}", place, message.content, mentioned)

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A message was deleted."""
        await self._deleted(event.guild_id, event.channel_id, event.message_id)

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Several messages were deleted at once."""
        for message_id in sorted(event.message_ids):
            await self._deleted(event.guild_id, event.channel_id, message_id)

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """A thread or forum post was deleted with all that stood in it."""
        payload = {"guild": str(event.guild_id), "thread": str(event.thread_id)}
        await self.app.kept(f"{event.guild_id}/{event.thread_id}/thread_deleted", "thread_deleted", payload)

    async def _deleted(self, guild_id: int | None, channel_id: int, message_id: int) -> None:
        place = self._place(guild_id, channel_id, message_id)
        await self.app.changed(f"{place.key}/deleted", place, None, ())

    def _place(self, guild_id: int | None, channel_id: int, message_id: int) -> Place:
        """Where a message stands that only its ids tell of."""
        thread = None if guild_id is None else getattr(self.get_guild(guild_id), "get_thread", _no_thread)(channel_id)
        parent = "" if thread is None else str(thread.parent_id)
        return Place(DIRECT if guild_id is None else str(guild_id), str(channel_id), str(message_id), parent)

    # ------------------------------------------------------------ reactions

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody reacted; Discord tells their roles with it."""
        by = None if event.member is None else person_of(event.member, str(event.guild_id))
        await self._reacted("reaction_added", event, by)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Somebody took a reaction back; Discord tells nothing of them but the id."""
        await self._reacted("reaction_removed", event, None)

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """Somebody took everybody's reactions away."""
        await self._cleared(event.guild_id, event.channel_id, event.message_id, None)

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """Somebody took everybody's reactions of one emoji away."""
        await self._cleared(event.guild_id, event.channel_id, event.message_id, event.emoji)

    async def _cleared(
        self, guild_id: int | None, channel_id: int, message_id: int, emoji: discord.PartialEmoji | None
    ) -> None:
        place = self._place(guild_id, channel_id, message_id)
        payload = {"place": asdict(place), "emoji": None if emoji is None else _name_of(emoji)}
        await self.app.kept(new_id("reaction", self.app.parts.now()), "reactions_cleared", payload)

    async def _reacted(self, kind: str, event: discord.RawReactionActionEvent, by: Person | None) -> None:
        is_bot = event.member is not None and event.member.bot
        if kind not in self.app.registry.hears or is_bot or str(event.user_id) == self.app.parts.me:
            return
        place = self._place(event.guild_id, event.channel_id, event.message_id)
        by = by or Person(str(event.user_id), "", (), place.guild)
        # Discord gives a reaction no id, and the same one may be added again: each is a delivery of its own.
        await self.app.kept(
            new_id("reaction", self.app.parts.now()),
            kind,
            {"by": asdict(by), "place": asdict(place), "emoji": _name_of(event.emoji)},
        )

    # ------------------------------------------------------------ what people press and send

    async def asked(self, interaction: discord.Interaction[Any]) -> None:
        """A button of ours was pressed."""
        await self.app.asked(interaction)

    async def commanded(self, interaction: discord.Interaction[Any], verb: str, inputs: Mapping[str, Any]) -> None:
        """A command was given, or chosen in a message's menu."""
        await self.app.commanded(interaction, verb, inputs)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A form was sent, or a menu's value chosen: read from what was delivered, whoever opened it and however long ago."""
        if interaction.type is discord.InteractionType.modal_submit or _is_menu(interaction):
            await self.app.asked(interaction)


def _name_of(emoji: discord.PartialEmoji) -> str:
    """A picture, or a server's own as name:id."""
    return emoji.name if emoji.id is None else f"{emoji.name}:{emoji.id}"


def _no_thread(_: int) -> discord.Thread | None:
    return None


def _is_menu(interaction: discord.Interaction[Any]) -> bool:
    delivered: Any = interaction.data or {}
    is_component = interaction.type is discord.InteractionType.component
    return is_component and delivered.get("component_type") != discord.ComponentType.button.value
