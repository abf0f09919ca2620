"""The training process: real jobs of the base model, and the parts of it on a model of a few thousand numbers."""

from typing import Any

import pytest

pytestmark = pytest.mark.real_model


def steps_of(client: Any, job_id: str) -> list[dict[str, Any]]:
    """The job's metrics, one dictionary a step, in order."""
    events = client.fine_tuning.jobs.list_events(job_id, limit=100).data
    return [event.data for event in reversed(events) if event.type == "metrics"]


def test_a_supervised_job_learns_its_voice_and_is_measured_on_held_out_rows(server: Any, tuned: Any):
    assert tuned.status == "succeeded", tuned.error
    steps = steps_of(server.client, tuned.id)
    assert [step["step"] for step in steps] == list(range(1, 13))
    assert steps[-1]["train_loss"] < steps[0]["train_loss"] / 3
    assert steps[-1]["valid_loss"] < steps[2]["valid_loss"]
