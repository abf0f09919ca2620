"""What becomes of messages later: an edited question is answered as it is now, a deleted one is cancelled and leaves the data."""

import logging

from bot import answering
from bot.discord_app.bursts import Burst
from bot.discord_app.context import quotation
from bot.discord_app.markup import plain
from bot.discord_app.messages import names_of
from bot.discord_app.outgoing import UNREACHABLE, reason
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Changed, Person, Place
from bot.discord_app.replying import take_away
from bot.discord_app.rereading import PART_OF
from bot.text import TextRefused, clean
from storage.records import PROGRAM_ACTOR_ID, Judgement, Posting, PostingKind, Turn

log = logging.getLogger(__name__)

NOT_OURS = "not a message of ours"
DELETED_HERE = "Deleted on Discord by a moderator."
MOST_TURNS = 1_000  # of one thread that was deleted


async def was_edited(parts: Parts, changed: Changed) -> str:
    """Follow an edit; a reply that is being written is begun anew."""
    if (burst := parts.bursts.around(changed.place.key)) is not None:
        burst.edit(changed)
        return await _burst_changed(parts, burst)
    return await _edited(parts, changed.place.key, changed.text or "", changed.mentioned)


async def _burst_changed(parts: Parts, burst: Burst) -> str:
    """One of the messages that are one question was edited or deleted: the question is what stands of them now."""
    await burst.until_recorded()
    if not burst.messages:
        return "nothing is left of it"
    said = burst.said
    return await _edited(parts, burst.key, said.text, said.mentioned)


async def _edited(parts: Parts, key: str, text: str, mentioned: tuple[Person, ...]) -> str:
    text = plain(text, parts.me, names_of(parts, mentioned))
    if not text:
        return "nothing is left of it"
    known = await parts.store.conversations.find_turn(PLATFORM, key)
    text = text if known is None else quotation(known.question) + text
    if known is not None and clean(text) == known.question:
        return "the same words"  # Discord also tells of an edit when it adds a preview of a link
    try:
        turn = await answering.edit(parts.store, PLATFORM, key, text, now=parts.now())
    except TextRefused:
        return "the edited question is too long"
    if turn is None:
        return "not a question of ours"
    if (working := parts.working.get(turn.id)) is not None:
        working.is_outdated = True
        working.task.cancel()
    return ""


async def was_deleted(parts: Parts, place: Place) -> str:
    """A message is gone: a question of somebody's, or a part of one, a reply of ours, or neither."""
    turn = await parts.store.conversations.find_turn(PLATFORM, place.key)
    if turn is not None:
        await _withdraw(parts, turn)
        return ""
    if (burst := parts.bursts.around(place.key)) is not None:
        burst.take_out(place.key)
        await burst.until_recorded()
        is_anything_left = any(plain(said.text, parts.me, {}) for said in burst.messages)
        return await (_burst_changed(parts, burst) if is_anything_left else _withdraw_at(parts, burst.key))
    posting = await parts.store.postings.at(PLATFORM, place.room_key, place.message)
    if posting is not None:
        await _reply_was_deleted(parts, posting)
        return ""
    return await _part_was_deleted(parts, place)


async def _part_was_deleted(parts: Parts, place: Place) -> str:
    """What a message said that went on with a question is in the question, which leaves the data with its answer.

    Known for as long as deliveries are remembered (inbox.KEPT_FOR).
    """
    outcome = await parts.store.inbox.outcome(PLATFORM, place.key)
    return await _withdraw_at(parts, outcome.removeprefix(PART_OF)) if outcome.startswith(PART_OF) else NOT_OURS


async def thread_was_deleted(parts: Parts, guild: str, thread: str) -> str:
    """A thread or forum post is gone, with every message in it; Discord tells of none of them."""
    parts.bursts.take_out_room(f"{guild}/{thread}")
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


async def _withdraw_at(parts: Parts, key: str) -> str:
    turn = await parts.store.conversations.find_turn(PLATFORM, key)
    if turn is None:
        return NOT_OURS
    await _withdraw(parts, turn)
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
