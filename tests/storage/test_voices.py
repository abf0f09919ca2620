import asyncio

import pytest

from storage.errors import NotFound
from storage.records import PROGRAM_ACTOR_ID, DeploymentKind
from storage.store import Store
from tests.conftest import Clock
from tests.storage.scenes import Scene


async def test_a_new_voice_is_served_by_its_base_model(any_store: Store, clock: Clock) -> None:
    voice = await any_store.voices.ensure("Acme", "You are Acme.", "smol-135m", at=clock())
    current = await any_store.models.current(voice.id)
    assert (current.seq, current.kind, current.by) == (0, DeploymentKind.FIRST, PROGRAM_ACTOR_ID)
    assert (current.model.number, current.model.name, current.model.is_base) == (0, "smol-135m", True)
    assert await any_store.voices.get(voice.id) == await any_store.voices.by_name("Acme") == voice
    assert await any_store.voices.all() == [voice]


async def test_ten_starters_make_one_voice_with_one_deployment(
    any_store: Store, other_store: Store, clock: Clock
) -> None:
    at = clock()
    found = await asyncio.gather(
        *(store.voices.ensure("Acme", "You are Acme.", "smol", at=at) for store in [any_store, other_store] * 5)
    )
    assert len(set(found)) == 1
    assert len(await any_store.models.deployments(found[0].id, 10)) == 1


async def test_another_prompt_is_taken_over_and_audited(scene: Scene) -> None:
    voice = await scene.store.voices.ensure("Acme", "You are Acme, warmly.", "smol-135m", at=scene.clock())
    assert voice.system_prompt == "You are Acme, warmly."
    assert await scene.store.voices.get(scene.voice.id) == voice
    entry = (await scene.store.audit.entries(1, subject=voice.id))[0]
    assert (entry.verb, entry.detail["system_prompt"]) == ("set_voice", "You are Acme, warmly.")


async def test_another_base_model_is_offered_to_runs_but_does_not_serve(scene: Scene) -> None:
    for base_model in ("smol-360m", "smol-135m", "smol-360m"):
        voice = await scene.store.voices.ensure("Acme", "You are Acme.", base_model, at=scene.clock())
    assert voice.base_model == "smol-360m"
    models = await scene.store.models.list(voice.id)
    assert [(model.number, model.name) for model in models] == [(0, "smol-135m"), (1, "smol-360m")]
    assert (await scene.store.models.current(voice.id)).model.name == "smol-135m"


async def test_an_unknown_voice_is_a_sentence(any_store: Store) -> None:
    with pytest.raises(NotFound, match="There is no voice 'Nobody'"):
        await any_store.voices.by_name("Nobody")
    with pytest.raises(NotFound):
        await any_store.voices.get("voice_nobody")
    with pytest.raises(NotFound):
        await any_store.models.current("voice_nobody")
