"""Draft-only channels: a reply is shown to the moderators first, who send it, change it or drop it."""

import logging
from dataclasses import replace

from bot import answering, moderation
from bot.office import verbs
from bot.office.verbs import Said
from bot.slack_app.blocks import Shown, context, draft_card, named
from bot.slack_app.outgoing import UNREACHABLE, Message, is_refused, post, put_right, sent_before
from bot.slack_app.parts import Parts, place_of
from bot.slack_app.payloads import Place, SlackChannel
from bot.slack_app.permalinks import permalink
from bot.slack_app.replying import GrowingReply, Thread
from storage.postings import LAST
from storage.records import Actor, PostingKind, Reply, Right, Turn

log = logging.getLogger(__name__)

DECIDING = "deciding"  # `shown` of a card whose button was pressed
DECIDED = "Somebody has decided on this draft already."


async def offer(parts: Parts, turn: Turn, place: Place, *, takes_over: bool = False) -> str:
    """Answer a question without sending the answer, and put it before the moderators."""

    async def to_nobody(_: str) -> None:
        return

    reply = await answering.answer(parts.desk, turn, to_nobody, takes_over=takes_over)
    if reply is None:
        return "another process answers"
    if (await parts.store.conversations.turn(turn.id)).withdrawn_at is not None:
        return "withdrawn"
    channel = parts.rules.review_channel
    if not channel:
        log.error("a draft in %s has nowhere to go: set FINETONE_SLACK_REVIEW_CHANNEL", place.channel_key)
        return "no review channel"
    posting, is_new = await parts.store.postings.intend(
        parts.platform, PostingKind.DRAFT, turn.id, 0, f"{place.team}/{channel}", at=parts.now()
    )
    if posting.message_key is not None:
        return "offered already"
    client, bot = await parts.client(place.team), await parts.workspaces.bot(place.team)
    subject = f"draft/{turn.id}"
    ts = "" if is_new else await sent_before(client, bot.user, channel, subject, posting.created_at)
    if not ts:
        link = await permalink(client, place.channel, place.ts)
        shown = draft_card(reply, turn.question, link, parts.rules.domains)
        ts = (await post(client, channel, shown, subject=subject)).ts
    card = await parts.store.postings.landed(posting.id, ts)
    if card.shown:  # somebody pressed while we did not know where it stands
        await _close(parts, place.team, turn, reply, DECIDED)
    return ""


async def send(parts: Parts, actor: Actor, reply_id: str, team: str, *, is_first_try: bool = True) -> str:
    """Send a draft as it stands now. Returns the sentence to say. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "send a draft")
    reply = await parts.store.conversations.reply(reply_id)
    turn = await parts.store.conversations.turn(reply.turn_id)
    if not await _is_mine(parts, turn, is_first_try):
        return DECIDED
    if turn.withdrawn_at is not None:
        await _close(parts, team, turn, reply, "The question was deleted.")
        return "The question was deleted meanwhile, so there is nothing to answer."
    place = place_of(turn, await parts.store.conversations.get(turn.conversation_id))
    thread = Thread(place, "", team, is_first=False)
    try:
        async with GrowingReply(await parts.speech(team), thread, turn.id) as growing:
            await growing.finish(reply)
    except UNREACHABLE as error:
        if is_refused(error):
            await _reopen(parts, turn)
        raise
    await _close(parts, team, turn, reply, f"Sent by {named(actor.name)}.")
    return "Sent."


async def edit_and_send(
    parts: Parts, actor: Actor, reply_id: str, draft: moderation.Draft, team: str, *, is_first_try: bool
) -> Said:
    """Send a draft in a moderator's words, proposed as its correction where they differ. Raises NotAllowed, TextRefused."""
    reply = await parts.store.conversations.reply(reply_id)
    proposed = Said("")
    if draft.text.strip() != reply.text.strip():
        proposed = await verbs.correct(parts, actor, reply.id, replace(draft, edits_posted=True))
    sent = await send(parts, actor, reply.id, team, is_first_try=is_first_try)
    return Said(f"{sent} {proposed.text}".strip(), proposed.offers)


async def drop(parts: Parts, actor: Actor, reply_id: str, team: str, *, is_first_try: bool = True) -> str:
    """Do not send a draft; it counts as flagged. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "drop a draft")
    reply = await parts.store.conversations.reply(reply_id)
    turn = await parts.store.conversations.turn(reply.turn_id)
    if not await _is_mine(parts, turn, is_first_try):
        return DECIDED
    await moderation.retract_reply(parts.store, actor, reply.id, now=parts.now())
    await _close(parts, team, turn, reply, f"Dropped by {named(actor.name)}.")
    return "Dropped. It counts as flagged."


async def _is_mine(parts: Parts, turn: Turn, is_first_try: bool) -> bool:
    """Whether this press decides: the first one does, or an earlier attempt at the very same one that died."""
    for card in await parts.store.postings.of(PostingKind.DRAFT, turn.id):
        if card.shown == DECIDING:
            return not is_first_try
        return await parts.store.postings.advance(card.id, "", DECIDING)
    return False


async def _reopen(parts: Parts, turn: Turn) -> None:
    """Slack did not take it: whoever presses next may decide."""
    for card in await parts.store.postings.of(PostingKind.DRAFT, turn.id):
        await parts.store.postings.advance(card.id, DECIDING, "")


async def _close(parts: Parts, team: str, turn: Turn, reply: Reply, said: str) -> None:
    """Let the card say what became of it."""
    for card in await parts.store.postings.of(PostingKind.DRAFT, turn.id):
        if card.message_key is None or card.removed_at is not None:
            continue
        shown = draft_card(replace(reply, text=reply.standing_text), turn.question, "", parts.rules.domains)
        decided = Shown(said, [*shown.blocks[:-1], context(f"*{said}*")])
        await put_right(await parts.client(team), Message(SlackChannel.of(card.place).id, card.message_key), decided)
        await parts.store.postings.shows(card.id, LAST)
