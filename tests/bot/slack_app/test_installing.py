"""Several workspaces over OAuth: each is answered with its own token, and a token leaves with the app."""

import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from bot.slack_app.manifest import bot_scopes
from tests.bot.slack_app.commanding import settled, typed
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.slack.loopback import loopback_client
from tests.slack.place import CLIENT_ID, CLIENT_SECRET
from tests.slack.workspace import Workspace

# slack_sdk 3.47 with aiohttp 3.14: oauth.v2.access is asked with aiohttp.BasicAuth
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@asynccontextmanager
async def serving_many(shop: Shop, owner: str = "bot-1", **more: object) -> AsyncGenerator[None]:
    """The app without a token of its own: workspaces install it."""
    settings: dict[str, object] = {
        "slack_bot_token": SecretStr(""),
        "slack_client_id": CLIENT_ID,
        "slack_client_secret": SecretStr(CLIENT_SECRET),
        "slack_authorize_url": shop.workspace.authorize_url,
        "slack_public_url": shop.workspace.door.url,
    }
    async with shop.serving(owner, **(settings | more)):
        yield


async def is_answered(shop: Shop, there: Workspace) -> bool:
    """Whether a mention is answered in this workspace, once it is worked on."""
    question = await there.mention(there.customer, there.support, "Where is my parcel?")
    await settled(shop)
    replies = await there.replies(question)
    return bool(replies) and ANSWER in replies[-1].text


def rows(shop: Shop) -> int:
    with sqlite3.connect(shop.data_dir.parent / "app.sqlite") as database:
        return int(database.execute("SELECT count(*) FROM installations").fetchone()[0])


async def test_two_workspaces_install_and_both_are_answered(shop: Shop, second_workspace: Workspace):
    first = shop.workspace
    async with serving_many(shop):
        for there in (first, second_workspace):
            page = await there.install(there.admin)
            assert page.status_code == 200
            assert "Finetone is installed" in page.text
            assert await is_answered(shop, there)
    assert first.bot_token != second_workspace.bot_token
    asked_with = {call.token for call in first.wire.calls_of("chat.postMessage")}
    assert asked_with == {first.bot_token, second_workspace.bot_token}


async def test_no_token_can_be_read_in_the_database(shop: Shop):
    async with serving_many(shop):
        await shop.workspace.install(shop.workspace.admin)
    token = shop.workspace.bot_token.encode()
    assert rows(shop) == 1
    for file in shop.data_dir.parent.glob("app.sqlite*"):
        assert token not in file.read_bytes()
    assert (shop.data_dir / "secret.key").stat().st_mode & 0o077 == 0


async def test_an_installation_outlives_a_restart(shop: Shop):
    async with serving_many(shop):
        await shop.workspace.install(shop.workspace.admin)
    async with serving_many(shop, "bot-2"):
        assert await is_answered(shop, shop.workspace)


async def test_removing_the_app_forgets_the_token_and_the_other_workspace_stays(
    shop: Shop, second_workspace: Workspace
):
    async with serving_many(shop):
        for there in (shop.workspace, second_workspace):
            await there.install(there.admin)
        await shop.workspace.uninstall()
        await settled(shop)
        assert rows(shop) == 1
        assert not await is_answered(shop, shop.workspace)
        assert await is_answered(shop, second_workspace)


async def test_a_revoked_token_is_forgotten_and_a_new_installation_works_at_once(shop: Shop):
    there = shop.workspace
    async with serving_many(shop):
        await there.install(there.admin)
        assert await is_answered(shop, there)
        await there.revoke_tokens()
        await settled(shop)
        assert rows(shop) == 0
        await there.install(there.admin)
        assert await is_answered(shop, there)


async def test_a_persons_revoked_token_changes_nothing(shop: Shop):
    there = shop.workspace
    async with serving_many(shop):
        await there.install(there.admin)
        await there.deliver(there.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}))
        await settled(shop)
        assert await is_answered(shop, there)


async def test_another_key_is_told_in_a_sentence_and_installing_again_mends_it(
    shop: Shop, caplog: pytest.LogCaptureFixture
):
    there = shop.workspace
    async with serving_many(shop, secret_key=SecretStr("the first key")):
        await there.install(there.admin)
    with caplog.at_level(logging.WARNING):
        async with serving_many(shop, "bot-2", secret_key=SecretStr("another key")):
            assert "FINETONE_SECRET_KEY" in caplog.text  # said at the start, not at the first question
            question = await there.mention(there.customer, there.support, "Is anybody there?")
            assert await there.replies(question) == []
            assert "Traceback" not in caplog.text
            await there.install(there.admin)
            assert await is_answered(shop, there)


async def test_rights_given_in_the_home_workspace_count_for_nothing_elsewhere(shop: Shop, second_workspace: Workspace):
    """The same user id may be somebody else in another company's workspace."""
    async with serving_many(shop):
        for there in (shop.workspace, second_workspace):
            await there.install(there.admin)
        assert shop.workspace.admin.user_id == second_workspace.admin.user_id
        assert "What a training run would do" in (await typed(shop, shop.workspace.admin, "/retrain"))["text"]
        foreign = Shop(second_workspace, shop.store, shop.voice, shop.provider, shop.clock, shop.data_dir)
        assert "Only an admin" in (await typed(foreign, second_workspace.admin, "/retrain"))["text"]


async def test_the_home_workspace_is_the_one_that_is_named(shop: Shop, second_workspace: Workspace):
    async with serving_many(shop, slack_home_team=second_workspace.team.team_id):
        for there in (shop.workspace, second_workspace):
            await there.install(there.admin)
        assert "Only an admin" in (await typed(shop, shop.workspace.admin, "/retrain"))["text"]
        named = Shop(second_workspace, shop.store, shop.voice, shop.provider, shop.clock, shop.data_dir)
        assert "What a training run would do" in (await typed(named, second_workspace.admin, "/retrain"))["text"]


@pytest.mark.parametrize("state", ["", "made-up", "99999999999-abc.0000"])
async def test_a_made_up_state_installs_nothing(shop: Shop, state: str):
    async with serving_many(shop), loopback_client() as browser:
        page: httpx.Response = await browser.get(
            f"{shop.workspace.door.url}/slack/oauth_redirect",
            params={"code": "x", "state": state},
            headers={"Cookie": f"slack-app-oauth-state={state}"},
        )
    assert page.status_code in (400, 401)
    assert "Finetone was not installed" in page.text
    assert rows(shop) == 0


async def test_somebody_who_does_not_agree_gets_a_page_that_says_so(shop: Shop):
    async with serving_many(shop), loopback_client() as browser:
        page = await browser.get(
            f"{shop.workspace.door.url}/slack/oauth_redirect", params={"error": "access_denied", "state": "x"}
        )
    assert "Finetone was not installed" in page.text
    assert rows(shop) == 0


@pytest.mark.parametrize("without", ["", "files:write,usergroups:read"])
async def test_the_install_page_asks_for_the_manifests_scopes_and_for_none_that_was_left_out(shop: Shop, without: str):
    shop.settings["slack_without"] = without
    async with serving_many(shop), loopback_client() as browser:
        page = await browser.get(f"{shop.workspace.door.url}/slack/install")
    address = (page.headers.get("location") or page.text).replace("%3A", ":")
    for scope in bot_scopes():
        assert (scope in address) is (scope not in without.split(","))
