"""What platforms delivered: kept once, worked on by one process at a time, picked up after a crash, emptied when done."""

import asyncio
from datetime import timedelta

from storage.records import InboundEvent
from storage.store import Store
from tests.storage.scenes import Scene


async def received(scene: Scene, key: str = "A1:T1:Ev1", owner: str = "bot-1") -> InboundEvent | None:
    payload = {"text": "Where is my parcel? 📦", "channel": "C1"}
    return await scene.store.inbox.receive(
        "slack", key, "app_mention", payload, owner=owner, now=scene.clock(), lease_s=60
    )


async def test_a_delivery_is_kept_once_however_often_it_comes(scene: Scene):
    first = await received(scene)
    assert first is not None
    assert first.payload["text"] == "Where is my parcel? 📦"
    assert await received(scene) is None
    assert await received(scene, "A1:T1:Ev2") is not None


async def test_two_processes_given_the_same_delivery_at_once_keep_it_once(scene: Scene, other_store: Store):
    other = Scene(other_store, scene.clock, scene.voice, scene.moderator)
    kept = await asyncio.gather(
        *(received(s, f"Ev{n}", f"bot-{i}") for n in range(5) for i, s in ((1, scene), (2, other)))
    )
    assert sum(event is not None for event in kept) == 5


async def test_nobody_takes_an_event_whose_lease_still_runs(scene: Scene):
    await received(scene)
    assert await scene.store.inbox.take_left("slack", owner="bot-2", now=scene.clock(), lease_s=60) == []


async def test_what_a_dead_process_left_is_taken_by_one_other(scene: Scene, other_store: Store):
    for number in range(3):
        await received(scene, f"Ev{number}")
    later = scene.clock.advance(61)
    taken = await asyncio.gather(
        *(
            s.inbox.take_left("slack", owner=o, now=later, lease_s=60)
            for o, s in (("b", scene.store), ("c", other_store))
        )
    )
    assert sorted(event.key for events in taken for event in events) == ["Ev0", "Ev1", "Ev2"]
    assert {event.attempts for events in taken for event in events} == {2}


async def test_a_claim_is_kept_while_work_lasts_and_lost_once_another_has_it(scene: Scene):
    event = await received(scene)
    assert event is not None
    inbox = scene.store.inbox
    assert await inbox.extend(event.id, owner="bot-1", now=scene.clock.advance(50), lease_s=60)
    assert await inbox.take_left("slack", owner="bot-2", now=scene.clock.advance(50), lease_s=60) == []
    assert len(await inbox.take_left("slack", owner="bot-2", now=scene.clock.advance(20), lease_s=60)) == 1
    assert not await inbox.extend(event.id, owner="bot-1", now=scene.clock(), lease_s=60)


async def test_a_restarted_process_need_not_wait_for_its_own_leases(scene: Scene):
    await received(scene)
    assert await scene.store.inbox.release("bot-1") == 1
    assert len(await scene.store.inbox.take_left("slack", owner="bot-1", now=scene.clock(), lease_s=60)) == 1


async def test_a_finished_event_keeps_nobodys_words_and_is_forgotten_in_time(scene: Scene):
    event = await received(scene)
    assert event is not None
    inbox = scene.store.inbox
    await inbox.finish(event.id, outcome="from a bot", at=scene.clock())
    assert await inbox.take_left("slack", owner="bot-2", now=scene.clock.advance(1000), lease_s=60) == []
    assert await received(scene) is None  # a late redelivery is still known
    assert await inbox.forget_before(scene.clock() - timedelta(days=1)) == 0
    assert await inbox.forget_before(scene.clock()) == 1


async def test_one_platform_does_not_take_anothers(scene: Scene):
    await received(scene)
    assert await scene.store.inbox.take_left("discord", owner="b", now=scene.clock.advance(61), lease_s=60) == []


async def test_several_claims_are_extended_and_several_events_finished_at_once(scene: Scene):
    inbox = scene.store.inbox
    kept = [
        await inbox.receive("slack", f"Ev{n}", "message", {"n": n}, owner="bot-1", now=scene.clock(), lease_s=60)
        for n in range(4)
    ]
    ids = [event.id for event in kept if event is not None]
    await inbox.finish_all([(ids[0], "done"), (ids[1], "")], at=scene.clock())
    await inbox.finish_all([], at=scene.clock())
    assert await inbox.extend_all(ids, owner="bot-2", now=scene.clock(), lease_s=60) == 0
    assert await inbox.extend_all(ids[:3], owner="bot-1", now=scene.clock.advance(50), lease_s=60) == 1
    left = await inbox.take_left("slack", owner="bot-2", now=scene.clock.advance(30), lease_s=60)
    assert [event.id for event in left] == ids[3:]


async def test_why_a_delivery_called_for_nothing_is_known_while_it_is_remembered(scene: Scene):
    event = await received(scene)
    assert event is not None
    inbox = scene.store.inbox
    assert await inbox.outcome("slack", event.key) == ""
    await inbox.finish(event.id, outcome="not for us", at=scene.clock())
    assert await inbox.outcome("slack", event.key) == "not for us"
    assert [await inbox.outcome("discord", event.key), await inbox.outcome("slack", "another")] == ["", ""]
    await inbox.forget_before(scene.clock.advance(1))
    assert await inbox.outcome("slack", event.key) == ""
