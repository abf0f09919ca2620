"""What review needs: disputes, locks, second opinions, holds; and what blind pairs were judged."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.records.judgement import Judgement


class Preference(StrEnum):
    """Whose answer somebody prefers."""

    CANDIDATE = "candidate"
    INCUMBENT = "incumbent"
    NEITHER = "neither"  # both are as good
    UNFIT = "unfit"  # neither is good enough; as evidence a tie


@dataclass(frozen=True, slots=True)
class PairVote:
    """Which of two unlabelled answers a moderator found better. One per person, run and sample; the last word stands."""

    run_id: str
    sample_id: str  # SampleScore.correction_id
    actor_id: str
    preference: Preference
    candidate_first: bool  # where the candidate's answer stood when it was chosen
    given_at: datetime


class DisputeKind(StrEnum):
    """What cannot both be right."""

    CONTRADICTION = "contradiction"  # two approved corrections: one question, two answers
    OPINION = "opinion"  # a correction's approver and its second reviewer


class Settlement(StrEnum):
    """How a dispute ended."""

    FIRST = "first"  # the first correction holds; of a contradiction, the second is superseded
    SECOND = "second"  # of a contradiction only: the second holds, the first is superseded
    BOTH = "both"  # of a contradiction only: both can be right
    NEITHER = "neither"  # what it is about is taken out: of a contradiction, both


@dataclass(frozen=True, slots=True)
class Dispute:
    """An open question that keeps the corrections it is about out of every dataset, until an approver settles it.

    Of a contradiction `first` is the older. `detail` says what differs, for people's eyes. One per pair, by constraint.
    """

    id: str
    voice_id: str
    kind: DisputeKind
    first: str  # correction id
    second: str  # correction id; "" for an opinion
    detail: Mapping[str, Any]
    opened_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None  # actor id
    settlement: Settlement | None = None
    holds_from: datetime | None = None  # from when who won a contradiction holds, and the other no more; None: at once


@dataclass(frozen=True, slots=True)
class DisputeVote:
    """How an approver would settle a dispute. One per (dispute, actor), by constraint; the last word stands."""

    dispute_id: str
    actor_id: str
    settlement: Settlement
    holds_from: datetime | None
    given_at: datetime


@dataclass(frozen=True, slots=True)
class AskedOnce:
    """A conversation's first question and its reply, which nobody judged or corrected yet."""

    reply_id: str
    question: str
    asked_by: str  # actor id


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reply that moderators are asked about, because models disagree on what many ask. One per reply, by constraint."""

    reply_id: str
    voice_id: str
    askers: int  # people who asked it, or nearly the same
    disagreement: float  # of two models' answers, in [0, 1]
    chosen_at: datetime


class RuleState(StrEnum):
    """What an approver decided about a rule of the voice card. One that nobody decided about is not stored: it is mined anew."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class VoiceRule:
    """A decision about a rule of a voice; the last one stands. Kind and value are curation.mining's."""

    voice_id: str
    kind: str
    value: str
    state: RuleState
    decided_by: str  # actor id
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """A correction that somebody is looking at; nobody else is offered it until the lock expires."""

    correction_id: str
    actor_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a second reviewer thinks of a decided correction, without having seen the decision. One per (correction, actor)."""

    correction_id: str
    actor_id: str
    is_approval: bool
    reason: Judgement  # what was wrong with the served reply, as they see it
    given_at: datetime


class Held(StrEnum):
    """What waits for an admin's look because there is unusually much of it."""

    CORRECTIONS = "corrections"
    MARKS = "marks"


@dataclass(frozen=True, slots=True)
class Hold:
    """Since `since` nothing of this kind is used until an admin releases it. One open per (voice, kind), by constraint."""

    id: str
    voice_id: str
    held: Held
    since: datetime
    why: str  # a sentence with the numbers
    released_at: datetime | None = None
    released_by: str | None = None  # actor id
