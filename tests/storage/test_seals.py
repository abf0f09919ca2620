"""The audit's chain: a change, a missing entry, a cut end are each found and named."""

import asyncio

import pytest
from sqlalchemy import delete, text, update

from storage.schema import audit, seals
from storage.seals import BATCH
from storage.store import Store
from tests.storage.scenes import Scene


async def acts(scene: Scene, count: int) -> None:
    for number in range(count):
        await scene.store.audit.append(scene.moderator.id, "export", f"ds_{number}", {"n": number}, at=scene.clock())


async def sealed(scene: Scene, count: int = 5) -> str:
    """So many acts more, sealed; the head."""
    await acts(scene, count)
    while await scene.store.seals.seal():
        pass
    return (await scene.store.seals.verify()).head


async def tampered(scene: Scene, *statements: object) -> None:
    """Change what is append-only, as somebody with the database's password can."""
    database = scene.store._database  # pyright: ignore[reportPrivateUsage]
    async with database.writing() as connection:
        if connection.dialect.name == "sqlite":
            for table in ("audit", "seals"):
                for change in ("update", "delete"):
                    await connection.execute(text(f"DROP TRIGGER {table}_refuses_{change}"))
        else:
            await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
            await connection.execute(text("ALTER TABLE seals DISABLE TRIGGER USER"))
        for statement in statements:
            await connection.execute(statement)  # type: ignore[call-overload]


async def test_what_nobody_changed_holds_and_what_is_new_is_sealed_a_moment_later(scene: Scene):
    head = await sealed(scene)
    await acts(scene, 2)
    verdict = await scene.store.seals.verify(head)
    assert (verdict.holds, verdict.unsealed, verdict.head) == (True, 2, head)
    assert await scene.store.seals.seal() == 2
    assert await scene.store.seals.seal() == 0
    after = await scene.store.seals.verify(head)
    assert (after.sealed, after.unsealed) == (verdict.sealed + 2, 0)
    assert after.head != head


async def test_a_changed_entry_is_found_and_named(scene: Scene):
    await sealed(scene)
    (newest, *_) = await scene.store.audit.entries(1)
    await tampered(scene, update(audit).where(audit.c.id == newest.id).values(verb="nothing"))
    (problem,) = (await scene.store.seals.verify()).problems
    assert problem == f"Entry {newest.id} (nothing) is not what was sealed, or its seal was changed."


async def test_a_missing_entry_and_a_missing_seal_are_found(scene: Scene):
    await sealed(scene)
    third, fourth, *_ = reversed(await scene.store.audit.entries(3))
    await tampered(
        scene, delete(audit).where(audit.c.id == third.id), delete(seals).where(seals.c.entry_id == fourth.id)
    )
    first, second = (await scene.store.seals.verify()).problems[:2]
    assert first == f"Entry {third.id} was sealed and is gone."
    assert second.startswith("Seals ")
    assert second.endswith(" are gone.")


async def test_an_end_that_was_cut_off_is_found_by_who_kept_the_head(scene: Scene):
    before = await sealed(scene)
    head = await sealed(scene, 3)
    newest = [entry.id for entry in await scene.store.audit.entries(3)]
    await tampered(
        scene, delete(seals).where(seals.c.entry_id.in_(newest)), delete(audit).where(audit.c.id.in_(newest))
    )
    assert (await scene.store.seals.verify(before)).holds
    (problem,) = (await scene.store.seals.verify(head)).problems
    assert problem.startswith(f"The head that was kept, {head}, is not in the chain")


async def test_two_who_seal_at_once_make_one_chain(scene: Scene, other_store: Store):
    await acts(scene, 20)
    await asyncio.gather(scene.store.seals.seal(), other_store.seals.seal())
    verdict = await scene.store.seals.verify()
    assert verdict.holds
    assert verdict.unsealed == 0


async def test_more_than_a_batch_is_sealed_and_verified_in_batches(scene: Scene):
    rows = [
        {
            "at": scene.clock(),
            "actor_id": scene.moderator.id,
            "verb": "export",
            "subject": f"{n}",
            "detail": {"ü": "😀"},
        }
        for n in range(BATCH + 10)
    ]
    async with scene.store._database.writing() as connection:  # pyright: ignore[reportPrivateUsage]
        await connection.execute(audit.insert(), rows)
    assert await scene.store.seals.seal() == BATCH
    await scene.store.seals.seal()
    verdict = await scene.store.seals.verify()
    assert verdict.holds
    assert verdict.sealed >= BATCH + 10


async def test_seals_cannot_be_changed_by_the_program(scene: Scene):
    await sealed(scene)
    with pytest.raises(Exception, match="append-only"):
        async with scene.store._database.writing() as connection:  # pyright: ignore[reportPrivateUsage]
            await connection.execute(delete(seals))
