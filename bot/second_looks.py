"""A second look at a share of the decisions, by somebody who had no part in them; and how far a team agrees."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.moderation import NotAllowed, Outcome, require
from curation.agreement import Agreement, agreement
from curation.queueing import is_sampled, may_review, reason_ratings, verdict_ratings
from storage.ids import new_id
from storage.records import Actor, CorrectionState, Dispute, DisputeKind, Judgement, Opinion, Right
from storage.reviews import Decided
from storage.store import Store

ASKED_FOR = timedelta(days=30)  # how long after a decision somebody is asked about it
STATISTICS_DAYS = 365


async def second_looks(store: Store, actor: Actor, voice_id: str, *, share: float, now: datetime) -> list[Decided]:
    """Decisions of the last weeks that this approver is asked about: sampled, none of their doing, not looked at yet."""
    seen = {(one.correction_id, one.actor_id) for one in await store.reviews.opinions(voice_id)}
    looked_at = {correction_id for correction_id, _ in seen}
    return [
        each
        for each in await store.reviews.decided(voice_id, now - ASKED_FOR)
        if is_sampled(each.id, share) and may_review(each, actor.id) and each.id not in looked_at
    ]


async def give_opinion(
    store: Store,
    actor: Actor,
    correction_id: str,
    *,
    is_approval: bool,
    reason: Judgement | None,
    share: float,
    now: datetime,
) -> Outcome[Opinion]:
    """Say what one would have decided. Where an approval is doubted, a dispute opens, and nothing is trained on until it ends.

    Raises NotAllowed, NotFound. `reason` None is allowed for what corrects no reply.
    """
    require(actor, Right.APPROVER, "look at decisions again")
    correction = await store.corrections.get(correction_id)
    decided = {each.id: each for each in await store.reviews.decided(correction.voice_id, now - ASKED_FOR)}
    if correction_id not in decided or not is_sampled(correction_id, share):
        raise NotAllowed("This decision is not among those that are looked at again. The list shows the ones that are.")
    if not may_review(decided[correction_id], actor.id):
        raise NotAllowed(f"{actor.name} had a part in this decision, so somebody else looks at it again.")
    opinion = Opinion(correction_id, actor.id, is_approval, reason or correction.reason, now)
    await store.reviews.give(opinion)
    was_approved = correction.state is CorrectionState.APPROVED
    if is_approval is was_approved:
        return Outcome(opinion, "Thank you. You and who decided see it the same way.")
    if not was_approved:
        return Outcome(opinion, "Thank you. It was not taken, which you see otherwise; the agreement page lists it.")
    detail = {"by": actor.id, "reason": opinion.reason.value}
    dispute = Dispute(new_id("disp", now), correction.voice_id, DisputeKind.OPINION, correction_id, "", detail, now)
    await store.disputes.raise_([dispute], actor.id)
    return Outcome(opinion, "Thank you. It had been approved, so a dispute is open now; until it ends, it is not used.")


@dataclass(frozen=True, slots=True)
class Share:
    """What one person did in the queue."""

    actor_id: str
    proposed: int
    taken: int  # of what they proposed
    not_taken: int
    approved: int
    rejected: int

    @property
    def taken_share(self) -> float | None:
        """Of what they proposed and somebody decided, the share that was taken; None where nothing was."""
        decided = self.taken + self.not_taken
        return self.taken / decided if decided else None


@dataclass(frozen=True, slots=True)
class Team:
    """How a team reviews: what each did, how far they agree, and where a second reviewer decided otherwise."""

    people: Sequence[Share]  # who did most first
    verdicts: Agreement
    reasons: Agreement
    opinions: int
    otherwise: Sequence[tuple[Decided, Opinion]]


async def team_of(store: Store, voice_id: str, *, now: datetime) -> Team:
    """Everything decided in the last STATISTICS_DAYS, and every second opinion on it."""
    since = now - timedelta(days=STATISTICS_DAYS)
    decided = await store.reviews.decided(voice_id, since)
    by_id = {each.id: each for each in decided}
    opinions = [each for each in await store.reviews.opinions(voice_id) if each.correction_id in by_id]
    waiting = Counter(each.proposed_by for each in await store.reviews.waiting(voice_id))
    seen_twice = {one.correction_id for one in opinions}
    twice = [each for each in decided if each.id in seen_twice]
    return await asyncio.to_thread(_team, decided, opinions, waiting, twice)


def _team(
    decided: Sequence[Decided], opinions: Sequence[Opinion], waiting: Counter[str], twice: Sequence[Decided]
) -> Team:
    taken, not_taken = Counter[str](), Counter[str]()
    approved, rejected = Counter[str](), Counter[str]()
    for each in decided:
        is_taken = each.state is CorrectionState.APPROVED
        (taken if is_taken else not_taken)[each.proposed_by] += 1
        (approved if is_taken else rejected)[each.decided_by] += 1
    ids = {*taken, *not_taken, *approved, *rejected, *waiting}
    people = [
        Share(id, waiting[id] + taken[id] + not_taken[id], taken[id], not_taken[id], approved[id], rejected[id])
        for id in ids
    ]
    by_id = {each.id: each for each in decided}
    return Team(
        sorted(people, key=lambda each: (-(each.proposed + each.approved + each.rejected), each.actor_id)),
        agreement(verdict_ratings(twice, opinions), key="verdicts"),
        agreement(reason_ratings(twice, opinions), key="reasons"),
        len(opinions),
        [
            (by_id[one.correction_id], one)
            for one in opinions
            if one.is_approval is not (by_id[one.correction_id].state is CorrectionState.APPROVED)
        ],
    )
