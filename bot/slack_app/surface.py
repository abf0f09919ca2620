"""Slack's channels as the board uses them: cards are posted, found again, changed in place."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

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
from bot.slack_app.blocks import (
    Shown,
    decision,
    follow_up,
    hand_over_card,
    learned_card,
    review_card,
    run_card,
    section,
)
from bot.slack_app.disputes import dispute_card
from bot.slack_app.doubts import doubt_card
from bot.slack_app.markup import words
from bot.slack_app.noticing import Thread
from bot.slack_app.outgoing import (
    GONE,
    UNREACHABLE,
    Message,
    change,
    direct_channel,
    is_refused,
    post,
    reason,
    remove,
    sent_before,
)
from bot.slack_app.parts import Parts, place_of
from bot.slack_app.payloads import Place, SlackChannel
from bot.slack_app.permalinks import permalink
from bot.slack_app.removing import take_off
from bot.slack_app.replying import GrowingReply
from bot.slack_app.workspaces import NotInstalled
from storage.records import Alarm, Conversation, Posting, PostingKind


class SlackSurface:
    """A `bot.office.cards.Surface`. Places are our keys of Slack's channels, team/channel."""

    def __init__(self, parts: Parts, home_team: Callable[[], Awaitable[str]]) -> None:
        self._parts = parts
        self._home_team = home_team  # the workspace whose channels the settings name

    async def place_of(self, kind: PostingKind) -> str:
        rules = self._parts.rules
        channel = {
            PostingKind.REVIEW: rules.review_channel,
            PostingKind.DISPUTE: rules.review_channel,
            PostingKind.DOUBT: rules.review_channel,
            PostingKind.HAND_OVER: rules.triage_channel or rules.review_channel,
            PostingKind.RUN: rules.ops_channel,
        }.get(kind, "")
        team = await self._home_team() if channel else ""
        return SlackChannel(team, channel).key if team else ""

    async def post(self, place: str, card: Card, subject: str) -> str:
        at = SlackChannel.of(place)
        shown = await self._shown(card)
        thread_ts = _thread_of(card.conversation) if isinstance(card, FollowUp) else ""
        async with _refusals_said():
            client = await self._parts.client(at.team)
            return (await post(client, at.id, shown, thread_ts=thread_ts, subject=subject)).ts

    async def find(self, posting: Posting) -> str:
        at = SlackChannel.of(posting.place)
        async with _refusals_said():
            bot, client = await self._parts.workspaces.bot(at.team), await self._parts.client(at.team)
            return await sent_before(client, bot.user, at.id, posting.subject, posting.created_at)

    async def change(self, posting: Posting, card: Card) -> bool:
        assert posting.message_key is not None  # the board changes what stands
        at, shown = SlackChannel.of(posting.place), await self._shown(card)
        async with _refusals_said():
            try:
                client = await self._parts.client(at.team)
                await change(client, Message(at.id, posting.message_key), shown, subject=posting.subject)
            except UNREACHABLE as error:
                if reason(error) not in GONE | {"cant_update_message"}:
                    raise
                return False
        return True

    async def remove(self, posting: Posting) -> None:
        async with _refusals_said():
            await take_off(self._parts, posting)

    async def direct_place(self, actor_key: str) -> str:
        team, user = actor_key.split("/")
        async with _refusals_said():
            return SlackChannel(team, await direct_channel(await self._parts.client(team), user)).key

    async def channel_of(self, conversation: Conversation) -> str:
        return Place.of(conversation.external_id).channel_key

    async def show_edit(self, posting: Posting) -> bool:
        store = self._parts.store
        turn = await store.conversations.turn(posting.subject)
        reply = await store.conversations.reply_to(turn.id)
        if reply is None:
            return False
        place = place_of(turn, await store.conversations.get(turn.conversation_id))
        async with _refusals_said():
            speech = await self._parts.speech(place.team)
            n_parts = await GrowingReply(speech, Thread(place, "", place.team, is_first=False), turn.id).finish(reply)
            for extra in await store.postings.of(PostingKind.REPLY, turn.id):
                if extra.platform != self._parts.platform or extra.part < n_parts:
                    continue
                if extra.message_key is not None:  # the new words take fewer messages
                    await remove(speech.client, Message(place.channel, extra.message_key))
                await store.postings.dropped(extra.id)
        return True

    async def _shown(self, card: Card) -> Shown:
        match card:
            case ReviewCard():
                link = "" if card.reply_at is None else await self.link(card.reply_at)
                return review_card(card.correction, card.pieces, card.proposed_by, card.decided_by, link)
            case DisputeCard():
                return dispute_card(card)
            case DoubtCard():
                return doubt_card(card)
            case HandOverCard():
                thread = Place.of(card.conversation.external_id)
                link = await self._permalink(thread.team, thread.channel, thread.ts)
                return hand_over_card(card.hand_over, card.asked_by, card.taken_by, card.said, link)
            case RunCard():
                return run_card(card.run, card.lines, card.share)
            case DecisionNotice():
                return decision(card.correction, card.decided_by)
            case LearnedCard():
                return learned_card(card.heading, card.lines)
            case FollowUp():
                return follow_up(card.said, card.reply)
            case Alarm():
                return Shown(words(card.text), [section(words(card.text))])

    async def link(self, posting: Posting) -> str:
        if posting.message_key is None:
            return ""
        at = SlackChannel.of(posting.place)
        return await self._permalink(at.team, at.id, posting.message_key)

    async def _permalink(self, team: str, channel: str, ts: str) -> str:
        async with _refusals_said():
            return await permalink(await self._parts.client(team), channel, ts)


def _thread_of(conversation: Conversation) -> str:
    return Place.of(conversation.external_id).ts


@asynccontextmanager
async def _refusals_said() -> AsyncGenerator[None]:
    """What Slack does not do leaves as PlatformRefused."""
    try:
        yield
    except NotInstalled as error:
        raise PlatformRefused(str(error), is_final=True) from error
    except UNREACHABLE as error:
        raise PlatformRefused(reason(error), is_final=is_refused(error)) from error
