"""Disputes where approvers talk: a card for each that is open, votes by its buttons, and how it ended."""

from dataclasses import dataclass

from bot import disputing, moderation
from bot.disputing import first_moment
from bot.office.cards import DisputeCard, DisputeSide
from bot.office.office import Office
from bot.office.verbs import Said
from storage.errors import AlreadySettled
from storage.records import Actor, Correction, Dispute, Judgement, Right, Settlement


@dataclass(frozen=True, slots=True)
class Ruling:
    """How somebody would settle a dispute: `on` is the first day, as 2026-12-01; "" for at once."""

    settlement: Settlement
    on: str = ""


async def settle_dispute(office: Office, actor: Actor, dispute_id: str, ruling: Ruling) -> Said:
    """Vote on a dispute, and settle it where enough agree. Raises NotAllowed, NotFound, AlreadySettled."""
    outcome = await disputing.settle(
        office.store,
        actor,
        dispute_id,
        ruling.settlement,
        holds_from=first_moment(ruling.on),
        votes=office.rules.dispute_votes,
        now=office.now(),
    )
    office.wake_board()
    return Said(outcome.said)


async def open_dispute(office: Office, actor: Actor, dispute_id: str) -> Dispute:
    """The dispute whose date is to be asked for. Raises NotAllowed, NotFound, AlreadySettled."""
    moderation.require(actor, Right.APPROVER, "settle a dispute")
    dispute = await office.store.disputes.get(dispute_id)
    if dispute.settled_at is not None:
        raise AlreadySettled(dispute)
    return dispute


async def card_of(office: Office, dispute: Dispute) -> DisputeCard:
    """What its card shows now."""
    store = office.store
    corrections = {c.id: c for c in await store.corrections.many(id for id in (dispute.first, dispute.second) if id)}
    votes = (await store.disputes.votes([dispute.id]))[dispute.id]
    doubted_by = str(dispute.detail.get("by", ""))
    wanted = {doubted_by, dispute.settled_by, *(vote.actor_id for vote in votes)}
    wanted |= {actor for c in corrections.values() for actor in (c.proposed_by, c.decided_by)}
    people = await store.people.actors(id for id in wanted if id)

    def name(id: str | None) -> str:
        return people[id].name if id in people else ""

    def side(correction: Correction) -> DisputeSide:
        return DisputeSide(correction, name(correction.proposed_by), name(correction.decided_by))

    reason = str(dispute.detail.get("reason", ""))
    return DisputeCard(
        dispute,
        side(corrections[dispute.first]),
        side(corrections[dispute.second]) if dispute.second else None,
        name(doubted_by),
        Judgement(reason) if reason in set(Judgement) else None,
        [(name(vote.actor_id), vote) for vote in votes],
        office.rules.dispute_votes,
        name(dispute.settled_by),
        await store.disputes.is_moot(dispute.id),
    )
