"""The workspaces we are installed in: who the bot is there, and a client that speaks for it.

One workspace by a token from the settings, or many by installations in the database.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (slack_sdk answers are loosely typed)

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_app.retries import handlers

KEPT_FOR_S = 60.0  # a workspace that installs anew at another process has another token here after at most this
TIMEOUT_S = 30  # of one call; Slack answers in well under a second


class NotInstalled(Exception):
    """No installation for a workspace: the message names it."""


class SlackRefused(Exception):
    """Slack refuses our token or cannot be reached; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Bot:
    """The bot in one workspace."""

    team: str
    team_name: str
    user: str  # its user id there
    bot_id: str
    token: str

    def __repr__(self) -> str:
        return f"Bot(team={self.team!r}, user={self.user!r})"  # never the token


FindBot = Callable[[str], Awaitable[Bot | None]]
"""Looks a workspace's bot up; None where we are not installed (any more)."""


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """The workspace that the settings' token is for."""

    bot: Bot

    async def find(self, team: str) -> Bot | None:
        """The bot, in its own workspace."""
        return self.bot if team == self.bot.team else None

    async def home_team(self) -> str:
        return self.bot.team


class Workspaces:
    """Bots and their clients, over one pool of connections. Use as an async context manager."""

    def __init__(self, api_url: str, find: FindBot, clock: Callable[[], float] = time.monotonic) -> None:
        self._api_url = api_url
        self._find = find
        self._clock = clock  # seconds
        self._session: aiohttp.ClientSession | None = None
        self._known: dict[str, _Known] = {}
        self._looking = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def bot(self, team: str) -> Bot:
        """The bot in this workspace. Raises NotInstalled."""
        return (await self._of(team)).bot

    async def client(self, team: str) -> AsyncWebClient:
        """A client that speaks as the bot in this workspace. Raises NotInstalled."""
        return (await self._of(team)).client

    def forget(self, team: str) -> None:
        """Look this workspace up afresh the next time: it was installed anew, or left."""
        self._known.pop(team, None)

    def speaking(self, token: str | None) -> AsyncWebClient:
        """A client with this token."""
        return AsyncWebClient(
            token=token,
            base_url=self._api_url,
            timeout=TIMEOUT_S,
            session=self._session,
            retry_handlers=handlers(),
        )

    async def respond(self, address: str, answer: dict[str, Any]) -> None:
        """Answer at the address that Slack gave with a command or a press. Raises aiohttp.ClientError."""
        assert self._session is not None
        async with self._session.post(address, json=answer) as said:
            said.raise_for_status()

    async def _of(self, team: str) -> "_Known":
        if (known := self._fresh(team)) is not None:
            return known
        async with self._looking:
            if (known := self._fresh(team)) is not None:
                return known
            found = await self._find(team)
            if found is None:
                self._known.pop(team, None)
                raise NotInstalled(f"Finetone is not installed in workspace {team}, or was removed from it.")
            before = self._known.get(team)
            client = before.client if before is not None and before.bot == found else self.speaking(found.token)
            self._known[team] = _Known(found, client, self._clock() + KEPT_FOR_S)
            return self._known[team]

    def _fresh(self, team: str) -> "_Known | None":
        known = self._known.get(team)
        return known if known is not None and self._clock() < known.until else None


@dataclass(frozen=True, slots=True)
class _Known:
    """A workspace's bot and client, and until when they are used without looking again."""

    bot: Bot
    client: AsyncWebClient
    until: float


async def bot_of_token(api_url: str, token: str) -> Bot:
    """Whose token it is. Raises SlackRefused, with the next step."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session:
        client = AsyncWebClient(token=token, base_url=api_url, session=session, retry_handlers=handlers())
        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            raise SlackRefused(
                f"Slack refuses FINETONE_SLACK_BOT_TOKEN ({error_code(error)}). Copy the Bot User OAuth Token (xoxb-…) "
                "from your app's page, Install App."
            ) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable(api_url, error) from error
    said: Any = answer.data
    return Bot(
        str(said["team_id"]), str(said.get("team", "")), str(said["user_id"]), str(said.get("bot_id", "")), token
    )


def app_token_refused(api_url: str, error: BaseException) -> SlackRefused:
    """What to say when a Socket Mode connection cannot be opened."""
    if not isinstance(error, SlackApiError):
        return unreachable(api_url, error)
    return SlackRefused(
        f"Slack refuses FINETONE_SLACK_APP_TOKEN ({error_code(error)}). Make one with connections:write (xapp-…) on your "
        "app's page, Basic Information, App-Level Tokens, and switch Socket Mode on."
    )


def unreachable(api_url: str, error: BaseException) -> SlackRefused:
    """What to say when there is no answer at all."""
    return SlackRefused(
        f"Slack cannot be reached at {api_url} ({type(error).__name__}). Check the connection and FINETONE_SLACK_API_URL."
    )


def error_code(error: SlackApiError) -> str:
    """Slack's word for what went wrong; an unknown method's 404 carries none."""
    response: Any = error.response
    try:
        return str(response.get("error") or f"status {response.status_code}")
    except (AttributeError, ValueError):
        return "no answer"
