"""A hold: one at a time of a kind, until somebody lets it through."""

import pytest

from storage.errors import NotFound
from storage.ids import new_id
from storage.records import Held, Hold
from tests.storage.scenes import Scene


def a_hold(scene: Scene, held: Held = Held.MARKS) -> Hold:
    at = scene.clock()
    return Hold(new_id("hold", at), scene.voice.id, held, at, "64 marks today, usually 4.")


async def test_a_kind_is_held_once_until_it_is_released(scene: Scene):
    holds, mo = scene.store.holds, scene.moderator.id
    assert await holds.open(scene.voice.id) == {}
    first, corrections = a_hold(scene), a_hold(scene, Held.CORRECTIONS)
    assert await holds.place(first, mo)
    assert not await holds.place(a_hold(scene), mo)
    assert await holds.place(corrections, mo)
    assert await holds.open(scene.voice.id) == {Held.MARKS: first, Held.CORRECTIONS: corrections}
    assert await holds.last_release(scene.voice.id, Held.MARKS) is None
    at = scene.clock()
    released = await holds.release(first.id, mo, at=at)
    assert (released.released_at, released.released_by) == (at, mo)
    assert await holds.open(scene.voice.id) == {Held.CORRECTIONS: corrections}
    assert await holds.last_release(scene.voice.id, Held.MARKS) == at
    assert await holds.place(a_hold(scene), mo)


async def test_who_releases_first_stays(scene: Scene):
    hold, mo = a_hold(scene), scene.moderator.id
    await scene.store.holds.place(hold, mo)
    at = scene.clock()
    await scene.store.holds.release(hold.id, mo, at=at)
    assert (await scene.store.holds.release(hold.id, mo, at=scene.clock())).released_at == at


async def test_an_unknown_one_is_not_found(scene: Scene):
    with pytest.raises(NotFound, match="There is no hold 'hold_none'"):
        await scene.store.holds.release("hold_none", scene.moderator.id, at=scene.clock())
