"""What goes wrong on demand, and what slack_sdk does about it by itself."""

import asyncio

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator

from tests.slack.bare import QUIET, client_of
from tests.slack.telling import NeverHappened
from tests.slack.workspace import Workspace


async def test_a_rate_limit_is_waited_out_by_the_sdks_handler(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("slack_sdk.http_retry.builtin_async_handlers.random.random", lambda: 0.0)
    client = client_of(workspace)
    workspace.wire.faults.limit_rate("chat.postMessage", times=1)
    with pytest.raises(SlackApiError, match="ratelimited"):
        await client.chat_postMessage(channel=workspace.support.id, text="Hello", **QUIET)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=2))
    workspace.wire.faults.limit_rate("chat.postMessage", times=2)
    await client.chat_postMessage(channel=workspace.support.id, text="Hello", **QUIET)
    assert [call.status for call in workspace.wire.calls] == [429, 429, 429, 200]
    assert len(await workspace.channel_messages(workspace.support)) == 1


async def test_the_sdk_by_itself_posts_twice_when_only_the_answer_was_lost(workspace: Workspace):
    workspace.wire.faults.cut("chat.postMessage", after=True)
    client = client_of(workspace)
    client.retry_handlers[0].interval_calculator = FixedValueRetryIntervalCalculator(0)  # else a second
    await client.chat_postMessage(channel=workspace.support.id, text="Hello", **QUIET)
    assert [call.status for call in workspace.wire.calls] == [0, 200]
    assert [message.text for message in await workspace.channel_messages(workspace.support)] == ["Hello", "Hello"]


async def test_any_error_can_be_given_and_a_server_can_break_down(workspace: Workspace):
    client, channel = client_of(workspace), workspace.support.id
    workspace.wire.faults.refuse("chat.postMessage", "msg_too_long")
    workspace.wire.faults.break_down("chat.postMessage", status=500)
    for error in ("msg_too_long", "service_unavailable"):
        with pytest.raises(SlackApiError, match=error):
            await client.chat_postMessage(channel=channel, text="Hello", **QUIET)
    await client.chat_postMessage(channel=channel, text="Hello", **QUIET)
    assert len(await workspace.channel_messages(workspace.support)) == 1


async def test_a_call_can_be_held_until_the_test_has_looked(workspace: Workspace):
    hold = workspace.wire.faults.hold("chat.postMessage")
    posting = asyncio.create_task(
        client_of(workspace).chat_postMessage(channel=workspace.support.id, text="Hello", **QUIET)
    )
    await hold.reached()
    assert await workspace.channel_messages(workspace.support) == []
    hold.release()
    await posting
    assert len(await workspace.channel_messages(workspace.support)) == 1


async def test_waiting_for_what_never_happens_fails_with_the_calls_made(workspace: Workspace):
    await client_of(workspace).auth_test()
    with pytest.raises(NeverHappened, match=r"auth\.test ok"):
        await workspace.until(lambda: False, timeout_s=0.05)
    assert await workspace.until(lambda: workspace.members(workspace.support))
