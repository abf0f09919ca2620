"""Cards of dataset versions for the console: worked out in a thread from the version's own files, and kept for the day."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from curation.card import Basis, Card, recompute
from curation.cost import monthly_traffic
from curation.tariff import ASSUMED_EPOCHS
from curation.versions import files_of
from curation.workshop import Workshop

TRAFFIC_DAYS = 30  # that a month's serving is reckoned from
CARDS_KEPT = 8


class Cards:
    """The cards worked out today. A version never changes, so only prices and traffic could make another one of it."""

    def __init__(
        self,
        workshop: Workshop,
        voice_id: str,
        cost_targets: Sequence[tuple[str, str]],
        now: Callable[[], datetime],
    ) -> None:
        self._workshop = workshop
        self._voice_id = voice_id
        self._cost_targets = cost_targets
        self._now = now
        self._kept: dict[tuple[str, date], Card] = {}

    async def card(self, version_id: str) -> Card:
        """The version's card. Raises NotFound and PartlyErased."""
        files = await files_of(self._workshop.store, version_id)
        key = version_id, self._now().date()
        if key not in self._kept:
            basis = await self._basis()
            made = await asyncio.to_thread(recompute, version_id, files, basis, self._workshop.count_tokens)
            while len(self._kept) >= CARDS_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[key] = made
        return self._kept[key]

    async def _basis(self) -> Basis:
        """What a card is worked out with here: the trainer's prices, and the traffic of the last month."""
        workshop, store = self._workshop, self._workshop.store
        voice = await store.voices.get(self._voice_id)
        since = self._now() - timedelta(days=TRAFFIC_DAYS)
        n_replies, asked, said = await store.conversations.spent(voice.id, since)
        own = ((workshop.tariff.vendor, voice.base_model),) if workshop.tariff.vendor else ()
        return Basis(
            workshop.counter_name,
            workshop.recipe.n_epochs or ASSUMED_EPOCHS,
            voice.system_prompt,
            workshop.tariff.prices,
            caps=workshop.recipe.rules.caps.shares,
            targets=tuple(dict.fromkeys((*own, *self._cost_targets))),
            traffic=monthly_traffic(n_replies, asked, said, days=TRAFFIC_DAYS) if n_replies else None,
        )
