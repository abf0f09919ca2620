"""What recall takes in and gives back, and where and when a fix holds. Plain values; nothing is searched here."""

import math
from dataclasses import dataclass
from datetime import datetime

from curation.recall.words import in_context
from storage.records import Correction, CorrectionState, Message, Scope


@dataclass(frozen=True, slots=True)
class Fix:
    """An approved correction as recall needs it. `voice_id` and `channel` say where it holds, as `scope` asks."""

    id: str  # the correction's
    question: str
    answer: str
    scope: Scope
    voice_id: str  # not looked at when scope is EVERYONE
    channel: str  # the platform's channel it was made in; only looked at when scope is CHANNEL
    valid_from: datetime
    expires_at: datetime | None = None  # from then on it is not shown; None: never
    history: tuple[Message, ...] = ()  # before the question, oldest first


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question is asked."""

    voice_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """A fix that fits. `score` is the chance that it answers the question, as fitted, in [0, 1].

    `company` is how near in meaning the fixes are that say the same, in nats: with the score it says which fix is best.
    """

    fix: Fix
    score: float
    is_repeat: bool  # the same question but for spelling and small words: the moderator's own words fit
    company: float = 0.0

    @property
    def likelihood(self) -> float:
        """The logarithm of how likely this fix is beside others of the same question. By itself it says nothing."""
        return math.log(self.score) + self.company

    @property
    def asked(self) -> str:
        """The fix's question as it was found: a follow-up with the question before it."""
        return in_context(self.fix.question, self.fix.history)


def fix_of(correction: Correction, *, channel: str, expires_at: datetime | None = None) -> Fix:
    """An approved correction as a fix, valid from its approval. `channel` is where it was made, "" where that is not known.

    Raises ValueError for one that is not approved: nothing else may reach a prompt.
    """
    if correction.state is not CorrectionState.APPROVED:
        raise ValueError(f"correction {correction.id} is {correction.state}, and only an approved one is a fix")
    return Fix(
        id=correction.id,
        question=correction.question,
        answer=correction.corrected_text,
        scope=correction.scope,
        voice_id=correction.voice_id,
        channel=channel,
        valid_from=correction.holds_from or correction.decided_at or correction.proposed_at,
        expires_at=expires_at,
        history=correction.history,
    )


def holds(fix: Fix, place: Place, now: datetime) -> bool:
    """Whether a fix may be used at this place and time; `expires_at` itself is too late."""
    if now < fix.valid_from or (fix.expires_at is not None and now >= fix.expires_at):
        return False
    match fix.scope:
        case Scope.EVERYONE:
            return True
        case Scope.VOICE:
            return fix.voice_id == place.voice_id
        case Scope.CHANNEL:  # one whose channel is not known holds nowhere
            return fix.voice_id == place.voice_id and fix.channel == place.channel != ""


_WIDTH = {Scope.CHANNEL: 0, Scope.VOICE: 1, Scope.EVERYONE: 2}


def order(recalled: Recalled) -> tuple[float, int, float, str]:
    """Sorts the best first: the likeliest, then the narrowest scope, then the newest."""
    fix = recalled.fix
    return (-recalled.likelihood, _WIDTH[fix.scope], -fix.valid_from.timestamp(), fix.id)
