"""The slash commands as Discord shows them: names, options, and to whom by default. What they do is in commands.py."""

from typing import Any

import discord
from discord import app_commands

from bot.discord_app.menus import commanded
from bot.moderation.comparing import SAID
from curation.search import MOST_MINUTES, MOST_TRIALS

LONGEST_COOLDOWN_S = 3_600
MOST_A_DAY = 100_000

Seen = discord.Interaction[Any]
Choice = app_commands.Choice


def add_commands(tree: app_commands.CommandTree[Any]) -> None:
    """Define them all."""
    _add_retrain(tree)
    tree.add_command(_model())
    tree.add_command(_dataset())
    tree.add_command(_config())
    tree.add_command(_feedback())
    tree.add_command(_privacy())
    _add_help(tree)


def _group(name: str, description: str, permissions: discord.Permissions | None) -> app_commands.Group:
    """Commands of a server's staff (`permissions`), or of everybody, also in direct messages (None)."""
    return app_commands.Group(
        name=name,
        description=description,
        guild_only=permissions is not None,
        default_permissions=permissions,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )


_ADMINS = discord.Permissions(manage_guild=True)
_MODERATORS = discord.Permissions(manage_messages=True)


def _add_retrain(tree: app_commands.CommandTree[Any]) -> None:
    @tree.command(description="Show what a training run would do, and start it")
    @app_commands.describe(dry_run="Only show it")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def retrain(interaction: Seen, dry_run: bool = False) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "retrain", dry_run=dry_run)


def _add_help(tree: app_commands.CommandTree[Any]) -> None:
    @tree.command(name="help", description="What I do, and what you may do")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def help_(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "help")


def _model() -> app_commands.Group:
    group = _group("model", "The model that answers", _ADMINS)

    @group.command(description="What serves now, and where the newest training run stands")
    async def status(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "model_status")

    @group.command(description="What served when, and why")
    async def history(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "model_history")

    @group.command(description="Serve the model before, or a named one, from now on")
    @app_commands.describe(number="The model's number; without one, the model before")
    async def rollback(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen, number: app_commands.Range[int, 0] | None = None
    ) -> None:
        await commanded(interaction, "model_rollback", number=number)

    @group.command(description="Let the newest model serve although it is not proven, or end its canary")
    @app_commands.describe(why="Your reason; it is kept with the decision")
    async def release(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen, why: app_commands.Range[str, 1, 300]
    ) -> None:
        await commanded(interaction, "model_release", why=why)

    @group.command(description="Show what a search for training settings would do, and start it")
    @app_commands.describe(
        trials="Settings to try at most; 6 without it",
        minutes="No trial begins after; 60 without it",
        cost="No trial begins beyond it, in the price's currency, like 2.50; none without it",
    )
    async def search(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen,
        trials: app_commands.Range[int, 1, MOST_TRIALS] | None = None,
        minutes: app_commands.Range[int, 1, int(MOST_MINUTES)] | None = None,
        cost: app_commands.Range[str, 1, 20] | None = None,
    ) -> None:
        await commanded(interaction, "model_search", trials=trials, minutes=minutes, cost=cost)

    @group.command(description="Let the open training run stand still where it is")
    async def pause(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "model_pause")

    @group.command(description="Let the paused training run go on")
    async def resume(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "model_resume")

    @group.command(description="Stop the open training run")
    async def cancel(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "model_cancel")

    @group.command(description="The voice's prompt and base model")
    async def voice(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "model_voice")

    return group


def _dataset() -> app_commands.Group:
    group = _group("dataset", "The approved examples", _ADMINS)

    @group.command(description="How many examples there are, and what a run would make of them")
    async def stats(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "dataset_stats")

    @group.command(description="The newest examples")
    async def preview(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "dataset_preview")

    @group.command(description="Every example as a file, one a line")
    async def export(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "dataset_export")

    return group


