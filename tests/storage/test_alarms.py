"""An alarm is told once by its cause, however many find it."""

import asyncio
from dataclasses import replace

from storage.records import Alarm
from tests.storage.scenes import Scene


async def test_each_cause_is_kept_once_and_the_first_words_stay(scene: Scene):
    alarms, at = scene.store.alarms, scene.clock()
    first = Alarm("shutdown/base/2027-01-14/60", scene.voice.id, at, "base stops in 53 days.")
    told = await asyncio.gather(*[alarms.raise_(first) for _ in range(5)])
    assert sorted(told) == [False, False, False, False, True]
    assert not await alarms.raise_(replace(first, text="again", at=scene.clock()))
    second = replace(first, key="shutdown/base/2027-01-14/30", at=scene.clock())
    assert await alarms.raise_(second)
    assert await alarms.since(scene.voice.id, at) == [first, second]
    assert await alarms.since(scene.voice.id, second.at) == [second]
