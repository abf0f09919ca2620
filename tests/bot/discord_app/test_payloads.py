"""What is kept of a delivery comes back from JSON as it went in, and forms are read however deep their fields lie."""

import json
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.discord_app.asked import _fields
from bot.discord_app.buttons import custom_id, read_custom_id
from bot.discord_app.interactions import Feature, Registry
from bot.discord_app.payloads import (
    DIRECT,
    Changed,
    Person,
    Place,
    Said,
    changed_record,
    is_noise,
    place_of,
    read_changed,
    read_said,
    said_record,
)

BIG = "1573624007884800014"  # more than JavaScript's numbers hold


def heard(**changes: Any) -> Any:
    """A message as discord.py gives it, as far as it is read."""
    author = SimpleNamespace(id=int(BIG), display_name="Zoë 🚚", bot=False)
    usual = {
        "author": author,
        "guild": None,
        "channel": SimpleNamespace(id=2),
        "id": int(BIG) + 1,
        "content": "שלום <@9>",
        "mentions": [SimpleNamespace(id=9, display_name="Finetone"), author],
        "raw_role_mentions": [],
        "reference": None,
        "type": discord.MessageType.default,
        "webhook_id": None,
        "flags": SimpleNamespace(ephemeral=False),
        "attachments": [object()],
        "stickers": [],
    }
    return SimpleNamespace(**(usual | changes))


def test_a_message_comes_back_from_its_row_exactly():
    record = json.loads(json.dumps(said_record(heard(), 9)))
    said = read_said(record)
    me = Person(BIG, "Zoë 🚚", (), DIRECT)
    assert said == Said(me, Place(DIRECT, "2", str(int(BIG) + 1)), "שלום <@9>", True, False, "", 1, (me,))
    assert said.place.is_direct


@pytest.mark.parametrize(
    ("changes", "is_left_alone"),
    [
        ({}, False),
        ({"type": discord.MessageType.reply}, False),
        ({"type": discord.MessageType.new_member}, True),
        ({"type": discord.MessageType.thread_starter_message}, True),
        ({"webhook_id": 7}, True),
        ({"author": SimpleNamespace(id=9, bot=False)}, True),
        ({"author": SimpleNamespace(id=1, bot=True)}, True),
        ({"flags": SimpleNamespace(ephemeral=True)}, True),
    ],
)
def test_only_what_people_write_is_somebodys_question(changes: dict[str, Any], is_left_alone: bool):
    assert is_noise(heard(**changes), 9) is is_left_alone


def test_an_edit_and_a_deletion_come_back_from_their_rows():
    place, who = Place("1", "2", "3", "4"), Person("5", "Bo", ("6",), "1")
    for text in ("words", "", None):
        record = json.loads(json.dumps(changed_record(place, text, (who,))))
        assert read_changed(record) == Changed(place, text, (who,))


@pytest.mark.parametrize(
    ("place", "room", "channel", "key"),
    [
        (Place("1", "2", "3"), "1/2", "1/2", "1/2/3"),
        (Place("1", "2", "3", parent="9"), "1/2", "1/9", "1/2/3"),
        (Place(DIRECT, "2", "3"), "@me/2", "@me/2", "@me/2/3"),
    ],
)
def test_a_threads_rules_are_its_channels_but_its_messages_are_its_own(place: Place, room: str, channel: str, key: str):
    assert (place.room_key, place.channel_key, place.key) == (room, channel, key)
    assert place_of(key, place.parent) == place


@pytest.mark.parametrize(
    ("said", "is_post", "is_reply"),
    [
        ({"is_thread": False, "reply_to": ""}, False, False),
        ({"is_thread": False, "reply_to": "8"}, False, True),
        ({"is_thread": True, "reply_to": ""}, False, True),
        ({"is_thread": True, "reply_to": "", "place": Place("1", "3", "3", "9")}, True, False),
    ],
)
def test_what_stands_under_something_is_a_reply_but_for_a_posts_first_message(
    said: dict[str, Any], is_post: bool, is_reply: bool
):
    usual = {
        "by": Person("1", "a", (), "1"),
        "place": Place("1", "2", "3"),
        "text": "",
        "is_mention": False,
        "n_files": 0,
    }
    message = Said(**(usual | said))
    assert (message.is_post, message.is_reply) == (is_post, is_reply)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (custom_id("good", "reply_1"), ("good", "reply_1")),
        ("ft1:explain:", ("explain", "")),
        ("ft2:good:reply_1", None),
        ("bv1:good:reply_1", None),
        ("ft1:GOOD:reply_1", None),
        ("ft1:good:a:b", None),
        ("", None),
    ],
)
def test_only_our_own_custom_ids_are_read(text: str, read: tuple[str, str] | None):
    assert read_custom_id(text) == read


@pytest.mark.parametrize(
    ("components", "fields"),
    [
        ([], {}),
        ([{"type": 1, "components": [{"type": 4, "custom_id": "note", "value": "hi"}]}], {"note": "hi"}),
        ([{"type": 18, "component": {"type": 3, "custom_id": "reason", "values": ["tone"]}}], {"reason": ["tone"]}),
        ([{"type": 18, "component": {"type": 23, "custom_id": "edit", "value": True}}], {"edit": True}),
        ([{"type": 18, "component": {"type": 4, "custom_id": "note", "value": ""}}], {"note": ""}),
        ([{"type": 10, "id": 1}], {}),
    ],
)
def test_a_forms_fields_are_found_by_their_names(components: list[dict[str, Any]], fields: dict[str, Any]):
    assert _fields(components) == fields


def test_two_features_cannot_claim_one_verb():
    async def work(*_: object) -> Any: ...

    with pytest.raises(ValueError, match="two features claim 'press good'"):
        Registry([Feature(works={"press good": work}), Feature(opens={"press good": work})])
    with pytest.raises(ValueError, match="reaction_added"):
        Registry([Feature(hears={"reaction_added": work}), Feature(hears={"reaction_added": work})])
