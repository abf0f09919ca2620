"""Disputes that approvals open: what is newly approved is compared with everything approved."""

import asyncio
from datetime import datetime

from curation.disputes import disputes_among, disputes_of
from curation.gathering import places_of
from storage.records import Correction, Dispute
from storage.store import Store


async def look_for(store: Store, approved: Correction, by: str, *, now: datetime) -> list[Dispute]:
    """Open a dispute with each approved correction that a newly approved one contradicts; those that are new."""
    others = await store.corrections.approved(approved.voice_id)
    places = await places_of(store, (approved, *others))
    known = await store.disputes.pairs(approved.voice_id)
    found = await asyncio.to_thread(disputes_of, approved, others, places, known, at=now)
    return await store.disputes.raise_(found, by)


async def look_among(store: Store, voice_id: str, by: str, *, now: datetime) -> list[Dispute]:
    """Open a dispute for every contradiction among a voice's approved corrections; those that are new."""
    approved = await store.corrections.approved(voice_id)
    places = await places_of(store, approved)
    known = await store.disputes.pairs(voice_id)
    found = await asyncio.to_thread(disputes_among, approved, places, known, at=now)
    return await store.disputes.raise_(found, by)
