"""Installing over OAuth, in two workspaces."""

from pathlib import Path
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import create_async_engine

from tests.slack.bare import QUIET, client_of, serving
from tests.slack.place import CLIENT_ID, CLIENT_SECRET, CORE_SCOPES
from tests.slack.wire import Wire
from tests.slack.workspace import Workspace


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk 3.47 with aiohttp 3.14
async def test_two_workspaces_install_one_app_and_each_is_answered_with_its_own_token(
    workspace: Workspace, second_workspace: Workspace, wire: Wire, tmp_path: Path
):
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'slack.sqlite'}")
    store = AsyncSQLAlchemyInstallationStore(client_id=CLIENT_ID, engine=engine)
    states = AsyncSQLAlchemyOAuthStateStore(expiration_seconds=60, engine=engine)
    async with engine.begin() as connection:
        await connection.run_sync(store.metadata.create_all)
        await connection.run_sync(states.metadata.create_all)
    app = AsyncApp(
        signing_secret=workspace.signing_secret,
        client=AsyncWebClient(base_url=wire.api_url),
        process_before_response=True,
        oauth_settings=AsyncOAuthSettings(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            scopes=list(CORE_SCOPES),
            redirect_uri=f"{workspace.door.url}/slack/oauth_redirect",
            authorization_url=workspace.authorize_url,
            installation_store=store,
            state_store=states,
        ),
    )

    @app.event("app_mention")
    async def answer(event: dict[str, Any], say: Any, context: Any) -> None:
        await say(text=f"Hello {context.team_id}", thread_ts=event["ts"], **QUIET)

    @app.event("message")
    async def ignore() -> None:
        """Every message of a mention arrives as this, too."""

    async with serving(workspace, app):
        for place in (workspace, second_workspace):
            page = await place.install(place.admin)
            assert page.status_code == 200
            bot = await store.async_find_bot(enterprise_id=None, team_id=place.team.team_id)
            assert bot is not None
            assert (bot.bot_token, bot.bot_user_id) == (place.bot_token, place.bot_user_id)
            question = await place.mention(place.customer, place.support, "Who are you?")
            assert [reply.text for reply in await place.replies(question)] == [f"Hello {place.team.team_id}"]
            private = {"channel": place.support.id, "user": place.admin.user_id, "text": place.team.team_id}
            await client_of(place).chat_postEphemeral(**private)
            assert [message.text for message in place.ephemerals(place.admin)] == [place.team.team_id]
    await engine.dispose()
    assert workspace.bot_token != second_workspace.bot_token
    assert workspace.admin.user_id == second_workspace.admin.user_id  # so a person is (team, user), never user alone
