"""What was set for a channel, and that it is on record who set it."""

from storage.records import ChannelMode
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
