"""Discord's channels as the board uses them: cards are posted, found again, changed in place; replies follow their edits."""

import hashlib
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

import discord
from discord import ui

from bot.discord_app import cards
from bot.discord_app.buttons import controls
from bot.discord_app.disputes import dispute_card
from bot.discord_app.doubts import doubt_card
from bot.discord_app.markup import words
from bot.discord_app.outgoing import (
    GONE,
    NOBODY,
    UNREACHABLE,
    CannotSpeak,
    Shown,
    nonce_of,
    patiently,
    reason,
    room_at,
    send,
    understood,
)
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import DIRECT, place_of
from bot.discord_app.replying import PostedReply, Spot, take_away
from bot.discord_app.tags import Stand, mark
from bot.discord_app.titles import unname
from bot.office.cards import (
    Card,
    DecisionNotice,
    DisputeCard,
    DoubtCard,
    FollowUp,
    HandOverCard,
    LearnedCard,
    PlatformRefused,
    ReviewCard,
    RunCard,
)
from storage.records import Alarm, Conversation, Posting, PostingKind, Reply, ThreadMode, Turn

log = logging.getLogger(__name__)

LOOKED_THROUGH = 100  # messages after a card was intended, for one that was sent and not recorded
MARGIN = timedelta(minutes=10)  # our clock and Discord's differ


class DiscordSurface:
    """A `bot.office.cards.Surface`. Places are our names of rooms, guild/channel."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._unknown: set[str] = set()  # channels of the settings that the bot does not see, told once

    async def place_of(self, kind: PostingKind) -> str:
        rules = self._parts.rules
        channel_id = {
            PostingKind.REVIEW: rules.review_channel,
            PostingKind.DISPUTE: rules.review_channel,
            PostingKind.DOUBT: rules.review_channel,
            PostingKind.DRAFT: rules.review_channel,
            PostingKind.HAND_OVER: rules.triage_channel or rules.review_channel,
            PostingKind.RUN: rules.ops_channel,
        }.get(kind, "")
        if not channel_id or not self._parts.client.is_ready():
            return ""
        channel = self._parts.client.get_channel(int(channel_id))
        if isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            self._unknown.discard(channel_id)
            return f"{channel.guild.id}/{channel_id}"
        if channel_id not in self._unknown:
            self._unknown.add(channel_id)
            log.error("channel %s of the settings is not there, or I do not see it: nothing is shown in it", channel_id)
        return ""

    async def post(self, place: str, card: Card, subject: str) -> str:
        room = room_at(self._parts.client, place)
        nonce = _nonce(f"{place}/{type(card).__name__}/{subject}")  # Discord knows an author's nonces in every channel
        async with refusals_said():
            if isinstance(card, DecisionNotice | FollowUp | Alarm):
                return str((await send(room, self._message(card), nonce=nonce)).id)
            return str((await send_card(room, await self._shown(card), nonce)).id)

    async def find(self, posting: Posting) -> str:
        async with refusals_said():
            return await find_card(self._parts, posting)

    async def change(self, posting: Posting, card: Card) -> bool:
        assert posting.message_key is not None  # the board changes what stands
        assert not isinstance(card, DecisionNotice | FollowUp | Alarm)  # they never change
        room = room_at(self._parts.client, posting.place)
        view = await self._shown(card)
        async with refusals_said():
            return await change_card(room.get_partial_message(int(posting.message_key)), view)

    async def remove(self, posting: Posting) -> None:
        async with refusals_said():
            await take_away(self._parts.client, posting, self._parts.removing)
        if posting.kind is PostingKind.REPLY:
            turn = await self._parts.store.conversations.turn(posting.subject)
            await unname(self._parts.client, posting.place, turn.key)

    async def direct_place(self, actor_key: str) -> str:
        async with refusals_said():
            room = await patiently(lambda: self._parts.client.create_dm(cast(Any, discord.Object(int(actor_key)))))
            return f"{DIRECT}/{room.id}"

    async def channel_of(self, conversation: Conversation) -> str:
        """Where the conversation's newest answer stands: a thread, or the channel it was asked in."""
        store = self._parts.store
        for turn, reply in reversed(await store.conversations.recent_turns(conversation.id, limit=5)):
            standing = [] if reply is None else await self._parts.postings_of(reply)
            if standing:
                return standing[-1].place
            if reply is not None:
                return turn.key.rsplit("/", 1)[0]
        return conversation.external_id

    async def show_edit(self, posting: Posting) -> bool:
        """Show the edited words. A message that is gone, unheard, leaves the words to a new one."""
        store = self._parts.store
        turn = await store.conversations.turn(posting.subject)
        reply = await store.conversations.reply_to(turn.id)
        if reply is None or turn.withdrawn_at is not None:
            return False
        async with refusals_said():
            await show_reply(self._parts, turn, reply)
            if not await self._parts.postings_of(reply):
                for gone in await store.postings.of(PostingKind.REPLY, turn.id):
                    await store.postings.dropped(gone.id)
                await show_reply(self._parts, turn, reply)
        await mark(self._parts, turn.key.rsplit("/", 1)[0], Stand.CORRECTED)
        return True

    async def link(self, posting: Posting) -> str:
        return (
            "" if posting.message_key is None else f"https://discord.com/channels/{posting.place}/{posting.message_key}"
        )

    async def _shown(
        self, card: ReviewCard | DisputeCard | DoubtCard | HandOverCard | RunCard | LearnedCard
    ) -> ui.LayoutView:
        match card:
            case ReviewCard():
                return cards.review_card(card, "" if card.reply_at is None else await self.link(card.reply_at))
            case DisputeCard():
                return dispute_card(card)
            case DoubtCard():
                return doubt_card(card)
            case HandOverCard():
                first = await self._parts.store.conversations.first_turn(card.conversation.id)
                return cards.hand_over_card(card, place_of(first.key).link if first is not None else "")
            case RunCard():
                return cards.run_card(card)
            case LearnedCard():
                return cards.learned_card(card)

    def _message(self, card: DecisionNotice | FollowUp | Alarm) -> Shown:
        match card:
            case DecisionNotice():
                return Shown(cards.decision(card))
            case FollowUp():
                return Shown(words(card.said), controls(card.reply))
            case Alarm():
                return Shown(words(card.text))


