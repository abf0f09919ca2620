"""Canaries begun and ended, releases on somebody's word, and how often a held-out set was used."""

import asyncio
from dataclasses import replace

import pytest

from storage.errors import DeploymentMoved, RunMoved
from storage.records import PROGRAM_ACTOR_ID, DeploymentKind, Model, Run, RunState, SampleScore
from storage.store import Store
from tests.storage.scenes import Scene, an_evaluated_run, an_evaluation

SHARE = 0.25


async def a_canary(scene: Scene) -> tuple[Run, Model]:
    run, model = await an_evaluated_run(scene)
    await scene.store.releases.start_canary(run, 0, SHARE, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock())
    return await scene.store.runs.get(run.id), model


async def test_a_canary_is_a_deployment_that_names_both_models_and_the_share(scene: Scene) -> None:
    run, model = await a_canary(scene)
    voice, deployment = await scene.store.models.serving(scene.voice.id)
    assert (voice, run.state, run.is_open) == (scene.voice, RunState.CANARY, True)
    assert (deployment.kind, deployment.seq, deployment.run_id) == (DeploymentKind.CANARY, 1, run.id)
    assert (deployment.model.number, deployment.canary, deployment.canary_share) == (0, model, SHARE)
    assert await scene.store.models.current(scene.voice.id) == deployment
    assert (await scene.store.models.deployments(scene.voice.id, 9))[0] == deployment
    assert [entry.verb for entry in await scene.store.audit.entries(9, model.id)] == ["canary"]


async def test_a_conversation_keeps_its_model_and_the_share_is_what_was_said(scene: Scene) -> None:
    _, model = await a_canary(scene)
    deployment = await scene.store.models.current(scene.voice.id)
    drawn = [deployment.model_for(f"conv_{number}") for number in range(4000)]
    assert drawn == [deployment.model_for(f"conv_{number}") for number in range(4000)]
    assert sum(one == model for one in drawn) / 4000 == pytest.approx(SHARE, abs=0.03)
    other = replace(deployment, id="deploy_other")  # another canary draws anew
    assert drawn != [other.model_for(f"conv_{number}") for number in range(4000)]
    none = replace(deployment, canary=None, canary_share=0.0)
    assert {none.model_for(f"conv_{number}").number for number in range(50)} == {0}


async def test_one_canary_per_run_and_none_behind_somebodys_back(scene: Scene) -> None:
    run, _ = await an_evaluated_run(scene)
    start = scene.store.releases.start_canary
    with pytest.raises(DeploymentMoved):
        await start(run, 5, SHARE, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock())
    assert (await scene.store.runs.get(run.id)).state is RunState.EVALUATED
    await start(run, 0, SHARE, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock())
    with pytest.raises(RunMoved):
        await start(run, 1, SHARE, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock())


async def test_a_canary_taken_back_leaves_the_model_of_before(scene: Scene) -> None:
    run, _ = await a_canary(scene)
    ended = await scene.store.releases.end_canary(
        run, RunState.STOPPED, by=PROGRAM_ACTOR_ID, why="Harm: evidence 31, needed 30.", at=scene.clock()
    )
    current = await scene.store.models.current(scene.voice.id)
    assert (ended.state, ended.end_reason) == (RunState.STOPPED, "Harm: evidence 31, needed 30.")
    assert (current.kind, current.seq, current.model.number, current.canary) == (DeploymentKind.ROLLBACK, 2, 0, None)
    with pytest.raises(RunMoved):
        await scene.store.releases.end_canary(run, RunState.STOPPED, by=PROGRAM_ACTOR_ID, why="", at=scene.clock())


async def test_a_canary_that_somebody_ended_is_not_ended_twice(scene: Scene) -> None:
    run, _ = await a_canary(scene)
    first = (await scene.store.models.deployments(scene.voice.id, 9))[-1].model
    await scene.store.models.roll_back(scene.voice.id, 1, first.id, by=scene.moderator.id, why="No.", at=scene.clock())
    await scene.store.releases.end_canary(run, RunState.STOPPED, by=PROGRAM_ACTOR_ID, why="Over.", at=scene.clock())
    assert (await scene.store.models.current(scene.voice.id)).seq == 2


async def test_a_canary_that_did_no_harm_is_promoted_in_full(scene: Scene) -> None:
    run, model = await a_canary(scene)
    deployment = await scene.store.runs.promote(
        run.id, run.epoch, 1, by=PROGRAM_ACTOR_ID, why="No harm.", at=scene.clock(), from_state=RunState.CANARY
    )
    assert (deployment.model, deployment.canary, deployment.seq) == (model, None, 2)


@pytest.mark.parametrize("state", [RunState.STOPPED, RunState.EVALUATED, RunState.CANARY])
async def test_somebodys_word_releases_a_run_whatever_its_verdict(scene: Scene, state: RunState) -> None:
    store = scene.store
    if state is RunState.CANARY:
        run, model = await a_canary(scene)
    else:
        run, model = await an_evaluated_run(scene)
        if state is RunState.STOPPED:
            run = await store.runs.advance(run.id, run.epoch, run.state, state, at=scene.clock(), end_reason="No.")
    seen = (await store.models.current(scene.voice.id)).seq
    deployment = await store.releases.overrule(
        run.id, seen, by=scene.moderator.id, why="We read them.", at=scene.clock()
    )
    assert deployment is not None
    assert (deployment.model, deployment.kind, deployment.by) == (model, DeploymentKind.PROMOTION, scene.moderator.id)
    after = await store.runs.get(run.id)
    assert (after.state, after.end_reason, after.epoch) == (RunState.PROMOTED, "We read them.", run.epoch + 1)
    [entry] = [one for one in await store.audit.entries(9, model.id) if one.verb == "overrule"]
    assert (entry.actor_id, entry.detail["state"], entry.detail["why"]) == (scene.moderator.id, state, "We read them.")
    assert await store.releases.overrule(run.id, seen + 1, by=scene.moderator.id, why="", at=scene.clock()) is None


async def test_two_words_at_once_release_once(scene: Scene, other_store: Store) -> None:
    run, _ = await an_evaluated_run(scene)

    async def word(store: Store) -> bool:
        try:
            return (
                await store.releases.overrule(run.id, 0, by=scene.moderator.id, why="x", at=scene.clock()) is not None
            )
        except DeploymentMoved:
            return False

    assert sorted(await asyncio.gather(word(scene.store), word(other_store))) == [False, True]
    assert len(await scene.store.models.deployments(scene.voice.id, 9)) == 2


async def test_a_set_was_used_by_each_run_that_asked_most_of_it(scene: Scene) -> None:
    run, _ = await an_evaluated_run(scene)
    samples = tuple(SampleScore(f"c{number}", "q", "r", "x", "y", 0.1, 0.2) for number in range(4))
    await scene.store.runs.save_evaluation(replace(an_evaluation(run, scene.clock()), samples=samples))
    uses = scene.store.releases.uses
    voice = scene.voice.id
    assert await uses(voice, "run_next", ["c0", "c1", "c2", "new"]) == 1
    assert await uses(voice, "run_next", ["c0", "c1", "new 1", "new 2"]) == 0  # half is not most
    assert await uses(voice, run.id, ["c0", "c1", "c2", "c3"]) == 0  # its own comparison is no earlier use
    assert await uses("voice_other", "run_next", ["c0", "c1", "c2", "c3"]) == 0
