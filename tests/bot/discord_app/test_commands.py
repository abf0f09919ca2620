"""Slash commands: what they answer, to whom, and how Discord gets to know them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.discord_app.answers import CALLED_HERE
from bot.discord_app.commands import HELP
from bot.discord_app.syncing import fingerprint
from bot.office import verbs
from bot.office.commands import NOTHING_WAITS
from storage.records import ChannelMode, ChannelRules, ThreadMode
from tests.bot.discord_app.acting import card_in, corrected
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.discord.clicking import Answer
from tests.discord.place import CannotDo, Json, Role

ADMINS = [
    "config channel",
    "config show",
    "dataset export",
    "dataset preview",
    "dataset stats",
    "model cancel",
    "model history",
    "model pause",
    "model release",
    "model resume",
    "model rollback",
    "model search",
    "model status",
    "model voice",
    "retrain",
]
MODERATORS = ["feedback pairs", "feedback queue"]
EVERYBODYS = ["help", "privacy delete", "privacy export"]


async def by_admin(shop: Shop, name: str, **options: object) -> str:
    """What an admin is answered in the support channel."""
    answer: Answer = await shop.guild.slash(shop.guild.admin, shop.guild.support, name, **options)
    assert answer.ephemeral
    return answer.text or ""


async def approved(shop: Shop, text: str = "Ahoy, it sails tomorrow.") -> None:
    """A correction that was approved."""
    _, reply = await shop.asked()
    await corrected(shop, reply, text)
    card = await card_in(shop, shop.guild.review)
    await shop.guild.click(shop.guild.approver, card, label="Approve")


# ---------------------------------------------------------------- who sees them, and how Discord knows them


async def test_commands_are_shown_to_those_they_are_for(open_shop: Shop):
    there = open_shop.guild
    assert sorted(there.commands(there.customer, there.support)) == EVERYBODYS
    assert sorted(there.commands(there.moderator, there.support)) == [*MODERATORS, *EVERYBODYS]
    assert sorted(there.commands(there.admin, there.support)) == sorted([*ADMINS, *MODERATORS, *EVERYBODYS])


async def test_only_ones_own_data_and_help_are_there_in_private(open_shop: Shop):
    there = open_shop.guild
    for name in (*ADMINS, *MODERATORS):
        with pytest.raises(CannotDo):
            await there.slash(there.admin, there.dm(there.admin), name)
    answer = await there.slash(there.customer, there.dm(there.customer), "help")
    assert answer.text is not None


async def test_discord_is_told_the_commands_once_and_again_when_they_differ(open_shop: Shop):
    there = open_shop.guild
    assert len(there.rest.sent("PUT", "/commands")) == 1
    await open_shop.crashes("bot-2")
    assert len(there.rest.sent("PUT", "/commands")) == 1
    there.backend.commands[None].popitem()
    await open_shop.crashes("bot-3")
    assert len(there.rest.sent("PUT", "/commands")) == 2


async def test_what_discord_refuses_about_commands_stops_nothing(shop: Shop):
    async with shop.opened():
        shop.guild.refuse("GET", "/applications/*/commands", status=500, code=0, times=None)
        await shop.crashes("bot-2")
        _, reply = await shop.asked()
        assert reply.text == ANSWER


COMMAND: Json = {
    "type": 1,
    "name": "model",
    "description": "Models",
    "default_member_permissions": 32,
    "options": [{"type": 4, "name": "number", "description": "Which", "min_value": 0}],
}


@pytest.mark.parametrize(
    ("theirs", "is_same"),
    [
        ([COMMAND | {"id": "1", "version": "2", "nsfw": False, "default_member_permissions": "32"}], True),
        ([COMMAND | {"description": "Others"}], False),
        ([COMMAND | {"default_member_permissions": None}], False),
        ([COMMAND | {"options": []}], False),
        ([COMMAND | {"options": [COMMAND["options"][0] | {"min_value": 1}]}], False),
        ([COMMAND, COMMAND | {"name": "other"}], False),
        ([], False),
    ],
    ids=["fields of Discord's", "description", "permissions", "no option", "option", "one more", "none"],
)
def test_commands_are_compared_by_what_is_ours(theirs: Sequence[Json], is_same: bool):
    assert (fingerprint([COMMAND]) == fingerprint(theirs)) is is_same


# ---------------------------------------------------------------- the queue, the dataset, help


async def test_the_queue_lists_what_waits(open_shop: Shop):
    there = open_shop.guild
    empty = await there.slash(there.moderator, there.support, "feedback queue")
    assert empty.text == NOTHING_WAITS
    _, reply = await open_shop.asked("Where is my *parcel*?")
    await corrected(open_shop, reply, "It is <@1> here.")
    _, other = await open_shop.asked("And *yours*?")
    await there.react(there.moderator, other, "🚩")
    full = await there.slash(there.moderator, there.support, "feedback queue")
    assert full.text is not None
    assert full.text.split("\n")[:2] == [
        "**1 correction waits for approval, the oldest first**",
        "• Where is my \\*parcel\\*? → It is <\u2060@1> here.",
    ]
    assert full.text.split("\n")[2] == f"**⚑ Flagged by moderator**  And \\*yours\\*? → {ANSWER}"


async def test_the_dataset_is_counted_shown_and_exported(open_shop: Shop):
    there = open_shop.guild
    assert await by_admin(open_shop, "dataset export") == "There are no approved examples yet."
    assert await by_admin(open_shop, "dataset preview") == "There are no approved examples yet."
    await approved(open_shop, "Ahoy, *it* sails. ⛵ مرحبا")
    counts = await by_admin(open_shop, "dataset stats")
    assert "**Approved**  1 correction" in counts
    assert "**To train on**  1 example, 1 correction new to the serving model" in counts
    assert await by_admin(open_shop, "dataset preview") == (
        "**1 example, the newest first**\n• Where is my parcel? → Ahoy, \\*it\\* sails. ⛵ مرحبا"
    )
    answer = await there.slash(there.admin, there.support, "dataset export")
    assert answer.message is not None
    [(name, content)] = there.files(answer.message).items()
    assert name == "puffin-examples.jsonl"
    [line] = content.decode().splitlines()
    assert json.loads(line)["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Where is my parcel?"},
        {"role": "assistant", "content": "Ahoy, *it* sails. ⛵ مرحبا"},
    ]


async def test_help_tells_what_one_may_do(open_shop: Shop):
    there = open_shop.guild
    said = {}
    for person in (there.customer, there.moderator, there.admin):
        said[person.name] = (await there.slash(person, there.support, "help")).text or ""
    assert "/retrain" not in said["customer"] + said["moderator"]
    assert "`/feedback queue`" in said["moderator"]
    assert "`/retrain` shows what a training run would do" in said["admin"]
    for lines in HELP.values():
        for line in lines:
            for name in line.words.split("`")[1::2]:
                assert name.removeprefix("/") in [*ADMINS, *EVERYBODYS, *MODERATORS]


def test_every_command_the_office_names_is_one_of_discords():
    office = Path(verbs.__file__).parent
    sentences = "".join(page.read_text() for page in office.glob("*.py") if page.name != "telling.py")
    named = set(re.findall(r"`(/[a-z -]+)`", sentences))
    assert "/retrain status" in named
    for name in named:
        assert CALLED_HERE.get(name, name).removeprefix("/") in [*ADMINS, *EVERYBODYS, *MODERATORS]


async def test_the_voice_is_shown(open_shop: Shop):
    assert await by_admin(open_shop, "model voice") == "**puffin on base**\nBe kind."


# ---------------------------------------------------------------- channels


async def test_a_channel_is_set_up_and_shown(open_shop: Shop):
    there = open_shop.guild
    said = await by_admin(
        open_shop,
        "config channel",
        mode="auto",
        training=False,
        threads="channel",
        role=there.moderators,
        language="German",
        hours="Mon-Fri 09:00-17:30",
        time_zone="Europe/Berlin",
        cooldown=30,
        daily_cap=100,
    )
    assert said == (
        "Set to auto. I answer every question. Corrections made here may not be trained on.\n"
        "**Answers stand**  under the question, in the channel\n"
        "**Answers only**  moderators\n"
        "**Language**  German\n"
        "**Hours**  Mon-Fri 09:00-17:30 (Europe/Berlin)\n"
        "**Cooldown**  30 seconds between two questions of one person\n"
        "**At most**  100 questions a day\n"
        "**Permissions**  Nothing is missing here."
    )
    known = await open_shop.store.channels.get("discord", f"{there.id}/{there.support.id}")
    assert known is not None
    assert (known.mode, known.is_training_allowed) == (ChannelMode.AUTO, False)
    assert known.rules == ChannelRules(
        ThreadMode.CHANNEL, (str(there.moderators.id),), "German", 30, "Mon-Fri 09:00-17:30", "Europe/Berlin", 100
    )
    shown = await by_admin(open_shop, "config show")
    assert shown.split("\n")[1:] == said.split("\n")[1:]


async def test_what_is_left_out_stays_and_what_is_taken_off_goes(open_shop: Shop):
    there = open_shop.guild
    await by_admin(open_shop, "config channel", language="German", hours="Sat 10:00-12:00", role=there.moderators)
    await by_admin(open_shop, "config channel", mode="off")
    known = await open_shop.store.channels.get("discord", f"{there.id}/{there.support.id}")
    assert known is not None
    assert (known.mode, known.rules.language, known.rules.asking_roles) == (
        ChannelMode.OFF,
        "German",
        (str(there.moderators.id),),
    )
    everyone = Role("@everyone", there.id)
    await by_admin(open_shop, "config channel", language="none", hours="always", cooldown=0, role=everyone)
    known = await open_shop.store.channels.get("discord", f"{there.id}/{there.support.id}")
    assert known is not None
    assert (known.rules.language, known.rules.opening_hours, known.rules.asking_roles) == ("", "", ())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hours": "nine to five"}, "'nine to five' are no hours."),
        ({"time_zone": "Mars/Base"}, "'Mars/Base' is no time zone."),
    ],
)
async def test_hours_that_cannot_be_understood_are_refused_and_nothing_is_set(
    open_shop: Shop, options: dict[str, str], said: str
):
    there = open_shop.guild
    assert (await by_admin(open_shop, "config channel", mode="auto", **options)).startswith(said)
    assert await open_shop.store.channels.get("discord", f"{there.id}/{there.support.id}") is None


async def test_missing_permissions_are_named(open_shop: Shop):
    there = open_shop.guild
    await there.take_permission(there.support, "create_public_threads", "embed_links")
    shown = await by_admin(open_shop, "config show")
    assert shown.split("\n")[-1] == (
        "**Permissions**  Missing here: Create Public Threads, Embed Links. Give them to my role."
    )


async def test_a_channel_is_named_or_is_the_one_of_the_thread(open_shop: Shop):
    there = open_shop.guild
    await by_admin(open_shop, "config channel", mode="auto", channel=there.forum)
    assert await open_shop.running.app.parts.mode(f"{there.id}/{there.forum.id}") is ChannelMode.AUTO
    _, reply = await open_shop.asked()
    await there.slash(there.admin, reply.channel, "config channel", mode="draft")
    assert await open_shop.running.app.parts.mode(f"{there.id}/{there.support.id}") is ChannelMode.DRAFT


async def test_drafts_need_a_review_channel(shop: Shop):
    async with shop.opened(discord_review_channel=""):
        said = await by_admin(shop, "config channel", mode="draft")
        assert said.startswith("Drafts need a review channel. Set FINETONE\\_DISCORD\\_REVIEW\\_CHANNEL")
