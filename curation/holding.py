"""Floods: when a day brings many times the usual corrections or marks, nothing is made of them until an admin has looked."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from curation.unusual import LOOK_BACK_DAYS, is_unusual, per_day, usual
from storage.ids import new_id
from storage.records import PROGRAM_ACTOR_ID, Held, Hold, Right
from storage.store import Store

NOUNS = {Held.CORRECTIONS: "corrections", Held.MARKS: "moderators' marks"}


async def look(store: Store, voice_id: str, *, now: datetime) -> dict[Held, Hold]:
    """Hold back what is unusual today, and return what is held. What an admin released today is not held again."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    for held in Held:
        released = await store.holds.last_release(voice_id, held)
        if released is not None and released >= midnight:
            continue
        moments = await _moments(store, voice_id, held, midnight - timedelta(days=LOOK_BACK_DAYS))
        before, today = per_day(moments, midnight.date())
        if is_unusual(before, today):
            why = f"{today} {NOUNS[held]} came today; a usual day has {usual(before):.0f}."
            await store.holds.place(Hold(new_id("hold", now), voice_id, held, midnight, why), PROGRAM_ACTOR_ID)
    return await store.holds.open(voice_id)


async def _moments(store: Store, voice_id: str, held: Held, since: datetime) -> Sequence[datetime]:
    if held is Held.CORRECTIONS:
        return await store.corrections.proposed_since(voice_id, since)
    given = await store.feedback.given_since(voice_id, since)
    people = await store.people.actors({by for by, _ in given})
    return [at for by, at in given if by in people and people[by].has(Right.MODERATOR)]
