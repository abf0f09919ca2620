"""What was set for a channel, and that it is on record who set it."""

import asyncio
from datetime import date

from storage.records import Channel, ChannelMode, ChannelRules, ThreadMode
from tests.storage.scenes import Scene


async def test_a_channel_has_no_settings_until_somebody_sets_them(scene: Scene):
    assert await scene.store.channels.get("slack", "T1/C1") is None
    assert await scene.store.channels.list("slack") == []


async def test_the_last_setting_counts_and_both_are_on_record(scene: Scene):
    channels, by = scene.store.channels, scene.moderator.id
    await channels.set("slack", "T1/C1", ChannelMode.AUTO, True, by, at=scene.clock())
    last = await channels.set("slack", "T1/C1", ChannelMode.DRAFT, False, by, at=scene.clock())
    await channels.set("discord", "T1/C1", ChannelMode.OFF, True, by, at=scene.clock())
    assert await channels.get("slack", "T1/C1") == last
    assert await channels.list("slack") == [last]
    entries = await scene.store.audit.entries(10, "T1/C1")
    assert [entry.detail["mode"] for entry in entries] == ["off", "draft", "auto"]


async def test_rules_come_back_as_they_were_set_and_outlive_a_change_of_mode(scene: Scene):
    channels, by = scene.store.channels, scene.moderator.id
    rules = ChannelRules(ThreadMode.CHANNEL, ("42",), "German", 30, "Mon-Fri 09:00-17:00", "Europe/Berlin", 5)
    await channels.set("discord", "1/2", ChannelMode.AUTO, True, by, rules=rules, at=scene.clock())
    await channels.set("discord", "1/2", ChannelMode.OFF, True, by, at=scene.clock())
    assert await channels.get("discord", "1/2") == Channel(
        "discord", "1/2", ChannelMode.OFF, True, by, scene.clock.now, rules
    )
    [newest, _] = await scene.store.audit.entries(10, "1/2")
    assert (newest.detail["cooldown_s"], newest.detail["threads"]) == (30, "channel")


async def test_a_days_questions_are_counted_up_to_the_cap(scene: Scene):
    channels, day = scene.store.channels, date(2026, 11, 21)
    assert [await channels.take_question("discord", "1/2", day, 2) for _ in range(3)] == [True, True, False]
    assert await channels.take_question("discord", "1/3", day, 1)
    assert await channels.take_question("discord", "1/2", date(2026, 11, 22), 2)
    assert not await channels.take_question("discord", "1/4", day, 0)


async def test_two_questions_at_once_do_not_share_the_last_place(scene: Scene):
    taken = await asyncio.gather(
        *(scene.store.channels.take_question("discord", "1/2", date(2026, 11, 21), 3) for _ in range(8))
    )
    assert sum(taken) == 3


async def test_it_is_known_until_when_a_platform_was_heard(scene: Scene):
    channels = scene.store.channels
    assert await channels.listened_until("discord", "0") is None
    await channels.listened("discord", "0", scene.clock())
    last = scene.clock()
    await channels.listened("discord", "0", last)
    assert await channels.listened_until("discord", "0") == last
    assert await channels.listened_until("discord", "1") is None


async def test_the_conversations_heard_lately_are_known_the_last_one_first(scene: Scene):
    channels = scene.store.channels
    await channels.listened("discord", "@me/1", scene.clock())
    since = scene.clock()
    for part in ("@me/2", "gateway", "@me/3", "@you/4"):
        await channels.listened("discord", part, scene.clock())
    await channels.listened("slack", "@me/5", scene.clock())
    assert await channels.listened_to("discord", "@me/", since, 10) == ["@me/3", "@me/2"]
    assert await channels.listened_to("discord", "@me/", since, 1) == ["@me/3"]


async def test_what_was_heard_is_forgotten_by_its_beginning_and_age(scene: Scene):
    channels = scene.store.channels
    await channels.listened("discord", "sign/1/", scene.clock())
    since = scene.clock()
    for platform, part in (("discord", "sign/2/"), ("discord", "gateway"), ("slack", "sign/1/")):
        await channels.listened(platform, part, scene.clock())
    await channels.forget_listened("discord", "sign/", before=since)
    assert await channels.listened_until("discord", "sign/1/") is None
    assert await channels.listened_until("discord", "sign/2/") is not None
    await channels.forget_listened("discord", "sign/2/")
    assert await channels.listened_until("discord", "sign/2/") is None
    assert await channels.listened_until("discord", "gateway") is not None
    assert await channels.listened_until("slack", "sign/1/") is not None


async def test_what_was_set_for_channels_is_forgotten_by_the_beginning_of_their_places(scene: Scene):
    channels, by = scene.store.channels, scene.moderator.id
    for place in ("1/2", "1/3", "11/2"):
        await channels.set("discord", place, ChannelMode.AUTO, True, by, at=scene.clock())
        await channels.take_question("discord", place, date(2026, 11, 21), 1)
    await channels.set("slack", "1/2", ChannelMode.AUTO, True, by, at=scene.clock())
    await channels.forget("discord", "1/")
    assert [channel.place for channel in await channels.list("discord")] == ["11/2"]
    assert [channel.place for channel in await channels.list("slack")] == ["1/2"]
    assert await channels.take_question("discord", "1/2", date(2026, 11, 21), 1)
    assert not await channels.take_question("discord", "11/2", date(2026, 11, 21), 1)
