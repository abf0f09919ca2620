"""The checks over what the bot sends: each planted fault is found, and what is right passes."""

from typing import Any

import pytest

from tests.discord.payloads import request_violations

NONE = {"parse": []}
MESSAGES = "/channels/1/messages"
CALLBACK = "/interactions/1/token/callback"


def button(**changes: Any) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": "Good", "custom_id": "bv1:good:1", "disabled": False} | changes


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components) or [button()]}


def message(**changes: Any) -> dict[str, Any]:
    return {"content": "An answer", "tts": False, "allowed_mentions": NONE} | changes


def modal(**changes: Any) -> dict[str, Any]:
    text = {"type": 4, "style": 2, "custom_id": "answer", "value": "x" * 4_000, "required": True}
    label = {"type": 18, "label": "Answer", "component": text}
    return {"title": "Correct this answer", "custom_id": "bv1:correct:1", "components": [label]} | changes


def menu(options: int) -> dict[str, Any]:
    return {"type": 3, "custom_id": "a", "options": [{"label": str(at), "value": str(at)} for at in range(options)]}


def labelled(label: str, **changes: Any) -> dict[str, Any]:
    return {"type": 18, "label": label, "component": {"type": 4, "custom_id": "a"} | changes}


def violations(body: dict[str, Any], method: str = "POST", path: str = MESSAGES) -> list[str]:
    return request_violations(method, path, body)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", MESSAGES, message(nonce="1", enforce_nonce=True, components=[row()], flags=4)),
        ("POST", MESSAGES, message(content=None, embeds=[{"title": "Review", "description": "x" * 4_096}])),
        ("POST", MESSAGES, message(message_reference={"message_id": 2**60, "channel_id": 1})),
        ("PATCH", MESSAGES + "/2", {"components": [], "allowed_mentions": NONE}),
        ("POST", "/webhooks/1/token", message(flags=64)),
        ("PATCH", "/webhooks/1/token/messages/@original", message()),
        ("POST", CALLBACK, {"type": 4, "data": message(flags=64)}),
        ("POST", CALLBACK, {"type": 5, "data": {"flags": 64}}),
        ("POST", CALLBACK, {"type": 6}),
        ("POST", CALLBACK, {"type": 8, "data": {"choices": [{"name": "a", "value": "a"}]}}),
        ("POST", CALLBACK, {"type": 9, "data": modal()}),
        ("POST", MESSAGES + "/2/threads", {"name": "x" * 100, "auto_archive_duration": 1_440}),
        ("POST", "/channels/1/threads", {"name": "Post", "applied_tags": ["5"], "message": message()}),
        (
            "POST",
            MESSAGES,
            {
                "content": "",
                "flags": 1 << 15,
                "allowed_mentions": NONE,
                "components": [{"type": 10, "content": "x" * 4_000}],
            },
        ),
        ("PATCH", "/channels/1", {"archived": True, "locked": True, "applied_tags": ["5"]}),
        ("PATCH", "/channels/1", {"name": "Deleted question"}),
        ("POST", "/channels/1/typing", None),
        ("PUT", "/applications/1/commands", [{"name": "retrain"}]),
    ],
)
def test_what_is_right_passes(method: str, path: str, body: Any):
    assert request_violations(method, path, body) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (message(content="x" * 2_001), "content has 2001 characters"),
        ({"content": "An answer"}, "allowed_mentions is missing"),
        (message(allowed_mentions={"parse": ["everyone"]}), "parse is ['everyone']"),
        (message(allowed_mentions={"replied_user": False}), "parse is None"),
        (message(allowed_mentions={"parse": [], "users": ["1"]}), "users is ['1']"),
        (message(allowed_mentions={"parse": [], "roles": ["1"]}), "roles ['1'] were not announced"),
        (message(allowed_mentions={"parse": [], "replied_user": True}), "replied_user is on"),
        (message(allowed_mentions={"parse": [], "everyone": True}), "unknown field 'everyone'"),
        (message(thread="1"), "unknown field 'thread'"),
        (message(embeds=[{"description": "x" * 4_000}, {"description": "x" * 2_001}]), "embeds hold 6001"),
        (message(embeds=[{}] * 11), "11 embeds"),
        (message(embeds=[{"title": "x" * 257}]), "embed title has 257"),
        (message(embeds=[{"fields": [{"name": "a", "value": "x" * 1_025}]}]), "embed field value has 1025"),
        (message(embeds=[{"text": "a"}]), "embed has an unknown field 'text'"),
        (message(components=[row()] * 6), "6 rows"),
        (message(components=[row(*[button(custom_id=str(at)) for at in range(6)])]), "6 components in a row"),
        (message(components=[row(button(), button())]), "custom_id 'bv1:good:1' is there twice"),
        (message(components=[row(button(custom_id="x" * 101))]), "custom_id has 1 to 100 characters"),
        (message(components=[row(button(label="x" * 81))]), "label has 81 characters"),
        (message(components=[row(button(color="red"))]), "unknown field 'color'"),
        (message(components=[row({"type": 3, "custom_id": "a", "options": []}, button())]), "a menu stands alone"),
        (message(components=[row(menu(26))]), "26 options"),
        (message(components=[{"type": 10, "content": "a"}]), "type 10 needs components V2"),
        (message(components=[{"type": 99}]), "type 99 is unknown"),
        (message(flags=1 << 15, components=[{"type": 10, "content": "a"}]), "components V2 do not go with content"),
        (message(content="", flags=1 << 15, components=[{"type": 10, "content": "x" * 4_001}]), "hold 4001 characters"),
        (message(content="", flags=1 << 15, components=[{"type": 10, "content": "a"}] * 41), "41 components"),
        (message(flags=1), "flags 1 hold one"),
    ],
)  # fmt: skip
def test_a_fault_in_a_message_is_found_wherever_it_is_sent(body: dict[str, Any], found: str):
    for method, path in (("POST", MESSAGES), ("PATCH", MESSAGES + "/2"), ("POST", "/webhooks/1/token")):
        assert any(found in one for one in violations(body, method, path)), (method, path)
    assert any(found in one for one in violations({"type": 4, "data": body}, path=CALLBACK))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"type": 9, "data": modal(title="x" * 46)}, "title has 1 to 45"),
        ({"type": 9, "data": modal(custom_id="x" * 101)}, "custom_id has 1 to 100"),
        ({"type": 9, "data": modal(components=[])}, "0 components in a modal"),
        ({"type": 9, "data": modal(components=[row(button())])}, "a modal takes no component of type 2"),
        ({"type": 9, "data": modal(flags=64)}, "modal has an unknown field 'flags'"),
        ({"type": 9, "data": modal(components=[labelled("x" * 46)])}, "label has 46"),
        ({"type": 9, "data": modal(components=[labelled("a", value="x" * 4_001)])}, "value has 4001"),
        ({"type": 5, "data": {"flags": 4}}, "a deferral takes no flags but ephemeral"),
        ({"type": 8, "data": {"choices": [{}] * 26}}, "26 choices"),
        ({"type": 12}, "callback type 12 is unknown"),
    ],
)  # fmt: skip
def test_a_fault_in_a_first_response_is_found(body: dict[str, Any], found: str):
    assert any(found in one for one in violations(body, path=CALLBACK))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"name": "x" * 101}, "a thread's name has 1 to 100"),
        ({"name": ""}, "a thread's name has 1 to 100"),
        ({"name": "a", "auto_archive_duration": 61}, "auto_archive_duration is 61"),
        ({"name": "a", "topic": "a"}, "unknown field 'topic'"),
    ],
)
def test_a_fault_in_a_thread_is_found(body: dict[str, Any], found: str):
    assert any(found in one for one in violations(body, path=MESSAGES + "/2/threads"))


