"""A bare discord.py bot, to prove the harness with. Nothing of Finetone is in it."""

import re
from typing import Any, cast

import discord
from discord import app_commands, ui

from tests.discord.guild import Guild

ANSWER = "An answer"
FEEDBACK = "bv1:{kind}:reply_1"


class Feedback(ui.DynamicItem[ui.Button[ui.View]], template=r"bv1:(?P<kind>good|fix):(?P<reply>\w+)"):
    """A button that outlives the process."""

    def __init__(self, kind: str, reply: str) -> None:
        super().__init__(ui.Button(label=kind, custom_id=f"bv1:{kind}:{reply}"))
        self.kind, self.reply = kind, reply

    @classmethod
    async def from_custom_id(cls, interaction: Any, item: Any, match: re.Match[str], /) -> "Feedback":
        return cls(match["kind"], match["reply"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        if self.kind == "fix":
            await interaction.response.send_modal(Correction(ANSWER))
            return
        interaction.client.clicks += 1
        await interaction.response.send_message(f"Thanks for {self.kind} on {self.reply}", ephemeral=True)


class Correction(ui.Modal):
    """A form as the moderators' will be."""

    def __init__(self, text: str) -> None:
        super().__init__(title="Correct this answer", custom_id="bv1:correct:reply_1")
        self.answer = ui.TextInput[Any](style=discord.TextStyle.paragraph, default=text, custom_id="answer")
        options = [discord.SelectOption(label=one, value=one) for one in ("wrong", "tone")]
        self.reason = ui.Select[Any](options=options, custom_id="reason")
        self.add_item(ui.Label(text="Answer", component=self.answer))
        self.add_item(ui.Label(text="Reason", component=self.reason))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        said = f"Saved: {self.answer.value} ({self.reason.values[0]})"
        await interaction.response.send_message(said, ephemeral=True)


class Bare:
    """Answers mentions and DMs, opens forms, remembers what it heard."""

    user: discord.ClientUser
    add_dynamic_items: Any

    def __init__(self, *, intents: discord.Intents | None = None, mentions: bool = False) -> None:
        wanted = intents or discord.Intents.default()
        wanted.message_content = intents is None or intents.message_content
        allowed = None if mentions else discord.AllowedMentions.none()
        super().__init__(intents=wanted, allowed_mentions=allowed, max_ratelimit_timeout=600.0)
        self.tree = app_commands.CommandTree(cast(discord.Client, self))
        self.heard: list[Any] = []
        self.heard_texts: list[str] = []  # as they were: a cached message changes with its edits
        self.clicks = 0
        self.says = ANSWER
        _add_commands(self.tree)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Feedback)
        await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self.heard_texts.append(message.content)
        if message.author.bot or message.type not in (discord.MessageType.default, discord.MessageType.reply):
            return
        if message.guild is None or self.user in message.mentions:
            view = ui.View(timeout=None)
            view.add_item(Feedback("good", "reply_1"))
            view.add_item(Feedback("fix", "reply_1"))
            await message.reply(self.says, mention_author=False, view=view)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.heard.append(("add", str(event.emoji), event.user_id, event.message_author_id))

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        self.heard.append(("remove", str(event.emoji), event.user_id, event.message_author_id))

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        self.heard.append(("edit", event.data.get("content")))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.heard.append(("delete", event.message_id))

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.heard.append(("bulk delete", event.message_ids))

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.heard.append(("thread", thread.name))


class BareBot(Bare, discord.Client):
    """One connection."""


class ShardedBot(Bare, discord.AutoShardedClient):
    """A connection for each shard, as Finetone has."""


def _add_commands(tree: app_commands.CommandTree[Any]) -> None:
    @tree.context_menu(name="Correct this answer")
    async def correct(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_modal(Correction(message.content))

    @tree.command(description="Train a new model")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def retrain(interaction: discord.Interaction[Any], dry_run: bool = False) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send(f"Dry run: {dry_run}")
        await interaction.followup.send("More", ephemeral=True)

    @tree.command(description="Say it again")
    async def echo(interaction: discord.Interaction[Any], what: str) -> None:
        await interaction.response.send_message(what, ephemeral=True)

    @echo.autocomplete("what")
    async def offer(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current}!", value=f"{current}!")]


def build_bare(guild: Guild) -> BareBot:
    return BareBot()
