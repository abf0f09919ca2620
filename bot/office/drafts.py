"""Draft-only channels: a reply is shown to the moderators first, who send it, change it or drop it; on every platform alike."""

import logging
from dataclasses import replace
from typing import Protocol

from bot import answering, moderation
from bot.answering import Desk
from bot.office import verbs
from bot.office.cards import PlatformRefused
from bot.office.office import Office
from bot.office.verbs import Said
from storage.postings import LAST
from storage.records import Actor, Posting, PostingKind, Reply, Right, Turn

log = logging.getLogger(__name__)

DECIDING = "deciding"  # `shown` of a card whose button was pressed
DECIDED = "Somebody has decided on this draft already."


class Table(Protocol):
    """Where one platform's drafts lie. Every method raises PlatformRefused where the platform does not do it."""

    async def put(self, posting: Posting, turn: Turn, reply: Reply, *, seeks: bool) -> str:
        """Show the draft to the moderators; `seeks`: look first for one that was sent before. The platform's key of it."""
        ...

    async def send(self, turn: Turn, reply: Reply) -> None:
        """Show the reply where the question stands."""
        ...

    async def close(self, card: Posting, turn: Turn, reply: Reply, said: str) -> None:
        """Let the card say what became of it; one that is gone is no error."""
        ...


async def offer(office: Office, table: Table, desk: Desk, turn: Turn, place: str, *, takes_over: bool) -> str:
    """Answer a question without sending the answer, and put it before the moderators in `place`. Returns "" or why not."""

    async def to_nobody(_: str) -> None:
        return

    reply = await answering.answer(desk, turn, to_nobody, takes_over=takes_over)
    if reply is None:
        return "another process answers"
    if (await office.store.conversations.turn(turn.id)).withdrawn_at is not None:
        return "withdrawn"
    if not place:
        log.error("a draft on %s has nowhere to go: set the review channel", office.platform)
        return "no review channel"
    postings = office.store.postings
    posting, is_new = await postings.intend(office.platform, PostingKind.DRAFT, turn.id, 0, place, at=office.now())
    if posting.message_key is not None:
        return "offered already"
    card = await postings.landed(posting.id, await table.put(posting, turn, reply, seeks=not is_new))
    if card.shown:  # somebody pressed while we did not know where it stands
        await _close(office, table, turn, reply, DECIDED)
    return ""


async def send(office: Office, table: Table, actor: Actor, reply_id: str, *, is_first_try: bool) -> Said:
    """Send a draft as it stands now. Raises NotAllowed, and PlatformRefused where it may have been sent."""
    moderation.require(actor, Right.MODERATOR, "send a draft")
    reply = await office.store.conversations.reply(reply_id)
    turn = await office.store.conversations.turn(reply.turn_id)
    if not await _is_mine(office, turn, is_first_try):
        return Said(DECIDED)
    if turn.withdrawn_at is not None:
        await _close(office, table, turn, reply, "The question was deleted.")
        return Said("The question was deleted meanwhile, so there is nothing to answer.")
    try:
        await table.send(turn, reply)
    except PlatformRefused as refused:
        if not refused.is_final:
            raise
        await _reopen(office, turn)
        return Said(f"It was not sent: {refused}.")
    await _close(office, table, turn, reply, f"Sent by {actor.name}.")
    return Said("Sent.")


async def edit_and_send(
    office: Office, table: Table, actor: Actor, reply_id: str, draft: moderation.Draft, *, is_first_try: bool
) -> Said:
    """Send a draft in a moderator's words, proposed as its correction where they differ. Raises NotAllowed, TextRefused."""
    reply = await office.store.conversations.reply(reply_id)
    proposed = Said("")
    if draft.text.strip() != reply.text.strip():
        proposed = await verbs.correct(office, actor, reply.id, replace(draft, edits_posted=True))
    sent = await send(office, table, actor, reply.id, is_first_try=is_first_try)
    return Said(f"{sent.text} {proposed.text}".strip(), proposed.offers)


async def drop(office: Office, table: Table, actor: Actor, reply_id: str, *, is_first_try: bool) -> Said:
    """Do not send a draft; it counts as flagged. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "drop a draft")
    reply = await office.store.conversations.reply(reply_id)
    turn = await office.store.conversations.turn(reply.turn_id)
    if not await _is_mine(office, turn, is_first_try):
        return Said(DECIDED)
    await moderation.retract_reply(office.store, actor, reply.id, now=office.now())
    await _close(office, table, turn, reply, f"Dropped by {actor.name}.")
    return Said("Dropped. It counts as flagged.")


async def _is_mine(office: Office, turn: Turn, is_first_try: bool) -> bool:
    """Whether this press decides: the first one does, or an earlier attempt at the very same one that died."""
    for card in await office.store.postings.of(PostingKind.DRAFT, turn.id):
        if card.shown == DECIDING:
            return not is_first_try
        return await office.store.postings.advance(card.id, "", DECIDING)
    return False


async def _reopen(office: Office, turn: Turn) -> None:
    """The platform did not take it: whoever presses next may decide."""
    for card in await office.store.postings.of(PostingKind.DRAFT, turn.id):
        await office.store.postings.advance(card.id, DECIDING, "")


async def _close(office: Office, table: Table, turn: Turn, reply: Reply, said: str) -> None:
    standing = await office.store.conversations.reply(reply.id)  # with the moderator's words, where they were changed
    for card in await office.store.postings.of(PostingKind.DRAFT, turn.id):
        if card.message_key is None or card.removed_at is not None:
            continue
        await table.close(card, turn, standing, said)
        await office.store.postings.shows(card.id, LAST)
