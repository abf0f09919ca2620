"""What the steps of a run share: telling what happened, and ending with a reason."""

from collections.abc import Mapping, Sequence

from curation.workshop import Workshop
from providers.base import JobEvent
from storage.records import Run, RunEvent, RunState

MEASURED = "measured"  # key of the event that keeps a run's trained tokens and seconds, for the next preview


async def end(workshop: Workshop, run: Run, state: RunState, reason: str) -> Run:
    """Close the run with its reason, a sentence people read."""
    return await workshop.store.runs.advance(run.id, run.epoch, run.state, state, at=workshop.now(), end_reason=reason)


async def tell(
    workshop: Workshop,
    run: Run,
    key: str,
    text: str,
    level: str = "info",
    numbers: Mapping[str, float] | None = None,
) -> bool:
    """Keep an event of ours; whether its key is new to the run."""
    event = RunEvent(run.id, key, workshop.now(), level, text, numbers or {})
    return await workshop.store.runs.add_events(run.id, [event]) > 0


async def copy_events(
    workshop: Workshop,
    run: Run,
    events: Sequence[JobEvent],
    *,
    prefix: str = "",
    also: Mapping[str, float] | None = None,
) -> None:
    """Keep what the vendor told of the run's job; `prefix` tells a run's jobs apart, `also` is put beside the numbers."""
    beside = also or {}
    kept = [RunEvent(run.id, f"{prefix}{e.id}", e.at, e.level, e.text, {**e.numbers, **beside}) for e in events]
    await workshop.store.runs.add_events(run.id, kept)


def promised(value: str | None) -> str:
    """A field that the run's state promises to be there."""
    if value is None:
        raise ValueError("The run's state promises a field that is empty; the row was changed by hand.")
    return value
