"""Links into Slack, for cards. One that cannot be had is left out: it is never the card itself."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (slack_sdk answers are loosely typed)

import logging

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack_app.outgoing import UNREACHABLE, reason

log = logging.getLogger(__name__)


async def permalink(client: AsyncWebClient, channel: str, ts: str) -> str:
    """The address of a message; "" where Slack does not tell."""
    try:
        answer = await client.chat_getPermalink(channel=channel, message_ts=ts)
    except UNREACHABLE as error:
        log.info("no link to a message in %s (%s)", channel, reason(error))
        return ""
    return str(answer.get("permalink") or "")
