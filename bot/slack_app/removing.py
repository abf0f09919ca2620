"""Taking messages of ours off Slack."""

from bot.slack_app.outgoing import Message, remove
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import SlackChannel
from storage.records import Posting


async def take_off(parts: Parts, posting: Posting) -> None:
    """Remove a message of ours that stands on Slack. Raises what Slack raises; one that is gone is no error."""
    assert posting.message_key is not None  # it has landed
    at = SlackChannel.of(posting.place)
    await remove(await parts.client(at.team), Message(at.id, posting.message_key))
