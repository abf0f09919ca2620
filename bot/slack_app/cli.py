"""How `finetone` serves Slack, and `finetone slack manifest`, from which an app is made."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from enum import StrEnum
from socket import socket
from typing import Annotated, Any

import typer

from bot.program import Program
from bot.serving import listening
from bot.settings import Settings, load_settings
from bot.slack_app.manifest import left_out, manifest
from bot.slack_app.serve import require_settings, serve_http, serve_socket

slack = typer.Typer(help="What a Slack app needs.", no_args_is_help=True)


@slack.callback()
def _slack() -> None:  # pyright: ignore[reportUnusedFunction]
    """What a Slack app needs."""  # a lone command would otherwise swallow the name of its group


@slack.command("manifest")
def print_manifest(
    name: Annotated[str, typer.Option(help="What the app is called in Slack.")] = "Finetone",
    url: Annotated[str, typer.Option(help="Public address of `finetone serve slack --http`; empty: Socket Mode.")] = "",
) -> None:
    """Print the manifest to create the app from, with the least it has to be allowed.

    FINETONE_SLACK_WITHOUT leaves out what one can do without; .env.example says what.
    """
    without = left_out(load_settings().slack_without)
    address = url.rstrip("/")
    events = f"{address}/slack/events" if address else ""
    redirects = (f"{address}/slack/oauth_redirect",) if address else ()
    typer.echo(json.dumps(manifest(name, events_url=events, redirect_urls=redirects, without=without), indent=2))


class Way(StrEnum):
    """How deliveries reach us."""

    SOCKET_MODE = "socket mode"
    HTTP = "http"


def way_of(settings: Settings) -> Way | None:
    """How Slack is to be served, by the secrets that are set; None where none is."""
    if settings.slack_app_token.get_secret_value():
        return Way.SOCKET_MODE
    return Way.HTTP if settings.slack_signing_secret.get_secret_value() else None


def why_not(settings: Settings) -> str:
    """Why Slack is not served though somebody began to set it up; "" where nobody did."""
    if way_of(settings) is not None or not (settings.slack_bot_token.get_secret_value() or settings.slack_client_id):
        return ""
    return (
        "Slack is not served: set FINETONE_SLACK_APP_TOKEN for Socket Mode, or FINETONE_SLACK_SIGNING_SECRET for HTTP."
    )


@dataclass(frozen=True, slots=True)
class Receiver:
    """Slack's deliveries, checked and bound before anything slow starts."""

    greeting: str
    bound: socket | None  # None: Socket Mode

    def serve(self, program: Program, stop: asyncio.Event) -> Coroutine[Any, Any, None]:
        """Receive until `stop` is set. Raises SlackRefused."""
        return serve_socket(program, stop) if self.bound is None else serve_http(program, self.bound, stop)


@contextlib.contextmanager
def receiver(settings: Settings, way: Way) -> Generator[Receiver]:
    """Check what this way needs and take its port. Raises SettingsMissing, SettingsWrong and PortInUse."""
    require_settings(settings, is_http=way is Way.HTTP)
    if way is Way.SOCKET_MODE:
        yield Receiver("Slack is listened to in Socket Mode.", None)
        return
    with listening(settings.slack_host, settings.slack_port, "FINETONE_SLACK_PORT") as bound:
        host, port = bound.getsockname()[:2]
        yield Receiver(f"Slack may deliver to http://{host}:{port}/slack/events.", bound)
