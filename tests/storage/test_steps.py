"""A run of several jobs: each that is over is kept once, and the next begins with nothing of it left on the run."""

import pytest

from storage.errors import RunMoved
from storage.records import RecipeKind, Run, RunState, RunStep, Trigger
from tests.storage.scenes import Scene


async def a_run_of_two_jobs(scene: Scene) -> Run:
    """Its first job trains."""
    runs, at = scene.store.runs, scene.clock()
    made, _ = await runs.request(
        scene.voice.id, "b", Trigger.PERSON, scene.moderator.id, at=at, recipe=RecipeKind.SFT_DPO
    )
    run = await runs.claim(made.id, "w", now=at, lease_s=60)
    assert run is not None
    run = await runs.advance(run.id, run.epoch, run.state, RunState.FROZEN, at=at, training_file_id="f-1")
    run = await runs.intend(run.id, run.epoch, at=at)
    return await runs.advance(run.id, run.epoch, run.state, RunState.TRAINING, at=at, job_id="job-1")


def over(run: Run, scene: Scene) -> RunStep:
    return RunStep(run.id, run.step, "f-1", "job-1", "ft:1", 300, scene.clock(), scene.clock())


async def test_the_next_job_may_be_asked_for_once_the_first_is_kept(scene: Scene):
    run = await a_run_of_two_jobs(scene)
    assert (run.recipe, run.step, run.steps, run.creates) == (RecipeKind.SFT_DPO, 1, 2, 1)
    kept = over(run, scene)
    now = await scene.store.runs.next_step(run, kept, at=scene.clock())
    assert (now.state, now.step, now.training_file_id, now.job_id, now.creates) == (RunState.FROZEN, 2, None, None, 0)
    assert await scene.store.runs.steps(run.id) == [kept]
    assert (await scene.store.runs.intend(now.id, now.epoch, at=scene.clock())).creates == 1
    [entry] = [one for one in await scene.store.audit.entries(9, subject=run.id) if one.verb == "run_step"]
    assert entry.detail == {"step": 1, "job_id": "job-1", "model_name": "ft:1"}


async def test_a_step_is_kept_once_whoever_says_so_again(scene: Scene):
    run = await a_run_of_two_jobs(scene)
    await scene.store.runs.next_step(run, over(run, scene), at=scene.clock())
    with pytest.raises(RunMoved):
        await scene.store.runs.next_step(run, over(run, scene), at=scene.clock())
    assert len(await scene.store.runs.steps(run.id)) == 1


async def test_who_has_lost_the_run_moves_it_no_step_further(scene: Scene):
    run = await a_run_of_two_jobs(scene)
    await scene.store.runs.claim(run.id, "w", now=scene.clock(), lease_s=60)
    with pytest.raises(RunMoved):
        await scene.store.runs.next_step(run, over(run, scene), at=scene.clock())
    assert (await scene.store.runs.steps(run.id), (await scene.store.runs.get(run.id)).step) == ([], 1)


async def test_a_run_of_before_says_no_recipe_and_has_one_step(scene: Scene):
    made, _ = await scene.store.runs.request(scene.voice.id, "b", Trigger.PERSON, scene.moderator.id, at=scene.clock())
    assert (made.recipe, made.step, made.steps) == (None, 1, 1)
