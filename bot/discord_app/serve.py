"""The Discord app put together and kept running over the gateway."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.discord_app import bursts, drafts
from bot.discord_app.app import DiscordApp
from bot.discord_app.bursts import Bursts, Pause
from bot.discord_app.client import FinetoneClient
from bot.discord_app.outgoing import UNREACHABLE, reason
from bot.discord_app.parts import Parts, Rules
from bot.discord_app.people import People, roster_of
from bot.discord_app.signs import signs_named
from bot.discord_app.surface import DiscordSurface
from bot.doubting import asking_of
from bot.program import Program
from bot.rates import Latest, Rates
from bot.settings import Settings, SettingsMissing

log = logging.getLogger(__name__)

BAD_TOKEN = 4004  # a close code, docs.discord.com, read 2026-11-21
NO_CONTENT = (
    "Discord does not let this app read messages that do not mention it, so it answers mentions, replies and direct messages "
    "only, and follow-ups in its threads need a mention. Switch on “Message Content Intent” under Bot on the app's page at "
    "discord.com/developers/applications, then start again."
)


class DiscordRefused(Exception):
    """Discord does not take the token, or cannot be reached; the message says which setting to look at."""


@dataclass(frozen=True, slots=True)
class Running:
    """The app and its client. The client is another one after Discord refused an intent."""

    app: DiscordApp

    @property
    def client(self) -> FinetoneClient:
        client = self.app.parts.client
        assert isinstance(client, FinetoneClient)  # made by `discord_app`
        return client

    async def work(self, stop: asyncio.Event) -> None:
        """Take up what was left, note how far was heard, and do what features do in the background, until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.app.inbox.serve(stop))
            group.create_task(self.app.listening.serve(stop))
            for feature in self.app.registry.features:
                if feature.serves is not None:
                    group.create_task(feature.serves(self.app.parts, stop))


def discord_app(program: Program, *, is_reduced: bool = False, pause: Pause | None = bursts.pause) -> Running:
    """The app, ready to connect; reduced: without the message-content intent.

    `pause` is how long somebody may be silent in the middle of a question; None: each message is one by itself.
    """
    settings, now = program.settings, program.desk.now
    parts = Parts(
        client=discord.Client(intents=discord.Intents(guilds=True)),  # until FinetoneClient takes its place
        store=program.store,
        voice=program.voice,
        desk=program.desk,
        workshop=program.workshop,
        people=People(
            program.store,
            roster_of(settings.discord_moderators, settings.discord_approvers, settings.discord_admins),
            now,
        ),
        rates=Rates(now),
        rules=rules_of(settings),
        latest=Latest(now),
        bursts=Bursts(pause),
        now=now,
    )
    parts.surface = DiscordSurface(parts)
    parts.offer_draft = partial(drafts.offer, parts)
    app = DiscordApp(parts, f"{program.desk.owner}-discord")
    FinetoneClient(app, is_reduced=is_reduced)
    return Running(app)


def rules_of(settings: Settings) -> Rules:
    """What the settings say about Discord. Raises SettingsWrong."""
    return Rules(
        default_mode=settings.discord_default_mode,
        default_thread_mode=settings.discord_thread_mode,
        review_channel=settings.discord_review_channel,
        triage_channel=settings.discord_triage_channel,
        ops_channel=settings.discord_ops_channel,
        escalation_role=settings.discord_escalation_role,
        domains=settings.domains,
        answers_direct=settings.discord_direct_messages,
        is_streaming=settings.discord_streaming,
        signs=signs_named(settings.discord_signs),
        quiet_for=timedelta(minutes=settings.discord_quiet_minutes) if settings.discord_quiet_minutes else None,
        footer="" if settings.discord_footer.lower() == "none" else settings.discord_footer,
        questions_per_minute=settings.questions_per_minute,
        channel_questions_per_minute=settings.channel_questions_per_minute,
        team_of_one=settings.team_of_one,
        keep=settings.kept,
        dispute_votes=settings.dispute_votes,
        asking=asking_of(settings),
        follow_up_after=timedelta(hours=settings.follow_up_hours) if settings.follow_up_hours else None,
    )


def aim(settings: Settings) -> None:
    """Let discord.py talk to the addresses in the settings; it keeps them for the whole process. It has no need to speak."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    Route.BASE = settings.discord_api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)


def require_settings(settings: Settings) -> None:
    """Raises SettingsMissing."""
    if not settings.discord_token.get_secret_value():
        raise SettingsMissing("FINETONE_DISCORD_TOKEN is not set. docs/discord.md says where to find it.")


async def serve_discord(program: Program, stop: asyncio.Event, *, pause: Pause | None = bursts.pause) -> None:
    """Receive until `stop` is set; discord.py reconnects by itself. Raises SettingsMissing and DiscordRefused.

    `pause` is as in `discord_app`.
    """
    settings = program.settings
    require_settings(settings)
    aim(settings)
    running = discord_app(program, pause=pause)
    is_over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_worked(running, stop, is_over))
        group.create_task(_connected(running, settings.discord_token.get_secret_value(), is_over))


async def _worked(running: Running, stop: asyncio.Event, is_over: asyncio.Event) -> None:
    """Work until `stop` is set and what has begun is done: answers on their way need the connection until then."""
    try:
        await running.work(stop)
    finally:
        is_over.set()


async def _connected(running: Running, token: str, is_over: asyncio.Event) -> None:
    """Connect with every intent; where Discord refuses one, once more without."""
    try:
        await _connect(running.client, token, is_over)
    except discord.PrivilegedIntentsRequired:
        log.warning("%s", NO_CONTENT)
        await _connect(FinetoneClient(running.app, is_reduced=True), token, is_over)


async def _connect(client: FinetoneClient, token: str, is_over: asyncio.Event) -> None:
    connecting = asyncio.ensure_future(client.start(token))
    waiting = asyncio.ensure_future(is_over.wait())
    try:
        await asyncio.wait({connecting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await client.close()
    try:
        await connecting
    except discord.LoginFailure as error:
        raise DiscordRefused(TOKEN_REFUSED) from error
    except discord.ConnectionClosed as error:
        if error.code == BAD_TOKEN:
            raise DiscordRefused(TOKEN_REFUSED) from error
        raise DiscordRefused(f"Discord closed the connection for good, with code {error.code}. Start again.") from error
    except (discord.GatewayNotFound, *UNREACHABLE) as error:
        raise unreachable(error) from error
    if not is_over.is_set():
        raise DiscordRefused("Discord closed the connection for good. Start again.")


def unreachable(error: BaseException) -> DiscordRefused:
    """What to say of an error that keeps the bot from Discord altogether."""
    return DiscordRefused(
        f"{Route.BASE} did not answer as Discord does ({reason(error)}). Look at the network and FINETONE_DISCORD_API_URL."
    )


async def application_id(settings: Settings) -> int:
    """The application that the token belongs to. Raises DiscordRefused."""
    aim(settings)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        try:
            await client.login(settings.discord_token.get_secret_value())
            return (await client.application_info()).id
        except discord.LoginFailure as error:
            raise DiscordRefused(TOKEN_REFUSED) from error
        except UNREACHABLE as error:
            raise unreachable(error) from error


TOKEN_REFUSED = (
    "Discord does not take FINETONE_DISCORD_TOKEN. Press “Reset Token” under Bot on the app's page at "
    "discord.com/developers/applications, and copy the new one."
)
