"""One row per vendor: what differs behind the same OpenAI wire shape. Data only; the driver in openai_api.py reads it."""

from dataclasses import dataclass
from types import MappingProxyType

from providers.base import JobState


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a driver must know of one vendor."""

    name: str
    minimum_examples: int  # training lines the vendor accepts at least
    method_style: bool  # True: hyperparameters travel inside `method`; False: flat `hyperparameters`
    knows_metadata: bool  # jobs can be listed by metadata


TUNER = Quirks("tuner", minimum_examples=10, method_style=True, knows_metadata=True)
# 10 is OpenAI's documented minimum for supervised tuning (developers.openai.com/docs/guides/distillation, read 2026-11).
OPENAI = Quirks("openai", minimum_examples=10, method_style=True, knows_metadata=True)

VENDORS = MappingProxyType({row.name: row for row in (TUNER, OPENAI)})

# Every status a vendor in our list has been documented to use; anything else counts as still running, never as an end.
JOB_STATES = MappingProxyType(
    {
        "validating_files": JobState.QUEUED,
        "pending": JobState.QUEUED,
        "queued": JobState.QUEUED,
        "running": JobState.RUNNING,
        "compressing": JobState.RUNNING,
        "uploading": JobState.RUNNING,
        "cancel_requested": JobState.RUNNING,
        "succeeded": JobState.SUCCEEDED,
        "completed": JobState.SUCCEEDED,
        "failed": JobState.FAILED,
        "error": JobState.FAILED,
        "cancelled": JobState.CANCELLED,
    }
)


def job_state(vendor_status: str) -> JobState:
    """Map a vendor's status word; an unknown one is RUNNING, so that a new word never ends a run by accident."""
    return JOB_STATES.get(vendor_status, JobState.RUNNING)
