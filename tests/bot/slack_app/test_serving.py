"""The program as an operator starts it: over signed HTTP, in Socket Mode, beside the console; what it says when it cannot."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings, SettingsMissing, SettingsWrong
from bot.slack_app.cli import Way, receiver
from tests.bot.slack_app.processes import SENTENCE, Started, environment, finetone, vendor
from tests.slack.place import SIGNING_SECRET, Message
from tests.slack.sockets import APP_TOKEN, Sockets
from tests.slack.workspace import Workspace


@pytest.fixture
async def model_url() -> AsyncIterator[str]:
    async with vendor() as url:
        yield url


@pytest.fixture
async def sockets(workspace: Workspace) -> AsyncIterator[Sockets]:
    """Deliveries come over a WebSocket instead of HTTP."""
    async with Sockets(workspace.wire.api_url).listening() as listening:
        workspace._courier = listening
        yield listening


async def answered(there: Workspace) -> Message:
    """A customer mentions the bot; its reply."""
    question = await there.mention(there.customer, there.support, "Where is my parcel?")
    replies = await there.until(lambda: there.replies(question), timeout_s=15)
    assert SENTENCE in replies[-1].text
    return replies[-1]


def over_http(there: Workspace, model_url: str, **more: str) -> dict[str, str]:
    settings = {"FINETONE_SLACK_SIGNING_SECRET": SIGNING_SECRET, "FINETONE_SLACK_PORT": str(there.door.port)}
    return environment(there, model_url, **(settings | more))


async def ends_cleanly(program: Started) -> None:
    assert await program.interrupt() == 0
    assert "Traceback" not in program.printed
    assert "Error" not in program.printed


async def test_over_http_a_mention_is_answered_and_ctrl_c_ends_it(workspace: Workspace, model_url: str, tmp_path: Path):
    workspace.door.close()
    settings = over_http(workspace, model_url)
    async with finetone(tmp_path, settings, "serve", "slack", "--http") as program:
        await program.until_said(rf"http://127\.0\.0\.1:{workspace.door.port}/slack/events")
        await answered(workspace)
        await ends_cleanly(program)


async def test_in_socket_mode_a_mention_is_answered_also_after_a_reconnect(
    workspace: Workspace, sockets: Sockets, model_url: str, tmp_path: Path
):
    settings = environment(
        workspace, model_url, FINETONE_SLACK_APP_TOKEN=APP_TOKEN, FINETONE_SLACK_API_URL=sockets.api_url
    )
    async with finetone(tmp_path, settings, "serve", "slack", "--no-worker") as program:
        await program.until_said("Socket Mode")
        await sockets.connected()
        reply = await answered(workspace)
        await workspace.rate(workspace.customer, reply, good=True)
        await workspace.until(lambda: workspace.ephemerals(workspace.customer))
        _, response_url = await workspace.command(workspace.customer, workspace.support, "/finetone", "help")
        await workspace.until(lambda: workspace.responses(response_url))
        await sockets.drop()
        await sockets.connected()
        await answered(workspace)
        await ends_cleanly(program)


async def test_run_serves_slack_beside_the_console_and_says_so(workspace: Workspace, model_url: str, tmp_path: Path):
    workspace.door.close()
    async with finetone(tmp_path, over_http(workspace, model_url), "run", "--port", "0") as program:
        await program.until_said(r"Open  http://127\.0\.0\.1:\d+/sign-in")
        await program.until_said(rf"Slack may deliver to http://127\.0\.0\.1:{workspace.door.port}/slack/events")
        await answered(workspace)
        await ends_cleanly(program)


async def test_run_prefers_socket_mode_where_there_is_an_app_token(
    workspace: Workspace, sockets: Sockets, model_url: str, tmp_path: Path
):
    more = {"FINETONE_SLACK_APP_TOKEN": APP_TOKEN, "FINETONE_SLACK_API_URL": sockets.api_url}
    async with finetone(tmp_path, over_http(workspace, model_url, **more), "run", "--port", "0") as program:
        await program.until_said("Slack is listened to in Socket Mode")
        await sockets.connected()
        await answered(workspace)
        await ends_cleanly(program)


async def test_run_says_why_slack_is_not_served_where_half_of_it_is_set(
    workspace: Workspace, model_url: str, tmp_path: Path
):
    async with finetone(tmp_path, environment(workspace, model_url), "run", "--port", "0") as program:
        await program.until_said("Slack is not served: set FINETONE_SLACK_APP_TOKEN")
        await ends_cleanly(program)


@pytest.mark.parametrize(
    ("arguments", "more", "said"),
    [
        (
            ("--http",),
            {"FINETONE_SLACK_BOT_TOKEN": "xoxb-wrong"},
            "SlackRefused: Slack refuses FINETONE_SLACK_BOT_TOKEN (invalid_auth). Copy the Bot User OAuth Token",
        ),
        (
            (),
            {"FINETONE_SLACK_APP_TOKEN": "xapp-wrong"},
            "SlackRefused: Slack refuses FINETONE_SLACK_APP_TOKEN (invalid_auth). Make one with connections:write",
        ),
        (
            ("--http",),
            {"FINETONE_SLACK_API_URL": "http://127.0.0.1:9/api/"},
            "SlackRefused: Slack cannot be reached at http://127.0.0.1:9/api/",
        ),
    ],
    ids=["bot token", "app token", "no connection"],
)
async def test_what_an_operator_can_mend_is_one_sentence(
    workspace: Workspace,
    model_url: str,
    tmp_path: Path,
    arguments: tuple[str, ...],
    more: dict[str, str],
    said: str,
):
    workspace.door.close()
    async with finetone(tmp_path, over_http(workspace, model_url, **more), "serve", "slack", *arguments) as program:
        assert await program.ended() == 1
    assert said in program.printed
    assert "Traceback" not in program.printed
    assert "xoxb-" not in program.printed.replace("(xoxb-…)", "")  # never the token itself


@pytest.mark.parametrize(
    ("way", "more", "said"),
    [
        (Way.SOCKET_MODE, {}, r"FINETONE_SLACK_APP_TOKEN is not set\. docs/slack\.md says where"),
        (
            Way.HTTP,
            {"slack_bot_token": SecretStr(""), "slack_signing_secret": SecretStr("")},
            r"FINETONE_SLACK_SIGNING_SECRET, FINETONE_SLACK_BOT_TOKEN are not set\.",
        ),
        (Way.HTTP, {"slack_client_id": "1.2"}, r"FINETONE_SLACK_CLIENT_SECRET is not set\."),
        (Way.SOCKET_MODE, {"slack_client_id": "1.2"}, "FINETONE_SLACK_CLIENT_ID is set"),
    ],
    ids=["no app token", "no secret, no token", "half an OAuth app", "several workspaces in Socket Mode"],
)
def test_everything_that_is_not_set_is_named_before_anything_starts(way: Way, more: dict[str, object], said: str):
    usual: dict[str, object] = {"slack_bot_token": SecretStr("xoxb-1"), "slack_signing_secret": SecretStr("s")}
    settings = Settings(_env_file=None, **(usual | more))  # type: ignore[call-arg, arg-type]
    with pytest.raises((SettingsMissing, SettingsWrong), match=said), receiver(settings, way):
        pass


async def test_a_port_in_use_is_named_with_the_setting_that_changes_it(
    workspace: Workspace, model_url: str, tmp_path: Path
):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = over_http(workspace, model_url, FINETONE_SLACK_PORT=str(taken.getsockname()[1]))
        async with finetone(tmp_path, settings, "serve", "slack", "--http") as program:
            assert await program.ended() == 1
    assert "PortInUse: Port" in program.printed
    assert "FINETONE_SLACK_PORT" in program.printed
