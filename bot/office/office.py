"""What every handler of a chat platform works with, whichever platform it is."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.answering import Desk
from bot.doubting import AskingRules
from bot.rates import Rates
from curation.workshop import Workshop
from storage.records import ChannelMode, Posting, PostingKind, Reply, Voice
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator chose for a platform. Channels are the platform's ids; "" where there is none."""

    default_mode: ChannelMode = ChannelMode.MENTION
    review_channel: str = ""
    triage_channel: str = ""
    ops_channel: str = ""
    domains: Collection[str] = ()  # that links may lead to
    questions_per_minute: int = 6  # of one person; 0: no limit
    channel_questions_per_minute: int = 60
    team_of_one: bool = True
    keep: Collection[str] = ()  # what the brand itself publishes, and is not taken out of corrections
    dispute_votes: int = 1  # approvers who have to agree before a dispute is settled
    asking: AskingRules | None = None  # what moderators are asked by themselves; None: nothing
    follow_up_after: timedelta | None = None  # of silence after a reply; None: never


@dataclass(slots=True, kw_only=True)
class Office:
    """The store, the voice, the model's desk, the workshop and the rules."""

    platform: str
    store: Store
    voice: Voice
    desk: Desk
    workshop: Workshop
    rates: Rates
    rules: Rules
    now: Callable[[], datetime]
    wake_board: Callable[[], None] = field(default=lambda: None)  # something that a card shows has changed

    async def mode(self, channel_key: str) -> ChannelMode:
        """When the bot speaks in the channel."""
        channel = await self.store.channels.get(self.platform, channel_key)
        return channel.mode if channel is not None else self.rules.default_mode

    async def may_train(self, channel_key: str) -> bool:
        """Whether corrections made in the channel may be trained on."""
        channel = await self.store.channels.get(self.platform, channel_key)
        return channel is None or channel.is_training_allowed

    async def fresh_voice(self) -> Voice:
        """The voice as it is now; its prompt may have changed since the start."""
        return await self.store.voices.get(self.voice.id)

    async def reply_at(self, channel_key: str, message_key: str) -> Reply | None:
        """The reply that a message of ours is a part of; None for every other message."""
        posting = await self.store.postings.at(self.platform, channel_key, message_key)
        if posting is None or posting.kind is not PostingKind.REPLY:
            return None
        return await self.store.conversations.reply_to(posting.subject)

    async def postings_of(self, reply: Reply) -> list[Posting]:
        """The messages that show the reply on this platform now, in the order of its parts."""
        return [
            posting
            for posting in await self.store.postings.of(PostingKind.REPLY, reply.turn_id)
            if posting.platform == self.platform and posting.message_key is not None and posting.removed_at is None
        ]
