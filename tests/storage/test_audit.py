import pytest
from sqlalchemy import text

from storage.errors import ConstraintBroken
from storage.records import PROGRAM_ACTOR_ID
from tests.storage.scenes import Scene


async def test_the_audit_tells_the_newest_first_and_by_subject(scene: Scene) -> None:
    for number in range(3):
        await scene.store.audit.append(
            scene.moderator.id, "export", f"ds_{number % 2}", {"number": number}, at=scene.clock()
        )
    entries = await scene.store.audit.entries(2)
    assert [entry.detail["number"] for entry in entries] == [2, 1]
    about_one = await scene.store.audit.entries(9, subject="ds_0")
    assert [(entry.verb, entry.actor_id, entry.detail) for entry in about_one] == [
        ("export", scene.moderator.id, {"number": 2}),
        ("export", scene.moderator.id, {"number": 0}),
    ]
    assert about_one[0].at == scene.clock.now


@pytest.mark.parametrize("table", ["audit", "deployments"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET id = id"])
async def test_history_cannot_be_rewritten(scene: Scene, table: str, change: str) -> None:
    with pytest.raises(ConstraintBroken, match=f"{table} is append-only"):
        async with scene.store._database.writing() as connection:
            await connection.execute(text(change.format(table)))
    assert len(await scene.store.audit.entries(9)) == 1
    assert (await scene.store.models.current(scene.voice.id)).by == PROGRAM_ACTOR_ID
