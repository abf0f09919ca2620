"""Pure: which vendors would take a training job that another one refuses, as far as their rows know."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import date

from providers.base import ErrorKind, Method, ProviderError
from providers.quirks import VENDORS
from providers.rows import Quirks


def takers(method: Method, today: date, besides: str = "") -> tuple[str, ...]:
    """Names of the vendors that train by `method` and take new customers' jobs on this day, our own server first."""
    return tuple(
        row.name for row in VENDORS.values() if row.name != besides and method in row.methods and is_open(row, today)
    )


def is_open(row: Quirks, today: date) -> bool:
    """Whether anybody may create a job there: newcomers are taken, and no announced end of training has passed."""
    return row.takes_newcomers and not any(stop.ends_training and stop.on <= today for stop in row.stops)


@contextmanager
def elsewhere(row: Quirks, method: Method, today: date) -> Generator[None]:
    """Add to TRAINING_UNAVAILABLE who would take the job, and how to try it there."""
    try:
        yield
    except ProviderError as error:
        if error.kind is not ErrorKind.TRAINING_UNAVAILABLE:
            raise
        advice = refusal(row, method, today)
        if error.status == 401:
            advice = f"Set FINETONE_API_KEY to a key of {row.name}'s that may train. {advice}"
        raise ProviderError(f"{error} {advice}", error.kind, error.retry_after_s, error.status) from error


def refusal(row: Quirks, method: Method, today: date) -> str:
    """What to do when a vendor takes no job, as sentences."""
    others = takers(method, today, row.name)
    why = "" if row.takes_newcomers else f"{row.name} takes jobs only from customers who have tuned there before. "
    shown = ", ".join(f"{name} (your own machine)" if name == "tuner" else name for name in others)
    return (
        f"{why}It is not tried again. Vendors that would take a job by {method}: {shown}. "
        "`finetone migrate --provider NAME --base MODEL` tries one with the corrections there are, and switches nothing."
    )
