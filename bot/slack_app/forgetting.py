"""Forgetting a question: our messages that carry its words leave Slack, then the words leave the database.

In this order, so that a process which dies in between can do all of it again.
"""

from bot.slack_app.outgoing import Message, remove
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import SlackChannel
from bot.slack_app.people import PLATFORM
from storage.records import Posting, PostingKind, Turn


async def forget_question(parts: Parts, turn: Turn) -> None:
    """Delete a question, its reply and what was made of them. Raises what Slack raises while one of our messages stays."""
    for posting in await _showing(parts, turn):
        if posting.platform == PLATFORM and posting.message_key is not None and posting.removed_at is None:
            await take_off(parts, posting)
            await parts.store.postings.removed(posting.id, at=parts.now())
    await parts.store.conversations.withdraw_question(turn.platform, turn.key, at=parts.now())


async def take_off(parts: Parts, posting: Posting) -> None:
    """Remove a message of ours that stands on Slack. Raises what Slack raises; one that is gone is no error."""
    assert posting.message_key is not None  # it has landed
    at = SlackChannel.of(posting.place)
    await remove(await parts.client(at.team), Message(at.id, posting.message_key))


async def _showing(parts: Parts, turn: Turn) -> list[Posting]:
    """Every message of ours with the question's words, the reply's, or a correction's."""
    store = parts.store
    subjects = [(PostingKind.REPLY, turn.id), (PostingKind.DRAFT, turn.id)]
    reply = await store.conversations.reply_to(turn.id)
    if reply is not None:
        for correction in await store.corrections.for_reply(reply.id):
            subjects += [(PostingKind.REVIEW, correction.id), (PostingKind.NOTICE, correction.id)]
    hand_over = await store.hand_overs.open(turn.conversation_id)
    if hand_over is not None:
        subjects.append((PostingKind.HAND_OVER, hand_over.id))
    return [posting for kind, subject in subjects for posting in await store.postings.of(kind, subject)]
