"""Pure: what vendors say of jobs, events and models, read with a default for every field that one of them leaves out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

from providers.base import ErrorKind, JobEvent, JobStatus, ProviderError
from providers.quirks import job_state


def job_status(job: Mapping[str, Any]) -> JobStatus:
    """A job of the OpenAI shape, or of Together's. Raises ProviderError where it has no id: nothing can follow it then."""
    word = str(job.get("status") or "")
    finish = job.get("estimated_finish")
    return JobStatus(
        id=_named(job, "job"),
        state=job_state(word),
        vendor_status=word,
        model_name=_text(job.get("fine_tuned_model") or job.get("model_output_name")),
        error=_why(job.get("error")),
        trained_tokens=_count(job.get("trained_tokens") or job.get("token_count")),
        estimated_finish=None if finish is None else moment(finish),
        created_at=moment(job.get("created_at")),
    )


def job_event(event: Mapping[str, Any], position: int) -> JobEvent:
    """An event of a job; one without an id of its own is known by its `position`, from 0 in the vendor's own order."""
    payload = event.get("data")
    fields = cast(Mapping[str, Any], payload) if isinstance(payload, Mapping) else dict[str, Any]()
    numbers = {
        name: float(value)
        for name, value in fields.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    id_ = str(event.get("id") or event.get("hash") or f"{event.get('type') or 'event'}-{position}")
    level = str(event.get("level") or "info").lower()
    return JobEvent(
        id_,
        moment(event.get("created_at")),
        "warn" if level == "warning" else level,
        str(event.get("message") or ""),
        numbers,
    )


def moment(value: Any) -> datetime:
    """Seconds since 1970, also as text, or an ISO 8601 moment; the epoch where there is none, so that it sorts first."""
    if value is None:
        return datetime.fromtimestamp(0, UTC)
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError):
        pass
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ProviderError(f"The provider gave {value!r} as a moment, which cannot be read.", _UNREADABLE) from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def shutdown_date(model: Mapping[str, Any]) -> date | None:
    """The day a listed model stops, where the vendor has announced one as YYYY-MM-DD; anything else counts as none."""
    value = model.get("shutdown_date")
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


_UNREADABLE = ErrorKind.UNREACHABLE


def _named(thing: Mapping[str, Any], what: str) -> str:
    if not (id_ := thing.get("id")):
        raise ProviderError(f"The provider gave a {what} without an id: {sorted(thing)}.", _UNREADABLE)
    return str(id_)


def _text(value: Any) -> str | None:
    return str(value) if value else None


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _why(error: Any) -> str:
    if isinstance(error, Mapping):
        return str(cast(Mapping[str, Any], error).get("message") or "")
    return str(error or "")
