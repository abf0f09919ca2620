"""A card that is sent once: intended first, so that a process which dies in between neither loses nor doubles it."""

from datetime import timedelta

from bot.office.cards import Card, PlatformRefused, Surface
from bot.office.office import Office
from bot.office.shown import shown
from storage.records import PostingKind

LEFT_AFTER = timedelta(minutes=1)  # an intended card that did not land by then is looked for, and sent


async def posted(
    office: Office, surface: Surface, kind: PostingKind, subject: str, place: str, card: Card, *, seeks: bool = False
) -> bool:
    """Send a card once; whether it was sent now, or found. Raises PlatformRefused.

    A process that died after sending leaves its intent. The card is then looked for before it is sent again: after
    LEFT_AFTER, or at once where the caller `seeks`, knowing that the other attempt is over.
    """
    store, now = office.store, office.now()
    posting, is_new = await store.postings.intend(office.platform, kind, subject, 0, place, at=now)
    if posting.message_key is not None or not (is_new or seeks or posting.created_at < now - LEFT_AFTER):
        return False
    key = "" if is_new else await surface.find(posting)
    if not key:
        try:
            key = await surface.post(place, card, subject)
        except PlatformRefused as refused:
            if refused.is_final:
                await store.postings.dropped(posting.id)
            raise
    await store.postings.landed(posting.id, key, place=place)
    await store.postings.shows(posting.id, shown(card) if is_new else "")  # a found one may show something older
    return True
