"""What Slack delivers, read: which message is a person's, what was changed, and what makes two deliveries the same."""

from typing import Any

import pytest

from bot.slack_app import payloads
from bot.slack_app.payloads import Person, Place

BOT = "U0BOT"


def event(**fields: Any) -> dict[str, Any]:
    """An envelope around an event; `event_id` goes on the envelope."""
    return {
        "type": "event_callback",
        "api_app_id": "A1",
        "team_id": "T1",
        "event_id": fields.pop("event_id", "Ev1"),
        "event": fields,
    }


def message(**fields: Any) -> dict[str, Any]:
    whole = {"type": "message", "channel": "C1", "channel_type": "channel", "user": "U1", "ts": "5.1", "text": "Hello"}
    return event(**{name: value for name, value in (whole | fields).items() if value is not None})


def interaction(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "api_app_id": "A1", "team": {"id": "T1"}, "user": {"id": "U1", "username": "ann"}} | fields


# ---------------------------------------------------------------- the natural key


def test_a_message_and_its_mention_are_one_delivery():
    mention = message(type="app_mention", channel_type=None, event_id="Ev2")
    assert payloads.key_of(message(event_id="Ev1"))[0] == payloads.key_of(mention)[0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(message(ts="5.2"), id="another message"),
        pytest.param(message(channel="C2"), id="another channel"),
        pytest.param({**message(), "team_id": "T2"}, id="another workspace"),
        pytest.param({**message(), "api_app_id": "A2"}, id="another app"),
        pytest.param(message(subtype="message_changed"), id="its edit"),
        pytest.param(message(type="reaction_added"), id="another event"),
    ],
)
def test_other_deliveries_have_other_keys(other: dict[str, Any]):
    assert payloads.key_of(other)[0] != payloads.key_of(message())[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(event(type="app_home_opened", user="U1"), "app_home_opened", id="event"),
        pytest.param({"command": "/retrain", "api_app_id": "A1", "trigger_id": "7.1"}, "command", id="command"),
        pytest.param(interaction("block_actions", trigger_id="7.1", actions=[{}]), "block_actions", id="press"),
        pytest.param(interaction("block_actions", actions=[{"action_ts": "9.1"}]), "block_actions", id="no trigger"),
        pytest.param(interaction("message_action", trigger_id="7.1"), "message_action", id="shortcut"),
        pytest.param(interaction("view_submission", view={"id": "V1", "hash": "h"}), "view_submission", id="form"),
    ],
)
def test_a_delivery_has_the_same_key_when_it_comes_again(body: dict[str, Any], kind: str):
    assert payloads.key_of(body) == payloads.key_of(body)
    assert payloads.key_of(body)[1] == kind


@pytest.mark.parametrize("body", [{}, {"type": "event_callback"}, {"type": "block_actions", "actions": []}])
def test_what_is_no_delivery_raises(body: dict[str, Any]):
    with pytest.raises((KeyError, IndexError)):
        payloads.key_of(body)


