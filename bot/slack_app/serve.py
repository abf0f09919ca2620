"""The Slack app put together and kept running: over signed HTTP, or in Socket Mode."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
from slack_bolt.adapter.asgi.async_handler import AsyncSlackRequestHandler
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow

from bot.doubting import asking_of
from bot.office.board import Board
from bot.office.office import Rules
from bot.program import Program
from bot.rates import Latest, Rates
from bot.sealing import sealer
from bot.serving import serve_app
from bot.settings import Settings, SettingsMissing, SettingsWrong
from bot.slack_app.app import Door, SlackApp
from bot.slack_app.installing import ManyWorkspaces, SealedInstallations, oauth_flow
from bot.slack_app.manifest import left_out
from bot.slack_app.outgoing import UNREACHABLE
from bot.slack_app.parts import Parts
from bot.slack_app.people import People, Roster, roster_of
from bot.slack_app.surface import SlackSurface
from bot.slack_app.workspaces import (
    NotInstalled,
    OneWorkspace,
    Workspaces,
    app_token_refused,
    bot_of_token,
)

log = logging.getLogger(__name__)

SHUTDOWN_S = 5
BACKLOG = 2048  # connections waiting to be accepted


@dataclass(frozen=True, slots=True)
class Running:
    """The app, and the board beside it."""

    app: SlackApp
    board: Board

    async def work(self, stop: asyncio.Event) -> None:
        """Take up what was left, and keep what stands on Slack up to date, until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.app.inbox.serve(stop))
            group.create_task(self.board.serve(stop))


def require_settings(settings: Settings, *, is_http: bool) -> None:
    """Raises SettingsMissing, naming every setting that is needed and not set, and SettingsWrong."""
    many = bool(settings.slack_client_id)
    if many and not is_http:
        raise SettingsWrong(
            "FINETONE_SLACK_CLIENT_ID is set, so that several workspaces can install the app, which needs a public "
            "address: start `finetone serve slack --http`, or unset it and set FINETONE_SLACK_BOT_TOKEN."
        )
    needed = {
        "SLACK_SIGNING_SECRET": settings.slack_signing_secret.get_secret_value() if is_http else "-",
        "SLACK_APP_TOKEN": "-" if is_http else settings.slack_app_token.get_secret_value(),
        "SLACK_BOT_TOKEN": "-" if many else settings.slack_bot_token.get_secret_value(),
        "SLACK_CLIENT_SECRET": settings.slack_client_secret.get_secret_value() if many else "-",
    }
    left_out(settings.slack_without)
    missing = [f"FINETONE_{name}" for name, value in needed.items() if not value]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise SettingsMissing(f"{', '.join(missing)} {are} not set. docs/slack.md says where to find each.")


@contextlib.asynccontextmanager
async def slack(program: Program, *, is_http: bool) -> AsyncGenerator[Running]:
    """The app, ready to receive. Raises SettingsMissing and SlackRefused."""
    settings, now = program.settings, program.desk.now
    require_settings(settings, is_http=is_http)
    key = sealer(settings.secret_key.get_secret_value(), settings.data_dir)
    installations = SealedInstallations(program.store, key, now)
    served = await _served(settings, installations)
    async with Workspaces(settings.slack_api_url, served.find) as workspaces:
        installations.changed = workspaces.forget
        if isinstance(served, ManyWorkspaces):
            await _warn_of_unreadable(installations, workspaces)
        parts = Parts(
            store=program.store,
            voice=program.voice,
            desk=program.desk,
            workshop=program.workshop,
            workspaces=workspaces,
            people=People(program.store, workspaces, _roster(settings), served.home_team, now),
            rates=Rates(now),
            latest=Latest(now),
            rules=rules_of(settings),
            now=now,
        )
        parts.surface = SlackSurface(parts, served.home_team)
        board = Board(parts, parts.surface)
        parts.wake_board = board.wake
        door = Door(
            settings.slack_signing_secret.get_secret_value() if is_http else "",
            _oauth(settings, workspaces, installations) if isinstance(served, ManyWorkspaces) else None,
        )
        yield Running(SlackApp(parts, f"{program.desk.owner}-slack", door, installations.remove), board)


async def _served(settings: Settings, installations: SealedInstallations) -> OneWorkspace | ManyWorkspaces:
    if settings.slack_client_id:
        return ManyWorkspaces(installations, settings.slack_home_team)
    return OneWorkspace(await bot_of_token(settings.slack_api_url, settings.slack_bot_token.get_secret_value()))


def _roster(settings: Settings) -> Roster:
    return roster_of(settings.slack_moderators, settings.slack_approvers, settings.slack_admins)


def _oauth(settings: Settings, workspaces: Workspaces, installations: SealedInstallations) -> AsyncOAuthFlow:
    return oauth_flow(
        workspaces,
        installations,
        settings.slack_client_id,
        settings.slack_client_secret.get_secret_value(),
        settings.slack_authorize_url,
        settings.slack_public_url,
        left_out(settings.slack_without),
    )


async def _warn_of_unreadable(installations: SealedInstallations, workspaces: Workspaces) -> None:
    """Say at the start, and not at somebody's first question, whose token another key has sealed."""
    for team in await installations.teams():
        try:
            await workspaces.bot(team)
        except NotInstalled as error:
            log.error("%s", error)


def rules_of(settings: Settings) -> Rules:
    """What the settings say about Slack."""
    return Rules(
        default_mode=settings.slack_default_mode,
        review_channel=settings.slack_review_channel,
        triage_channel=settings.slack_triage_channel,
        ops_channel=settings.slack_ops_channel,
        domains=settings.domains,
        questions_per_minute=settings.questions_per_minute,
        channel_questions_per_minute=settings.channel_questions_per_minute,
        team_of_one=settings.team_of_one,
        keep=settings.kept,
        dispute_votes=settings.dispute_votes,
        asking=asking_of(settings),
        follow_up_after=timedelta(hours=settings.follow_up_hours) if settings.follow_up_hours else None,
    )


async def serve_http(program: Program, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serve /slack/events (and, for several workspaces, /slack/install) on a bound socket until `stop` is set."""
    async with slack(program, is_http=True) as running:
        config = uvicorn.Config(
            AsyncSlackRequestHandler(running.app.bolt),  # pyright: ignore[reportArgumentType]
            log_level="warning",
            access_log=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_S,
            lifespan="off",
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(running.work(stop))
            group.create_task(serve_app(config, bound, stop))


async def serve_socket(program: Program, stop: asyncio.Event) -> None:
    """Receive over Socket Mode until `stop` is set; slack_sdk reconnects by itself."""
    async with slack(program, is_http=False) as running:
        app_token = program.settings.slack_app_token.get_secret_value()
        speaking = running.app.parts.workspaces.speaking(None)
        # Asked here, because slack_sdk 3.47 tries again for ever when the token is refused, and logs a traceback each time.
        try:
            opened: Any = await speaking.apps_connections_open(app_token=app_token)  # pyright: ignore[reportUnknownMemberType]
        except UNREACHABLE as error:
            raise app_token_refused(program.settings.slack_api_url, error) from error
        handler = AsyncSocketModeHandler(running.app.bolt, app_token, web_client=speaking)
        handler.client.wss_uri = str(opened["url"])
        async with asyncio.TaskGroup() as group:
            group.create_task(running.work(stop))
            connecting = group.create_task(handler.connect_async())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
            await stop.wait()
            await handler.close_async()  # pyright: ignore[reportUnknownMemberType]
            connecting.cancel()
