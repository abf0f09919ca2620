"""Pure: approved corrections that cannot both be right, as disputes for an approver to settle; and what they differ in."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from curation.contradictions import Answered, Contradiction, against, contradictions
from curation.normal import normalised
from curation.sketches import Sketches
from storage.ids import new_id
from storage.records import Correction, CorrectionState, Dispute, DisputeKind, Scope

SEEN_BEFORE = (
    2  # messages before a question that have to be the same, or there is another question under the same words
)

_NOUNS: Mapping[str, str] = {
    "number": "a number",
    "negation": "a yes or no",
    "url": "a link",
    "date": "a date or time",
    "text": "what they say",
}

Places = Mapping[str, str]
"""Conversation id → the channel it stands in."""


def disputes_among(
    corrections: Sequence[Correction],
    places: Places,
    known: Collection[tuple[str, str]],
    *,
    at: datetime,
    sketches: Sketches | None = None,
) -> list[Dispute]:
    """Every contradiction among these that nobody was asked about yet, the oldest pair first."""
    comparable: dict[tuple[str, ...], list[Correction]] = defaultdict(list)
    for correction in corrections:
        if correction.state is CorrectionState.APPROVED:
            comparable[_context(correction, places)].append(correction)
    sketches = sketches or Sketches()
    return [
        made
        for group in comparable.values()
        if len(group) > 1
        for made in _disputes(contradictions([_answered(c) for c in group], sketches), group[0].voice_id, known, at)
    ]


def disputes_of(
    new: Correction, others: Iterable[Correction], places: Places, known: Collection[tuple[str, str]], *, at: datetime
) -> list[Dispute]:
    """What this one, newly approved, contradicts among the approved ones."""
    context = _context(new, places)
    comparable = [
        _answered(other)
        for other in others
        if other.id != new.id and other.state is CorrectionState.APPROVED and _context(other, places) == context
    ]
    return _disputes(against(_answered(new), comparable), new.voice_id, known, at)


def _context(correction: Correction, places: Places) -> tuple[str, ...]:
    """What has to be the same before two answers can contradict each other: what was said just before, and where it holds."""
    place = places.get(correction.conversation_id or "", "") if correction.scope is Scope.CHANNEL else ""
    return (place, *(normalised(message.content) for message in correction.history[-SEEN_BEFORE:]))


def _answered(correction: Correction) -> Answered:
    since = correction.decided_at or correction.proposed_at
    return Answered(correction.id, correction.question, correction.corrected_text, since)


def _disputes(
    found: Iterable[Contradiction], voice_id: str, known: Collection[tuple[str, str]], at: datetime
) -> list[Dispute]:
    return [
        Dispute(new_id("disp", at), voice_id, DisputeKind.CONTRADICTION, each.older, each.newer, _detail(each), at)
        for each in found
        if (each.older, each.newer) not in known and (each.newer, each.older) not in known
    ]


def _detail(found: Contradiction) -> dict[str, Any]:
    """{"similarity": …, "differences": [{"kind", "older": […], "newer": […]}, …]}."""
    differences = [{"kind": d.kind.value, "older": list(d.older), "newer": list(d.newer)} for d in found.differences]
    return {"similarity": round(found.similarity, 3), "differences": differences}


def differences_told(dispute: Dispute) -> str:
    """What a contradiction is about: "They differ in a number (14 and 30) and in a date or time."."""
    said: list[str] = []
    for each in dispute.detail.get("differences", ()):
        older, newer = (", ".join(each[side]) for side in ("older", "newer"))
        shown = f" ({older or 'nothing'} and {newer or 'nothing'})" if older or newer else ""
        said.append(f"in {_NOUNS[each['kind']]}{shown}")
    return f"They differ {' and '.join(said)}." if said else ""
