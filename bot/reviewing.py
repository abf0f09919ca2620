"""Reviewing proposals one at a time or many together: who looks at what, and what one decision does to it.

A person looks at one proposal at a time. While they do, nobody else decides on it here; the lock lasts LOCK and is renewed
while the page is open. A decision can be taken back for UNDO_FOR, by who took it, while nothing rests on it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot import moderation
from bot.flags import name_in
from bot.moderation import NotAllowed, Outcome, require
from storage.records import Actor, Assignment, Correction, Right
from storage.reviews import Waiting
from storage.store import Store

LOCK = timedelta(minutes=5)
UNDO_FOR = timedelta(minutes=10)

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
    moderation.require_reason(note)
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
