"""A model that serves and has learned a correction, without the training it takes."""

from datetime import datetime

from storage.records import (
    AskedAs,
    Correction,
    Deployment,
    Learned,
    LearnedAnswer,
    LearnedVerdict,
    RunState,
    Trigger,
    Voice,
)
from storage.records.datasets import DatasetVersion
from storage.store import Store


async def model_that_learned(
    store: Store,
    voice: Voice,
    said: dict[Correction, str],
    by: str,
    at: datetime,
    log_margin: float | None = None,
) -> Deployment:
    """Promote a new model that says this, with no fix in its prompt, to the questions of these corrections."""
    run, _ = await store.runs.request(voice.id, voice.base_model, Trigger.PERSON, by, at=at)
    claimed = await store.runs.claim(run.id, "worker-1", now=at, lease_s=60)
    assert claimed is not None
    version = DatasetVersion(f"ds_of_{run.id}", voice.id, at, by, 1, 1, 10, {"left_out": {}})
    await store.datasets.freeze(version, {}, [], {}, at=at)
    state = RunState.REQUESTED
    for following in (RunState.FROZEN, RunState.SUBMITTED, RunState.TRAINING, RunState.SERVABLE, RunState.EVALUATED):
        await store.runs.advance(run.id, claimed.epoch, state, following, at=at)
        state = following
    model = await store.models.ensure_tuned(voice.id, run.id, f"ft:{run.id}", voice.base_model, version.id, at=at)
    for correction, answer in said.items():
        answers = [LearnedAnswer(0, AskedAs.ALONE, correction.id, correction.question, answer, True, 1.0, 0.1)]
        learned = LearnedVerdict.LEARNED
        found = Learned(correction.id, model.id, run.id, learned, True, True, 0.9, log_margin, 2, 2, 2, 0, at)
        assert await store.learned.add(found, answers)
    current = await store.models.current(voice.id)
    return await store.runs.promote(run.id, claimed.epoch, current.seq, by=by, why="It was better.", at=at)
