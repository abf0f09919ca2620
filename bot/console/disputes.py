"""Open disputes: two answers to one question, or two reviewers of one answer, side by side with what differs, to be settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.review import ShownCorrection, frame_values, shown_corrections
from bot.console.visit import Here
from bot.diff import Piece, word_diff
from bot.disputing import BUTTONS, first_moment, settle, votes_told
from bot.flags import name_in
from bot.moderation import NotAllowed
from curation.disputes import differences_told
from storage.records import Actor, Dispute, DisputeVote, Judgement, Settlement

SHOWN = 20  # the oldest; the others come up as these are settled

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownDispute:
    """A dispute, its sides, and what differs between them."""

    dispute: Dispute
    first: ShownCorrection
    second: ShownCorrection | None  # None for an opinion
    differs: str
    diff: Sequence[Piece]  # from the first's answer to the second's; empty for an opinion
    doubted_by: str  # of an opinion
    reason: Judgement | None  # what they see as wrong
    settlements: Mapping[Settlement, str]
    votes: str  # so far, as a sentence; "" where one vote settles it


@router.get("/review/disputes")
async def open_disputes(visit: Here) -> Response:
    """The oldest disputes that are open."""
    visit.require_team("the disputes")
    found = await visit.store.disputes.open(visit.console.voice_id)
    chosen = found[:SHOWN]
    ids = {id for each in chosen for id in (each.first, each.second) if id}
    corrections = await shown_corrections(visit, await visit.store.corrections.many(ids))
    by_id = {shown.correction.id: shown for shown in corrections}
    votes = await visit.store.disputes.votes(each.id for each in chosen)
    voters = {vote.actor_id for given in votes.values() for vote in given}
    people = await visit.store.people.actors(voters | {str(each.detail.get("by", "")) for each in chosen})
    needed = visit.console.dispute_votes
    return await visit.page(
        "disputes.html",
        disputes=[_shown(each, by_id, people, votes[each.id], needed) for each in chosen],
        total=len(found),
        **await frame_values(visit, "disputes"),
    )


@router.post("/review/disputes/{dispute_id}")
async def settle_dispute(dispute_id: str, visit: Here) -> Response:
    """Settle it, once."""
    said = visit.text("settlement")
    dispute = await visit.store.disputes.get(dispute_id)
    if said not in BUTTONS[dispute.kind]:
        raise NotAllowed(f"A dispute of this kind cannot be settled as {said[:40]!r}. Press one of its buttons.")
    outcome = await settle(
        visit.store,
        visit.actor,
        dispute_id,
        Settlement(said),
        holds_from=first_moment(visit.text("day")),
        votes=visit.console.dispute_votes,
        now=visit.console.now(),
    )
    return visit.go("/review/disputes", outcome.said)


def _shown(
    dispute: Dispute,
    corrections: Mapping[str, ShownCorrection],
    people: Mapping[str, Actor],
    votes: Sequence[DisputeVote],
    needed: int,
) -> ShownDispute:
    first, second = corrections[dispute.first], corrections.get(dispute.second)
    reason = str(dispute.detail.get("reason", ""))
    return ShownDispute(
        dispute,
        first,
        second,
        differences_told(dispute),
        () if second is None else word_diff(first.correction.corrected_text, second.correction.corrected_text),
        name_in(people, str(dispute.detail.get("by", ""))),
        Judgement(reason) if reason in set(Judgement) else None,
        BUTTONS[dispute.kind],
        "" if needed == 1 else votes_told(dispute.kind, [(name_in(people, v.actor_id), v) for v in votes], needed),
    )
