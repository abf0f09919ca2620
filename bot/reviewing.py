"""Reviewing proposals one at a time or many together: who looks at what, and what one decision does to it.

A person looks at one proposal at a time. While they do, nobody else decides on it here; the lock lasts LOCK and is renewed
while the page is open. A decision can be taken back for UNDO_FOR, by who took it, while nothing rests on it.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import moderation
from bot.flags import name_in
from bot.moderation import NotAllowed, Outcome, require
from bot.text import TextRefused, clean_note
from curation.agreement import Agreement, agreement
from curation.queueing import is_sampled, may_review, reason_ratings, verdict_ratings
from storage.ids import new_id
from storage.records import (
    Actor,
    Assignment,
    Correction,
    CorrectionState,
    Dispute,
    DisputeKind,
    Judgement,
    Opinion,
    Right,
)
from storage.reviews import Decided, Waiting
from storage.store import Store

LOCK = timedelta(minutes=5)
UNDO_FOR = timedelta(minutes=10)
SECOND_LOOK_FOR = timedelta(days=30)  # how long after a decision somebody is asked about it
STATISTICS_DAYS = 365

NO_REASON = "Say in a few words why it is not taken: whoever wrote it reads that, and writes a better one."
TOO_LATE = (
    "That decision stands: it was not yours, it is older than 10 minutes, or something rests on it already. "
    "Propose a new correction to change what holds."
)


class LookedAt(Exception):
    """Somebody else is looking at the correction; the message says who, and for how much longer."""


def minutes_left(assignment: Assignment, now: datetime) -> int:
    """Whole minutes until the lock expires, at least 1 while it lasts."""
    return max(1, round((assignment.until - now) / timedelta(minutes=1)))


async def look_at(store: Store, actor: Actor, correction_id: str, *, now: datetime) -> Assignment:
    """Begin or go on looking at it, and at nothing else; who has it now, which may be somebody else. Raises NotAllowed."""
    require(actor, Right.APPROVER, "decide on a correction")
    held = await store.reviews.take(correction_id, actor.id, now=now, until=now + LOCK)
    if held.actor_id == actor.id:
        await store.reviews.drop(actor.id, but=correction_id)
    return held


async def leave(store: Store, actor: Actor) -> None:
    """Look at nothing any more."""
    await store.reviews.drop(actor.id)


async def _hold(store: Store, actor: Actor, correction_id: str, now: datetime) -> None:
    """Take it for a decision. Raises LookedAt while somebody else is at it, and NotAllowed."""
    held = await look_at(store, actor, correction_id, now=now)
    if held.actor_id != actor.id:
        name = (await store.people.actor(held.actor_id)).name
        raise LookedAt(
            f"{name} is looking at this and has it for {minutes_left(held, now)} more min, so nothing was done. "
            "Decide on another one, or come back."
        )


# ---------------------------------------------------------------- deciding


async def approve(
    store: Store,
    actor: Actor,
    correction_id: str,
    *,
    team_of_one: bool,
    note: str = "",
    keep: Collection[str] = (),
    now: datetime,
) -> Outcome[Correction]:
    """Approve what one is looking at. Raises LookedAt, NotAllowed, AlreadyDecided."""
    await _hold(store, actor, correction_id, now)
    done = await moderation.approve(store, actor, correction_id, team_of_one=team_of_one, note=note, keep=keep, now=now)
    await leave(store, actor)
    return done


async def reject(store: Store, actor: Actor, correction_id: str, *, note: str, now: datetime) -> Outcome[Correction]:
    """Reject what one is looking at, and say why. Raises LookedAt, NotAllowed, AlreadyDecided, TextRefused."""
    await _hold(store, actor, correction_id, now)
    if not clean_note(note):
        raise TextRefused(NO_REASON)
    done = await moderation.reject(store, actor, correction_id, note=note, now=now)
    await leave(store, actor)
    return done


async def revise(store: Store, actor: Actor, correction_id: str, text: str, *, now: datetime) -> Outcome[Correction]:
    """Change the wording of what one is looking at. Raises LookedAt, NotAllowed, AlreadyDecided, TextRefused."""
    await _hold(store, actor, correction_id, now)
    return await moderation.revise(store, actor, correction_id, text, now=now)


async def take_back(store: Store, actor: Actor, correction_id: str, *, now: datetime) -> Outcome[Correction]:
    """Undo one's own decision. Raises NotAllowed where it is too late, or not one's own."""
    require(actor, Right.APPROVER, "take a decision back")
    if not await store.reviews.take_back(correction_id, actor.id, since=now - UNDO_FOR, at=now):
        raise NotAllowed(TOO_LATE)
    return Outcome(await store.corrections.get(correction_id), "Taken back. It waits again.")


# ---------------------------------------------------------------- many together


@dataclass(frozen=True, slots=True)
class Together:
    """What of a choice may be approved together, and what has to be looked at one by one, each with its reason."""

    chosen: Sequence[Correction]
    left: Sequence[tuple[Correction, str]]


def alone_because(
    proposal: Waiting | Correction,
    actor: Actor,
    people: Mapping[str, Actor],
    held: Assignment | None,
    *,
    has_hint: bool,
    is_odd: bool,
    is_disputed: bool,
    team_of_one: bool,
) -> str:
    """Why a proposal cannot be approved together with others; "" where it can. Pure.

    `has_hint`: it may hold personal data; `is_odd`: it may speak to a model. Imports are trusted, and so is what approvers write.
    """
    by = people.get(proposal.proposed_by)
    if proposal.proposed_by == actor.id and not team_of_one:
        return "you wrote it yourself"
    if held is not None and held.actor_id != actor.id:
        return f"{name_in(people, held.actor_id)} is looking at it"
    if is_disputed:
        return "it is in an open dispute"
    if has_hint:
        return "it may hold personal data"
    if is_odd:
        return "it may speak to the model rather than to people"
    if not proposal.origin.startswith("import:") and (by is None or not by.has(Right.APPROVER)):
        return "whoever wrote it is not an approver"
    return ""


async def approve_together(
    store: Store,
    actor: Actor,
    together: Together,
    *,
    team_of_one: bool,
    keep: Collection[str] = (),
    now: datetime,
) -> Outcome[int]:
    """Approve what may be; says how many were left to be looked at one by one, and why. Raises NotAllowed."""
    done = await moderation.approve_all(store, actor, together.chosen, team_of_one=team_of_one, keep=keep, now=now)
    if not together.left:
        return done
    reasons = ", ".join(dict.fromkeys(why for _, why in together.left))
    return Outcome(
        done.record, f"{done.said} Left to be looked at one by one: {len(together.left)}, because {reasons}."
    )


# ---------------------------------------------------------------- a second look


async def second_looks(store: Store, actor: Actor, voice_id: str, *, share: float, now: datetime) -> list[Decided]:
    """Decisions of the last weeks that this approver is asked about: sampled, none of their doing, not looked at yet."""
    seen = {(one.correction_id, one.actor_id) for one in await store.reviews.opinions(voice_id)}
    looked_at = {correction_id for correction_id, _ in seen}
    return [
        each
        for each in await store.reviews.decided(voice_id, now - SECOND_LOOK_FOR)
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
    decided = {each.id: each for each in await store.reviews.decided(correction.voice_id, now - SECOND_LOOK_FOR)}
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
