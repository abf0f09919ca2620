"""What becomes of messages later: an edited question is answered as it is now, a deleted one is cancelled and leaves the data."""

import logging

from bot import answering
from bot.discord_app.markup import plain
from bot.discord_app.messages import names_of
from bot.discord_app.outgoing import UNREACHABLE, reason
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Changed, Place
from bot.discord_app.replying import take_away
from bot.text import TextRefused, clean
from storage.records import PROGRAM_ACTOR_ID, Judgement, Posting, PostingKind, Turn

log = logging.getLogger(__name__)

DELETED_HERE = "Deleted on Discord by a moderator."
MOST_TURNS = 1_000  # of one thread that was deleted


async def was_edited(parts: Parts, changed: Changed) -> str:
    """Follow an edit; a reply that is being written is begun anew."""
    text = plain(changed.text or "", parts.me, names_of(parts, changed.mentioned))
    if not text:
        return "nothing is left of it"
    known = await parts.store.conversations.find_turn(PLATFORM, changed.place.key)
    if known is not None and clean(text) == known.question:
        return "the same words"  # Discord also tells of an edit when it adds a preview of a link
    try:
        turn = await answering.edit(parts.store, PLATFORM, changed.place.key, text, now=parts.now())
    except TextRefused:
        return "the edited question is too long"
    if turn is None:
        return "not a question of ours"
    if (working := parts.working.get(turn.id)) is not None:
        working.is_outdated = True
        working.task.cancel()
    return ""


async def was_deleted(parts: Parts, place: Place) -> str:
    """A message is gone: a question of somebody's, a reply of ours, or neither."""
    turn = await parts.store.conversations.find_turn(PLATFORM, place.key)
    if turn is not None:
        await _withdraw(parts, turn)
        return ""
    posting = await parts.store.postings.at(PLATFORM, place.room_key, place.message)
    if posting is None:
        return "not a message of ours"
    await _reply_was_deleted(parts, posting)
    return ""


async def thread_was_deleted(parts: Parts, guild: str, thread: str) -> str:
    """A thread or forum post is gone, with every message in it; Discord tells of none of them."""
    conversation = await parts.store.conversations.find(PLATFORM, f"{guild}/{thread}")
    if conversation is None:
        return "not a thread of ours"
    for turn, _ in await parts.store.conversations.recent_turns(conversation.id, MOST_TURNS):
        if turn.key.split("/")[1] == thread:
            await _withdraw(parts, turn)
        else:  # the question the thread was opened on stands in its channel; what answered it is gone
            for posting in await parts.store.postings.of(PostingKind.REPLY, turn.id):
                await parts.store.postings.removed(posting.id, at=parts.now())
    return ""


async def _withdraw(parts: Parts, turn: Turn) -> None:
    """Its words leave the data, a reply that is being written ends, and the board takes away what was said about it."""
    await parts.store.conversations.withdraw_question(PLATFORM, turn.key, at=parts.now())
    if (working := parts.working.get(turn.id)) is not None:
        working.task.cancel()
    parts.wake_board()


async def _reply_was_deleted(parts: Parts, posting: Posting) -> None:
    """Only moderators can delete a message of ours, so a reply that they took away counts as flagged, once."""
    is_ours = (posting.message_key or "") in parts.removing
    parts.removing.discard(posting.message_key or "")
    await parts.store.postings.removed(posting.id, at=parts.now())
    if is_ours or posting.removed_at is not None or posting.kind is not PostingKind.REPLY:
        return
    turn = await parts.store.conversations.turn(posting.subject)
    reply = await parts.store.conversations.reply_to(turn.id)
    if reply is None or turn.withdrawn_at is not None:
        return
    await parts.store.feedback.give(reply.id, PROGRAM_ACTOR_ID, Judgement.WRONG, DELETED_HERE, True, at=parts.now())
    for other in await parts.store.postings.of(PostingKind.REPLY, turn.id):
        if other.platform == PLATFORM and other.message_key is not None and other.removed_at is None:
            try:
                await take_away(parts.client, other, parts.removing)
            except UNREACHABLE as error:
                log.warning("a part of a deleted reply stays in %s (%s)", other.place, reason(error))
                continue
            await parts.store.postings.removed(other.id, at=parts.now())
    parts.wake_board()
