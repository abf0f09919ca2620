"""How `finetone` serves Discord, and `finetone discord invite`, which adds the bot to a server."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import typer

from bot.discord_app.permissions import invite
from bot.discord_app.serve import application_id, require_settings, serve_discord
from bot.program import Program
from bot.settings import Settings, load_settings

discord = typer.Typer(help="What a Discord bot needs.", no_args_is_help=True)


@discord.callback()
def _discord() -> None:  # pyright: ignore[reportUnusedFunction]
    """What a Discord bot needs."""  # a lone command would otherwise swallow the name of its group


@discord.command("invite")
def print_invite() -> None:
    """Print the address that adds the bot to a server, with the least it has to be allowed. Needs the token."""
    settings = load_settings()
    require_settings(settings)
    typer.echo(invite(asyncio.run(application_id(settings))))


def is_wanted(settings: Settings) -> bool:
    """Whether Discord is to be served beside everything else."""
    return bool(settings.discord_token.get_secret_value())


@dataclass(frozen=True, slots=True)
class Receiver:
    """Discord's events, its settings checked before anything slow starts."""

    greeting: str

    def serve(self, program: Program, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
        """Receive until `stop` is set. Raises DiscordRefused."""
        return serve_discord(program, stop)


def receiver(settings: Settings) -> Receiver:
    """Check what Discord needs. Raises SettingsMissing."""
    require_settings(settings)
    return Receiver("Discord is listened to.")
