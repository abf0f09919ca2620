"""What people think of replies: feedback, corrections, and what was asked for instead."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.records.talk import Reply, Turn


class Judgement(StrEnum):
    """Anyone's judgement of a reply; all but `good` are also the reasons for a correction."""

    GOOD = "good"
    WRONG = "wrong"
    TONE = "tone"
    UNSAFE = "unsafe"
    OUTDATED = "outdated"
    OFF_TOPIC = "off_topic"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One actor's judgement of one reply. Last write wins per (reply, actor), by constraint; the audit keeps the rest."""

    id: str
    reply_id: str
    actor_id: str
    judgement: Judgement
    note: str
    flagged: bool  # asks for a moderator
    given_at: datetime


@dataclass(frozen=True, slots=True)
class CastVote:
    """A thumb given, changed or taken back on a reply that a model made."""

    voter_id: str
    reply_id: str
    conversation_id: str
    good: bool | None  # None: taken back
    replied_at: datetime
    voted_at: datetime
    by_asker: bool  # of the question that was answered
    by_team: bool  # somebody with rights


@dataclass(frozen=True, slots=True)
class MarkedReply:
    """A reply that was judged and that nobody wrote a correction for, with its question and every judgement, oldest first."""

    turn: Turn
    reply: Reply
    feedback: tuple[Feedback, ...]


class CorrectionState(StrEnum):
    """proposed → approved | rejected | retracted; approved → superseded | erased."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETRACTED = "retracted"
    SUPERSEDED = "superseded"
    ERASED = "erased"


class Scope(StrEnum):
    """Where a correction holds."""

    CHANNEL = "channel"  # only in the channel it was made in
    VOICE = "voice"
    EVERYONE = "everyone"  # every voice of this installation


@dataclass(frozen=True, slots=True)
class Message:
    """One `{role, content}` sent to a model. `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a moderator says the reply should have been.

    `history` is the conversation before the question (oldest first, without the system prompt). `served_text` is what the
    bot had said; None for an imported answer, which corrects nothing. `origin` names where it came from: "reply", or
    "import:FILE:LINE". `key` is made from what is said; unique with the voice, so that a form sent twice, or a file
    imported twice, is one correction.
    """

    id: str
    voice_id: str
    reply_id: str | None
    conversation_id: str | None
    origin: str
    key: str
    history: tuple[Message, ...]
    question: str
    served_text: str | None
    corrected_text: str
    reason: Judgement
    note: str
    state: CorrectionState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_note: str = ""
    superseded_by: str | None = None  # correction id
    scope: Scope = Scope.VOICE
    is_for_training: bool = True  # False: it may be used in prompts and edits, never in a dataset
    superseded_at: datetime | None = None  # from when another one holds instead
    expires_at: datetime | None = None  # from when it no longer holds; None: it holds until somebody says otherwise
    holds_from: datetime | None = None  # what won a dispute, from a later date on; None: from its approval
    is_critical: bool = False  # once learned, a candidate that forgets it is stopped, whatever else it does
