"""The same team on Slack and on Discord: every verb is within reach on both, and the same act is answered in the same words."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import moderation
from bot.discord_app import definitions
from bot.office import channel_rules, commands, dataset, disputes, doubts, drafts, pairs, privacy, training, verbs
from providers.fake import FakeProvider
from storage.store import Store, open_store
from tests.bot.discord_app.conftest import Shop as DiscordShop
from tests.bot.discord_app.conftest import answers as discord_answers
from tests.bot.parity.sides import Discord, Slack
from tests.bot.parity.story import story
from tests.bot.parity.walked import not_walked, verbs_of, watched
from tests.bot.slack_app.conftest import Shop as SlackShop
from tests.bot.slack_app.conftest import answers as slack_answers
from tests.conftest import Clock
from tests.discord.conftest import recorded, recorder
from tests.discord.rest import Recorder
from tests.slack.conftest import door, no_proxy, program, wire, workspace
from tests.slack.workspace import Workspace

__all__ = ["door", "no_proxy", "program", "recorded", "recorder", "wire", "workspace"]

VERBS = verbs_of(moderation, verbs, commands, training, drafts, dataset, privacy, disputes, doubts, pairs)
NOT_IN_A_CHAT = {
    "moderation.propose_answers": "files of answers are imported in the console and at the command line",
    "moderation.approve_all": "imported answers are approved together where they were imported",
}


@pytest.fixture
async def other_store(migrated_sqlite_file: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A second database: the two teams share nothing."""
    shutil.copy(migrated_sqlite_file, tmp_path / "other.sqlite")
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path / 'other.sqlite'}") as opened:
        yield opened


async def on_slack(workspace: Workspace, store: Store, data_dir: Path) -> tuple[dict[str, str], set[str]]:
    """What was told on Slack, and the verbs that were reached."""
    clock = Clock()
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    shop = SlackShop(workspace, store, voice, FakeProvider(script=slack_answers), clock, data_dir)
    with watched(VERBS) as seen:
        async with shop.serving(asking_hours="always"):
            told = await story(Slack(shop))
    return told, seen


async def on_discord(recorder: Recorder, store: Store, data_dir: Path) -> tuple[dict[str, str], set[str]]:
    """What was told on Discord, and the verbs that were reached."""
    clock = Clock()
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    shop = DiscordShop(recorder, store, voice, FakeProvider(script=discord_answers), clock, data_dir)
    with watched(VERBS) as seen:
        async with shop.opened(
            discord_ops_channel="", asking_hours="always"
        ):  # a run's message then goes to who started it, as on Slack here
            told = await story(Discord(shop))
    return told, seen


async def test_the_same_act_is_told_in_the_same_words_and_no_verb_is_out_of_reach(
    workspace: Workspace, recorder: Recorder, store: Store, other_store: Store, tmp_path: Path
):
    slack, reached_on_slack = await on_slack(workspace, store, tmp_path / "slack")
    discord, reached_on_discord = await on_discord(recorder, other_store, tmp_path / "discord")
    assert discord == slack
    assert not_walked(VERBS, reached_on_slack, NOT_IN_A_CHAT) == []
    assert not_walked(VERBS, reached_on_discord, NOT_IN_A_CHAT) == []


def test_a_rule_may_be_as_large_on_discord_as_on_slack():
    assert (definitions.LONGEST_COOLDOWN_S, definitions.MOST_A_DAY) == (
        channel_rules.LONGEST_COOLDOWN_S,
        channel_rules.MOST_A_DAY,
    )


# ---------------------------------------------------------------- that it can fail


async def wave() -> None:
    """A verb that no platform knows."""


def test_a_verb_that_one_side_lacks_is_found():
    planted = {**VERBS, "verbs.wave": wave}
    assert not_walked(planted, set(VERBS), {}) == ["verbs.wave is not reached"]
    assert not_walked(VERBS, set(VERBS) - {"verbs.approve"}, {}) == ["verbs.approve is not reached"]


def test_a_reason_for_leaving_a_verb_out_goes_with_its_cause():
    assert not_walked({"verbs.wave": wave}, {"verbs.wave"}, {"verbs.wave": "nobody waves"}) == [
        "verbs.wave is reached, so its reason can go"
    ]
    assert not_walked({}, set(), {"verbs.gone": "was renamed"}) == ["verbs.gone is no verb"]


async def test_a_watched_verb_is_noted_and_does_what_it_does():
    async def doubled(number: int, *, more: int = 1) -> int:
        return number * 2 + more

    with watched({"verbs.doubled": doubled}) as seen:
        assert await doubled(2, more=3) == 7
        assert await doubled(2) == 5
    assert seen == {"verbs.doubled"}
    assert await doubled(2) == 5
