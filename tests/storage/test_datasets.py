import asyncio
from dataclasses import replace

import pytest

from storage.errors import NotFound, SideMoved
from storage.records import DatasetLine, Part, Role, Side
from storage.store import Store
from tests.storage.scenes import Scene, a_version, an_approved_correction

FILES = {"train.jsonl": b'{"messages": []}\n', "held_out.jsonl": b"\x00\xff"}


async def test_a_frozen_version_keeps_its_bytes_its_lineage_and_its_sides(scene: Scene) -> None:
    datasets = scene.store.datasets
    first, second = [await an_approved_correction(scene, f"import:f:{line}") for line in (1, 2)]
    version = a_version(scene)
    lines = [
        DatasetLine(version.id, Part.HELD_OUT, 0, 0, Role.ANSWER, "group-1", first.id),
        DatasetLine(version.id, Part.TRAIN, 0, 0, Role.ANSWER, "group-2", second.id),
        DatasetLine(version.id, Part.TRAIN, 1, 0, Role.ANSWER, "group-2", second.id),
    ]
    sides = {"group-1": Side.HELD_OUT, "group-2": Side.TRAIN}
    assert await datasets.freeze(version, FILES, lines, sides, at=scene.clock()) == version
    assert await datasets.get(version.id) == version
    assert await datasets.lines(version.id) == lines
    assert await datasets.versions_with(second.id) == lines[1:]
    assert await datasets.sides(scene.voice.id) == sides
    for name, content in FILES.items():
        assert await datasets.file(version.id, name) == content
    assert [entry.verb for entry in await scene.store.audit.entries(9, subject=version.id)] == ["freeze"]


async def test_freezing_the_same_version_again_changes_nothing(scene: Scene, other_store: Store) -> None:
    version = a_version(scene)
    await asyncio.gather(
        *(
            store.datasets.freeze(version, FILES, [], {"group-1": Side.TRAIN}, at=scene.clock())
            for store in [scene.store, other_store] * 3
        )
    )
    later = replace(version, train_count=99)
    assert await scene.store.datasets.freeze(later, {}, [], {}, at=scene.clock()) == version
    assert await scene.store.datasets.list(scene.voice.id, 9) == [version]
    assert len(await scene.store.audit.entries(9, subject=version.id)) == 1


async def test_a_group_never_changes_its_side(scene: Scene) -> None:
    datasets = scene.store.datasets
    await datasets.freeze(a_version(scene, "ds_1"), {}, [], {"group-1": Side.HELD_OUT}, at=scene.clock())
    sides = {"group-1": Side.TRAIN, "group-2": Side.TRAIN}
    with pytest.raises(SideMoved, match="Group 'group-1' is on the held_out side for ever"):
        await datasets.freeze(a_version(scene, "ds_2"), FILES, [], sides, at=scene.clock())
    assert await datasets.sides(scene.voice.id) == {"group-1": Side.HELD_OUT}
    with pytest.raises(NotFound, match="ds_2"):
        await datasets.get("ds_2")


async def test_of_two_versions_frozen_at_once_the_first_decides_the_side(scene: Scene, other_store: Store) -> None:
    outcomes = await asyncio.gather(
        scene.store.datasets.freeze(a_version(scene, "ds_1"), {}, [], {"g": Side.TRAIN}, at=scene.clock()),
        other_store.datasets.freeze(a_version(scene, "ds_2"), {}, [], {"g": Side.HELD_OUT}, at=scene.clock()),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DatasetVersion", "SideMoved"]
    assert len(await scene.store.datasets.list(scene.voice.id, 9)) == 1


async def test_versions_are_listed_newest_first(scene: Scene) -> None:
    versions = [a_version(scene, f"ds_{number}") for number in range(3)]
    for version in versions:
        await scene.store.datasets.freeze(version, {}, [], {}, at=scene.clock())
    assert await scene.store.datasets.list(scene.voice.id, 2) == [versions[2], versions[1]]


async def test_an_unknown_version_or_file_is_a_sentence(scene: Scene) -> None:
    version = await scene.store.datasets.freeze(a_version(scene), FILES, [], {}, at=scene.clock())
    with pytest.raises(NotFound, match="There is no dataset version 'ds_nothing'"):
        await scene.store.datasets.get("ds_nothing")
    with pytest.raises(NotFound, match=f"There is no dataset file '{version.id}/card.json'"):
        await scene.store.datasets.file(version.id, "card.json")
