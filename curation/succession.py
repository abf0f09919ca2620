"""The run that nobody asked for because a base nears its end: once on the base that is to follow it.

Which base that is, a person decides beforehand (FINETONE_SUCCESSOR_BASE); without one nothing is trained by itself, and admins
are told what to do (shutdowns.py). That there was such a run is read from the runs, so neither a restart nor a second worker
begins another.
"""

import logging
from datetime import timedelta

from curation.shutdowns import BaseDies, base_of, ending_of, is_near, near_from
from curation.triggers import is_held, start
from curation.workshop import Workshop
from providers.base import ProviderError
from storage.records import Trigger, Voice

log = logging.getLogger(__name__)

EVERY = timedelta(
    hours=1
)  # a run that could not start (too few examples, a hold, another run open) is tried again then


class Succession:
    """Looks every hour, for every voice, whether its base nears its end and its successor was not yet trained on."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._look_at = workshop.now()

    async def look(self) -> None:
        """Start what is due, or join the open run. Raises DatabaseUnavailable; a vendor that does not answer is asked again."""
        now = self._workshop.now()
        if not self._workshop.recipe.successor_base or now < self._look_at:
            return
        self._look_at = now + EVERY
        for voice in await self._workshop.store.voices.all():
            try:
                is_due = await self._is_due(voice)
            except ProviderError as error:
                log.warning("the days on which models stop are not known: %s", error)
                continue
            if is_due and not await is_held(self._workshop, voice):
                await start(self._workshop, voice, Trigger.SHUTDOWN)

    async def _is_due(self, voice: Voice) -> bool:
        """Whether the base nears its end, its successor lives, and no run on that was asked for since. Raises ProviderError."""
        successor = self._workshop.recipe.successor_base
        if voice.base_model == successor:
            return False
        ending = await ending_of(self._workshop, voice.base_model)
        if ending is None or not is_near(ending, self._workshop):
            return False
        try:
            base = await base_of(self._workshop, voice)
        except BaseDies as dies:
            log.info("no run by %s for %s: %s", Trigger.SHUTDOWN.value, voice.name, dies)
            return False
        since = near_from(ending, self._workshop)
        return base.base_model == successor and not await self._workshop.store.runs.has_run_on(
            voice.id, successor, since=since
        )
