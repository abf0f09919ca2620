"""What stands on a platform's boards as plain records, and how a platform shows it: posted once, changed in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.diff import Piece
from bot.office.telling import Line
from storage.records import (
    Conversation,
    Correction,
    Dispute,
    DisputeVote,
    HandOver,
    Judgement,
    Posting,
    PostingKind,
    Reply,
    Run,
)
from storage.records.alarms import Alarm


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """A correction for the people who approve: what changes, why, and the decision or its buttons."""

    correction: Correction
    pieces: Sequence[Piece]  # of the reply and the correction, in order
    proposed_by: str  # people's names, as they chose them
    decided_by: str  # "" where nobody has
    reply_at: Posting | None  # the first message of the reply it corrects; None where none stands


@dataclass(frozen=True, slots=True)
class DisputeSide:
    """One of the corrections that a dispute is about, with people's names."""

    correction: Correction
    proposed_by: str
    decided_by: str


@dataclass(frozen=True, slots=True)
class DisputeCard:
    """A dispute for the people who approve: both sides, what differs, the votes, and how it ended or its buttons."""

    dispute: Dispute
    first: DisputeSide
    second: DisputeSide | None  # None for an opinion
    doubted_by: str  # of an opinion; "" for a contradiction
    reason: Judgement | None  # of an opinion: what is seen as wrong
    votes: Sequence[tuple[str, DisputeVote]]  # each with its voter's name, oldest first
    needed: int  # votes for the same
    settled_by: str  # "" where nobody has
    is_moot: bool  # nothing is left to settle: not all it is about is approved any more

    @property
    def is_open(self) -> bool:
        """Whether it waits for votes."""
        return self.dispute.settled_at is None and not self.is_moot


@dataclass(frozen=True, slots=True)
class DoubtCard:
    """A reply that moderators are asked about, with the verbs that answer it; or who answered."""

    reply: Reply
    question: str
    askers: int  # people who asked it, or nearly the same
    answered_by: str  # "" where nobody has


@dataclass(frozen=True, slots=True)
class HandOverCard:
    """A conversation that wants a person: who asks, what was said so far, and who looks after it."""

    hand_over: HandOver
    conversation: Conversation
    asked_by: str
    taken_by: str  # "" where nobody has
    said: Sequence[tuple[str, str]]  # speaker and words, oldest first


@dataclass(frozen=True, slots=True)
class RunCard:
    """A training run in one message: where it stands, how far, and what the evaluation said."""

    run: Run
    lines: Sequence[Line]
    share: float | None  # 0 to 1; None where that cannot be counted


@dataclass(frozen=True, slots=True)
class DecisionNotice:
    """What became of a correction, for who proposed it."""

    correction: Correction
    decided_by: str


@dataclass(frozen=True, slots=True)
class LearnedCard:
    """What a model learned, for who proposed it."""

    subject: str  # of its posting
    heading: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The one question back in a conversation that fell silent after a reply; stands in that conversation."""

    conversation: Conversation
    reply: Reply
    said: str


Card = ReviewCard | DisputeCard | DoubtCard | HandOverCard | RunCard | DecisionNotice | LearnedCard | FollowUp | Alarm


class PlatformRefused(Exception):
    """The platform did not do what was asked. `is_final`: it said no, so nothing was done; otherwise it may have been."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Surface(Protocol):
    """One platform's channels, as the board uses them. Every method raises PlatformRefused where the platform does not do it."""

    async def place_of(self, kind: PostingKind) -> str:
        """Our key of the channel that cards of this kind stand in; "" where none is set."""
        ...

    async def post(self, place: str, card: Card, subject: str) -> str:
        """Send a card marked with `subject`, a follow-up into its conversation; the platform's key of the message."""
        ...

    async def find(self, posting: Posting) -> str:
        """The key of a message that was sent for a posting and never answered for; "" where there is none."""
        ...

    async def change(self, posting: Posting, card: Card) -> bool:
        """Change a card in place; False where somebody deleted it."""
        ...

    async def remove(self, posting: Posting) -> None:
        """Take a message of ours off the platform; one that is gone is no error."""
        ...

    async def direct_place(self, actor_key: str) -> str:
        """Our key of the direct messages with a person (by our key of them)."""
        ...

    async def channel_of(self, conversation: Conversation) -> str:
        """Our key of the channel that a conversation's messages stand in."""
        ...

    async def link(self, posting: Posting) -> str:
        """The address of a message of ours; "" where the platform tells none."""
        ...

    async def show_edit(self, posting: Posting) -> bool:
        """Show the standing words of an edited reply, whose first message this is; False where there is nothing to show."""
        ...
