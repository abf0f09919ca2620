"""What an app may send: caught on the wire, and rule by rule."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.slack import payloads
from tests.slack.bare import QUIET, asked_for_a_stream, bare_app, client_of, correction_form, rateable, serving
from tests.slack.calls import Asked
from tests.slack.workspace import Workspace


async def test_a_bad_payload_is_caught_on_its_way(workspace: Workspace):
    client, channel = client_of(workspace), workspace.support.id
    divider = {"type": "divider"}
    await client.chat_postMessage(channel=channel, text="<!channel> hello", blocks=[divider] * 60, **QUIET)
    without_text = {"channel": channel, "blocks": [divider, {"type": "nope"}]}
    await client.api_call("chat.postMessage", json=without_text)  # past the SDK's own warning
    found = "\n".join(workspace.wire.violations)
    workspace.wire.violations.clear()
    for expected in (
        "mentions everyone: '<!channel> hello'",
        "60 blocks, at most 50",
        "text is missing or empty",
        "block 1 of type 'nope' is unknown",
        "unfurl_links is not off",
        "unfurl_media is not off",
    ):
        assert expected in found


async def test_what_an_app_answers_with_is_checked_like_what_it_posts(workspace: Workspace):
    app = bare_app(workspace)
    view = correction_form("x") | {"blocks": [{"type": "nope"}]}

    @app.command("/text")
    async def text(ack: Any) -> None:
        await ack("<!here> as text")

    @app.command("/blocks")
    async def blocks(ack: Any, respond: Any) -> None:
        await ack(text="Fine", blocks=[{"type": "nope"}])
        await respond("<!here> later")

    @app.shortcut("correct")
    async def open_form(ack: Any, shortcut: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=correction_form("x"))

    @app.view("correct")
    async def update(ack: Any) -> None:
        await ack(response_action="update", view=view)

    async with serving(workspace, app):
        await workspace.command(workspace.admin, workspace.review, "/text")
        await workspace.command(workspace.admin, workspace.review, "/blocks")
        message = await workspace.post(workspace.customer, workspace.support, "Hello")
        await workspace.shortcut(workspace.moderator, message, "correct")
        await workspace.submit(workspace.moderator, {"reason": "tone"})
    found = list(workspace.wire.violations)
    workspace.wire.violations.clear()
    assert found == [
        "response: mentions everyone: '<!here> as text'",
        "response: mentions everyone: '<!here> later'",
        "response: block 0 of type 'nope' is unknown",
        "acknowledgement: block 0 of type 'nope' is unknown",
    ]


async def test_a_response_url_takes_five_posts(workspace: Workspace):
    url = workspace.wire.new_response_url()
    webhook = AsyncWebhookClient(url)
    statuses = [(await webhook.send(text=f"Post {number}")).status_code for number in range(1, 7)]
    assert statuses == [200] * 5 + [404]
    assert [posted["text"] for posted in workspace.responses(url)] == [f"Post {number}" for number in range(1, 6)]


async def test_a_mention_split_over_two_chunks_is_caught(workspace: Workspace):
    _, stream = await asked_for_a_stream(workspace, buffer_size=1)
    await stream.append(markdown_text="Ask <!chan")
    assert workspace.wire.violations == []
    await stream.append(markdown_text="nel> about it")
    [violation] = workspace.wire.violations
    workspace.wire.violations.clear()
    assert "mentions everyone" in violation


def text_block(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def message(**changes: Any) -> dict[str, Any]:
    return {"channel": "C1", "text": "Hello", **QUIET} | changes


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        pytest.param("chat.postMessage", message(), None, id="a plain message"),
        pytest.param("chat.postMessage", message(blocks=rateable()), None, id="every kind of button"),
        pytest.param("chat.postMessage", message(text=" "), "text is missing", id="a blank text"),
        pytest.param("chat.update", {"blocks": [text_block("Hello")]}, "text is missing", id="an edit without text"),
        pytest.param("chat.postMessage", message(blocks=[None]), "not a list of objects", id="no block at all"),
        pytest.param("chat.postMessage", message(blocks="[{]"), "not a list of objects", id="not JSON"),
        pytest.param("chat.postMessage", message(blocks=[text_block("")]), "a text object is empty", id="empty text"),
        pytest.param("chat.postMessage", message(blocks=[text_block("x" * 3001)]), "block 0", id="a long section"),
        pytest.param(
            "chat.postMessage", message(blocks=[text_block("x" * 2900)] * 5), "14500 characters", id="long together"
        ),
        pytest.param("chat.postMessage", message(text="x" * 12_001), "12001 characters", id="a long text"),
        pytest.param("chat.postMessage", message(link_names=True), "link_names", id="plain names linked"),
        pytest.param("chat.postMessage", message(reply_broadcast=True), "reply_broadcast", id="broadcast"),
        pytest.param("chat.postMessage", message(parse="full"), "parse is full", id="parsed in full"),
        pytest.param(
            "chat.postEphemeral", {"text": "<!subteam^S1|mods>"}, "mentions everyone", id="a group is mentioned"
        ),
        pytest.param("chat.postEphemeral", {"text": "&lt;!channel&gt;"}, None, id="an escaped mention is words"),
        pytest.param("assistant.threads.setStatus", {"status": "<!here>"}, "mentions everyone", id="in a status, too"),
        pytest.param(
            "chat.postMessage",
            message(blocks=[{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}]),
            "'a' is there twice",
            id="one block id twice",
        ),
        pytest.param(
            "chat.stopStream", {"blocks": [{"type": "divider"}] * 51}, "51 blocks, at most 50", id="under a stream"
        ),
        pytest.param("views.open", {"view": correction_form("x")}, None, id="a form"),
        pytest.param(
            "views.open", {"view": correction_form("x" * 3001)}, "3001 characters", id="more than an input takes"
        ),
        pytest.param(
            "views.publish", {"view": {"type": "home", "blocks": [{"type": "divider"}] * 101}}, "101", id="home"
        ),
        pytest.param("views.publish", {"view": None}, "the view is None", id="no view"),
    ],
)
def test_what_an_app_may_not_send(method: str, arguments: dict[str, Any], expected: str | None):
    found = payloads.call_violations(Asked(method, arguments, "xoxb"))
    assert found == [] if expected is None else any(expected in violation for violation in found)


def test_an_unknown_icon_or_field_is_named():
    [_, context, _] = rateable()
    context["elements"][1] |= {"icon": "bin", "colour": "red"}
    found = payloads.block_violations([context], payloads.MESSAGE_BLOCKS)
    assert found == ["block 0.elements[1].colour is unknown", "icon 'bin' is unknown, known: trash"]