# ---------------------------------------------------------------- who said what


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(message(user=BOT), id="our own"),
        pytest.param(message(bot_id="B2"), id="another bot's"),
        pytest.param(message(user=None, subtype="bot_message"), id="a bot without a user"),
        pytest.param(message(user="USLACKBOT"), id="Slackbot's"),
        pytest.param(message(subtype="channel_join"), id="a join"),
        pytest.param(message(subtype="message_changed"), id="an edit"),
        pytest.param(message(subtype="message_deleted"), id="a deletion"),
        pytest.param(message(subtype="something_new"), id="a subtype nobody knows yet"),
        pytest.param(message(hidden=True), id="hidden"),
    ],
)
def test_only_people_are_heard(body: dict[str, Any]):
    assert isinstance(payloads.said(body, BOT), str)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(message(), {"is_reply": False, "is_mention": False, "is_direct": False}, id="in a channel"),
        pytest.param(message(thread_ts="4.1"), {"is_reply": True}, id="in a thread"),
        pytest.param(message(thread_ts="5.1"), {"is_reply": False}, id="that began a thread"),
        pytest.param(message(thread_ts="4.1", subtype="thread_broadcast"), {"is_reply": True}, id="sent to both"),
        pytest.param(message(channel="D1", channel_type="im"), {"is_direct": True}, id="direct"),
        pytest.param(message(channel="D1", channel_type=None), {"is_direct": True}, id="direct by its channel"),
        pytest.param(message(text=f"Hi <@{BOT}>!"), {"is_mention": True}, id="mention in the text"),
        pytest.param(message(text=f"Hi <@{BOT}|bot>!"), {"is_mention": True}, id="mention with a name"),
        pytest.param(message(text="Hi <@U9>!"), {"is_mention": False}, id="somebody else's mention"),
        pytest.param(message(type="app_mention", text=""), {"is_mention": True}, id="mention by its event"),
        pytest.param(message(subtype="file_share", files=[{}, {}]), {"n_files": 2}, id="files"),
        pytest.param(message(text=None), {"text": ""}, id="without text"),
    ],
)
def test_a_persons_message_says_where_it_stands_and_to_whom_it_speaks(
    body: dict[str, Any], expected: dict[str, object]
):
    said = payloads.said(body, BOT)
    assert isinstance(said, payloads.Said)
    assert {name: getattr(said, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("fields", "home", "is_stranger"),
    [
        ({}, "T1", False),
        ({"team": "T1"}, "T1", False),
        ({"user_team": "T9", "team": "T1"}, "T9", True),
        ({"source_team": "T9", "team": "T1"}, "T9", True),
        ({"team": "T9"}, "T9", True),
    ],
)
def test_somebody_of_another_workspace_is_a_stranger(fields: dict[str, str], home: str, is_stranger: bool):
    said = payloads.said(message(**fields), BOT)
    assert isinstance(said, payloads.Said)
    assert said.by == Person("T1", "U1", home)
    assert said.by.is_stranger is is_stranger


# ---------------------------------------------------------------- what was changed

OLD = {"type": "message", "user": "U1", "ts": "5.1", "text": "Hello"}


def edited(new: dict[str, Any], old: dict[str, Any] = OLD) -> dict[str, Any]:
    return event(
        type="message", subtype="message_changed", channel="C1", ts="6.1", message=OLD | new, previous_message=old
    )


@pytest.mark.parametrize(
    ("body", "thread_ts", "text"),
    [
        pytest.param(edited({"text": "Bye"}), "5.1", "Bye", id="edit"),
        pytest.param(edited({"text": "Bye", "thread_ts": "4.1"}), "4.1", "Bye", id="edit in a thread"),
        pytest.param(edited({"text": ""}), "5.1", "", id="edit to nothing"),
        pytest.param(
            event(
                type="message",
                subtype="message_deleted",
                channel="C1",
                ts="6.1",
                deleted_ts="5.1",
                previous_message=OLD | {"thread_ts": "4.1"},
            ),
            "4.1",
            None,
            id="deletion",
        ),
        pytest.param(
            event(type="message", subtype="message_deleted", channel="C1", ts="6.1", deleted_ts="5.1"),
            "5.1",
            None,
            id="deletion without the message",
        ),
        pytest.param(edited({"subtype": "tombstone", "text": "gone"}), "5.1", None, id="deletion with a thread"),
    ],
)
def test_a_change_names_the_message_and_its_new_text(body: dict[str, Any], thread_ts: str, text: str | None):
    assert payloads.changed(body) == payloads.Changed(Place("T1", "C1", "5.1", thread_ts), text)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(message(), id="a new message"),
        pytest.param(edited({"attachments": [{}]}), id="Slack unfurled a link"),
        pytest.param(edited({"bot_id": "B1", "text": "new"}), id="a bot edited itself"),
    ],
)
def test_what_changes_no_persons_words_is_no_change(body: dict[str, Any]):
    assert payloads.changed(body) is None


@pytest.mark.parametrize(
    ("body", "is_noise"),
    [
        pytest.param(message(), False, id="a person's message"),
        pytest.param(message(type="app_mention"), False, id="a mention"),
        pytest.param(message(bot_id="B1"), True, id="a bot's message"),
        pytest.param(message(subtype="channel_join"), True, id="a join"),
        pytest.param(edited({"text": "Bye"}), False, id="an edit"),
        pytest.param(edited({"attachments": [{}]}), True, id="an unfurled link"),
        pytest.param(edited({"bot_id": "B1", "text": "new"}), True, id="a reply that grows"),
        pytest.param(
            event(
                type="message",
                subtype="message_deleted",
                channel="C1",
                ts="6.1",
                deleted_ts="5.1",
                previous_message=OLD | {"bot_id": "B1"},
            ),
            False,
            id="a deleted reply",
        ),
        pytest.param(event(type="app_home_opened", user="U1"), False, id="another event"),
        pytest.param(interaction("block_actions"), False, id="a press"),
    ],
)
def test_what_nobody_acts_on_is_not_kept(body: dict[str, Any], is_noise: bool):
    assert payloads.is_noise(body) is is_noise


def test_a_message_knows_the_delivery_that_would_say_it_was_deleted():
    said = payloads.said(message(), BOT)
    deleted = event(type="message", subtype="message_deleted", channel="C1", ts="6.1", deleted_ts="5.1")
    assert isinstance(said, payloads.Said)
    assert payloads.key_of(deleted)[0] == said.deletion_key


# ---------------------------------------------------------------- reactions and ids


def test_a_reaction_loses_its_skin_tone():
    item = {"type": "message", "channel": "C1", "ts": "5.1"}
    reacted = payloads.reacted(event(type="reaction_added", user="U1", reaction="+1::skin-tone-3", item=item))
    assert (reacted.name, reacted.is_added, reacted.channel_key, reacted.ts) == ("+1", True, "T1/C1", "5.1")


@pytest.mark.parametrize(
    ("body", "name", "found"),
    [
        ({"user": {"id": "U1"}}, "user", "U1"),
        ({"user": "U1"}, "user", "U1"),
        ({"event": {"channel": "C1"}}, "channel", "C1"),
        ({"event": {"channel": {"id": "C1"}}}, "channel", "C1"),
        ({}, "channel", ""),
    ],
)
def test_the_person_and_channel_are_found_wherever_they_stand(body: dict[str, Any], name: str, found: str):
    assert payloads.id_in(body, name) == found
