"""Bases that die: looked for daily, told 60, 30 and 7 days before, and not trained on when what is trained dies too soon.

Where the settings name a successor, runs go over to it as soon as the first warning is due (succession.py starts one). What was
told lies in the alarms, so a restart or a second worker tells nothing twice.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from curation.workshop import Workshop
from providers.base import ProviderError
from providers.shutdowns import Shutdown, shutdown_of
from storage.records import Alarm, Voice

log = logging.getLogger(__name__)

WARN_DAYS = (60, 30, 7)
EVERY = timedelta(days=1)
AGAIN = timedelta(hours=1)  # after a vendor that did not answer
TRY_ELSEWHERE = (
    "`finetone migrate --base B --provider P` tries another base with the corrections there are; "
    "FINETONE_SUCCESSOR_BASE=B lets runs go over to one at the same provider."
)
GOES_OVER = (
    "Runs train on {successor} now (FINETONE_SUCCESSOR_BASE), and one starts by itself. Once a model of it serves, set "
    "FINETONE_BASE_MODEL={successor}."
)


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


@dataclass(frozen=True, slots=True)
class Base:
    """What a run of a voice trains on now."""

    base_model: str
    why: str = ""  # a sentence, where it is not the voice's own


async def ending_of(workshop: Workshop, base_model: str) -> Ending | None:
    """When a base stops, by the vendor's list and what was announced; None where no day is known. Raises ProviderError."""
    listed: Mapping[str, date] = {} if workshop.catalogue is None else await workshop.catalogue.shutdown_dates()
    shutdown = shutdown_of(workshop.tariff.vendor, base_model, listed)
    return None if shutdown is None else Ending(base_model, shutdown)


async def base_of(workshop: Workshop, voice: Voice) -> Base:
    """The voice's own base, or its successor once that one nears its end. Raises BaseDies where neither lives long enough."""
    own, successor = voice.base_model, workshop.recipe.successor_base
    ending = await _known_ending(workshop, own)
    if ending is not None and is_near(ending, workshop) and successor not in ("", own):
        if not await _refused(workshop, successor):
            until = _until(ending.days_left(workshop.now().date()))
            why = f"because {own} stops on {ending.shutdown.on.isoformat()}, {until}."
            return Base(successor, f"It trains on {successor} (FINETONE_SUCCESSOR_BASE), {why}")
        log.warning("%s does not live long enough to follow %s", successor, own)
    await require_life(workshop, own)
    return Base(own)


def near_from(ending: Ending, workshop: Workshop) -> datetime:
    """From when a base nears its end: 60 days before, or the days a model is expected to serve where they are more."""
    first_day = ending.shutdown.on - timedelta(days=max(*WARN_DAYS, workshop.recipe.expected_life_days))
    return datetime.combine(first_day, time(), UTC)


def is_near(ending: Ending, workshop: Workshop) -> bool:
    """Whether that moment has come."""
    return workshop.now() >= near_from(ending, workshop)


async def require_life(workshop: Workshop, base_model: str) -> None:
    """Raise BaseDies where the base stops within the days that a model is expected to serve.

    A vendor that does not answer is no reason to refuse: what it has announced counts then.
    """
    if said := await _refused(workshop, base_model):
        raise BaseDies(said)


async def _refused(workshop: Workshop, base_model: str) -> str:
    """Why no run may train on this base, or "" where one may."""
    ending = await _known_ending(workshop, base_model)
    return "" if ending is None else refusal(ending, workshop.now().date(), workshop.recipe.expected_life_days)


async def _known_ending(workshop: Workshop, base_model: str) -> Ending | None:
    """As `ending_of`, by what was announced alone where the vendor does not answer."""
    try:
        return await ending_of(workshop, base_model)
    except ProviderError as error:
        log.warning("the days on which models stop are not known: %s", error)
        shutdown = shutdown_of(workshop.tariff.vendor, base_model, {})
        return None if shutdown is None else Ending(base_model, shutdown)


def refusal(ending: Ending, today: date, expected_life_days: int) -> str:
    """Why no model is trained on this base any more, or "" where one may be."""
    left = ending.days_left(today)
    if left > expected_life_days:
        return ""
    when = _until(left)
    return (
        f"{ending.base_model} stops on {ending.shutdown.on.isoformat()}, {when} ({_by(ending)}), and a model is expected to "
        f"serve {_days(expected_life_days)} (FINETONE_EXPECTED_LIFE_DAYS). {TRY_ELSEWHERE}"
    )


def alarm_of(ending: Ending, voice: Voice, serves: bool, at: datetime, *, successor: str = "") -> Alarm | None:
    """What is due to be told now: the nearest of WARN_DAYS that is reached; None while the day is further off than all.

    `successor` is the base that follows by the settings, "" for none.
    """
    left = ending.days_left(at.date())
    reached = [days for days in WARN_DAYS if left <= days]
    if not reached:
        return None
    when = f"in {_days(left)}" if left > 0 else "which has come"
    what = f"The model that serves “{voice.name}” stops with it. " if serves else ""
    key = f"shutdown/{ending.base_model}/{ending.shutdown.on.isoformat()}/{min(reached)}"
    follows = successor and successor != ending.base_model
    next_step = GOES_OVER.format(successor=successor) if follows else TRY_ELSEWHERE
    text = f"{ending.base_model} stops on {ending.shutdown.on.isoformat()}, {when} ({_by(ending)}). {what}{next_step}"
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
        store, successor = self._workshop.store, self._workshop.recipe.successor_base
        serving = (await store.models.current(voice.id)).model.base_model
        for base in dict.fromkeys(filter(None, (voice.base_model, serving, successor))):
            ending = await ending_of(self._workshop, base)
            alarm = None if ending is None else alarm_of(ending, voice, base == serving, now, successor=successor)
            if alarm is not None and await store.alarms.raise_(alarm):
                log.warning("%s", alarm.text)


def _by(ending: Ending) -> str:
    shutdown = ending.shutdown
    if shutdown.read_on is None:
        return f"by {shutdown.source}"
    return f"{shutdown.source.split('/')[2]}, read {shutdown.read_on.isoformat()}"


def _until(left: int) -> str:
    return f"in {_days(left)}" if left > 0 else "and has stopped"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