@pytest.mark.parametrize(
    ("method", "path", "body", "found"),
    [
        ("POST", MESSAGES, message(flags=64), "only the answer to an interaction can be ephemeral"),
        ("PATCH", MESSAGES + "/2", message(flags=64), "only the answer to an interaction can be ephemeral"),
        ("PATCH", "/channels/1", {"name": "solved"}, "a channel is renamed"),
        ("PATCH", "/channels/1", {"archive": True}, "unknown field 'archive'"),
        ("POST", "/channels/1/threads", {"name": "a", "message": {"content": "a"}}, "allowed_mentions is missing"),
        ("PUT", "/applications/1/commands", [{"name": "x" * 33}], "name has 1 to 32"),
        ("PUT", "/applications/1/commands", [{"name": "a", "description": "x" * 101}], "more than 100"),
        ("PUT", "/applications/1/guilds/2/commands", [{"name": "a", "options": [{"name": "b"}] * 26}], "26 options"),
        ("PUT", "/applications/1/commands", [{"name": "a", "options": [{"name": ""}]}], "name has 1 to 32"),
        ("PUT", "/applications/1/commands", [{"name": "a", "type": 3}] * 16, "16 commands of type 3"),
        ("PUT", "/applications/1/commands", [{"name": "a", "hidden": True}], "unknown field 'hidden'"),
    ],
)
def test_a_fault_in_what_is_sent_elsewhere_is_found(method: str, path: str, body: Any, found: str):
    assert any(found in one for one in request_violations(method, path, body))


def test_a_role_may_be_pinged_where_a_test_announced_it():
    body = message(allowed_mentions={"parse": [], "roles": [7]})
    assert request_violations("POST", MESSAGES, body, frozenset({7})) == []
    assert request_violations("POST", MESSAGES, body, frozenset({8})) != []