def _nonce(text: str) -> str:
    """The same for every sending of one card."""
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


# ---------------------------------------------------------------- cards on Discord


async def send_card(room: discord.PartialMessageable, view: ui.LayoutView, nonce: str) -> discord.Message:
    """Post a card. Raises what `outgoing.send` raises."""
    return await understood(lambda: patiently(lambda: room.send(view=view, nonce=nonce, allowed_mentions=NOBODY)))


async def change_card(message: discord.PartialMessage, view: ui.LayoutView) -> bool:
    """Change a card in place; False where somebody deleted it."""
    try:
        await understood(lambda: patiently(lambda: message.edit(view=view, allowed_mentions=NOBODY)))
    except CannotSpeak as refused:
        if refused.code in GONE:
            return False
        raise
    return True


async def find_card(parts: Parts, posting: Posting) -> str:
    """The id of a card that was sent and not recorded; "" where there is none. Its number says what it is about."""
    room, mark, since = (
        room_at(parts.client, posting.place),
        cards.mark_of(posting.subject),
        posting.created_at - MARGIN,
    )

    async def looked() -> str:
        async for message in room.history(after=since, limit=LOOKED_THROUGH, oldest_first=True):
            is_ours = str(message.author.id) == parts.me
            if is_ours and any(getattr(component, "id", None) == mark for component in message.components):
                return str(message.id)
        return ""

    return await understood(lambda: patiently(looked))


async def show_reply(parts: Parts, turn: Turn, reply: Reply) -> None:
    """Show a reply's standing words where its question was asked; where messages of it stand, they are changed."""
    await PostedReply(parts.speech(), await _spot(parts, turn), turn.id).finish(reply)


async def _spot(parts: Parts, turn: Turn) -> Spot:
    """Where the reply to a question goes: as it was decided when the question was heard, read back from the keys."""
    conversation = await parts.store.conversations.get(turn.conversation_id)
    place = place_of(turn.key)
    names_its_conversation = conversation.external_id == f"{place.guild}/{place.message}"
    is_post = place.message == place.channel
    _, rules = await parts.channel(place.channel_key)
    opens = names_its_conversation and not is_post and rules.threads is not ThreadMode.CHANNEL
    return Spot(place, turn.question, opens)


@asynccontextmanager
async def refusals_said() -> AsyncGenerator[None]:
    """What Discord does not do leaves as PlatformRefused."""
    try:
        yield
    except CannotSpeak as error:
        raise PlatformRefused(str(error), is_final=True) from error
    except UNREACHABLE as error:
        is_final = isinstance(error, discord.HTTPException) and 400 <= error.status < 500 and error.status != 429
        raise PlatformRefused(reason(error), is_final=is_final) from error


class DraftTable:
    """A `bot.office.drafts.Table`: drafts lie in the review channel."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def put(self, posting: Posting, turn: Turn, reply: Reply, *, seeks: bool) -> str:
        async with refusals_said():
            if seeks and (found := await find_card(self._parts, posting)):
                return found
            view = cards.draft_card(reply, turn.question, place_of(turn.key).link, self._parts.rules.domains)
            room = room_at(self._parts.client, posting.place)
            return str((await send_card(room, view, nonce_of(posting))).id)

    async def send(self, turn: Turn, reply: Reply) -> None:
        async with refusals_said():
            await show_reply(self._parts, turn, reply)

    async def close(self, card: Posting, turn: Turn, reply: Reply, said: str) -> None:
        assert card.message_key is not None  # only cards that stand are closed
        view = cards.draft_card(reply, turn.question, "", self._parts.rules.domains, decided=words(said))
        async with refusals_said():
            room = room_at(self._parts.client, card.place)
            await change_card(room.get_partial_message(int(card.message_key)), view)


__all__ = ["PLATFORM", "DiscordSurface", "DraftTable"]
