"""Pure: what a card shows, in words that change when it has to be changed, and are the same in every process."""

import zlib

from bot.office.cards import (
    Card,
    DecisionNotice,
    DisputeCard,
    DoubtCard,
    FollowUp,
    HandOverCard,
    LearnedCard,
    ReviewCard,
    RunCard,
)
from storage.postings import LAST
from storage.records import Correction, CorrectionState, HandOver
from storage.records.alarms import Alarm


def shown(card: Card) -> str:
    """Of any card."""
    match card:
        case ReviewCard():
            return shown_of(card.correction)
        case DisputeCard():
            return _votes_of(card) if card.is_open else LAST
        case DoubtCard():
            return LAST if card.answered_by else "asked"
        case HandOverCard():
            return stand_of(card.hand_over)
        case RunCard():
            share = card.share if card.share is None else round(card.share, 2)
            stands = f"{card.run.state} paused" if card.run.is_paused else card.run.state
            return f"{stands} {share}" if card.run.is_open else LAST
        case DecisionNotice() | FollowUp() | Alarm() | LearnedCard():
            return LAST


def shown_of(correction: Correction) -> str:
    """Of a review card; known without making it."""
    if correction.state is not CorrectionState.PROPOSED:
        return LAST
    text = correction.corrected_text
    until = f" until {correction.expires_at:%Y-%m-%d}" if correction.expires_at else ""
    return f"{correction.state} {len(text)} {zlib.crc32(text.encode()):08x}{until}"  # the same in every process


def _votes_of(card: DisputeCard) -> str:
    given = ";".join(f"{vote.actor_id} {vote.settlement} {vote.holds_from}" for _, vote in card.votes)
    return f"open {zlib.crc32(given.encode()):08x}"


def stand_of(hand_over: HandOver) -> str:
    """Of a hand-over's card; known without making it."""
    return LAST if hand_over.released_at else "taken" if hand_over.taken_at else "asked"
