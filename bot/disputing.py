"""Disputes, voted on and settled by approvers. Until then neither side is trained on or recalled."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from bot.moderation import NotAllowed, Outcome, require
from bot.wording import counted, day
from storage.errors import AlreadySettled
from storage.records import Actor, Dispute, DisputeKind, DisputeVote, Right, Settlement
from storage.store import Store

BUTTONS: Mapping[DisputeKind, Mapping[Settlement, str]] = {
    DisputeKind.CONTRADICTION: {
        Settlement.FIRST: "The older holds",
        Settlement.SECOND: "The newer holds",
        Settlement.BOTH: "Both are right",
        Settlement.NEITHER: "Neither",
    },
    DisputeKind.OPINION: {Settlement.FIRST: "It stands", Settlement.NEITHER: "Take it out"},
}
"""How each kind can be settled, in the order it is offered."""

SETTLED = {
    Settlement.FIRST: "Settled: the older answer holds, and the newer one is superseded from now on.",
    Settlement.SECOND: "Settled: the newer answer holds, and the older one is superseded from now on.",
    Settlement.BOTH: "Settled: both can be right, and both are used.",
    Settlement.NEITHER: "Settled: neither holds, and none of them is used or trained on any more.",
}
OPINION_SETTLED = {
    Settlement.FIRST: "Settled: the correction stands.",
    Settlement.NEITHER: "Settled: it is taken out, and will not be trained on.",
}
DATED = (Settlement.FIRST, Settlement.SECOND)
"""Settlements of a contradiction that may hold from a later date on."""


async def settle(
    store: Store,
    actor: Actor,
    dispute_id: str,
    settlement: Settlement,
    *,
    holds_from: datetime | None = None,
    votes: int = 1,
    now: datetime,
) -> Outcome[Dispute]:
    """Say who is right; it is settled once `votes` approvers say the same, the date with it.

    With `holds_from`, the winner holds from then on, and the other one until then. Raises NotAllowed, NotFound,
    AlreadySettled when somebody was faster.
    """
    require(actor, Right.APPROVER, "settle a dispute")
    dispute = await store.disputes.get(dispute_id)
    if dispute.settled_at is None:
        _require_possible(dispute, settlement, holds_from, now)
    settled = await store.disputes.settle(dispute_id, settlement, actor.id, at=now, holds_from=holds_from, needed=votes)
    if settled.settled_at is not None:
        return Outcome(settled, told(settled))
    given = (await store.disputes.votes([dispute_id]))[dispute_id]
    agree = sum((vote.settlement, vote.holds_from) == (settlement, holds_from) for vote in given)
    said = says(dispute.kind, settlement, holds_from)
    return Outcome(
        settled, f"Your vote is counted: {said}. {agree} of {votes} approvers say so; it is settled once {votes} do."
    )


def _require_possible(dispute: Dispute, settlement: Settlement, holds_from: datetime | None, now: datetime) -> None:
    if settlement not in BUTTONS[dispute.kind]:
        raise NotAllowed(f"A dispute of this kind cannot be settled as “{settlement}”. Press one of its buttons.")
    if holds_from is None:
        return
    if dispute.kind is not DisputeKind.CONTRADICTION or settlement not in DATED:
        raise NotAllowed(
            "Only one of two answers can hold from a date on. Choose the older or the newer, or leave the date out."
        )
    if holds_from <= now:
        raise NotAllowed(
            f"{day(holds_from)} is not in the future. Choose a later day, or press a button: then it holds at once."
        )


# ---------------------------------------------------------------- how it is said


def told(settled: Dispute) -> str:
    """How a dispute ended."""
    assert settled.settlement is not None  # of a settled one
    if settled.kind is DisputeKind.OPINION:
        return OPINION_SETTLED[settled.settlement]
    if settled.holds_from is None:
        return SETTLED[settled.settlement]
    winner, loser = ("older", "newer") if settled.settlement is Settlement.FIRST else ("newer", "older")
    return f"Settled: the {winner} answer holds from {day(settled.holds_from)} on, and the {loser} one until then."


def says(kind: DisputeKind, settlement: Settlement, holds_from: datetime | None) -> str:
    """A vote in words: "the newer holds, from 1 December 2026 on"."""
    words = BUTTONS[kind][settlement]
    return f"{words[0].lower()}{words[1:]}{f', from {day(holds_from)} on' if holds_from else ''}"


def votes_told(kind: DisputeKind, votes: Sequence[tuple[str, DisputeVote]], needed: int) -> str:
    """The votes so far, each with its voter's name as the platform shows it; "" where nobody has voted."""
    if not votes:
        return ""
    said = "; ".join(f"{name}: {says(kind, vote.settlement, vote.holds_from)}" for name, vote in votes)
    return f"{counted(needed, 'vote')} for the same settle it. So far {said}."


async def settled_told(store: Store, error: AlreadySettled) -> str:
    """For who came second: who settled it, when and how."""
    dispute = error.dispute
    people = await store.people.actors([dispute.settled_by or ""])
    name = people[dispute.settled_by].name if dispute.settled_by in people else "Somebody"
    when = f" on {dispute.settled_at:%-d %B at %H:%M} UTC" if dispute.settled_at else ""
    return f"{name} was faster, and settled it{when}. {told(dispute)}"


def first_moment(text: str) -> datetime | None:
    """When a day begins that was written as 2026-12-01; None for no text. Raises NotAllowed."""
    if not text.strip():
        return None
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(0), UTC)
    except ValueError as wrong:
        raise NotAllowed(f"“{text[:40]}” is no date. Write it as 2026-12-01.") from wrong
