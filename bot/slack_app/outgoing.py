"""Everything that leaves for Slack, and the one way it leaves: with `text`, without previews, ringing nobody."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (slack_sdk answers are loosely typed)

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_app.blocks import Block, Shown
from bot.slack_app.workspaces import error_code

log = logging.getLogger(__name__)

CLOCKS_DIFFER = timedelta(minutes=1)  # Slack's and ours, at most
METADATA = "finetone"  # event_type of our messages' metadata; it holds one of our ids and nothing else

UNREACHABLE = (SlackClientError, aiohttp.ClientError, TimeoutError)
"""What a call to Slack may raise when it did not work."""

# Slack's words for an accident of its own, after which "some aspect of the operation" may be done (docs.slack.dev, errors
# of chat.postMessage, read 2026-11-21).
MAYBE_DONE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
GONE = frozenset({"message_not_found", "channel_not_found", "thread_not_found"})


@dataclass(frozen=True, slots=True)
class Message:
    """A message of ours in a channel."""

    channel: str
    ts: str


async def post(
    client: AsyncWebClient, channel: str, shown: Shown, *, thread_ts: str = "", subject: str = ""
) -> Message:
    """Post a message; `subject` is our id of what it shows, by which it is found again after a crash."""
    answer = await client.chat_postMessage(
        channel=channel,
        text=shown.text,
        blocks=shown.blocks,
        thread_ts=thread_ts or None,
        unfurl_links=False,
        unfurl_media=False,
        metadata=metadata(subject),
    )
    return Message(str(answer["channel"]), str(answer["ts"]))


async def change(client: AsyncWebClient, message: Message, shown: Shown, *, subject: str = "") -> None:
    """Change a message of ours. The blocks always go with it: a change of the text alone drops them."""
    await client.chat_update(
        channel=message.channel, ts=message.ts, text=shown.text, blocks=shown.blocks, metadata=metadata(subject)
    )


async def put_right(client: AsyncWebClient, message: Message, shown: Shown, *, subject: str = "") -> bool:
    """Change a message of ours whatever state it was left in; False where it is gone."""
    try:
        await change(client, message, shown, subject=subject)
    except UNREACHABLE as error:
        if reason(error) in GONE:
            return False
        if reason(error) != "streaming_state_conflict":  # else: a stream that a process left behind
            raise
        await _end_stream(client, message)
        await change(client, message, shown, subject=subject)
    return True


async def remove(client: AsyncWebClient, message: Message) -> None:
    """Take a message of ours away, also while it is streaming; one that is gone is no error."""
    try:
        await client.chat_delete(channel=message.channel, ts=message.ts)
    except UNREACHABLE as error:
        if reason(error) in GONE:
            return
        if reason(error) != "cant_delete_message":
            raise
        await _end_stream(client, message)
        await client.chat_delete(channel=message.channel, ts=message.ts)


async def _end_stream(client: AsyncWebClient, message: Message) -> None:
    try:
        await client.chat_stopStream(channel=message.channel, ts=message.ts)
    except UNREACHABLE as error:
        log.info("the stream in %s could not be ended (%s)", message.channel, reason(error))


async def sent_before(client: AsyncWebClient, bot_user: str, channel: str, subject: str, since: datetime) -> str:
    """The ts of our message about `subject` in a channel whose sending was never answered; "" where there is none."""
    oldest = f"{(since - CLOCKS_DIFFER).timestamp():.6f}"
    answer = await client.conversations_history(channel=channel, oldest=oldest, limit=100, include_all_metadata=True)
    messages: list[dict[str, Any]] = answer.get("messages") or []
    for message in messages:
        if message.get("user") == bot_user and subject_of(message) == subject:
            return str(message["ts"])
    return ""


async def whisper(
    client: AsyncWebClient,
    channel: str,
    user: str,
    text: str,
    *,
    blocks: list[Block] | None = None,
    thread_ts: str = "",
) -> None:
    """Say something that one person sees and nobody keeps. What cannot be whispered is logged: it is never the work itself."""
    try:
        await client.chat_postEphemeral(
            channel=channel, user=user, text=text, blocks=blocks, thread_ts=thread_ts or None
        )
    except UNREACHABLE as error:
        log.warning("could not whisper in %s: %s", channel, reason(error))


async def tell(client: AsyncWebClient, user: str, shown: Shown) -> Message | None:
    """Say something to one person in their direct messages; None where Slack does not let us."""
    try:
        return await post(client, await direct_channel(client, user), shown)
    except UNREACHABLE as error:
        log.warning("could not write to %s: %s", user, reason(error))
        return None


async def send_file(client: AsyncWebClient, user: str, name: str, content: bytes, said: str) -> None:
    """Give one person a file, in their direct messages. Raises what Slack raises; twice is two files."""
    channel = await direct_channel(client, user)
    await client.files_upload_v2(filename=name, title=name, content=content, channel=channel, initial_comment=said)


async def direct_channel(client: AsyncWebClient, user: str) -> str:
    """The channel of somebody's direct messages with the bot. Raises what Slack raises."""
    opened = await client.conversations_open(users=user)
    channel: Any = opened["channel"]
    return str(channel["id"])


def is_refused(error: BaseException) -> bool:
    """Whether Slack said no, so that nothing was done. A lost answer or a server's error may hide that it was."""
    if not isinstance(error, SlackApiError):
        return False
    status: Any = getattr(error.response, "status_code", 0)
    return 200 <= int(status or 0) < 500 and reason(error) not in MAYBE_DONE


def reason(error: BaseException) -> str:
    """Why a call did not work, in a word or two; never what was sent."""
    return error_code(error) if isinstance(error, SlackApiError) else type(error).__name__


def metadata(subject: str) -> dict[str, Any] | None:
    """What marks a message as being about `subject`; None for one that is about nothing of ours."""
    return {"event_type": METADATA, "event_payload": {"subject": subject}} if subject else None


def subject_of(message: dict[str, Any]) -> str:
    """What a message that Slack gives back is marked as being about; "" where it is not marked."""
    found: dict[str, Any] = message.get("metadata") or {}
    return str(found.get("event_payload", {}).get("subject", ""))
