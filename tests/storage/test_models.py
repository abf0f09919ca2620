import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from storage.errors import DeploymentMoved, NotFound
from storage.records import PROGRAM_ACTOR_ID, Deployment, DeploymentKind, RunState
from storage.store import Store
from tests.storage.scenes import Scene, a_claimed_run, a_run, a_version, an_evaluated_run


async def test_a_run_makes_one_model_however_often_it_is_tried(scene: Scene, other_store: Store) -> None:
    run, model = await an_evaluated_run(scene)
    found = await asyncio.gather(
        *(
            store.models.ensure_tuned(scene.voice.id, run.id, "ft:other", "smol", model.dataset_version_id or "", at=at)
            for store, at in [(scene.store, scene.clock()), (other_store, scene.clock())]
        )
    )
    assert set(found) == {model}
    assert [each.number for each in await scene.store.models.list(scene.voice.id)] == [0, 1]
    assert (model.number, model.is_base, model.run_id) == (1, False, run.id)
    assert await scene.store.models.get(model.id) == model
    assert await scene.store.models.by_name(scene.voice.id, model.name) == model


async def test_models_made_at_once_get_different_numbers(scene: Scene, other_store: Store) -> None:
    made: list[Awaitable[object]] = []
    for number, store in enumerate([scene.store, other_store] * 4):
        run = await a_claimed_run(scene)
        await scene.store.runs.advance(run.id, run.epoch, run.state, RunState.STOPPED, at=scene.clock())
        version = await scene.store.datasets.freeze(a_version(scene, f"ds_{number}"), {}, [], {}, at=scene.clock())
        made += [
            store.models.ensure_tuned(scene.voice.id, run.id, f"ft:{number}", "smol", version.id, at=scene.clock()),
            store.voices.ensure("Acme", "You are Acme.", f"base-{number}", at=scene.clock()),
        ]
    await asyncio.gather(*made)
    assert [model.number for model in await scene.store.models.list(scene.voice.id)] == list(range(17))


async def test_rolling_back_appends_a_deployment(scene: Scene) -> None:
    models = scene.store.models
    run, tuned = await an_evaluated_run(scene)
    promotion = await scene.store.runs.promote(
        run.id, run.epoch, 0, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock()
    )
    first = (await models.deployments(scene.voice.id, 9))[-1]
    rollback = await models.roll_back(
        scene.voice.id, 1, first.model.id, by=scene.moderator.id, why="Rude to Ada.", at=scene.clock()
    )
    assert (rollback.seq, rollback.kind, rollback.run_id, rollback.by) == (
        2,
        DeploymentKind.ROLLBACK,
        None,
        scene.moderator.id,
    )
    assert await models.current(scene.voice.id) == rollback
    assert await models.serving(scene.voice.id) == (scene.voice, rollback)
    assert await models.deployments(scene.voice.id, 9) == [rollback, promotion, first]
    assert await models.deployments(scene.voice.id, 1) == [rollback]
    entry = (await scene.store.audit.entries(1))[0]
    assert (entry.verb, entry.subject, entry.detail) == (
        "rollback",
        first.model.id,
        {"seq": 2, "why": "Rude to Ada."},
    )
    forward = await models.roll_back(scene.voice.id, 2, tuned.id, by=scene.moderator.id, why="Fine.", at=scene.clock())
    assert forward.model == tuned


async def test_of_two_rollbacks_at_once_one_counts(scene: Scene, other_store: Store) -> None:
    base = (await scene.store.models.current(scene.voice.id)).model
    outcomes = await asyncio.gather(
        *(
            store.models.roll_back(scene.voice.id, 0, base.id, by=scene.moderator.id, why="Stop.", at=scene.clock())
            for store in [scene.store, other_store] * 3
        ),
        return_exceptions=True,
    )
    assert len([outcome for outcome in outcomes if isinstance(outcome, Deployment)]) == 1
    assert len([outcome for outcome in outcomes if isinstance(outcome, DeploymentMoved)]) == 5


async def test_what_served_at_a_minute_is_one_question(scene: Scene) -> None:
    models, voice_id = scene.store.models, scene.voice.id
    first = await models.current(voice_id)
    second = await models.roll_back(
        voice_id, 0, first.model.id, by=scene.moderator.id, why="Again.", at=scene.clock.advance(600)
    )
    assert await models.serving_at(voice_id, first.since - timedelta(seconds=1)) is None
    assert await models.serving_at(voice_id, first.since) == first
    assert await models.serving_at(voice_id, second.since - timedelta(microseconds=1)) == first
    assert await models.serving_at(voice_id, second.since) == second


async def test_a_voice_serves_only_its_own_models(scene: Scene) -> None:
    other = await scene.store.voices.ensure("Other", "You are Other.", "smol", at=scene.clock())
    theirs = (await scene.store.models.current(other.id)).model
    with pytest.raises(NotFound, match=f"There is no model '{theirs.id}'"):
        await scene.store.models.roll_back(
            scene.voice.id, 0, theirs.id, by=scene.moderator.id, why="Mixed up.", at=scene.clock()
        )


async def test_an_unknown_model_is_a_sentence(scene: Scene) -> None:
    run = await a_run(scene)
    with pytest.raises(NotFound, match="There is no model 'model_nothing'"):
        await scene.store.models.get("model_nothing")
    with pytest.raises(NotFound, match="There is no model 'ft:nothing'"):
        await scene.store.models.by_name(scene.voice.id, "ft:nothing")
    with pytest.raises(NotFound, match="There is no voice 'voice_nothing'"):
        await scene.store.models.serving("voice_nothing")
    with pytest.raises(NotFound, match="There is no voice 'voice_nothing'"):
        await scene.store.models.ensure_tuned("voice_nothing", run.id, "ft:1", "smol", "ds_nothing", at=scene.clock())
