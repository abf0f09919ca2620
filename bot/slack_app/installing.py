"""Several workspaces: how they install the app, and where their tokens lie, sealed.

The state of an installation under way is signed instead of stored: Slack gives it back within minutes, and a cookie ties it
to the browser that began.
"""

import hmac
import json
import logging
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from html import escape
from logging import Logger

from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.sealing import CannotUnseal, Sealer
from bot.slack_app.manifest import bot_scopes
from bot.slack_app.workspaces import Bot, NotInstalled, Workspaces
from storage.store import Store

log = logging.getLogger(__name__)

PLATFORM = "slack"
STATE_GOOD_FOR_S = 600


class SealedInstallations(AsyncInstallationStore):
    """Slack's own way of keeping installations, over our store."""

    def __init__(self, store: Store, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._sealer = sealer
        self._now = now
        self.changed: Callable[[str], None] = _nobody  # is told which workspace has another token now

    @property
    def logger(self) -> Logger:
        return log

    async def async_save(self, installation: Installation) -> None:
        """Keep the bot's token; nothing of the person who installed it."""
        team = installation.team_id or ""
        bot = Bot(
            team=team,
            team_name=installation.team_name or "",
            user=installation.bot_user_id or "",
            bot_id=installation.bot_id or "",
            token=installation.bot_token or "",
        )
        await self._store.installations.save(PLATFORM, team, self._sealer.seal(json.dumps(asdict(bot))), at=self._now())
        self.changed(team)

    async def find(self, team: str) -> Bot | None:
        """The bot in a workspace. Raises CannotUnseal."""
        found = await self._store.installations.get(PLATFORM, team)
        return None if found is None else Bot(**json.loads(self._sealer.unseal(found.sealed)))

    async def teams(self) -> list[str]:
        """The workspaces that installed the app, the first first."""
        return [known.team for known in await self._store.installations.list(PLATFORM)]

    async def remove(self, team: str) -> None:
        """Forget a workspace that removed the app."""
        await self._store.installations.remove(PLATFORM, team, at=self._now())


class ManyWorkspaces:
    """The workspaces that installed the app; the settings' channels and people are those of the home workspace."""

    def __init__(self, installations: SealedInstallations, home_team: str) -> None:
        self._installations = installations
        self._home_team = home_team  # "": the first that installed the app

    async def find(self, team: str) -> Bot | None:
        """The bot in a workspace. Raises NotInstalled where its token cannot be read."""
        try:
            return await self._installations.find(team)
        except CannotUnseal as error:
            raise NotInstalled(f"Workspace {team}: {error}") from error

    async def home_team(self) -> str:
        """The home workspace; "" while the app is installed nowhere."""
        if self._home_team:
            return self._home_team
        teams = await self._installations.teams()
        return teams[0] if teams else ""


class SignedStates(AsyncOAuthStateStore):
    """States that carry their own proof and their own end."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    @property
    def logger(self) -> Logger:
        return log

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        said = f"{int(time.time()) + STATE_GOOD_FOR_S}-{secrets.token_urlsafe(16)}"
        return f"{said}.{self._proof(said)}"

    async def async_consume(self, state: str) -> bool:
        said, _, proof = state.rpartition(".")
        until = said.split("-", 1)[0]
        return hmac.compare_digest(proof, self._proof(said)) and until.isdigit() and int(until) > time.time()

    def _proof(self, said: str) -> str:
        return hmac.new(self._key, said.encode(), sha256).hexdigest()


def oauth_flow(
    workspaces: Workspaces,
    installations: SealedInstallations,
    client_id: str,
    client_secret: str,
    authorize_url: str,
    public_url: str = "",
    without: Collection[str] = (),
) -> AsyncOAuthFlow:
    """The pages /slack/install and /slack/oauth_redirect. `public_url` is where browsers reach them; "": as Slack was told.

    `without`: scopes that are not asked for.
    """
    return AsyncOAuthFlow(
        client=workspaces.speaking(None),
        logger=log,
        settings=AsyncOAuthSettings(
            client_id=client_id,
            client_secret=client_secret,
            scopes=bot_scopes(without),
            redirect_uri=f"{public_url.rstrip('/')}/slack/oauth_redirect" if public_url else None,
            authorization_url=authorize_url,
            installation_store=installations,
            state_store=SignedStates(client_secret),
            callback_options=AsyncCallbackOptions(success=_installed, failure=_not_installed),
        ),
    )


def _nobody(_: str) -> None:
    return


async def _installed(args: AsyncSuccessArgs) -> BoltResponse:
    name = args.installation.team_name or "your workspace"
    return _page(200, f"Finetone is installed in {name}. Invite it into a channel with /invite, then mention it.")


async def _not_installed(args: AsyncFailureArgs) -> BoltResponse:
    log.warning("an installation failed: %s", args.reason)
    return _page(args.suggested_status_code, "Finetone was not installed. Please begin again from the install page.")


def _page(status: int, sentence: str) -> BoltResponse:
    body = f'<!doctype html><html lang="en"><title>Finetone</title><body><p>{escape(sentence)}</p></body></html>'
    return BoltResponse(status=status, body=body, headers={"content-type": "text/html; charset=utf-8"})
