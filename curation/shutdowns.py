"""Bases that die: looked for daily, told 60, 30 and 7 days before, and not trained on when what is trained dies too soon.

What was told lies in the alarms, so a restart or a second worker tells nothing twice.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from curation.workshop import Workshop
from providers.base import ProviderError
from providers.shutdowns import Shutdown, shutdown_of
from storage.records import Alarm, Voice

log = logging.getLogger(__name__)

WARN_DAYS = (60, 30, 7)
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=1)  # after a vendor that did not answer
TRY_ELSEWHERE = "`finetone migrate --base B --provider P` tries another base with the corrections there are."


class BaseDies(Exception):
    """The base stops before what is trained on it has paid for itself; the message says when, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The base that a voice is trained on stops on a day."""

    base_model: str
    shutdown: Shutdown

    def days_left(self, today: date) -> int:
        """Whole days until it stops; 0 and less once it has."""
        return (self.shutdown.on - today).days


async def ending_of(workshop: Workshop, base_model: str) -> Ending | None:
    """When a base stops, by the vendor's list and what was announced; None where no day is known. Raises ProviderError."""
    listed: Mapping[str, date] = {} if workshop.catalogue is None else await workshop.catalogue.shutdown_dates()
    shutdown = shutdown_of(workshop.tariff.vendor, base_model, listed)
    return None if shutdown is None else Ending(base_model, shutdown)


async def require_life(workshop: Workshop, base_model: str) -> None:
    """Raise BaseDies where the base stops within the days that a model is expected to serve.

    A vendor that does not answer is no reason to refuse: what it has announced counts then.
    """
    try:
        ending = await ending_of(workshop, base_model)
    except ProviderError as error:
        log.warning("the days on which models stop are not known: %s", error)
        shutdown = shutdown_of(workshop.tariff.vendor, base_model, {})
        ending = None if shutdown is None else Ending(base_model, shutdown)
    if ending is not None and (said := refusal(ending, workshop.now().date(), workshop.recipe.expected_life_days)):
        raise BaseDies(said)


def refusal(ending: Ending, today: date, expected_life_days: int) -> str:
    """Why no model is trained on this base any more, or "" where one may be."""
    left = ending.days_left(today)
    if left > expected_life_days:
        return ""
    when = f"in {_days(left)}" if left > 0 else "and has stopped"
    return (
        f"{ending.base_model} stops on {ending.shutdown.on.isoformat()}, {when} ({_by(ending)}), and a model is expected to "
        f"serve {_days(expected_life_days)} (FINETONE_EXPECTED_LIFE_DAYS). {TRY_ELSEWHERE}"
    )


def alarm_of(ending: Ending, voice: Voice, serves: bool, at: datetime) -> Alarm | None:
    """What is due to be told now: the nearest of WARN_DAYS that is reached; None while the day is further off than all."""
    left = ending.days_left(at.date())
    reached = [days for days in WARN_DAYS if left <= days]
    if not reached:
        return None
    when = f"in {_days(left)}" if left > 0 else "which has come"
    what = f"The model that serves “{voice.name}” stops with it. " if serves else ""
    key = f"shutdown/{ending.base_model}/{ending.shutdown.on.isoformat()}/{min(reached)}"
    text = (
        f"{ending.base_model} stops on {ending.shutdown.on.isoformat()}, {when} ({_by(ending)}). {what}{TRY_ELSEWHERE}"
    )
    return Alarm(key, voice.id, at, text)


class Shutdowns:
    """Looks once a day, for every voice, whether its base or the base of what serves comes to its end."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._look_at = workshop.now()

    async def look(self) -> None:
        """Raise the alarms that are due. Raises DatabaseUnavailable; a vendor that does not answer is asked again in an hour."""
        now = self._workshop.now()
        if now < self._look_at:
            return
        self._look_at = now + EVERY
        for voice in await self._workshop.store.voices.all():
            try:
                await self._warn(voice, now)
            except ProviderError as error:
                log.warning("the days on which models stop are not known: %s", error)
                self._look_at = now + AGAIN

    async def _warn(self, voice: Voice, now: datetime) -> None:
        store = self._workshop.store
        serving = (await store.models.current(voice.id)).model.base_model
        for base in dict.fromkeys((voice.base_model, serving)):
            ending = await ending_of(self._workshop, base)
            alarm = None if ending is None else alarm_of(ending, voice, base == serving, now)
            if alarm is not None and await store.alarms.raise_(alarm):
                log.warning("%s", alarm.text)


def _by(ending: Ending) -> str:
    shutdown = ending.shutdown
    if shutdown.read_on is None:
        return f"by {shutdown.source}"
    return f"{shutdown.source.split('/')[2]}, read {shutdown.read_on.isoformat()}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
