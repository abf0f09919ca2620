"""The card of a correction of a reply that is to be reviewed."""

from bot.diff import word_diff
from bot.office.cards import ReviewCard
from bot.office.office import Office
from storage.records import Correction, Posting


async def card_of(office: Office, correction: Correction) -> ReviewCard:
    """As it stands now. Raises NotFound."""
    people = await office.store.people.actors(
        [id for id in (correction.proposed_by, correction.decided_by) if id is not None]
    )
    return ReviewCard(
        correction,
        word_diff(correction.served_text or "", correction.corrected_text),
        people[correction.proposed_by].name,
        people[correction.decided_by].name if correction.decided_by in people else "",
        await _reply_at(office, correction),
    )


async def _reply_at(office: Office, correction: Correction) -> Posting | None:
    if correction.reply_id is None:
        return None
    standing = await office.postings_of(await office.store.conversations.reply(correction.reply_id))
    return standing[0] if standing else None
