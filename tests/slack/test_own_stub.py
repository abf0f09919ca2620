"""Our own stub of the methods the emulator lacks, as slack_sdk sees it."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slack.bare import QUIET, asked_for_a_stream, bare_app, client_of, rateable, serving
from tests.slack.workspace import Workspace


async def test_a_stream_grows_where_people_read_it(workspace: Workspace):
    question, stream = await asked_for_a_stream(workspace)
    await stream.append(markdown_text="Your parcel ")
    [growing] = await workspace.replies(question)
    assert growing.text == "Your parcel "
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client_of(workspace).chat_update(channel=workspace.support.id, ts=stream.ts, text="Too early")
    await stream.append(markdown_text="is on its way.")
    metadata = {"event_type": "reply", "event_payload": {"reply_id": "reply_1"}}
    await stream.stop(blocks=rateable()[1:], metadata=metadata, session_status="active")
    assert workspace.wire.sessions.states == {(workspace.support.id, question.ts): "active"}
    [reply] = await workspace.replies(question)
    assert reply.text == "Your parcel is on its way."
    assert [block["type"] for block in reply.blocks] == ["markdown", "context_actions", "actions"]
    assert reply.metadata["event_payload"] == {"reply_id": "reply_1"}
    assert workspace.wire.count()["chat.postMessage"] == 0  # what the stub does in the emulator is no call of the app


async def test_a_stream_that_died_keeps_its_text_and_can_be_rescued_by_an_edit(workspace: Workspace):
    workspace.wire.streams.dies_after_appends = 1
    question, stream = await asked_for_a_stream(workspace)
    await stream.append(markdown_text="Your parcel ")
    await stream.append(markdown_text="is on its ")
    for act in (stream.append, stream.stop):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await act(markdown_text="way, says the courier.")
    [reply] = await workspace.replies(question)
    assert reply.text == "Your parcel is on its "
    channel = workspace.support.id
    await client_of(workspace).chat_update(channel=channel, ts=stream.ts, text="Your parcel is on its way.")
    [reply] = await workspace.replies(question)
    assert reply.text == "Your parcel is on its way."


async def test_a_stream_to_a_channel_needs_its_recipient_and_one_kind_of_text(workspace: Workspace):
    client = client_of(workspace)
    question = await workspace.post(workspace.customer, workspace.support, "Hello")
    with pytest.raises(SlackApiError, match="missing_recipient_team_id"):
        await client.chat_startStream(channel=workspace.support.id, thread_ts=question.ts)
    dm = await workspace.dm(workspace.customer)
    question = await workspace.post(workspace.customer, dm, "Hello")
    started = await client.chat_startStream(channel=dm.id, thread_ts=question.ts)
    chunks = [{"type": "markdown_text", "text": "Hello"}]
    with pytest.raises(SlackApiError, match="cannot_provide_both"):
        await client.chat_appendStream(channel=dm.id, ts=started["ts"], markdown_text="Hello", chunks=chunks)


async def test_the_stop_button_ends_the_streams_of_its_thread(workspace: Workspace):
    app = bare_app(workspace)

    @app.event("agent_session_stopped")
    async def stopped(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.agents_sessions_setStatus(
            channel_id=event["channel"], thread_ts=event["thread_ts"], status="active"
        )

    async with serving(workspace, app):
        question, stream = await asked_for_a_stream(workspace)
        await stream.append(markdown_text="Your parcel ")
        await workspace.press_stop(workspace.customer, question)
        assert workspace.deliveries[-1].body.json["event"]["streaming_message_ts"] == [stream.ts]
        with pytest.raises(SlackApiError, match="stopped_by_user"):
            await stream.append(markdown_text="is on its way.")
    assert workspace.wire.sessions.states == {(workspace.support.id, question.ts): "active"}


async def test_statuses_prompts_sessions_and_groups_are_kept_for_the_test_to_see(workspace: Workspace):
    client, wire, channel = client_of(workspace), workspace.wire, workspace.support.id
    question = await workspace.post(workspace.customer, workspace.support, "Hello")
    here = {"channel_id": channel, "thread_ts": question.ts}
    await client.assistant_threads_setStatus(status="is thinking", loading_messages=["One moment"], **here)
    assert wire.statuses.shown == {(channel, question.ts): "is thinking"}
    await client.chat_postMessage(channel=channel, thread_ts=question.ts, text="An answer", **QUIET)
    assert wire.statuses.shown == {}  # Slack takes it away when the answer comes
    await client.agents_sessions_setStatus(status="processing", title="Parcel", **here)
    await client.agents_sessions_rename(title="A parcel", **here)
    assert wire.sessions.states == {(channel, question.ts): "processing"}
    assert wire.sessions.titles == {(channel, question.ts): "A parcel"}
    prompts = [{"title": "Track", "message": "Where is my parcel?"}]
    await client.assistant_threads_setSuggestedPrompts(prompts=prompts, **here)
    assert wire.statuses.prompts == {}  # with thread_ts the call silently does nothing
    await client.assistant_threads_setSuggestedPrompts(channel_id=channel, prompts=prompts)
    assert wire.statuses.prompts == {channel: prompts}
    wire.usergroups.members["S0MODERATORS"] = [workspace.moderator.user_id]
    wire.usergroups.names["S0MODERATORS"] = "Moderators"
    listed = await client.usergroups_list()
    assert [(group["id"], group["name"]) for group in listed["usergroups"]] == [("S0MODERATORS", "Moderators")]
    group = await client.usergroups_users_list(usergroup="S0MODERATORS")
    assert group["users"] == [workspace.moderator.user_id]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        await client.usergroups_users_list(usergroup="S0NOBODY")


async def test_without_our_stubs_the_emulator_does_not_know_the_ai_methods(workspace: Workspace):
    workspace.wire.without_ai()
    client = client_of(workspace)
    here = {"channel_id": workspace.support.id, "thread_ts": "1.1"}
    for call in (
        client.chat_startStream(channel=workspace.support.id, thread_ts="1.1"),
        client.assistant_threads_setStatus(status="is thinking", **here),
        client.agents_sessions_setStatus(status="processing", **here),
    ):
        with pytest.raises(SlackApiError) as caught:
            await call
        assert caught.value.response.status_code == 404
        assert caught.value.response.get("error") is None  # {"message": "Not Found"}: no Slack error to look at
    workspace.wire.faults.refuse("blocks.validate", "unknown_method")  # and as Slack itself says it
    with pytest.raises(SlackApiError, match="unknown_method"):
        await client.blocks_validate(blocks=[])
