"""`finetone doctor` for Slack: one line each, and the next step where something is missing."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.doctor import Check
from bot.settings import Settings
from bot.slack_app.doctor import check_slack
from bot.slack_app.manifest import SCOPES
from tests.bot.slack_app.conftest import Shop
from tests.bot.slack_app.processes import environment, finetone
from tests.bot.slack_app.test_installing import serving_many
from tests.slack.place import CLIENT_ID, SIGNING_SECRET
from tests.slack.sockets import APP_TOKEN, Sockets
from tests.slack.workspace import Workspace


def settings(there: Workspace, tmp_path: Path, **more: object) -> Settings:
    usual: dict[str, object] = {
        "data_dir": tmp_path / "data",
        "slack_bot_token": SecretStr(there.bot_token),
        "slack_signing_secret": SecretStr(SIGNING_SECRET),
        "slack_api_url": there.wire.api_url,
        "slack_admins": there.admin.user_id,
    }
    return Settings(_env_file=None, **(usual | more))  # type: ignore[call-arg, arg-type]


async def looked(there: Workspace, tmp_path: Path, **more: object) -> dict[str, Check]:
    """The checks by what they look at."""
    return {check.what: check for check in await check_slack(settings(there, tmp_path, **more))}


async def test_everything_in_order_is_ok_line_by_line(workspace: Workspace, tmp_path: Path):
    there = workspace
    there.wire.usergroups.members["S0MODS"] = ["U1", "U2"]
    found = await looked(
        there,
        tmp_path,
        slack_review_channel=there.review.id,
        slack_triage_channel=there.triage.id,
        slack_moderators="S0MODS",
    )
    assert all(check.is_ok for check in found.values()), found
    assert there.team.team_id in found["Slack bot token"].said
    assert found["Slack review channel"].line() == "ok      Slack review channel: the bot is in #review"
    assert found["Slack ops channel"].said.startswith("not set, so")
    assert found["Slack user group S0MODS"].said == "2 in it"
    assert found["Slack rights"].said == "ids: 1 for moderators, 0 for approvers, 1 for admins"
    assert "not needed: im:read, mpim:history" in found["Slack scopes"].said


async def test_slack_that_is_not_set_up_is_no_fault(tmp_path: Path):
    [check] = await check_slack(Settings(_env_file=None, data_dir=tmp_path))  # type: ignore[call-arg]
    assert check.is_ok
    assert "docs/slack.md" in check.said


async def test_a_missing_scope_is_named_with_how_to_add_it(workspace: Workspace, tmp_path: Path):
    scopes = workspace.team.scopes[workspace.bot_token]
    for scope in ("usergroups:read", "reactions:read"):
        scopes.remove(scope)
    check = (await looked(workspace, tmp_path))["Slack scopes"]
    assert not check.is_ok
    assert check.said.startswith("missing reactions:read, usergroups:read. Paste what `finetone slack manifest` prints")
    assert len(SCOPES) > 2


async def test_a_scope_that_was_left_out_is_not_missed_and_what_is_missing_without_it_is_said(
    workspace: Workspace, tmp_path: Path
):
    workspace.team.scopes[workspace.bot_token].remove("files:write")
    check = (await looked(workspace, tmp_path, slack_without="files:write"))["Slack scopes"]
    assert check.is_ok
    assert check.said.endswith("; without files:write, nobody gets examples or their own data as a file")


async def test_a_wrong_token_is_the_only_line_about_the_workspace(workspace: Workspace, tmp_path: Path):
    found = await looked(workspace, tmp_path, slack_bot_token=SecretStr("xoxb-wrong"))
    assert not found["Slack bot token"].is_ok
    assert "invalid_auth" in found["Slack bot token"].said
    assert "xoxb-wrong" not in found["Slack bot token"].said
    assert "Slack scopes" not in found


async def test_a_token_that_is_not_set_is_named(workspace: Workspace, tmp_path: Path):
    found = await looked(workspace, tmp_path, slack_bot_token=SecretStr(""), slack_signing_secret=SecretStr(""))
    assert found["Slack"].is_ok  # nothing of Slack is set: nobody asked for it
    found = await looked(workspace, tmp_path, slack_bot_token=SecretStr(""))
    assert "FINETONE_SLACK_BOT_TOKEN" in found["Slack bot token"].said
    found = await looked(workspace, tmp_path, slack_signing_secret=SecretStr(""))
    assert not found["Slack deliveries"].is_ok
    assert "FINETONE_SLACK_APP_TOKEN" in found["Slack deliveries"].said


@pytest.mark.parametrize(("token", "is_ok"), [(APP_TOKEN, True), ("xapp-wrong", False)], ids=["right", "wrong"])
async def test_the_app_token_is_tried(workspace: Workspace, tmp_path: Path, token: str, is_ok: bool):
    async with Sockets(workspace.wire.api_url).listening() as sockets:
        found = await looked(workspace, tmp_path, slack_app_token=SecretStr(token), slack_api_url=sockets.api_url)
    assert found["Slack app token"].is_ok is is_ok
    assert is_ok or "connections:write" in found["Slack app token"].said


async def test_a_channel_the_bot_is_not_in_says_how_to_invite_it(workspace: Workspace, tmp_path: Path):
    lonely = await workspace.new_channel("lonely", [])
    found = await looked(workspace, tmp_path, slack_review_channel=lonely.id, slack_triage_channel="C0NOWHERE")
    assert not found["Slack review channel"].is_ok
    assert "/invite" in found["Slack review channel"].said
    assert not found["Slack triage channel"].is_ok
    assert "C0NOWHERE" in found["Slack triage channel"].said


async def test_a_user_group_that_cannot_be_read_is_named(workspace: Workspace, tmp_path: Path):
    check = (await looked(workspace, tmp_path, slack_admins="S0GONE"))["Slack user group S0GONE"]
    assert not check.is_ok
    assert "no_such_subteam" in check.said


async def test_a_connection_that_fails_is_a_line_and_no_traceback(workspace: Workspace, tmp_path: Path):
    found = await looked(workspace, tmp_path, slack_api_url="http://127.0.0.1:9/api/")
    assert "Slack cannot be reached at http://127.0.0.1:9/api/" in found["Slack bot token"].said


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk 3.47 with aiohttp 3.14
async def test_each_workspace_that_installed_the_app_is_looked_at_and_a_lost_key_is_told(shop: Shop):
    there, folder = shop.workspace, shop.data_dir.parent
    many: dict[str, object] = {
        "slack_client_id": CLIENT_ID,
        "database_url": f"sqlite+aiosqlite:///{folder / 'app.sqlite'}",
        "slack_bot_token": SecretStr(""),
    }
    assert (await looked(there, folder, **many))["Slack workspaces"].is_ok  # none yet
    assert not (shop.data_dir / "secret.key").exists()  # looking makes nothing
    async with serving_many(shop):
        await there.install(there.admin)
    assert there.team.team_id in (await looked(there, folder, **many))["Slack bot token"].said
    found = await looked(there, folder, **many, secret_key=SecretStr("another"))
    check = found[f"Slack workspace {there.team.team_id}"]
    assert not check.is_ok
    assert "FINETONE_SECRET_KEY" in check.said


async def test_the_command_prints_a_line_each_and_fails_when_something_is_missing(workspace: Workspace, tmp_path: Path):
    there = environment(workspace, "http://127.0.0.1:9/v1", FINETONE_SLACK_SIGNING_SECRET=SIGNING_SECRET)
    async with finetone(tmp_path, there, "doctor") as fine:
        assert await fine.ended() == 0
    assert "ok      database: SQLite in the data folder, made at the first start" in fine.printed
    assert "ok      Slack scopes" in fine.printed
    assert not (tmp_path / "data").exists()  # looking makes nothing
    async with finetone(tmp_path, there | {"FINETONE_SLACK_REVIEW_CHANNEL": "C0NOWHERE"}, "doctor") as lacking:
        assert await lacking.ended() == 1
    assert "not ok  Slack review channel" in lacking.printed
    async with finetone(tmp_path, there | {"FINETONE_MARGIN": "lots"}, "doctor") as wrong:
        assert await wrong.ended() == 1
    assert "not ok  settings: FINETONE_MARGIN is 'lots'" in wrong.printed
