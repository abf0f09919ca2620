"""Looks, within the hours that moderators may be asked in, for what they should be asked about."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from datetime import datetime

from bot.answering import Desk
from bot.opening import is_open
from bot.settings import Settings
from curation.doubts import look_for_doubts
from curation.recall import Place
from curation.workshop import Workshop
from providers.base import ProviderError
from storage.errors import DatabaseUnavailable
from storage.records import Voice

log = logging.getLogger(__name__)

LOOK_S = 1_800.0  # two models are asked at each look that finds something


@dataclass(frozen=True, slots=True)
class AskingRules:
    """How many questions a day moderators are asked, 0 for none, and when: `hours` as "Mon-Fri 09:00-18:00", "" for always."""

    a_day: int
    hours: str
    time_zone: str

    def allow(self, at: datetime) -> bool:
        """Whether moderators may be asked now."""
        return self.a_day > 0 and is_open(self.hours, self.time_zone, at)


def asking_of(settings: Settings) -> AskingRules:
    """What the settings say about it."""
    return AskingRules(settings.questions_a_day, settings.asked_within, settings.time_zone)


async def look(workshop: Workshop, desk: Desk, voice: Voice, rules: AskingRules) -> int:
    """Look once; how many questions were chosen. Raises ProviderError, DatabaseUnavailable."""
    if not rules.allow(workshop.now()):
        return 0

    async def is_answered(question: str) -> bool:
        if desk.recall is None:
            return False
        return bool(await desk.recall.fixes_for(question, Place(voice.id, ""), now=workshop.now()))

    voice = await workshop.store.voices.get(voice.id)
    return len(await look_for_doubts(workshop, voice, rules.a_day, is_answered))


async def keep_looking(workshop: Workshop, desk: Desk, voice: Voice, rules: AskingRules, stop: asyncio.Event) -> None:
    """Look every half hour until `stop` is set."""
    while not stop.is_set():
        try:
            await look(workshop, desk, voice, rules)
        except (ProviderError, DatabaseUnavailable) as error:
            log.warning("moderators are asked nothing for now: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK_S)