def _config() -> app_commands.Group:
    group = _group("config", "When I speak, for whom and how often", _ADMINS)
    _add_set_up(group)

    @group.command(description="What is set for a channel, and which permissions I miss there")
    @app_commands.describe(channel="The channel; without one, this one")
    async def show(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen, channel: discord.TextChannel | discord.ForumChannel | None = None
    ) -> None:
        await commanded(interaction, "config_show", channel=None if channel is None else str(channel.id))

    return group


_OPTIONS = {
    "mode": "When I speak there",
    "training": "Whether corrections made there may be trained on",
    "threads": "Where my answers stand",
    "role": "Whom I answer there; choose @everyone for everybody",
    "language": "What I answer in, such as German; none for no rule",
    "hours": "Such as Mon-Fri 09:00-17:30; always for no rule",
    "time_zone": "Of the hours and the day, such as Europe/Berlin",
    "cooldown": "Seconds between two questions of one person; 0 for none",
    "daily_cap": "Questions I answer there on one day; 0 for no limit",
    "channel": "The channel; without one, this one",
}
_MODES = [
    Choice(name="when I am mentioned", value="mention"),
    Choice(name="every question", value="auto"),
    Choice(name="drafts for moderators only", value="draft"),
    Choice(name="never", value="off"),
]
_THREADS = [
    Choice(name="in a thread on the question", value="thread"),
    Choice(name="under the question", value="channel"),
]


def _add_set_up(group: app_commands.Group) -> None:
    @group.command(name="channel", description="Set up a channel; what you leave out stays as it is")
    @app_commands.describe(**_OPTIONS)
    @app_commands.choices(mode=_MODES, threads=_THREADS)
    async def set_up(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen,
        mode: str | None = None,
        training: bool | None = None,
        threads: str | None = None,
        role: discord.Role | None = None,
        language: app_commands.Range[str, 1, 40] | None = None,
        hours: app_commands.Range[str, 1, 200] | None = None,
        time_zone: app_commands.Range[str, 1, 60] | None = None,
        cooldown: app_commands.Range[int, 0, LONGEST_COOLDOWN_S] | None = None,
        daily_cap: app_commands.Range[int, 0, MOST_A_DAY] | None = None,
        channel: discord.TextChannel | discord.ForumChannel | None = None,
    ) -> None:
        await commanded(
            interaction,
            "config_channel",
            mode=mode,
            training=training,
            threads=threads,
            role=None if role is None else str(role.id),
            language=language,
            hours=hours,
            time_zone=time_zone,
            cooldown=cooldown,
            daily_cap=daily_cap,
            channel=None if channel is None else str(channel.id),
        )


def _feedback() -> app_commands.Group:
    group = _group("feedback", "What people think of the answers", _MODERATORS)

    @group.command(description="What waits for a look, and the corrections that wait for approval")
    async def queue(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "feedback_queue")

    @group.command(description="Two answers without names: which one is better?")
    @app_commands.describe(number="The pair's number, as it was shown", better="Which one; without it, a pair is shown")
    @app_commands.choices(better=[Choice(name=said, value=side) for side, said in SAID.items()])
    async def pairs(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen, number: app_commands.Range[int, 1] | None = None, better: str | None = None
    ) -> None:
        await commanded(interaction, "feedback_pairs", number=number, better=better)

    return group


def _privacy() -> app_commands.Group:
    group = _group("privacy", "What I keep about you", None)

    @group.command(description="Everything I keep about you, as a file")
    async def export(interaction: Seen) -> None:  # pyright: ignore[reportUnusedFunction]
        await commanded(interaction, "privacy_export")

    @group.command(description="Delete your questions and what was learned from them")
    @app_commands.describe(member="For admins: whose questions; without one, your own")
    async def delete(  # pyright: ignore[reportUnusedFunction]
        interaction: Seen, member: discord.User | None = None
    ) -> None:
        await commanded(interaction, "privacy_delete", member=None if member is None else str(member.id))

    return group
